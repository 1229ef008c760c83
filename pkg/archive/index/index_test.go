package index

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/faxctl/faxctl/pkg/fax"
)

func start() time.Time { return time.Date(2026, 11, 23, 9, 0, 0, 123456789, time.UTC) }

// rows are n records, an hour apart, the newest first.
func rows(n int) []Row {
	var all []Row
	for i := range n {
		f := fax.Fax{ID: fmt.Sprintf("FX%d", i), From: "+14155550100", To: fmt.Sprintf("+1415555012%d", i%2), Created: start().Add(-time.Duration(i) * time.Hour)}
		all = append(all, Row{Fax: f, Key: "2026/11/23/" + f.ID + ".json", Stamp: "1", Entry: []byte(`{"n":1}`)})
	}
	return all
}

func create(t *testing.T) (*Index, string) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "with space?#", "index.db")
	if err := os.Mkdir(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	x, err := Create(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	})
	return x, name
}

func ids(t *testing.T, seq iter.Seq2[Row, error]) []string {
	t.Helper()
	out := []string{}
	for r, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, r.Fax.ID)
	}
	return out
}

func TestList(t *testing.T) {
	x, _ := create(t)
	all := rows(4)
	all = append(all, Row{Fax: fax.Fax{ID: "undated", To: "+14155550120"}, Key: "k", Stamp: "1", Entry: []byte("{}")})
	all[2].Held = true
	for range 2 { // the second time replaces
		if err := x.Put(t.Context(), all); err != nil {
			t.Fatal(err)
		}
	}
	hour := func(i int) time.Time { return start().Add(-time.Duration(i) * time.Hour) }
	for _, tc := range []struct {
		q    fax.Filter
		want []string
	}{
		{fax.Filter{}, []string{"FX0", "FX1", "FX2", "FX3", "undated"}},
		{fax.Filter{To: "+14155550121"}, []string{"FX1", "FX3"}},
		{fax.Filter{Number: "+14155550120"}, []string{"FX0", "FX2", "undated"}},
		{fax.Filter{From: "+14155550100", Until: hour(1)}, []string{"FX1", "FX2", "FX3"}},
		// The boundary is the caller's: microseconds are not exact enough.
		{fax.Filter{After: hour(2), Until: hour(1)}, []string{"FX1", "FX2"}},
		{fax.Filter{From: "' OR 1=1 --"}, []string{}},
	} {
		if diff := cmp.Diff(tc.want, ids(t, x.List(t.Context(), tc.q))); diff != "" {
			t.Errorf("%+v: %s", tc.q, diff)
		}
	}
	if diff := cmp.Diff([]string{"FX2"}, ids(t, x.Held(t.Context()))); diff != "" {
		t.Error(diff)
	}
	got, found, err := x.Get(t.Context(), "FX2")
	if err != nil || !found || got.Key != all[2].Key || got.Stamp != "1" || !got.Held || string(got.Entry) != `{"n":1}` {
		t.Errorf("%+v, %v, %v", got, found, err)
	}
	elsewhere := all[1]
	elsewhere.Key = "undated/FX1.json"
	if err := x.Remove(t.Context(), []Row{all[2], elsewhere, {Key: "nothing"}}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"FX0", "FX1", "FX3", "undated"}, ids(t, x.List(t.Context(), fax.Filter{}))); diff != "" {
		t.Errorf("after removing FX2, and FX1 of another sidecar: %s", diff)
	}
}

func TestReadersAndTheWriterDoNotWait(t *testing.T) {
	x, name := create(t)
	if err := x.Put(t.Context(), rows(100)); err != nil {
		t.Fatal(err)
	}
	r, err := Open(t.Context(), name, false)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	n := 0
	for _, err := range r.List(t.Context(), fax.Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n == 1 { // a reader half-way through its list
			if err := x.Put(t.Context(), rows(200)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n != 100 {
		t.Errorf("the reader saw %d records", n)
	}
	if err := r.Put(t.Context(), rows(1)); err == nil {
		t.Error("an index open for reading was written to")
	}
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			if i%2 == 0 {
				if err := x.Put(t.Context(), rows(50)); err != nil {
					t.Error(err)
				}
			} else if got := ids(t, x.List(t.Context(), fax.Filter{})); len(got) != 200 {
				t.Errorf("%d records", len(got))
			}
		})
	}
	wait.Wait()
}

func TestOpenFindsDamage(t *testing.T) {
	x, name := create(t)
	if state, err := x.State(t.Context()); err != nil || state != Torn {
		t.Errorf("a new index is %q: %v", state, err)
	}
	for _, want := range []State{Growing("me"), Whole, Torn} {
		if lasts, err := x.SetState(t.Context(), want); err != nil || !lasts {
			t.Fatalf("lasts: %v, %v", lasts, err)
		}
		if state, err := x.State(t.Context()); err != nil || state != want {
			t.Errorf("%q, %v; want %q", state, err, want)
		}
	}
	if err := x.Put(t.Context(), rows(500)); err != nil {
		t.Fatal(err)
	}
	if err := x.Intact(t.Context()); err != nil {
		t.Error(err)
	}
	if st, err := os.Stat(name); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", st.Mode(), err)
	}
	if _, err := Open(t.Context(), filepath.Join(t.TempDir(), "nowhere"), true); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing index: %v", err)
	}
	bad := filepath.Join(t.TempDir(), "index.db")
	for _, content := range []string{"", "hello", "SQLite format 3\x00"} {
		if err := os.WriteFile(bad, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if y, err := Open(t.Context(), bad, true); !errors.Is(err, ErrDamaged) {
			t.Errorf("%q: %v, %v", content, y, err)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := x.Put(ended, rows(1)); !errors.Is(err, context.Canceled) {
		t.Errorf("with an ended context: %v", err)
	}
}
