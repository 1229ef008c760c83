package s3

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/archive/s3/s3test"
	"github.com/faxctl/faxctl/pkg/archive/store"
	"github.com/faxctl/faxctl/pkg/base/problem"
)

type statement struct {
	Sid       string
	Effect    string
	Principal map[string][]string
	Action    []string
	Resource  string
}

// documented is the policy of docs/s3.md for a bucket and the prefix kept, as one of the
// bucket that speaks of a user, without an action.
func documented(t *testing.T, bucket, user, without string) string {
	t.Helper()
	page, err := os.ReadFile("../../../docs/s3.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(page), "```json file=policy.json\n")
	text, _, found := strings.Cut(after, "```")
	var policy struct {
		Version   string
		Statement []statement
	}
	if err := json.Unmarshal([]byte(strings.ReplaceAll(text, "CLINIC-FAXES", bucket)), &policy); err != nil || !found {
		t.Fatalf("the policy of the page: %v", err)
	}
	for i := range policy.Statement {
		s := &policy.Statement[i]
		s.Principal = map[string][]string{"AWS": {user}}
		s.Action = without1(s.Action, without)
	}
	b, err := json.Marshal(policy)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func without1(all []string, one string) []string {
	left := []string{}
	for _, a := range all {
		if a != one {
			left = append(left, a)
		}
	}
	return left
}

// everything is all that an archive does with a bucket.
func everything(t *testing.T, server *s3test.Server, bucket string) error {
	ctx := t.Context()
	s, err := Open(ctx, "s3://"+bucket+"/kept", Options{Getenv: server.Getenv, Patience: time.Second})
	if err != nil {
		return err
	}
	stamp, err := s.Put(ctx, "FX1.json", strings.NewReader("{}"), store.Absent())
	if err == nil {
		_, err = s.Put(ctx, "FX1.json", strings.NewReader(`{"a":1}`), store.Unchanged(stamp))
	}
	if err != nil {
		return err
	}
	r, _, err := s.Open(ctx, "FX1.json", 1)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, r)
	if err := errors.Join(err, r.Close()); err != nil {
		return err
	}
	if _, err := s.Stat(ctx, "FX1.json"); err != nil {
		return err
	}
	if _, err := s.Above(ctx, "FX1.json"); err != nil { // which it may not look for
		return err
	}
	if err := s.LegalHold(ctx, "FX1.json", true); err != nil {
		return err
	}
	if err := s.Remove(ctx, "FX1.json"); !errors.Is(err, problem.ErrConflict) {
		return err
	}
	if err := s.LegalHold(ctx, "FX1.json", false); err != nil {
		return err
	}
	if err := s.Remove(ctx, "FX1.json"); err != nil {
		return err
	}
	keeps, err := Open(ctx, "s3://"+bucket+"/kept", Options{Getenv: server.Getenv, Patience: time.Second, Retention: time.Hour})
	if err != nil {
		return err
	}
	if _, err := keeps.Put(ctx, "FX2.pdf", strings.NewReader("kept"), store.Absent()); err != nil {
		return err
	}
	if err := keeps.Remove(ctx, "FX2.pdf"); !errors.Is(err, problem.ErrConflict) {
		return err
	}
	return nil
}

// The policy of the page is enough. Without one of its actions something is refused, and
// the hint names that action.
func TestPolicy(t *testing.T) {
	server := s3test.Versity(t)
	user := server.User(t, "archivist")
	for bucket, without := range map[string]string{
		"all-of-it": "", "no-list": "s3:ListBucket", "no-versions": "s3:ListBucketVersions", "no-get": "s3:GetObject", "no-put": "s3:PutObject",
		"no-removal": "s3:DeleteObjectVersion", "no-lock": "s3:GetBucketObjectLockConfiguration", "no-hold": "s3:PutObjectLegalHold",
	} {
		t.Run(bucket, func(t *testing.T) {
			server.Bucket(t, bucket, s3test.Locked)
			if err := server.Client(t).SetBucketPolicy(t.Context(), bucket, documented(t, bucket, user.Access, without)); err != nil {
				t.Fatal(err)
			}
			err := everything(t, user, bucket)
			if without == "" && err != nil {
				t.Error(err)
			}
			if hint := problem.AdviceOf(err).String(); without != "" && (!errors.Is(err, problem.ErrAuth) || !strings.Contains(hint, without+" on arn:aws:s3:::"+bucket)) {
				t.Errorf("without %s: %v, hint %q", without, err, hint)
			}
		})
	}
}
