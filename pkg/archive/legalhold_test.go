package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/faxctl/faxctl/pkg/archive/dir"
	"github.com/faxctl/faxctl/pkg/archive/index"
	"github.com/faxctl/faxctl/pkg/archive/s3/s3test"
	"github.com/faxctl/faxctl/pkg/archive/store"
	"github.com/faxctl/faxctl/pkg/base/durable"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

// vault is a shelf with object lock, of which each step is announced.
type vault struct {
	*shelf
	mu   sync.Mutex
	held map[string]bool // of what is there now

	step func(what string) error // before each; an error is that of a process that is cut off
}

func newVault(t testing.TB) *vault {
	root := t.TempDir()
	return &vault{shelf: &shelf{Store: dir.New(root, noSync{}), root: root}, held: map[string]bool{}, step: func(string) error { return nil }}
}

// noSync is a disk of which nobody asks what it has after a loss of power.
type noSync struct{ durable.OS }

func (noSync) SyncDir(string) error { return nil }

// open is the archive as another process has it.
func (v *vault) open(t testing.TB) *Archive {
	t.Helper()
	files := bucket{v, noSync{}, t.TempDir()}
	a := &Archive{dir: there, disk: noSync{}, files: files, bucket: &files, writes: true, shared: true, readers: 1, seed: maphash.MakeSeed()}
	var err error
	if a.index, err = index.InMemory(context.Background()); err == nil {
		_, err = a.reconcile(context.Background(), false)
	}
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (v *vault) ObjectLock(context.Context) (bool, error) { return true, nil }

func (v *vault) Held(ctx context.Context, name string) (bool, error) {
	if _, err := v.Stat(ctx, name); err != nil {
		return false, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.held[name], nil
}

func (v *vault) LegalHold(ctx context.Context, name string, on bool) error {
	if err := v.step(fmt.Sprintf("legal hold of %s: %v", path.Ext(name), on)); err != nil {
		return err
	}
	if _, err := v.Stat(ctx, name); err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.held[name] = on
	return nil
}

func (v *vault) put(ctx context.Context, name string, content store.Content, when store.Condition, held bool) (string, error) {
	if err := v.step(fmt.Sprintf("put %s, held: %v", path.Ext(name), held)); err != nil {
		return "", err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	stamp, err := v.Store.Put(ctx, name, content, when)
	if err == nil {
		v.held[name] = held
	}
	return stamp, err
}

func (v *vault) Put(ctx context.Context, name string, content store.Content, when store.Condition) (string, error) {
	return v.put(ctx, name, content, when, false)
}

func (v *vault) PutHeld(ctx context.Context, name string, content store.Content, when store.Condition) (string, error) {
	return v.put(ctx, name, content, when, true)
}

func (v *vault) MayRemove(_ context.Context, name string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.held[name] {
		return fmt.Errorf("%s is under a legal hold: %w", name, problem.ErrConflict)
	}
	return nil
}

func (v *vault) Remove(ctx context.Context, name string) error {
	if err := v.step("remove " + path.Ext(name)); err != nil {
		return err
	}
	if err := v.MayRemove(ctx, name); err != nil {
		return err
	}
	return v.Store.Remove(ctx, name)
}

// sidecar is what is there of a fax, nil: nothing.
func (v *vault) sidecar(t *testing.T, f fax.Fax) *Entry {
	t.Helper()
	name := keyOf(f) + sidecarExt
	data, _, err := readSmall(t.Context(), v.Store, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	e, bad := decode(name, data)
	if err := errors.Join(err, bad); err != nil {
		t.Fatal(err)
	}
	return &e
}

// check finds a fax that is told as held, and which the bucket does not keep.
func (v *vault) check(t *testing.T, f fax.Fax) error {
	e := v.sidecar(t, f)
	v.mu.Lock()
	defer v.mu.Unlock()
	doc, sidecar := v.held[keyOf(f)+".pdf"], v.held[keyOf(f)+sidecarExt]
	if e != nil && e.Hold != nil && (!doc || !sidecar) {
		return fmt.Errorf("it is told as held, and under a legal hold are: document %v, sidecar %v", doc, sidecar)
	}
	return nil
}

// later has a release that was cut off be so old that nobody is at it any more.
func (v *vault) later(t *testing.T, f fax.Fax) {
	t.Helper()
	e := v.sidecar(t, f)
	if e == nil || e.Release == nil || !e.Release.Done.IsZero() {
		return
	}
	e.Release.Begun = e.Release.Begun.Add(-time.Hour)
	data, err := e.encode()
	if err == nil {
		_, err = v.Store.Put(t.Context(), keyOf(f)+sidecarExt, bytes.NewReader(data), store.Condition{})
	}
	if err != nil {
		t.Fatal(err)
	}
}

var errCut = errors.New("cut off")

// doing is what somebody does to a fax.
type doing func(ctx context.Context, d *fakeFaxes, a *Archive, f fax.Fax) error

func doings() map[string]doing {
	return map[string]doing{
		"hold": func(ctx context.Context, _ *fakeFaxes, a *Archive, f fax.Fax) error {
			_, err := a.Hold(ctx, f.ID, "case 1")
			return err
		},
		"unhold": func(ctx context.Context, _ *fakeFaxes, a *Archive, f fax.Fax) error {
			_, err := a.Unhold(ctx, f.ID)
			return err
		},
		"mark": func(ctx context.Context, _ *fakeFaxes, a *Archive, f fax.Fax) error {
			return a.MarkDeleted(ctx, f.ID, time.Time{}, false)
		},
		"save": func(ctx context.Context, d *fakeFaxes, a *Archive, f fax.Fax) error {
			f.Price = &fax.Money{Amount: "0.01", Currency: "USD"}
			_, _, err := a.Save(ctx, d, f)
			return err
		},
		"remove": func(ctx context.Context, _ *fakeFaxes, a *Archive, f fax.Fax) error {
			return a.Remove(ctx, f.ID, func(Entry, error) error { return nil })
		},
	}
}

// meeting is two who are at one fax, the inner one before a step of the outer one.
type meeting struct {
	outer, inner string
	held         bool // the fax, before
	at           int  // the step of the outer one, from 1 on
	cut          int  // the step of the inner one before which that is cut off; 0: it is not
}

// run has them meet. The outer one may have fewer steps, and so may the inner one.
func (m meeting) run(t *testing.T) (met, cut bool) {
	v := newVault(t)
	d, faxes := fill(t, 1)
	f := faxes[0]
	a := v.open(t)
	saveAll(t, a, d, faxes)
	b := v.open(t)
	if m.held {
		if _, err := a.Hold(t.Context(), f.ID, "case 0"); err != nil {
			t.Fatal(err)
		}
	}
	outer, inner, inside := 0, 0, false
	var steps []string
	check := func() {
		if err := v.check(t, f); err != nil {
			t.Errorf("%+v: %v, after\n%s", m, err, strings.Join(steps, "\n"))
		}
	}
	v.step = func(what string) error {
		check()
		if inside {
			inner++
			if cut = cut || inner == m.cut; cut {
				return errCut
			}
			steps = append(steps, "  "+m.inner+": "+what)
			return nil
		}
		if outer++; outer == m.at {
			met, inside = true, true
			_ = doings()[m.inner](t.Context(), d, b, f)
			inside = false
			check()
		}
		steps = append(steps, m.outer+": "+what)
		return nil
	}
	_ = doings()[m.outer](t.Context(), d, a, f)
	v.step = func(string) error { return nil }
	check()
	v.afterwards(t, f)
	if err := errors.Join(a.Close(context.Background()), b.Close(context.Background())); err != nil {
		t.Error(err)
	}
	return met, cut
}

// Whatever two are doing to one fax at once, one of them in the middle of the other, and
// wherever that one is cut off: what is told as held its bucket keeps, at each moment; and
// who comes afterwards can hold it, and let it go, with nothing left.
func TestLegalHoldTogether(t *testing.T) {
	runs := 0
	for outer := range doings() {
		for inner := range doings() {
			for _, held := range []bool{false, true} {
				for at, met := 1, true; met; at++ {
					for n, cut := 0, true; met && (cut || n <= 1); n++ {
						met, cut = meeting{outer, inner, held, at, n}.run(t)
						if runs++; t.Failed() {
							return
						}
					}
				}
			}
		}
	}
	if t.Logf("%d runs", runs); runs < 200 {
		t.Error("these are too few")
	}
}

// afterwards holds the fax and lets it go, if it was not removed.
func (v *vault) afterwards(t *testing.T, f fax.Fax) {
	t.Helper()
	v.later(t, f)
	a := v.open(t)
	defer a.Close(context.Background())
	e := v.sidecar(t, f)
	if e == nil || !e.Removing.IsZero() {
		return
	}
	if _, err := a.Hold(t.Context(), f.ID, "case 2"); err != nil {
		t.Errorf("held afterwards: %v", err)
	}
	if err := v.check(t, f); err != nil {
		t.Error(err)
	}
	if err := a.Remove(t.Context(), f.ID, func(Entry, error) error { return nil }); !errors.As(err, new(*HeldError)) {
		t.Errorf("removed while held: %v", err)
	}
	if _, err := a.Unhold(t.Context(), f.ID); err != nil {
		t.Errorf("let go afterwards: %v", err)
	}
	for name, held := range v.held {
		if held {
			t.Errorf("%s is under a legal hold still", name)
		}
	}
}

// legal are the legal holds of all versions of a name, in a bucket.
func legal(t *testing.T, server *s3test.Server, bucket, name string) (all []bool) {
	t.Helper()
	c := server.Client(t)
	for v := range c.ListObjectsIter(t.Context(), bucket, minio.ListObjectsOptions{Prefix: name, WithVersions: true, Recursive: true}) {
		if v.Err != nil {
			t.Fatal(v.Err)
		}
		got, err := c.GetObjectLegalHold(t.Context(), bucket, v.Key, minio.GetObjectLegalHoldOptions{VersionID: v.VersionID})
		var said minio.ErrorResponse
		if errors.As(err, &said) && said.Code == "NoSuchObjectLockConfiguration" {
			all = append(all, false)
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, *got == minio.LegalHoldEnabled)
	}
	return all
}

// serverMachine is one that reaches a bucket of a server.
func serverMachine(t testing.TB, server *s3test.Server) Opener {
	home := t.TempDir()
	return Opener{Getenv: func(name string) string {
		if name == "XDG_CACHE_HOME" {
			return home
		}
		return server.Getenv(name)
	}}
}

// A bucket with object lock keeps what is held against everybody, and all that is written of
// it meanwhile, until it is let go.
func TestLegalHoldOfBucket(t *testing.T) {
	server := s3test.Versity(t)
	server.Bucket(t, "bucket", s3test.Locked)
	d, faxes := fill(t, 2)
	a := openRemote(t, serverMachine(t, server))
	saveAll(t, a, d, faxes)
	f := faxes[0]
	doc, sidecar := "faxes/"+keyOf(f)+".pdf", "faxes/"+keyOf(f)+sidecarExt
	if _, err := a.Hold(t.Context(), f.ID, "case 1"); err != nil {
		t.Fatal(err)
	}
	if err := a.MarkDeleted(t.Context(), f.ID, time.Time{}, false); err != nil {
		t.Fatal(err)
	}
	if d, s := legal(t, server, "bucket", doc), legal(t, server, "bucket", sidecar); !slices.Equal(d, []bool{true}) || len(s) != 3 || !s[0] || !s[1] || s[2] {
		t.Errorf("held: document %v, sidecar %v", d, s)
	}
	verified(t, a, 2)
	if _, err := a.Unhold(t.Context(), f.ID); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{doc, sidecar} {
		if got := legal(t, server, "bucket", name); slices.Contains(got, true) {
			t.Errorf("let go: %s: %v", name, got)
		}
	}
	if e, err := a.Get(t.Context(), f.ID); err != nil || e.Hold != nil || e.Release == nil || e.Release.Done.Before(e.Release.Begun) {
		t.Errorf("let go: %+v, %v", e, err)
	}
	verified(t, a, 2)
	nothing := func(Entry, error) error { return nil }
	if err := a.Remove(t.Context(), f.ID, nothing); err != nil {
		t.Error(err)
	}
	if got := append(legal(t, server, "bucket", doc), legal(t, server, "bucket", sidecar)...); len(got) > 0 {
		t.Errorf("left: %v", got)
	}

	// What somebody else has put under a legal hold stays, and is told.
	f = faxes[1]
	doc = keyOf(f) + ".pdf"
	if err := a.bucket.LegalHold(t.Context(), doc, true); err != nil {
		t.Fatal(err)
	}
	err := a.Remove(t.Context(), f.ID, nothing)
	if !errors.Is(err, ErrKept) || !errors.Is(err, problem.ErrConflict) || !strings.Contains(err.Error(), "legal hold") {
		t.Errorf("removed: %v", err)
	}
	if e, err := a.Get(t.Context(), f.ID); err != nil || !e.Removing.IsZero() {
		t.Errorf("%+v, %v", e, err)
	}
	if report, err := a.Verify(t.Context(), 2); err != nil || len(report.Findings) > 0 || len(report.Notes) != 1 || report.Notes[0].ID != f.ID {
		t.Errorf("%+v, %v", report, err)
	}
	if _, err := a.Unhold(t.Context(), f.ID); err != nil {
		t.Error(err)
	}
	if _, err := a.Hold(t.Context(), f.ID, "case 2"); err != nil {
		t.Error(err)
	}
	if err := a.bucket.LegalHold(t.Context(), doc, false); err != nil {
		t.Fatal(err)
	}
	if report, err := a.Verify(t.Context(), 2); err != nil || len(report.Findings) != 1 || report.Findings[0].Problem != NotLocked {
		t.Errorf("%+v, %v", report, err)
	}
	if _, err := a.Hold(t.Context(), f.ID, "case 2"); err != nil {
		t.Error(err)
	}
	verified(t, a, 1)
}

// A bucket without object lock is asked whether it has it once, and nothing else.
func TestNoLegalHoldOfBucket(t *testing.T) {
	server := s3test.Fake(t)
	server.Bucket(t, "bucket", s3test.Plain)
	var mu sync.Mutex
	asked := map[string]int{}
	front := server.Proxy(t, func(r *http.Request) s3test.Fault {
		mu.Lock()
		defer mu.Unlock()
		for _, what := range []string{"object-lock", "legal-hold", "retention", "versions"} {
			if r.URL.Query().Has(what) {
				asked[what]++
			}
		}
		return s3test.None
	})
	d, faxes := fill(t, 1)
	a := openRemote(t, serverMachine(t, front))
	saveAll(t, a, d, faxes)
	if len(asked) > 0 {
		t.Errorf("nothing is held, and asked was %v", asked)
	}
	id := faxes[0].ID
	for range 2 {
		if _, err := a.Hold(t.Context(), id, "case 1"); err != nil {
			t.Error(err)
		}
		verified(t, a, 1)
		if _, err := a.Unhold(t.Context(), id); err != nil {
			t.Error(err)
		}
	}
	if _, _, err := a.MayGo(t.Context(), id); err != nil {
		t.Error(err)
	}
	if e, err := a.Get(t.Context(), id); err != nil || e.Release != nil || len(e.Holds) != 2 {
		t.Errorf("%+v, %v", e, err)
	}
	if len(asked) != 1 || asked["object-lock"] != 1 {
		t.Errorf("asked: %v", asked)
	}
}

// A bucket that refuses a removal at the last moment, as somebody has put the document under a
// legal hold there, leaves nothing that is being removed: all of the fax is there.
func TestRemovalIsRefused(t *testing.T) {
	v := newVault(t)
	a := v.open(t)
	defer a.Close(t.Context())
	d, faxes := fill(t, 1)
	f := faxes[0]
	if _, _, err := a.Save(t.Context(), d, f); err != nil {
		t.Fatal(err)
	}
	v.step = func(what string) error {
		if strings.HasPrefix(what, "remove .") {
			v.mu.Lock()
			v.held[keyOf(f)+".pdf"] = true
			v.mu.Unlock()
		}
		return nil
	}
	if err := a.Remove(t.Context(), f.ID, func(Entry, error) error { return nil }); !errors.Is(err, ErrKept) || !errors.Is(err, problem.ErrConflict) {
		t.Errorf("it comes to %v", err)
	}
	if e := v.sidecar(t, f); e == nil || !e.Removing.IsZero() || !e.Whole() {
		t.Errorf("its sidecar says %+v", e)
	}
	v.step = func(string) error { return nil }
	if _, err := a.Hold(t.Context(), f.ID, "case 1"); err != nil {
		t.Errorf("it is not held after that: %v", err)
	}
}

// A hold whose sidecar was replaced is told as such beside the legal hold that is left of it, which
// nobody is led to release.
func TestReplacedHoldUnderLegalHold(t *testing.T) {
	v := newVault(t)
	d, faxes := fill(t, 1)
	f, a, b := faxes[0], v.open(t), v.open(t)
	defer func() {
		if err := errors.Join(a.Close(t.Context()), b.Close(t.Context())); err != nil {
			t.Error(err)
		}
	}()
	save(t, a, d, f)
	if _, err := a.Hold(t.Context(), f.ID, "case 1"); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(a.flushRows(t.Context()), v.Store.Remove(t.Context(), keyOf(f)+sidecarExt)); err != nil {
		t.Fatal(err)
	}
	save(t, b, d, f)
	report, err := a.Verify(t.Context(), 1)
	if err != nil || len(report.Notes) > 0 || len(report.Findings) != 2 || report.Findings[0].Problem != NotLocked || report.Findings[1].Problem != HoldLost {
		t.Errorf("%+v, %v", report, err)
	}
	if _, err := a.Hold(t.Context(), f.ID, "case 1"); err != nil {
		t.Fatal(err)
	}
	verified(t, a, 1)
}

// A document without a sidecar that is under a legal hold was held, however young it is: no prune
// takes it for what a run has left that was cut off.
func TestLostHoldUnderLegalHold(t *testing.T) {
	v := newVault(t)
	d, faxes := fill(t, 2)
	a := v.open(t)
	saveAll(t, a, d, faxes)
	if _, err := a.Hold(t.Context(), faxes[0].ID, "case 1"); err != nil {
		t.Fatal(err)
	}
	for _, f := range faxes {
		if err := v.Store.Remove(t.Context(), keyOf(f)+sidecarExt); err != nil {
			t.Fatal(err)
		}
	}
	b := v.open(t)
	if _, _, _, err := b.Kept(t.Context(), faxes[0]); !errors.Is(err, ErrDamagedCopy) || problem.AdviceOf(err).Empty() {
		t.Errorf("it was held: %v", err)
	}
	if _, found, _, err := b.Kept(t.Context(), faxes[1]); found || err != nil {
		t.Errorf("it was not: %v, %v", found, err)
	}
	if err := errors.Join(a.Close(t.Context()), b.Close(t.Context())); err != nil {
		t.Error(err)
	}
}
