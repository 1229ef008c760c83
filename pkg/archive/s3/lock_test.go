package s3

import (
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/faxctl/faxctl/pkg/archive/s3/s3test"
	"github.com/faxctl/faxctl/pkg/archive/store"
	"github.com/faxctl/faxctl/pkg/base/problem"
)

func put1(t *testing.T, s *Store, name, content string, when store.Condition) string {
	t.Helper()
	stamp, err := s.Put(t.Context(), name, strings.NewReader(content), when)
	if err != nil {
		t.Fatal(err)
	}
	return stamp
}

// contents are those of all versions of a name, the newest first.
func contents(t *testing.T, server *s3test.Server, bucket, key string) []string {
	t.Helper()
	c := server.Client(t)
	all := []string{}
	for v := range c.ListObjectsIter(t.Context(), bucket, minio.ListObjectsOptions{Prefix: key, WithVersions: true, Recursive: true}) {
		if v.Err != nil {
			t.Fatal(v.Err)
		}
		if v.IsDeleteMarker {
			all = append(all, "deleted")
			continue
		}
		o, err := c.GetObject(t.Context(), bucket, v.Key, minio.GetObjectOptions{VersionID: v.VersionID})
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(o)
		if err := errors.Join(err, o.Close()); err != nil {
			t.Fatal(err)
		}
		all = append(all, string(b))
	}
	return all
}

// A legal hold keeps all that is there as it is, until it is released; then nothing of any
// version is left.
func TestLegalHold(t *testing.T) {
	server := s3test.Versity(t)
	server.Bucket(t, "locked", s3test.Locked)
	s := open(t, server, "s3://locked/p", Options{})
	ctx := t.Context()
	if has, err := s.ObjectLock(ctx); !has || err != nil {
		t.Fatalf("object lock: %v, %v", has, err)
	}
	put1(t, s, "FX1.json", "first", store.Absent())
	put1(t, s, "FX1.json", "second", store.Condition{})
	if err := s.LegalHold(ctx, "FX1.json", true); err != nil {
		t.Fatal(err)
	}
	put1(t, s, "FX1.json", "third", store.Condition{}) // which is not held itself
	err := s.Remove(ctx, "FX1.json")
	if !errors.Is(err, problem.ErrConflict) || !strings.Contains(err.Error(), "legal hold") {
		t.Errorf("got %v", err)
	}
	if got := contents(t, server, "locked", "p/FX1.json"); !slices.Equal(got, []string{"third", "second"}) {
		t.Errorf("after a removal that was refused: %q", got)
	}
	if err := s.LegalHold(ctx, "FX1.json", false); err != nil {
		t.Fatal(err)
	}
	if err := s.Remove(ctx, "FX1.json"); err != nil {
		t.Error(err)
	}
	if got := contents(t, server, "locked", "p/FX1.json"); len(got) > 0 {
		t.Errorf("left: %q", got)
	}
	if err := s.LegalHold(ctx, "FX1.json", true); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of nothing: %v", err)
	}
}

// What somebody has deleted by hand is behind a mark, and goes with it.
func TestRemoveBehindMark(t *testing.T) {
	server := s3test.Versity(t)
	server.Bucket(t, "versioned", s3test.Versioned)
	s := open(t, server, "s3://versioned", Options{})
	put1(t, s, "a/FX1.pdf", "one", store.Absent())
	put1(t, s, "a/FX1.pdf.part", "another", store.Absent())
	if err := server.Client(t).RemoveObject(t.Context(), "versioned", "a/FX1.pdf", minio.RemoveObjectOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := contents(t, server, "versioned", "a/FX1.pdf"); len(got) < 2 {
		t.Fatalf("there: %q", got)
	}
	if err := s.Remove(t.Context(), "a/FX1.pdf"); err != nil {
		t.Error(err)
	}
	if got := contents(t, server, "versioned", "a/FX1.pdf"); !slices.Equal(got, []string{"another"}) && len(got) > 0 {
		t.Errorf("left: %q", got)
	}
	if _, err := s.Stat(t.Context(), "a/FX1.pdf.part"); err != nil {
		t.Errorf("its neighbor: %v", err)
	}
}

// What is put with a retention is kept for so long.
func TestRetention(t *testing.T) {
	server := s3test.Versity(t)
	server.Bucket(t, "locked", s3test.Locked)
	s := open(t, server, "s3://locked", Options{Retention: time.Hour, Compliance: true})
	before := time.Now().Truncate(time.Second)
	put1(t, s, "FX1.pdf", "one", store.Absent())
	err := s.Remove(t.Context(), "FX1.pdf")
	if !errors.Is(err, problem.ErrConflict) || !strings.Contains(err.Error(), "is kept by its bucket until ") || !strings.Contains(err.Error(), "COMPLIANCE") {
		t.Errorf("got %v", err)
	}
	is, err := server.Client(t).StatObject(t.Context(), "locked", "FX1.pdf", minio.StatObjectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	until, err := time.Parse(time.RFC3339, is.Metadata.Get("X-Amz-Object-Lock-Retain-Until-Date"))
	if err != nil || until.Before(before.Add(time.Hour)) || until.After(time.Now().Add(time.Hour)) {
		t.Errorf("until %v, %v", until, err)
	}
	if got := contents(t, server, "locked", "FX1.pdf"); !slices.Equal(got, []string{"one"}) {
		t.Errorf("there: %q", got)
	}
	short := open(t, server, "s3://locked", Options{Retention: 2 * time.Second})
	for done := false; !done; {
		before = time.Now().Truncate(time.Second)
		_, err := short.Put(t.Context(), "FX2.pdf", strings.NewReader("two"), store.Absent())
		if done = err == nil; !done && !strings.Contains(err.Error(), "must be in the future") { // which it may not be on its way
			t.Fatal(err)
		}
	}
	after := time.Now()
	for {
		asked := time.Now()
		err := short.Remove(t.Context(), "FX2.pdf")
		if err == nil && time.Since(before) < 2*time.Second {
			t.Errorf("removed after %s", time.Since(before))
		}
		// Between the refusal and the look at what it is for, the time may be over.
		if kept := time.Since(before) < 2*time.Second; err != nil && (kept && !errors.Is(err, problem.ErrConflict) || asked.Sub(after) > 3*time.Second) {
			t.Errorf("after %s: %v", asked.Sub(after), err)
		}
		if err == nil || t.Failed() {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// A bucket without object lock says so, and so does a server that knows none.
func TestNoObjectLock(t *testing.T) {
	for name, start := range map[string]func(testing.TB) *s3test.Server{"fake": s3test.Fake, "versity": s3test.Versity} {
		t.Run(name, func(t *testing.T) {
			server := start(t)
			server.Bucket(t, "plain", s3test.Plain)
			s := open(t, server, "s3://plain", Options{})
			put1(t, s, "FX1.json", "{}", store.Absent())
			if has, err := s.ObjectLock(t.Context()); has || err != nil {
				t.Errorf("object lock: %v, %v", has, err)
			}
			if err := s.LegalHold(t.Context(), "FX1.json", true); !errors.Is(err, problem.ErrUnsupported) || problem.AdviceOf(err).Empty() {
				t.Errorf("got %v", err)
			}
		})
	}
}

// An encryption that the server does nothing about is told.
func TestEncryptionIgnored(t *testing.T) {
	server := s3test.Versity(t) // knows none
	server.Bucket(t, "plain", s3test.Plain)
	for _, algorithm := range []string{"AES256", "aws:kms"} {
		s := open(t, server, "s3://plain", Options{Encryption: Encryption{Algorithm: algorithm}})
		_, err := s.Put(t.Context(), "FX2.json", strings.NewReader("{}"), store.Condition{})
		if !errors.Is(err, problem.ErrUnsupported) || problem.AdviceOf(err).Empty() {
			t.Errorf("%s: %v", algorithm, err)
		}
	}
	server = s3test.Fake(t) // remembers what it was asked for
	server.Bucket(t, "plain", s3test.Plain)
	put1(t, open(t, server, "s3://plain", Options{Encryption: Encryption{Algorithm: "AES256"}}), "FX2.json", "{}", store.Condition{})
}
