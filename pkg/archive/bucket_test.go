package archive

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/archive/dir"
	"github.com/faxctl/faxctl/pkg/archive/store"
	"github.com/faxctl/faxctl/pkg/base/durable"
	"github.com/faxctl/faxctl/pkg/base/postgres"
	"github.com/faxctl/faxctl/pkg/base/postgres/postgrestest"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

// shelf is a store that several write to at the same time, and that can be away.
type shelf struct {
	*dir.Store
	root   string
	away   atomic.Bool
	opened atomic.Int64
	stats  atomic.Int64
	lists  atomic.Int64
	above  string // the archive that it is in; "": none

	before func(name string)      // runs before each put
	hidden func(name string) bool // of those that are asked for; may be nil
	late   string                 // the end of a name that no list has yet; "": none
}

func newShelf(t testing.TB) *shelf {
	root := t.TempDir()
	return &shelf{Store: dir.New(root, durable.NewSyncer(durable.OS{})), root: root}
}

func (s *shelf) Identity() string { return s.root }

func (s *shelf) Above(context.Context, string) (string, error) { return s.above, nil }

func (s *shelf) List(ctx context.Context, prefix string) iter.Seq2[store.File, error] {
	s.lists.Add(1)
	return func(yield func(store.File, error) bool) {
		for f, err := range s.Store.List(ctx, prefix) {
			if err == nil && s.late != "" && strings.HasSuffix(f.Name, s.late) {
				continue
			}
			if !yield(f, err) {
				return
			}
		}
	}
}

// It has no object lock.
func (s *shelf) ObjectLock(context.Context) (bool, error)      { return false, nil }
func (s *shelf) Held(context.Context, string) (bool, error)    { return false, problem.ErrUnsupported }
func (s *shelf) LegalHold(context.Context, string, bool) error { return problem.ErrUnsupported }
func (s *shelf) MayRemove(context.Context, string) error       { return problem.ErrUnsupported }
func (s *shelf) PutHeld(context.Context, string, store.Content, store.Condition) (string, error) {
	return "", problem.ErrUnsupported
}

var errAway = fmt.Errorf("the store: %w", problem.ErrUnavailable)

func (s *shelf) Put(ctx context.Context, name string, content store.Content, when store.Condition) (string, error) {
	if s.away.Load() {
		return "", errAway
	}
	if s.before != nil {
		s.before(name)
	}
	return s.Store.Put(ctx, name, content, when)
}

func (s *shelf) Open(ctx context.Context, name string, offset int64) (r io.ReadCloser, f store.File, err error) {
	if s.away.Load() {
		return nil, f, errAway
	}
	if s.hidden != nil && s.hidden(name) {
		return nil, f, fs.ErrNotExist
	}
	s.opened.Add(1)
	return s.Store.Open(ctx, name, offset)
}

func (s *shelf) Stat(ctx context.Context, name string) (store.File, error) {
	if s.away.Load() {
		return store.File{}, errAway
	}
	s.stats.Add(1)
	if s.hidden != nil && s.hidden(name) {
		return store.File{}, fs.ErrNotExist
	}
	return s.Store.Stat(ctx, name)
}

// machine is one that reaches the store, with a cache folder of its own.
func (s *shelf) machine(t testing.TB) Opener {
	home := t.TempDir()
	return Opener{
		Getenv: func(name string) string { return map[string]string{"XDG_CACHE_HOME": home}[name] },
		connect: func(context.Context, string) (remote, error) {
			if s.away.Load() {
				return nil, errAway
			}
			return s, nil
		},
	}
}

const there = "s3://bucket/faxes"

func openRemote(t testing.TB, o Opener) *Archive {
	t.Helper()
	a, err := o.Open(t.Context(), there)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return a
}

// What one machine keeps another one lists, reads, holds and removes, and nothing of it
// stays on either.
func TestBucket(t *testing.T) {
	s := newShelf(t)
	d, faxes := fill(t, 5)
	one, two := s.machine(t), s.machine(t)
	if _, err := one.Read(t.Context(), there); !errors.Is(err, problem.ErrNotFound) {
		t.Errorf("before it is made: %v", err)
	}
	a := openRemote(t, one)
	saveAll(t, a, d, faxes)
	if e, existed := save(t, a, d, faxes[0]); !existed || e.Document == nil {
		t.Errorf("kept again: %+v", e)
	}
	b := openRemote(t, two)
	if got := listed(t, b, fax.Filter{}); len(got) != len(faxes) {
		t.Errorf("listed: %q", got)
	}
	for _, f := range faxes {
		if got, err := b.ReadDocument(t.Context(), f.ID); err != nil || !bytes.Equal(got, d.docs[f.ID]) {
			t.Errorf("%s: %d bytes, %v", f.ID, len(got), err)
		}
	}
	if _, err := b.Hold(t.Context(), faxes[1].ID, "lawsuit"); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Secure(t.Context(), d, faxes[1], false); !errors.As(err, new(*HeldError)) {
		t.Errorf("held by another: %v", err)
	}
	if _, err := a.Secure(t.Context(), d, faxes[2], false); err != nil {
		t.Errorf("held by nobody: %v", err)
	}
	nothing := func(Entry, error) error { return nil }
	if err := b.Remove(t.Context(), faxes[3].ID, nothing); err != nil {
		t.Error(err)
	}
	if err := a.Remove(t.Context(), faxes[1].ID, nothing); !errors.As(err, new(*HeldError)) {
		t.Errorf("got %v", err)
	}
	c, err := one.Read(t.Context(), there)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{faxes[0].ID, faxes[1].ID, faxes[2].ID, faxes[4].ID}
	if got := listed(t, c, fax.Filter{}); !slices.Equal(got, want) {
		t.Errorf("listed: %q, want %q", got, want)
	}
	if report, err := c.Verify(t.Context(), 3); err != nil || report.Documents != 4 || len(report.Findings) > 0 {
		t.Errorf("%+v, %v", report, err)
	}
	if err := c.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if names := files(t, s.root); len(names) != 8 {
		t.Errorf("kept: %q", names)
	}
	for _, o := range []Opener{one, two} {
		if left, err := filepath.Glob(filepath.Join(o.Getenv("XDG_CACHE_HOME"), "faxctl/archives/*/documents/*")); err != nil || len(left) > 0 {
			t.Errorf("left on the machine: %q, %v", left, err)
		}
	}
}

// together opens the archive on so many machines, and has each do something at once.
func (s *shelf) together(t *testing.T, n int, do func(i int, a *Archive)) {
	t.Helper()
	var all sync.WaitGroup
	for i := range n {
		a := openRemote(t, s.machine(t))
		all.Go(func() { do(i, a) })
	}
	all.Wait()
}

// Of several that keep one fax at once, one does; the others are told that it was there.
func TestBucketKeepsOnce(t *testing.T) {
	s := newShelf(t)
	d, faxes := fill(t, 3)
	var kept atomic.Int64
	s.together(t, 6, func(_ int, a *Archive) {
		for _, f := range faxes {
			if _, existed, err := a.Save(t.Context(), d, f); err != nil {
				t.Error(err)
			} else if !existed {
				kept.Add(1)
			}
		}
	})
	if n := kept.Load(); n != int64(len(faxes)) {
		t.Errorf("%d were kept, of %d faxes", n, len(faxes))
	}
	verified(t, openRemote(t, s.machine(t)), len(faxes))
}

func verified(t *testing.T, a *Archive, documents int) {
	t.Helper()
	if report, err := a.Verify(t.Context(), 2); err != nil || report.Documents != documents || len(report.Findings) > 0 {
		t.Errorf("%+v, %v", report, err)
	}
}

// A fax that is kept while its day is listed is checked as well; its document is no orphan.
func TestVerifyWhatIsKeptMeanwhile(t *testing.T) {
	s := newShelf(t)
	d, faxes := fill(t, 2)
	a := openRemote(t, s.machine(t))
	saveAll(t, a, d, faxes)
	s.late = keyOf(faxes[0]) + sidecarExt
	verified(t, a, 2)
	if err := os.WriteFile(filepath.Join(s.root, filepath.FromSlash(keyOf(faxes[0])+".pdf")), []byte("%PDF-1.4"), 0o600); err != nil {
		t.Fatal(err)
	}
	if report, err := a.Verify(t.Context(), 2); err != nil || len(report.Findings) != 1 || report.Findings[0].Problem != Changed {
		t.Errorf("%+v, %v", report, err)
	}
}

// A provider that makes a new file of a fax each time it is asked, of the same size: what
// the sidecar says in the end is what is there.
func TestBucketKeepsOneOfSeveral(t *testing.T) {
	for range 5 {
		s := newShelf(t)
		s.together(t, 6, func(i int, a *Archive) {
			d, faxes := fill(t, 1)
			d.docs[faxes[0].ID][len("%PDF-1")+1] = byte('0' + i) // the minor version
			if _, _, err := a.Save(t.Context(), d, faxes[0]); err != nil {
				t.Error(err)
			}
		})
		verified(t, openRemote(t, s.machine(t)), 1)
	}
}

// What was put by a run that was cut off before its sidecar is no reason to keep nothing.
func TestBucketWithALeftDocument(t *testing.T) {
	s := newShelf(t)
	d, faxes := fill(t, 2)
	a := openRemote(t, s.machine(t))
	for i, left := range [][]byte{d.docs[faxes[0].ID], []byte("something else")} {
		if _, err := s.Store.Put(t.Context(), keyOf(faxes[i])+".pdf", bytes.NewReader(left), store.Absent()); err != nil {
			t.Fatal(err)
		}
	}
	saveAll(t, a, d, faxes)
	verified(t, a, 2)
}

// A hold that comes between the decision and the put counts, for all who write.
func TestBucketHoldComesFirst(t *testing.T) {
	s := newShelf(t)
	d, faxes := fill(t, 3)
	a := openRemote(t, s.machine(t))
	saveAll(t, a, d, faxes)
	b := openRemote(t, s.machine(t))
	held := map[string]bool{}
	s.before = func(name string) {
		id := strings.TrimSuffix(filepath.Base(name), sidecarExt)
		if !held[id] && strings.HasSuffix(name, sidecarExt) {
			held[id] = true
			if _, err := b.Hold(t.Context(), id, "lawsuit"); err != nil {
				t.Error(err)
			}
		}
	}
	changed := faxes[0]
	changed.Price = &fax.Money{Amount: "0.01", Currency: "USD"}
	if e, _, err := a.Save(t.Context(), d, changed); err != nil || e.Hold == nil {
		t.Errorf("saved: %+v, %v", e.Hold, err)
	}
	if err := a.MarkDeleted(t.Context(), faxes[1].ID, time.Time{}, false); err != nil {
		t.Error(err)
	}
	if err := a.Remove(t.Context(), faxes[2].ID, func(Entry, error) error { return nil }); !errors.As(err, new(*HeldError)) {
		t.Errorf("removed: %v", err)
	}
	for _, f := range faxes {
		if e, err := a.Get(t.Context(), f.ID); err != nil || e.Hold == nil || !e.Removing.IsZero() {
			t.Errorf("%s: %+v, %v", f.ID, e, err)
		}
	}
	if e, err := a.Get(t.Context(), faxes[1].ID); err != nil || e.Gone.IsZero() {
		t.Errorf("it is not marked: %+v, %v", e, err)
	}
	verified(t, a, 3)
}

// Of a store that is away nothing is said: no copy is damaged, nothing is there or not, and
// what is known of before is no answer.
func TestBucketAway(t *testing.T) {
	s := newShelf(t)
	d, faxes := fill(t, 2)
	o := s.machine(t)
	a := openRemote(t, o)
	saveAll(t, a, d, faxes[:1])
	s.away.Store(true)
	defer s.away.Store(false)
	id := faxes[0].ID
	_, read := o.Read(t.Context(), there)
	_, get := a.Get(t.Context(), id)
	_, has := a.Has(t.Context(), id)
	_, hasDocument := a.HasDocument(t.Context(), id, "")
	_, document := a.ReadDocument(t.Context(), id)
	_, _, again := a.Save(t.Context(), d, faxes[0])
	_, _, save := a.Save(t.Context(), d, faxes[1])
	_, _, _, kept := a.Kept(t.Context(), faxes[0])
	_, _, mayGo := a.MayGo(t.Context(), id)
	_, secure := a.Secure(t.Context(), d, faxes[0], false)
	_, verify := a.Verify(t.Context(), 2)
	_, hold := a.Hold(t.Context(), id, "lawsuit")
	for did, err := range map[string]error{
		"read": read, "get": get, "has": has, "has document": hasDocument, "document": document, "save again": again, "save": save,
		"kept": kept, "may go": mayGo, "secure": secure, "verify": verify, "hold": hold, "known": o.Known(t.Context(), there),
	} {
		if !errors.Is(err, problem.ErrUnavailable) || errors.Is(err, ErrDamagedCopy) {
			t.Errorf("%s: %v", did, err)
		}
	}
}

// An index is brought up to date by what has changed alone, and forgets what is gone.
func TestBucketIndex(t *testing.T) {
	s := newShelf(t)
	d, faxes := fill(t, 6)
	a := openRemote(t, s.machine(t))
	saveAll(t, a, d, faxes)
	o := s.machine(t)
	var told int
	o.Reading = func(n int) { told += n }
	look := func(reads int, ids ...string) {
		t.Helper()
		before := s.opened.Load()
		told = 0
		r, err := o.Read(t.Context(), there)
		if err != nil {
			t.Fatal(err)
		}
		if n := s.opened.Load() - before - 1; n != int64(reads) || told != reads { // but for the format
			t.Errorf("%d were read, %d told of; want %d", n, told, reads)
		}
		got := listed(t, r, fax.Filter{})
		if slices.Sort(got); !slices.Equal(got, ids) {
			t.Errorf("listed: %q, want %q", got, ids)
		}
		if err := r.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
	var ids []string
	for _, f := range faxes {
		ids = append(ids, f.ID)
	}
	look(6, ids...)
	look(0, ids...)
	if _, err := a.Hold(t.Context(), ids[2], "lawsuit"); err != nil {
		t.Fatal(err)
	}
	look(1, ids...)
	if err := a.Remove(t.Context(), ids[0], func(Entry, error) error { return nil }); err != nil {
		t.Fatal(err)
	}
	look(0, ids[1:]...)
	for _, index := range must(filepath.Glob(filepath.Join(o.Getenv("XDG_CACHE_HOME"), "faxctl/archives/*/"+indexFile)))(t) {
		if err := os.WriteFile(index, []byte("damaged"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	look(5, ids[1:]...)
}

// must is what there is unless it failed.
func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// Several on one machine open an archive for the first time at once, and make it once.
func TestBucketOpenedAtOnce(t *testing.T) {
	s := newShelf(t)
	o := s.machine(t)
	d, faxes := fill(t, 4)
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			a, err := o.Open(t.Context(), there)
			if err != nil {
				t.Error(err)
				return
			}
			if _, _, err := a.Save(t.Context(), d, faxes[i]); err != nil {
				t.Error(err)
			}
			if err := a.Close(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	a := openRemote(t, o)
	if got := listed(t, a, fax.Filter{}); len(got) != 4 {
		t.Errorf("listed: %q", got)
	}
}

// Where something else is no archive is made, and one that lost its format gets it back.
func TestBucketFormat(t *testing.T) {
	s := newShelf(t)
	o := s.machine(t)
	put := func(name, content string) {
		t.Helper()
		if _, err := s.Store.Put(t.Context(), name, strings.NewReader(content), store.Condition{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := o.Check(t.Context(), there); err != nil {
		t.Errorf("an empty one: %v", err)
	}
	put("photos/one.jpg", "x")
	put("photos/one.json", "{}")
	_, opened := o.Open(t.Context(), there)
	for did, err := range map[string]error{"open": opened, "check": o.Check(t.Context(), there)} {
		if !errors.Is(err, problem.ErrInvalid) || problem.AdviceOf(err).Empty() {
			t.Errorf("%s: %v", did, err)
		}
	}
	if _, rescued, err := o.Rescue(t.Context(), there); !errors.Is(err, problem.ErrNotFound) || rescued {
		t.Errorf("rescue: %v, %v", rescued, err)
	}
	if err := errors.Join(s.Remove(t.Context(), "photos/one.jpg"), s.Remove(t.Context(), "photos/one.json")); err != nil {
		t.Fatal(err)
	}
	d, faxes := fill(t, 1)
	saveAll(t, openRemote(t, o), d, faxes)
	if err := s.Remove(t.Context(), formatFile); err != nil {
		t.Fatal(err)
	}
	if err := o.Known(t.Context(), there); !errors.Is(err, problem.ErrNotFound) || !strings.Contains(err.Error(), "lost its") {
		t.Errorf("known: %v", err)
	}
	a, rescued, err := o.Rescue(t.Context(), there)
	if err != nil || !rescued {
		t.Fatalf("rescue: %v, %v", rescued, err)
	}
	if err := a.Close(t.Context()); err != nil {
		t.Error(err)
	}
	put(formatFile, `{"format": 99}`)
	if err := o.Known(t.Context(), there); !errors.Is(err, problem.ErrUnsupported) {
		t.Errorf("a later version: %v", err)
	}
}

// Replicas of one receiver share a claim; another receiver has to take it over, and the
// first one notices.
func TestBucketClaim(t *testing.T) {
	s := newShelf(t)
	o := s.machine(t)
	ctx := t.Context()
	openRemote(t, o)
	calls := 0
	takeOver := func(Receiver) error { calls++; return nil }
	one, err := o.Claim(ctx, there, "AC1", NewReceiver("one", "first"), takeOver)
	if err != nil {
		t.Fatal(err)
	}
	replica, err := s.machine(t).Claim(ctx, there, "AC1", NewReceiver("one", "second"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(one.Check(ctx), replica.Check(ctx), one.Ready(ctx)); err != nil {
		t.Error(err)
	}
	if _, err := o.Claim(ctx, there, "AC1", NewReceiver("two", "third"), nil); !errors.Is(err, problem.ErrConflict) {
		t.Errorf("another: %v", err)
	}
	if err := o.Claimable(ctx, there, "AC1", ""); !errors.Is(err, problem.ErrConflict) {
		t.Errorf("claimable: %v", err)
	}
	two, err := o.Claim(ctx, there, "AC1", NewReceiver("two", "third"), takeOver)
	if err != nil || calls != 1 {
		t.Fatalf("taken over: %v, after %d calls", err, calls)
	}
	if err := one.Check(ctx); !errors.Is(err, problem.ErrConflict) {
		t.Errorf("the first: %v", err)
	}
	s.away.Store(true)
	if err := two.Check(ctx); !errors.Is(err, problem.ErrUnavailable) || errors.Is(err, problem.ErrConflict) {
		t.Errorf("away: %v", err)
	}
	s.away.Store(false)
	if err := s.Remove(ctx, claimName("AC1")); err != nil {
		t.Fatal(err)
	}
	if err := two.Check(ctx); !errors.Is(err, problem.ErrConflict) {
		t.Errorf("removed: %v", err)
	}
	if err := errors.Join(one.Close(), two.Close(), replica.Close()); err != nil {
		t.Error(err)
	}
}

// A server keeps it open, and says that it is away when it is.
func TestBucketShared(t *testing.T) {
	s := newShelf(t)
	d, faxes := fill(t, 1)
	shared := NewShared(s.machine(t), there, func(err error) { t.Error(err) })
	var first *Archive
	for range 2 {
		err := shared.Use(t.Context(), 0, func(a *Archive) error {
			if first != nil && a != first {
				t.Error("it was opened twice")
			}
			first = a
			save(t, a, d, faxes[0])
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if shared.idle != nil {
		t.Error("it is about to be closed")
	}
	if err := shared.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

var server postgrestest.Server

// database is an empty one.
func database(t *testing.T) *sql.DB {
	t.Helper()
	db, err := postgres.Open(t.Context(), server.Database(t), postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// With an index that all have in common nothing is listed, what one keeps the others see at
// once, and what was kept without it is found at the first time.
func TestBucketCommonIndex(t *testing.T) {
	db := database(t)
	s := newShelf(t)
	d, faxes := fill(t, 6)
	plain := openRemote(t, s.machine(t))
	saveAll(t, plain, d, faxes[:2])
	machine := func() Opener {
		o := s.machine(t)
		o.Database = func(context.Context) (*sql.DB, error) { return db, nil }
		return o
	}
	a, b := openRemote(t, machine()), openRemote(t, machine())
	if got := listed(t, b, fax.Filter{}); len(got) != 2 {
		t.Errorf("at first: %q", got)
	}
	saveAll(t, a, d, faxes[2:])
	if got := listed(t, b, fax.Filter{}); len(got) != len(faxes) {
		t.Errorf("at once: %q", got)
	}
	before := s.opened.Load()
	c := openRemote(t, machine())
	if n := s.opened.Load() - before; n != 2 { // the format, and the mark of who writes without it
		t.Errorf("%d files were read to open it", n)
	}
	if _, err := c.Hold(t.Context(), faxes[3].ID, "lawsuit"); err != nil {
		t.Fatal(err)
	}
	if held, err := fax.Collect(a.Held(t.Context())); err != nil || len(held) != 1 {
		t.Errorf("held: %+v, %v", held, err)
	}
	if err := c.Remove(t.Context(), faxes[4].ID, func(Entry, error) error { return nil }); err != nil {
		t.Error(err)
	}
	if _, err := a.Get(t.Context(), faxes[4].ID); !errors.Is(err, problem.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	verified(t, b, 5)
	if done, err := b.Reindex(t.Context()); err != nil || done.Entries != 5 || done.Dropped != 0 {
		t.Errorf("%+v, %v", done, err)
	}
}

// What a machine without the common index does is known to whoever opens the archive with it,
// while that machine writes and afterwards; nothing is listed when nobody has done so.
func TestBucketWrittenElsewhere(t *testing.T) {
	db := database(t)
	s := newShelf(t)
	d, faxes := fill(t, 4)
	machine := s.machine(t)
	machine.Database = func(context.Context) (*sql.DB, error) { return db, nil }
	saveAll(t, openRemote(t, machine), d, faxes[:3])
	look := func(lists int64, held, all []string) {
		t.Helper()
		before := s.lists.Load()
		a, err := machine.Read(t.Context(), there)
		if err != nil {
			t.Fatal(err)
		}
		if n := s.lists.Load() - before; (n > 0) != (lists > 0) {
			t.Errorf("it was listed %d times, want %d", n, lists)
		}
		var kept []string
		for e, err := range a.Held(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			kept = append(kept, e.Fax.ID)
		}
		if got := listed(t, a, fax.Filter{}); !slices.Equal(kept, held) || !slices.Equal(got, all) {
			t.Errorf("held %q of %q; want %q of %q", kept, got, held, all)
		}
		if err := a.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
	elsewhere := func(do func(*Archive)) {
		t.Helper()
		a, err := s.machine(t).Open(t.Context(), there)
		if err != nil {
			t.Fatal(err)
		}
		do(a)
		if err := a.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
	ids := []string{faxes[0].ID, faxes[1].ID, faxes[2].ID, faxes[3].ID}
	look(0, nil, ids[:3])
	elsewhere(func(a *Archive) {
		look(1, nil, ids[:3])
		if _, err := a.Hold(t.Context(), ids[0], "lawsuit"); err != nil {
			t.Fatal(err)
		}
		look(1, ids[:1], ids[:3]) // it may be killed
		save(t, a, d, faxes[3])
	})
	look(1, ids[:1], ids)
	look(0, ids[:1], ids)
	elsewhere(func(a *Archive) {
		if err := a.Remove(t.Context(), ids[1], func(Entry, error) error { return nil }); err != nil {
			t.Fatal(err)
		}
	})
	look(1, ids[:1], []string{ids[0], ids[2], ids[3]})
	look(0, ids[:1], []string{ids[0], ids[2], ids[3]})
}

// However many write one fax at the same time, the index says in the end what its sidecar
// does.
func TestBucketCommonIndexOfOneFax(t *testing.T) {
	db := database(t)
	s := newShelf(t)
	d, faxes := fill(t, 1)
	var all []*Archive
	for range 4 {
		o := s.machine(t)
		o.Database = func(context.Context) (*sql.DB, error) { return db, nil }
		all = append(all, openRemote(t, o))
	}
	saveAll(t, all[0], d, faxes)
	var writers sync.WaitGroup
	for i, a := range all {
		writers.Go(func() {
			for n := range 10 {
				if _, err := a.Hold(t.Context(), faxes[0].ID, fmt.Sprintf("%d, %d", i, n)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	e, err := all[0].Get(t.Context(), faxes[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	held, err := fax.Collect(all[1].Held(t.Context()))
	if err != nil || len(held) != 1 || *held[0].Hold != *e.Hold {
		t.Errorf("the index says %+v, the sidecar %+v, %v", held, e.Hold, err)
	}
}

// A server may lose sight of a sidecar while it is replaced: who asks just then has the
// index forget neither what is there, nor what somebody else has written meanwhile.
func TestBucketCommonIndexOfWhatIsReplaced(t *testing.T) {
	db := database(t)
	s := newShelf(t)
	d, faxes := fill(t, 1)
	machine := func() *Archive {
		o := s.machine(t)
		o.Database = func(context.Context) (*sql.DB, error) { return db, nil }
		return openRemote(t, o)
	}
	a, b := machine(), machine()
	saveAll(t, a, d, faxes)
	sidecar := keyOf(faxes[0]) + sidecarExt
	held := func(reason string) {
		t.Helper()
		held, err := fax.Collect(b.Held(t.Context()))
		if err != nil || len(held) != 1 || held[0].Hold.Reason != reason {
			t.Errorf("the index says %+v, %v", held, err)
		}
	}
	put, hide := false, 0
	s.before = func(name string) { put = put || name == sidecar }
	s.hidden = func(name string) bool {
		if !put || name != sidecar || hide == 0 {
			return false
		}
		hide--
		return true
	}
	hide = 1
	if _, err := a.Hold(t.Context(), faxes[0].ID, "hidden once"); err != nil {
		t.Error(err)
	}
	held("hidden once")

	if hide != 0 {
		t.Fatal("nothing was hidden")
	}
	put, hide = false, 2
	visible, other := s.hidden, false
	s.hidden = func(name string) bool {
		if put && name == sidecar && !other { // the other one is asked to put its own between
			other = true
			now := s.hidden
			s.hidden = nil
			if _, err := b.Hold(t.Context(), faxes[0].ID, "of another"); err != nil {
				t.Error(err)
			}
			s.hidden = now
		}
		return visible(name)
	}
	if _, err := a.Hold(t.Context(), faxes[0].ID, "hidden twice"); err != nil {
		t.Error(err)
	}
	held("of another")
	if hide != 0 {
		t.Error("it was seen")
	}
}
