// Package storetest is the contract that every store.Store passes.
//
// Call [Run] from the tests of one, and [Large] once for each way in which it sends.
package storetest

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/archive/store"
	"github.com/faxctl/faxctl/pkg/base/problem"
)

// Run holds stores against the contract. Each that open makes is empty, and for one test.
func Run(t *testing.T, open func(testing.TB) store.Store) {
	t.Helper()
	for name, check := range map[string]func(*testing.T, store.Store){
		"put":                  put,
		"names":                names,
		"refused names":        refusedNames,
		"absent":               absent,
		"unchanged":            unchanged,
		"one winner":           oneWinner,
		"every change counts":  everyChangeCounts,
		"stamps":               stamps,
		"open":                 openAt,
		"a version is read":    readsAVersion,
		"list":                 list,
		"remove":               remove,
		"ended":                ended,
		"many at once":         manyAtOnce,
		"content that is lost": lostContent,
	} {
		t.Run(name, func(t *testing.T) { check(t, open(t)) })
	}
}

// keep puts what has to be put, and returns its stamp.
func keep(t *testing.T, s store.Store, name, content string, when store.Condition) string {
	t.Helper()
	stamp, err := s.Put(t.Context(), name, strings.NewReader(content), when)
	if err != nil {
		t.Fatalf("put %q: %v", name, err)
	}
	return stamp
}

// holds fails unless a name has this content, by every way of asking, and returns its stamp.
func holds(t *testing.T, s store.Store, name, content string) string {
	t.Helper()
	r, opened, err := s.Open(t.Context(), name, 0)
	if err != nil {
		t.Fatalf("open %q: %v", name, err)
	}
	got, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil {
		t.Fatalf("read %q: %v", name, err)
	}
	if string(got) != content {
		t.Errorf("%q has %d bytes %.40q, want %d bytes %.40q", name, len(got), got, len(content), content)
	}
	if want := (store.File{Name: name, Size: int64(len(content)), Stamp: opened.Stamp, Written: opened.Written}); opened != want || time.Since(opened.Written).Abs() > time.Hour {
		t.Errorf("open tells of %+v, want %+v, written just now", opened, want)
	}
	st, err := s.Stat(t.Context(), name)
	if err != nil || !same(st, opened) {
		t.Errorf("stat tells of %+v, %v; open of %+v", st, err, opened)
	}
	return opened.Stamp
}

// same reports whether two ways of asking tell of one file. When it was written they tell
// in zones of their own, and servers round it to the second in different ways.
func same(a, b store.File) bool {
	apart := a.Written.Sub(b.Written).Abs()
	b.Written = a.Written
	return a == b && apart <= time.Second
}

// gone fails unless nothing is there by a name.
func gone(t *testing.T, s store.Store, name string) {
	t.Helper()
	if _, err := s.Stat(t.Context(), name); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("stat %q: %v", name, err)
	}
	if r, _, err := s.Open(t.Context(), name, 0); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("open %q: %v", name, err)
		if err == nil {
			_ = r.Close()
		}
	}
	for f, err := range s.List(t.Context(), name) {
		if err != nil || f.Name == name {
			t.Errorf("list %q: %+v, %v", name, f, err)
		}
	}
}

func wantChanged(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, store.ErrChanged) || !errors.Is(err, problem.ErrConflict) {
		t.Errorf("got %v, want %v, which is a conflict", err, store.ErrChanged)
	}
}

func put(t *testing.T, s store.Store) {
	const name = "2026/11/23/FX1.json"
	gone(t, s, name)
	first := keep(t, s, name, "one", store.Condition{})
	if got := holds(t, s, name, "one"); got != first {
		t.Errorf("stamp %q, and put returned %q", got, first)
	}
	keep(t, s, name, "another", store.Condition{})
	holds(t, s, name, "another")
	keep(t, s, name, "", store.Condition{})
	holds(t, s, name, "")
}

// oddNames are all right.
func oddNames() []string {
	return []string{
		"top", "a/b/c/d/e/f.pdf", "undated/FX 1.json", "2026/01/01/FX+1.pdf", "x/ü-日本.json", "x/100%.pdf", "x/a&b=c;d.pdf",
		"x/a#b.pdf", "x/'q'.pdf", "x/(1).pdf", "x/a~b@c!d,e.pdf", ".receiver-AC%2Fx.json", "x/.hidden", "x/end.", strings.Repeat("n", 120) + ".json",
	}
}

func names(t *testing.T, s store.Store) {
	for i, name := range oddNames() {
		keep(t, s, name, fmt.Sprint(i), store.Absent())
	}
	for i, name := range oddNames() {
		holds(t, s, name, fmt.Sprint(i))
	}
	for _, name := range oddNames() {
		if err := s.Remove(t.Context(), name); err != nil {
			t.Errorf("remove %q: %v", name, err)
		}
		gone(t, s, name)
	}
}

func refusedNames(t *testing.T, s store.Store) {
	for _, name := range []string{"", ".", "..", "../x", "a/../../x", "/x", "a//b", "a/", "a/./b"} {
		_, put := s.Put(t.Context(), name, strings.NewReader("x"), store.Condition{})
		r, _, open := s.Open(t.Context(), name, 0)
		if open == nil {
			_ = r.Close()
		}
		_, stat := s.Stat(t.Context(), name)
		for did, err := range map[string]error{"put": put, "open": open, "stat": stat, "remove": s.Remove(t.Context(), name)} {
			if !errors.Is(err, problem.ErrInvalid) {
				t.Errorf("%s %q: %v", did, name, err)
			}
		}
	}
}

func absent(t *testing.T, s store.Store) {
	keep(t, s, "a/FX1.json", "one", store.Absent())
	_, err := s.Put(t.Context(), "a/FX1.json", strings.NewReader("two"), store.Absent())
	wantChanged(t, err)
	holds(t, s, "a/FX1.json", "one")
	if err := s.Remove(t.Context(), "a/FX1.json"); err != nil {
		t.Fatal(err)
	}
	keep(t, s, "a/FX1.json", "two", store.Absent())
	holds(t, s, "a/FX1.json", "two")
}

func unchanged(t *testing.T, s store.Store) {
	_, err := s.Put(t.Context(), "a/FX1.json", strings.NewReader("nobody's"), store.Unchanged("gone"))
	wantChanged(t, err)
	gone(t, s, "a/FX1.json")
	first := keep(t, s, "a/FX1.json", "one", store.Absent())
	second := keep(t, s, "a/FX1.json", "two", store.Unchanged(first))
	_, err = s.Put(t.Context(), "a/FX1.json", strings.NewReader("late"), store.Unchanged(first))
	wantChanged(t, err)
	if got := holds(t, s, "a/FX1.json", "two"); got != second {
		t.Errorf("stamp %q, want %q", got, second)
	}
	if err := s.Remove(t.Context(), "a/FX1.json"); err != nil {
		t.Fatal(err)
	}
	_, err = s.Put(t.Context(), "a/FX1.json", strings.NewReader("late"), store.Unchanged(second))
	wantChanged(t, err)
	gone(t, s, "a/FX1.json")
}

// stamps of different content of one name are different, however quickly it is replaced.
func stamps(t *testing.T, s store.Store) {
	seen := map[string]int{}
	for i := range 20 {
		stamp := keep(t, s, "a/FX1.json", fmt.Sprintf("%04d", i), store.Condition{})
		if before, again := seen[stamp]; again || stamp == "" {
			t.Errorf("versions %d and %d have the stamp %q", before, i, stamp)
		}
		seen[stamp] = i
	}
	for f, err := range s.List(t.Context(), "a/") {
		if i, known := seen[f.Stamp]; err != nil || !known || i != 19 {
			t.Errorf("listed with %q, of version %d, %v", f.Stamp, i, err)
		}
	}
}

func openAt(t *testing.T, s store.Store) {
	const content = "0123456789"
	keep(t, s, "a/doc.pdf", content, store.Condition{})
	for _, offset := range []int64{0, 1, 9, 10} {
		r, f, err := s.Open(t.Context(), "a/doc.pdf", offset)
		if err != nil {
			t.Errorf("at %d: %v", offset, err)
			continue
		}
		got, err := io.ReadAll(r)
		if err := errors.Join(err, r.Close()); err != nil || string(got) != content[offset:] || f.Size != 10 || f.Name != "a/doc.pdf" {
			t.Errorf("at %d: %q of %+v, %v", offset, got, f, err)
		}
	}
	if _, _, err := s.Open(t.Context(), "a/none.pdf", 3); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	if _, _, err := s.Open(t.Context(), "a", 0); err == nil {
		t.Error("what is above a file was opened")
	}
}

// readsAVersion replaces what is being read: it ends with an error, or as it began.
func readsAVersion(t *testing.T, s store.Store) {
	old := strings.Repeat("old ", 1<<18)
	keep(t, s, "a/doc.pdf", old, store.Condition{})
	r, _, err := s.Open(t.Context(), "a/doc.pdf", 0)
	if err != nil {
		t.Fatal(err)
	}
	begun := make([]byte, 100)
	if _, err := io.ReadFull(r, begun); err != nil {
		t.Fatal(err)
	}
	keep(t, s, "a/doc.pdf", strings.Repeat("new ", 1<<18), store.Condition{})
	rest, err := io.ReadAll(r)
	if got := string(begun) + string(rest); err == nil && got != old {
		t.Error("a mixture of two versions was read")
	}
	_ = r.Close()
}

// listed is what a list yields, sorted.
func listed(t *testing.T, s store.Store, prefix string) []string {
	t.Helper()
	all := []string{}
	for f, err := range s.List(t.Context(), prefix) {
		if err != nil {
			t.Fatalf("list %q: %v", prefix, err)
		}
		if st, err := s.Stat(t.Context(), f.Name); err != nil || !same(st, f) {
			t.Errorf("listed as %+v, and stat tells of %+v, %v", f, st, err)
		}
		all = append(all, f.Name)
	}
	slices.Sort(all)
	return all
}

func list(t *testing.T, s store.Store) {
	if got := listed(t, s, ""); len(got) > 0 {
		t.Errorf("in an empty one: %q", got)
	}
	for _, name := range []string{
		"top", "2026/11/23/FX1.json", "2026/11/23/FX1.pdf", "2026/11/24/FX2.json", "2026/12/01/FX3.json", "undated/FX4.json",
		".receiver-AC1.json", ".receiver-AC2.json", "2026/.snapshot/FX5.json", "2026/11/23/.FX6.json",
	} {
		keep(t, s, name, name, store.Condition{})
	}
	for prefix, want := range map[string][]string{
		"":                  {"2026/11/23/FX1.json", "2026/11/23/FX1.pdf", "2026/11/24/FX2.json", "2026/12/01/FX3.json", "top", "undated/FX4.json"},
		"2026/11/":          {"2026/11/23/FX1.json", "2026/11/23/FX1.pdf", "2026/11/24/FX2.json"},
		"2026/1":            {"2026/11/23/FX1.json", "2026/11/23/FX1.pdf", "2026/11/24/FX2.json", "2026/12/01/FX3.json"},
		"2026/11/23/FX1.":   {"2026/11/23/FX1.json", "2026/11/23/FX1.pdf"},
		"2026/11/23/FX1.j":  {"2026/11/23/FX1.json"},
		"t":                 {"top"},
		"top/":              {},
		"none/":             {},
		".receiver-":        {".receiver-AC1.json", ".receiver-AC2.json"},
		"2026/.snapshot/":   {"2026/.snapshot/FX5.json"},
		"2026/11/23/.FX6.j": {"2026/11/23/.FX6.json"},
	} {
		if got := listed(t, s, prefix); !slices.Equal(got, want) {
			t.Errorf("list %q: %q, want %q", prefix, got, want)
		}
	}
	for _, err := range s.List(t.Context(), "") {
		if err != nil {
			t.Error(err)
		}
		break // which is not an error
	}
}

func remove(t *testing.T, s store.Store) {
	keep(t, s, "a/FX1.pdf", "one", store.Condition{})
	keep(t, s, "a/FX1.pdf", "two", store.Condition{}) // which may leave a version behind
	keep(t, s, "a/FX1.json", "{}", store.Condition{})
	for range 2 { // the second finds nothing to do
		if err := s.Remove(t.Context(), "a/FX1.pdf"); err != nil {
			t.Fatal(err)
		}
		gone(t, s, "a/FX1.pdf")
	}
	holds(t, s, "a/FX1.json", "{}")
	if err := s.Remove(t.Context(), "none/of/it"); err != nil {
		t.Errorf("what is not there: %v", err)
	}
}

// Large holds an empty store against the part of the contract that takes long: a file of
// more than one part, where a store sends parts. No client makes parts of more than 16 MiB.
func Large(t *testing.T, s store.Store) {
	t.Helper()
	content := make([]byte, 17<<20)
	if _, err := rand.Read(content); err != nil {
		t.Fatal(err)
	}
	keep(t, s, "a/large.tiff", string(content), store.Absent())
	holds(t, s, "a/large.tiff", string(content))
	_, err := s.Put(t.Context(), "a/large.tiff", bytes.NewReader(content[1:]), store.Absent())
	wantChanged(t, err)
	holds(t, s, "a/large.tiff", string(content))
}

// ended is a call whose context has: it does nothing.
func ended(t *testing.T, s store.Store) {
	keep(t, s, "a/FX1.json", "one", store.Condition{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, put := s.Put(ctx, "a/FX1.json", strings.NewReader("two"), store.Condition{})
	_, _, open := s.Open(ctx, "a/FX1.json", 0)
	_, stat := s.Stat(ctx, "a/FX1.json")
	var list error
	for _, err := range s.List(ctx, "") {
		list = err
	}
	for did, err := range map[string]error{"put": put, "open": open, "stat": stat, "list": list, "remove": s.Remove(ctx, "a/FX1.json")} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", did, err)
		}
	}
	holds(t, s, "a/FX1.json", "one")
}

// lost is content that cannot be read to its end.
type lost struct{ *strings.Reader }

var errLost = errors.New("the rest is lost")

func (l lost) ReadAt(p []byte, off int64) (int, error) {
	if off >= l.Size()/2 {
		return 0, errLost
	}
	n, err := l.Reader.ReadAt(p[:min(int64(len(p)), l.Size()/2-off)], off)
	if err == nil && n < len(p) {
		err = errLost
	}
	return n, err
}

// lostContent cannot be read: nothing of it is there, and what was there stays.
func lostContent(t *testing.T, s store.Store) {
	keep(t, s, "a/old.pdf", "as before", store.Condition{})
	for _, name := range []string{"a/old.pdf", "a/new.pdf"} {
		if _, err := s.Put(t.Context(), name, lost{strings.NewReader(strings.Repeat("x", 1<<17))}, store.Condition{}); err == nil {
			t.Errorf("%s was put", name)
		}
	}
	holds(t, s, "a/old.pdf", "as before")
	gone(t, s, "a/new.pdf")
}
