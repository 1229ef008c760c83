package index

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/faxctl/faxctl/pkg/base/postgres"
	"github.com/faxctl/faxctl/pkg/base/postgres/postgrestest"
	"github.com/faxctl/faxctl/pkg/base/problem"
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

var server postgrestest.Server

// each runs a test of the contract on an index of each kind.
func each(t *testing.T, test func(*testing.T, *Index)) {
	t.Helper()
	t.Run("SQLite", func(t *testing.T) {
		x, _ := create(t)
		test(t, x)
	})
	t.Run("PostgreSQL", func(t *testing.T) { test(t, shared(t, database(t), "s3://bucket/kept")) })
}

func database(t testing.TB) *sql.DB {
	t.Helper()
	db, err := postgres.Open(t.Context(), server.Database(t), postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func shared(t testing.TB, db *sql.DB, location string) *Index {
	t.Helper()
	x, err := Shared(t.Context(), db, location)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func TestList(t *testing.T) { each(t, testList) }

func testList(t *testing.T, x *Index) {
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
		if diff := gocmp.Diff(tc.want, ids(t, x.List(t.Context(), tc.q))); diff != "" {
			t.Errorf("%+v: %s", tc.q, diff)
		}
	}
	if diff := gocmp.Diff([]string{"FX2"}, ids(t, x.Held(t.Context()))); diff != "" {
		t.Error(diff)
	}
	got, found, err := x.Get(t.Context(), "FX2")
	if err != nil || !found || got.Key != all[2].Key || got.Stamp != "1" || !got.Held || string(got.Entry) != `{"n":1}` {
		t.Errorf("%+v, %v, %v", got, found, err)
	}
	elsewhere := all[1]
	elsewhere.Key = "undated/FX1.json"
	later := all[3]
	later.Stamp = "2"
	if err := x.Remove(t.Context(), []Row{all[2], elsewhere, later, {Key: "nothing"}}); err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff([]string{"FX0", "FX1", "FX3", "undated"}, ids(t, x.List(t.Context(), fax.Filter{}))); diff != "" {
		t.Errorf("after removing FX2, FX1 of another sidecar, and another version of FX3: %s", diff)
	}
}

func TestAmong(t *testing.T) { each(t, testAmong) }

func testAmong(t *testing.T, x *Index) {
	if err := x.Put(t.Context(), rows(5)); err != nil {
		t.Fatal(err)
	}
	many := []string{"FX3", "FX1", "nothing", "\x00\xff", `"`, "' OR 1=1 --", "FX1"}
	for i := range 2 * fullPage {
		many = append(many, fmt.Sprintf("FX%d", 100+i))
	}
	got, err := x.Among(t.Context(), many)
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(got, func(a, b Row) int { return cmp.Compare(a.Fax.ID, b.Fax.ID) })
	all := rows(5)
	for _, want := range []*Row{&all[1], &all[3]} {
		want.Fax = fax.Fax{ID: want.Fax.ID}
	}
	if diff := gocmp.Diff([]Row{all[1], all[3]}, got); diff != "" {
		t.Error(diff)
	}
	if got, err := x.Among(t.Context(), nil); err != nil || len(got) > 0 {
		t.Errorf("of none: %v, %v", got, err)
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
}

func TestState(t *testing.T) { each(t, testState) }

func testState(t *testing.T, x *Index) {
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
	if err := x.Intact(t.Context()); err != nil {
		t.Error(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := x.Put(ended, rows(1)); !errors.Is(err, context.Canceled) {
		t.Errorf("with an ended context: %v", err)
	}
}

// A long list is whole and in order, however many were made in the same moment, and a
// list that is left half-way leaves nothing behind.
func TestLongList(t *testing.T) { each(t, testLongList) }

func testLongList(t *testing.T, x *Index) {
	all := rows(2*(firstPage+fullPage) + 50)
	for i := range all {
		switch {
		case i < firstPage+fullPage+25: // the end of two pages lies among them
			all[i].Fax.Created = start()
		case i >= 2*(firstPage+fullPage):
			all[i].Fax.Created = time.Time{}
		}
		all[i].Held = i%3 == 0
	}
	if err := x.Put(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(all, func(a, b Row) int {
		return cmp.Or(b.Fax.Created.Compare(a.Fax.Created), strings.Compare(a.Fax.ID, b.Fax.ID))
	})
	var want, held []string
	for _, r := range all {
		want = append(want, r.Fax.ID)
		if r.Held {
			held = append(held, r.Fax.ID)
		}
	}
	if diff := gocmp.Diff(want, ids(t, x.List(t.Context(), fax.Filter{}))); diff != "" {
		t.Error(diff)
	}
	if diff := gocmp.Diff(held, ids(t, x.Held(t.Context()))); diff != "" {
		t.Error(diff)
	}
	stamps := ids(t, x.Stamps(t.Context()))
	slices.Sort(stamps)
	slices.Sort(want)
	if diff := gocmp.Diff(want, stamps); diff != "" {
		t.Error(diff)
	}
	for range 3 * connections {
		for r, err := range x.List(t.Context(), fax.Filter{}) {
			if err != nil || string(r.Entry) != `{"n":1}` {
				t.Fatalf("%s, %v", r.Entry, err)
			}
			break
		}
	}
}

// Of rows of one id the last counts, in one call and in several.
func TestTheLastRowCounts(t *testing.T) {
	each(t, func(t *testing.T, x *Index) {
		r := rows(1)[0]
		for _, stamps := range [][]string{{"1"}, {"2", "3"}} {
			var all []Row
			for _, s := range stamps {
				r.Stamp = s
				all = append(all, r)
			}
			if err := x.Put(t.Context(), all); err != nil {
				t.Fatal(err)
			}
		}
		if got, found, err := x.Get(t.Context(), r.Fax.ID); err != nil || !found || got.Stamp != "3" {
			t.Errorf("%+v, %v, %v", got, found, err)
		}
		other, last := r, r
		other.Key, last.Stamp = "elsewhere", "3"
		if err := x.Remove(t.Context(), []Row{r, last, other}); err != nil {
			t.Fatal(err)
		}
		if _, found, err := x.Get(t.Context(), r.Fax.ID); err != nil || found {
			t.Errorf("removed, and found: %v, %v", found, err)
		}
	})
}

// What a provider says may be any bytes. It keeps no other row out of the index.
func TestTextFromOutside(t *testing.T) {
	each(t, func(t *testing.T, x *Index) {
		all := rows(3)
		all[1].Fax.From = "+1\x00\xff"
		all[1].Entry = []byte("{\"n\":\"\xff\"}")
		all[2].Entry = []byte("{ \"a\\u0000b\":1.0,  \"a\":2, \"a\": 3}")
		if err := x.Put(t.Context(), all); err != nil {
			t.Fatal(err)
		}
		if got := ids(t, x.List(t.Context(), fax.Filter{From: "+1\x00\xff"})); !slices.Equal(got, []string{"FX1"}) {
			t.Errorf("by its number: %v", got)
		}
		if got, _, err := x.Get(t.Context(), "FX2"); err != nil || string(got.Entry) != string(all[2].Entry) {
			t.Errorf("%s, %v", got.Entry, err)
		}
		if _, found, err := x.Get(t.Context(), "\x00"); found || err != nil {
			t.Errorf("%v, %v", found, err)
		}
	})
}

// Many put and remove the same rows at once, each in its own order.
func TestWritersAtOnce(t *testing.T) {
	each(t, func(t *testing.T, x *Index) {
		var wait sync.WaitGroup
		for i := range 8 {
			wait.Go(func() {
				mine := rows(2*batchRows + 7)
				rand.Shuffle(len(mine), func(a, b int) { mine[a], mine[b] = mine[b], mine[a] })
				var err error
				if i%4 == 3 {
					err = x.Remove(t.Context(), mine[:batchRows])
				} else {
					err = x.Put(t.Context(), mine)
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
		wait.Wait()
	})
}

// Who removes rows takes them in the order of their names, as all do who write: none holds
// one that comes later while it waits for one that comes before, so that no two wait for
// each other.
func TestSharedRowsInOrder(t *testing.T) {
	db := database(t)
	x := shared(t, db, "s3://bucket/a")
	all := rows(200)
	slices.SortFunc(all, func(a, b Row) int { return strings.Compare(b.Fax.ID, a.Fax.ID) })
	for _, r := range all { // the last one lies first in the table
		if err := x.Put(t.Context(), []Row{r}); err != nil {
			t.Fatal(err)
		}
	}
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	lock := func(id string) error {
		var one int
		return tx.QueryRowContext(t.Context(), `SELECT 1 FROM faxctl.faxes WHERE archive = 's3://bucket/a' AND id = $1 FOR UPDATE NOWAIT`, id).Scan(&one)
	}
	first := all[len(all)-1].Fax.ID
	if err := lock(first); err != nil {
		t.Fatal(err)
	}
	removed := make(chan error, 1)
	go func() { removed <- x.Remove(context.Background(), all) }()
	for waits := false; !waits; time.Sleep(5 * time.Millisecond) {
		if err := db.QueryRowContext(t.Context(), `SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)`).Scan(&waits); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range all[:len(all)-1] {
		if err := lock(r.Fax.ID); err != nil {
			t.Errorf("%s is taken while %s is waited for: %v", r.Fax.ID, first, err)
			break
		}
	}
	if err := errors.Join(tx.Rollback(), <-removed); err != nil {
		t.Error(err)
	}
}

// Archives of one database are apart.
func TestSharedArchivesAreApart(t *testing.T) {
	db := database(t)
	a, b := shared(t, db, "s3://bucket/a"), shared(t, db, "s3://bucket/b")
	if err := a.Put(t.Context(), rows(3)); err != nil {
		t.Fatal(err)
	}
	if _, err := a.SetState(t.Context(), Whole); err != nil {
		t.Fatal(err)
	}
	state, err := b.State(t.Context())
	if _, found, errGet := b.Get(t.Context(), "FX0"); err != nil || errGet != nil || found || state != Torn || len(ids(t, b.List(t.Context(), fax.Filter{}))) != 0 {
		t.Errorf("found: %v, %v, %v", found, state, err)
	}
	if err := errors.Join(b.Put(t.Context(), rows(2)), b.Remove(t.Context(), rows(1)), b.Close()); err != nil {
		t.Fatal(err)
	}
	if got := ids(t, shared(t, db, "s3://bucket/a").List(t.Context(), fax.Filter{})); len(got) != 3 {
		t.Errorf("another archive changed it: %v", got)
	}
}

func TestSharedIsAway(t *testing.T) {
	s := postgrestest.New(t)
	db, err := postgres.Open(t.Context(), s.Database(t), postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	x := shared(t, db, "s3://bucket/kept")
	if err := x.Put(t.Context(), rows(3)); err != nil {
		t.Fatal(err)
	}
	s.Kill(t)
	asked := map[string]error{"put": x.Put(t.Context(), rows(1)), "remove": x.Remove(t.Context(), rows(1))}
	_, _, asked["get"] = x.Get(t.Context(), "FX0")
	_, asked["state"] = x.State(t.Context())
	_, asked["set"] = x.SetState(t.Context(), Whole)
	for _, err := range x.List(t.Context(), fax.Filter{}) {
		asked["list"] = err
	}
	_, asked["open"] = Shared(t.Context(), db, "s3://bucket/kept")
	for what, err := range asked {
		if !errors.Is(err, problem.ErrUnavailable) {
			t.Errorf("%s: %v", what, err)
		}
	}
	s.Start(t)
	if got := ids(t, x.List(t.Context(), fax.Filter{})); len(got) != 3 {
		t.Errorf("after: %v", got)
	}
}
