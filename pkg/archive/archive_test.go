package archive

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/sandbox/paper"
)

// A desk is a provider with a few faxes.
type desk struct {
	fax.Faxes
	mu       sync.Mutex
	docs     map[string][]byte // by fax id; nil: the document is gone
	deleted  []string
	opened   int
	conflict bool   // deleting is refused
	before   func() // runs before a document is opened
}

func (d *desk) Open(_ context.Context, f fax.Fax, offset int64) (fax.Document, error) {
	if d.before != nil {
		d.before()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.opened++
	doc := d.docs[f.ID]
	if doc == nil {
		return fax.Document{}, fmt.Errorf("document of %s: %w", f.ID, fax.ErrNotFound)
	}
	return fax.Document{Body: io.NopCloser(bytes.NewReader(doc[offset:])), Offset: offset, Size: int64(len(doc)), ETag: `"v1"`}, nil
}

func (d *desk) Media(_ context.Context, id string) iter.Seq2[fax.Media, error] {
	return func(yield func(fax.Media, error) bool) {
		d.mu.Lock()
		_, known := d.docs[id]
		gone := d.docs[id] == nil
		d.mu.Unlock()
		switch {
		case !known:
			yield(fax.Media{}, fax.ErrNotFound)
		case !gone:
			yield(fax.Media{ID: "ME" + id, FaxID: id}, nil)
		}
	}
}

func (d *desk) Delete(_ context.Context, id string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.conflict {
		return fax.ErrConflict
	}
	if _, known := d.docs[id]; !known {
		return fax.ErrNotFound
	}
	delete(d.docs, id)
	d.deleted = append(d.deleted, id)
	return nil
}

func (d *desk) DeleteMedia(_ context.Context, id, _ string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.docs[id] = nil
	return nil
}

// fill gives the desk n received faxes, one an hour, and returns them.
func fill(t testing.TB, n int) (*desk, []fax.Fax) {
	t.Helper()
	d := &desk{docs: map[string][]byte{}}
	var faxes []fax.Fax
	for i := range n {
		pages := i%3 + 1
		f := received(fmt.Sprintf("FX%04d", i), pages)
		f.Created = f.Created.Add(-time.Duration(i) * time.Hour)
		d.docs[f.ID] = sheet(t, pages, uint64(i))
		faxes = append(faxes, f)
	}
	return d, faxes
}

func received(id string, pages int) fax.Fax {
	return fax.Fax{
		ID: id, From: "+14155550100", To: "+14155550123", Direction: fax.Inbound, Status: fax.Received, Pages: &pages,
		MediaID: "ME" + id, Created: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC), Raw: json.RawMessage(`{"sid":"` + id + `","odd":[1]}`),
	}
}

func sheet(t testing.TB, pages int, seed uint64) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := paper.Write(&b, paper.PDF, paper.Sheet{Pages: pages, Seed: seed}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// open opens an archive for the length of a test.
func open(t testing.TB, dir string) *Archive {
	t.Helper()
	a, err := Open(context.Background(), dir)
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

func save(t testing.TB, a *Archive, d *desk, f fax.Fax) (Entry, bool) {
	t.Helper()
	e, existed, err := a.Save(context.Background(), d, f)
	if err != nil {
		t.Fatal(err)
	}
	return e, existed
}

// files lists an archive's files, its own at the top left out.
func files(t testing.TB, dir string) []string {
	t.Helper()
	all := []string{}
	for o, err := range (&Dir{root: dir}).Walk(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, o.Name)
	}
	return all
}

func listed(t testing.TB, a *Archive, q fax.Filter) []string {
	t.Helper()
	all := []string{}
	for e, err := range a.List(context.Background(), q) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e.Fax.ID)
	}
	return all
}

func TestSaveKeepsRecordAndDocument(t *testing.T) {
	t.Cleanup(func() { goleak.VerifyNone(t) }) // after the archive is closed
	dir := filepath.Join(t.TempDir(), "kept")
	d, faxes := fill(t, 12)
	a, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for _, f := range faxes {
		wait.Go(func() {
			if _, existed, err := a.Save(t.Context(), d, f); err != nil || existed {
				t.Errorf("%s: existed %v, %v", f.ID, existed, err)
			}
		})
	}
	wait.Wait()
	e, err := a.Get(t.Context(), "FX0002")
	if err != nil {
		t.Fatal(err)
	}
	want := faxes[2]
	want.Raw = e.Fax.Raw
	if diff := cmp.Diff(want, e.Fax); diff != "" {
		t.Error(diff)
	}
	var record map[string]any
	if err := json.Unmarshal(e.Record, &record); err != nil || record["sid"] != "FX0002" {
		t.Errorf("record %s, %v", e.Record, err)
	}
	if e.Document == nil || e.Document.Pages != 3 || e.Document.ContentType != "application/pdf" || e.Document.Size != int64(len(d.docs["FX0002"])) {
		t.Errorf("document %+v", e.Document)
	}
	r, _, err := a.OpenDocument(t.Context(), "FX0002")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, d.docs["FX0002"]) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if err := errors.Join(r.Close(), a.Close(t.Context())); err != nil {
		t.Error(err)
	}

	// The second run asks for nothing and writes nothing.
	b := open(t, dir)
	d.opened = 0
	for _, f := range faxes {
		if _, existed := save(t, b, d, f); !existed {
			t.Errorf("%s was written again", f.ID)
		}
	}
	if d.opened > 0 {
		t.Errorf("%d documents asked for again", d.opened)
	}
	for _, name := range []string{"2026/11/23/FX0002.pdf", "2026/11/23/FX0002.json", "2026/11/22/FX0011.pdf", formatFile, indexFile} {
		if st, err := os.Stat(filepath.Join(dir, filepath.FromSlash(name))); err != nil || st.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if st, err := os.Stat(filepath.Join(dir, "2026")); err != nil || st.Mode().Perm() != 0o700 {
		t.Errorf("folder: %v", err)
	}
	if diff := cmp.Diff([]string{"FX0000", "FX0001", "FX0002"}, listed(t, b, fax.Filter{After: faxes[3].Created})); diff != "" {
		t.Error(diff)
	}
	report, err := b.Verify(t.Context(), 4)
	if err != nil || report.Entries != 12 || report.Documents != 12 || len(report.Findings) > 0 {
		t.Errorf("verify: %+v, %v", report, err)
	}
}

func TestSaveOfFaxesWithoutDocuments(t *testing.T) {
	failed := func(f *fax.Fax) { f.Status, f.MediaID, f.Pages = fax.Failed, "", nil }
	for _, tc := range []struct {
		name   string
		change func(*fax.Fax)
		doc    bool // the provider has one
		kept   bool // a document is in the archive
		gone   bool // it is marked
		asked  int
	}{
		{name: "received", doc: true, kept: true, asked: 1},
		{name: "failed", change: failed},
		{name: "deleted at the provider", gone: true, asked: 1},
		{name: "deleted, and the record says so", change: func(f *fax.Fax) { f.MediaID = "" }, gone: true, asked: 1},
		{name: "there, though the record does not say so", change: func(f *fax.Fax) { f.MediaID = "" }, doc: true, kept: true, asked: 1},
		{name: "still arriving", change: func(f *fax.Fax) { f.Status, f.MediaID = fax.Receiving, "" }},
		{name: "without a date", change: func(f *fax.Fax) { f.Created = time.Time{} }, doc: true, kept: true, asked: 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := open(t, t.TempDir())
			d, faxes := fill(t, 1)
			f := faxes[0]
			if tc.change != nil {
				tc.change(&f)
			}
			if !tc.doc {
				d.docs[f.ID] = nil
			}
			for run := range 2 {
				e, existed := save(t, a, d, f)
				if (e.Document != nil) != tc.kept || e.MediaGone.IsZero() == tc.gone || existed != (run == 1) {
					t.Errorf("run %d: existed %v, %+v", run, existed, e)
				}
			}
			if d.opened != tc.asked {
				t.Errorf("asked %d times, want %d", d.opened, tc.asked)
			}
		})
	}
}

func TestSaveFollowsTheRecord(t *testing.T) {
	dir := t.TempDir()
	a := open(t, dir)
	d, faxes := fill(t, 1)
	f := faxes[0]

	early := f
	early.Status, early.MediaID, early.Pages = fax.Receiving, "", nil
	if e, _ := save(t, a, d, early); e.Document != nil {
		t.Error("a fax that is still arriving has a document")
	}
	e, existed := save(t, a, d, f)
	if existed || e.Document == nil {
		t.Errorf("the complete fax: existed %v, %+v", existed, e)
	}
	if _, err := a.Hold(t.Context(), f.ID, "lawsuit"); err != nil {
		t.Fatal(err)
	}

	priced := f
	priced.Price = &fax.Money{Amount: "0.01", Currency: "USD"}
	again, existed := save(t, a, d, priced)
	if existed || again.Fax.Price == nil || again.Hold == nil || !cmp.Equal(again.Document, e.Document) || !again.ArchivedAt.Equal(e.ArchivedAt) {
		t.Errorf("the priced fax: existed %v, %+v", existed, again)
	}

	d.docs[f.ID] = nil
	priced.MediaID = ""
	gone, existed := save(t, a, d, priced)
	if existed || gone.MediaGone.IsZero() || gone.Document == nil {
		t.Errorf("the document deleted: existed %v, %+v", existed, gone)
	}
	if d.opened != 1 {
		t.Errorf("%d downloads", d.opened)
	}
	if report, err := a.Verify(t.Context(), 1); err != nil || len(report.Findings) > 0 || report.Documents != 1 {
		t.Errorf("%+v, %v", report, err)
	}
}

func TestSaveRefusesIDs(t *testing.T) {
	dir := t.TempDir()
	a := open(t, dir)
	for _, id := range []string{"", "../FX1", "a/b", `a\b`, ".", "FX1.pdf", "FX\x001", strings.Repeat("a", 65), "FX 1", "ü"} {
		d := &desk{docs: map[string][]byte{id: sheet(t, 1, 1)}}
		if _, _, err := a.Save(t.Context(), d, received(id, 1)); !errors.Is(err, fax.ErrInvalid) {
			t.Errorf("%q: %v", id, err)
		}
		if _, err := a.Get(t.Context(), id); !errors.Is(err, fax.ErrInvalid) {
			t.Errorf("%q: %v", id, err)
		}
		if _, err := a.Hold(t.Context(), id, ""); !errors.Is(err, fax.ErrInvalid) {
			t.Errorf("%q: %v", id, err)
		}
	}
	if got := files(t, dir); len(got) > 0 {
		t.Errorf("files %v", got)
	}
}

func TestSaveFails(t *testing.T) {
	for name, tc := range map[string]struct {
		doc []byte
		is  error
	}{
		"an error page": {[]byte("<html>"), fax.ErrUnavailable},
		"half":          {sheet(t, 2, 1)[:5000], fax.ErrUnavailable},
		"a page short":  {sheet(t, 1, 1), fax.ErrConflict},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			a := open(t, dir)
			d := &desk{docs: map[string][]byte{"FX1": tc.doc}}
			if _, _, err := a.Save(t.Context(), d, received("FX1", 2)); !errors.Is(err, tc.is) {
				t.Errorf("got %v", err)
			}
			if got := files(t, dir); len(got) > 0 {
				t.Errorf("files %v", got)
			}
			if leftovers, err := filepath.Glob(filepath.Join(dir, "2026/11/23/.*")); err != nil || len(leftovers) > 0 {
				t.Errorf("leftovers %v, %v", leftovers, err)
			}
			d.docs["FX1"] = sheet(t, 2, 1) // and the next run makes it good
			if e, existed := save(t, a, d, received("FX1", 2)); existed || e.Document == nil {
				t.Errorf("existed %v, %+v", existed, e)
			}
		})
	}
}

func TestOpen(t *testing.T) {
	write := func(t *testing.T, name, content string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, tc := range []struct {
		name string
		make func(t *testing.T, dir string)
		is   error
	}{
		{"an empty folder", func(*testing.T, string) {}, nil},
		{"a folder made a moment ago by a run that was cut off", func(t *testing.T, dir string) {
			write(t, filepath.Join(dir, lockName), "")
			write(t, filepath.Join(dir, "."+formatFile+".part"), "{")
		}, nil},
		{"an archive", func(t *testing.T, dir string) { write(t, filepath.Join(dir, formatFile), `{"format":1}`) }, nil},
		{"someone's folder", func(t *testing.T, dir string) { write(t, filepath.Join(dir, "thesis.doc"), "x") }, fax.ErrInvalid},
		{"a later version", func(t *testing.T, dir string) { write(t, filepath.Join(dir, formatFile), `{"format":2}`) }, fax.ErrUnsupported},
		{"a broken format file", func(t *testing.T, dir string) { write(t, filepath.Join(dir, formatFile), `{`) }, fax.ErrInvalid},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			tc.make(t, dir)
			a, err := Open(t.Context(), dir)
			if !errors.Is(err, tc.is) || (err == nil) != (tc.is == nil) {
				t.Fatalf("got %v, want %v", err, tc.is)
			}
			if err == nil {
				err = a.Close(t.Context())
			}
			if tc.is == nil && err != nil {
				t.Error(err)
			}
		})
	}
	if _, err := Read(t.Context(), filepath.Join(t.TempDir(), "nowhere")); !errors.Is(err, fax.ErrNotFound) || fax.Hint(err) == "" {
		t.Errorf("reading what is not there: %v", err)
	}
}

func TestOneWriterAtATime(t *testing.T) {
	dir := t.TempDir()
	d, faxes := fill(t, 2)
	a := open(t, dir)
	save(t, a, d, faxes[0])
	if _, err := Open(t.Context(), dir); !errors.Is(err, ErrLocked) || !errors.Is(err, fax.ErrConflict) || fax.Hint(err) == "" {
		t.Errorf("a second writer: %v", err)
	}
	if err := a.flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	r, err := Read(t.Context(), dir) // needs no lock
	if err != nil {
		t.Fatal(err)
	}
	if got := listed(t, r, fax.Filter{}); len(got) != 1 {
		t.Errorf("the reader sees %v", got)
	}
	if _, _, err := r.Save(t.Context(), d, faxes[1]); !errors.Is(err, fax.ErrInvalid) {
		t.Errorf("writing to an archive open for reading: %v", err)
	}
	if err := r.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// The index is derived: whatever happens to it, the sidecars bring it back.
func TestIndexIsRebuilt(t *testing.T) {
	for name, harm := range map[string]func(t *testing.T, dir string) error{
		"missing": func(_ *testing.T, dir string) error { return os.Remove(filepath.Join(dir, indexFile)) },
		"no SQLite": func(_ *testing.T, dir string) error {
			return os.WriteFile(filepath.Join(dir, indexFile), []byte("hello"), 0o600)
		},
		"empty": func(_ *testing.T, dir string) error { return os.WriteFile(filepath.Join(dir, indexFile), nil, 0o600) },
		"cut":   func(_ *testing.T, dir string) error { return os.Truncate(filepath.Join(dir, indexFile), 5000) },
		"left behind by a killed run": func(t *testing.T, dir string) error {
			a, err := Open(t.Context(), dir)
			if err != nil {
				return err
			}
			if err := a.index.Remove(t.Context(), []string{"FX0001", "FX0002"}); err != nil {
				return err
			}
			return errors.Join(a.index.Close(), a.lock.Close()) // but not a.Close
		},
	} {
		for opener, openIt := range map[string]func(context.Context, string) (*Archive, error){"open": Open, "read": Read} {
			t.Run(name+", "+opener, func(t *testing.T) {
				dir := t.TempDir()
				d, faxes := fill(t, 5)
				a, err := Open(t.Context(), dir)
				if err != nil {
					t.Fatal(err)
				}
				for _, f := range faxes {
					save(t, a, d, f)
				}
				want := listed(t, a, fax.Filter{})
				if err := errors.Join(a.Close(t.Context()), harm(t, dir)); err != nil {
					t.Fatal(err)
				}
				b, err := openIt(t.Context(), dir)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, listed(t, b, fax.Filter{})); diff != "" {
					t.Error(diff)
				}
				if err := b.Close(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

func TestReindexForgetsWhatIsGone(t *testing.T) {
	dir := t.TempDir()
	d, faxes := fill(t, 3)
	a := open(t, dir)
	for _, f := range faxes {
		save(t, a, d, f)
	}
	if err := os.Remove(filepath.Join(dir, "2026/11/23/FX0001.json")); err != nil {
		t.Fatal(err)
	}
	if n, err := a.Reindex(t.Context()); err != nil || n != 2 {
		t.Errorf("%d entries, %v", n, err)
	}
	if diff := cmp.Diff([]string{"FX0000", "FX0002"}, listed(t, a, fax.Filter{})); diff != "" {
		t.Error(diff)
	}
	if e, existed := save(t, a, d, faxes[1]); existed || e.Document == nil {
		t.Errorf("the lost one, saved again: existed %v, %+v", existed, e)
	}
}

func TestHold(t *testing.T) {
	dir := t.TempDir()
	d, faxes := fill(t, 2)
	a, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	save(t, a, d, faxes[0])
	if _, err := a.Hold(t.Context(), "FX9999", "x"); !errors.Is(err, fax.ErrNotFound) || fax.Hint(err) == "" {
		t.Errorf("an unknown fax: %v", err)
	}
	if _, err := a.Hold(t.Context(), faxes[0].ID, "lawsuit"); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(a.Close(t.Context()), os.Remove(filepath.Join(dir, indexFile))); err != nil {
		t.Fatal(err)
	}
	b := open(t, dir) // the hold is in the sidecar
	held, err := fax.Collect(b.Held(t.Context()))
	if err != nil || len(held) != 1 || held[0].Hold.Reason != "lawsuit" {
		t.Errorf("%+v, %v", held, err)
	}
	if e, err := b.Get(t.Context(), faxes[0].ID); err != nil || e.Hold == nil || e.Document == nil || e.Record == nil {
		t.Errorf("%+v, %v", e, err)
	}
	if _, err := b.Unhold(t.Context(), faxes[0].ID); err != nil {
		t.Fatal(err)
	}
	if held, err := fax.Collect(b.Held(t.Context())); err != nil || len(held) > 0 {
		t.Errorf("%+v, %v", held, err)
	}
}

func TestVerifyFinds(t *testing.T) {
	dir := t.TempDir()
	d, faxes := fill(t, 9)
	a := open(t, dir)
	for _, f := range faxes {
		save(t, a, d, f)
	}
	at := func(name string) string { return filepath.Join(dir, "2026/11/23", name) }
	flip := func(name string) error {
		data, err := os.ReadFile(at(name))
		if err != nil {
			return err
		}
		data[len(data)/2] ^= 1
		return os.WriteFile(at(name), data, 0o600)
	}
	if err := errors.Join(
		os.Remove(at("FX0000.pdf")),
		flip("FX0001.pdf"),
		os.Truncate(at("FX0002.pdf"), 100),
		os.WriteFile(at("FX0003.json"), []byte("{"), 0o600),
		os.Remove(at("FX0004.json")),
		errors.Join(os.Remove(at("FX0005.json")), os.Remove(at("FX0005.pdf"))),
		errors.Join(os.Remove(at("FX0006.pdf")), os.Mkdir(at("FX0006.pdf"), 0o700)),
		os.Rename(at("FX0007.json"), at("FX9999.json")),
	); err != nil {
		t.Fatal(err)
	}
	report, err := a.Verify(t.Context(), 3)
	if err != nil {
		t.Fatal(err)
	}
	got := []string{}
	for _, f := range report.Findings {
		got = append(got, strings.TrimPrefix(f.File, "2026/11/23/")+" "+string(f.Problem))
	}
	slices.Sort(got)
	want := []string{
		"FX0000.pdf missing", "FX0001.pdf changed", "FX0002.pdf changed", "FX0003.json unreadable",
		"FX0004.json missing", "FX0004.pdf orphan", "FX0005.json missing", "FX0006.pdf changed",
		"FX0007.json missing", "FX0007.pdf orphan", "FX9999.json unreadable",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if report.Documents != 1 || report.Entries != 5 {
		t.Errorf("%d documents, %d entries", report.Documents, report.Entries)
	}
}

// A run that was cut off leaves hidden files, and no others.
func TestLeftoversAreCleared(t *testing.T) {
	dir := t.TempDir()
	d, faxes := fill(t, 1)
	a, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	save(t, a, d, faxes[0])
	day := filepath.Join(dir, "2026/11/23")
	for _, name := range []string{".FX7777.part", ".FX7777.json.part", ".FX8888.part", ".FX8888.part.etag"} {
		if err := os.WriteFile(filepath.Join(day, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(a.index.Close(), a.lock.Close()); err != nil { // killed
		t.Fatal(err)
	}
	open(t, dir)
	got, err := filepath.Glob(filepath.Join(day, ".*"))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{filepath.Join(day, ".FX8888.part"), filepath.Join(day, ".FX8888.part.etag")}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("left: %s", diff)
	}
}

// Where nothing can be written and the index is of no use, reading makes one
// of its own.
func TestReadWithoutWriting(t *testing.T) {
	dir := t.TempDir()
	d, faxes := fill(t, 3)
	a, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range faxes {
		save(t, a, d, f)
	}
	want := listed(t, a, fax.Filter{})
	if err := errors.Join(a.Close(t.Context()), os.Remove(filepath.Join(dir, indexFile)), os.Mkdir(filepath.Join(dir, indexFile), 0o700),
		os.WriteFile(filepath.Join(dir, indexFile, "in the way"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	r, err := Read(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	temp := r.temp
	if diff := cmp.Diff(want, listed(t, r, fax.Filter{})); diff != "" {
		t.Error(diff)
	}
	if report, err := r.Verify(t.Context(), 2); err != nil || report.Documents != 3 || len(report.Findings) > 0 {
		t.Errorf("%+v, %v", report, err)
	}
	if err := r.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(temp); temp == "" || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the temporary index %q is still there: %v", temp, err)
	}
}

// When the disk takes no more, nothing gets a final name.
func TestSaveOnABrokenDisk(t *testing.T) {
	for name, obstacle := range map[string]string{
		"the day's folder":  "2026/11/23",
		"the document":      "2026/11/23/.FX0000.part",
		"the sidecar":       "2026/11/23/.FX0000.json.part",
		"the document name": "2026/11/23/FX0000.pdf/x",
		"the sidecar name":  "2026/11/23/FX0000.json/x",
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			a := open(t, dir)
			d, faxes := fill(t, 1)
			in := filepath.Join(dir, filepath.FromSlash(obstacle))
			if obstacle == "2026/11/23" {
				if err := errors.Join(os.MkdirAll(filepath.Dir(in), 0o700), os.WriteFile(in, nil, 0o600)); err != nil {
					t.Fatal(err)
				}
			} else if err := os.MkdirAll(in, 0o700); err != nil {
				t.Fatal(err)
			}
			if _, _, err := a.Save(t.Context(), d, faxes[0]); err == nil {
				t.Fatal("saved all the same")
			}
			if r, err := a.SaveThenDelete(t.Context(), d, faxes[0], false); err == nil || r.Result != Failed || len(d.deleted) > 0 {
				t.Errorf("%+v, %v", r, err)
			}
			if _, err := a.Get(t.Context(), faxes[0].ID); !errors.Is(err, fax.ErrNotFound) {
				t.Errorf("the entry: %v", err)
			}
			top := filepath.Join(dir, "2026", "11", "23")
			if obstacle != "2026/11/23" {
				if err := os.RemoveAll(top); err != nil {
					t.Fatal(err)
				}
			} else if err := os.Remove(top); err != nil {
				t.Fatal(err)
			}
			if _, existed := save(t, a, d, faxes[0]); existed { // the next run makes it good
				t.Error("existed")
			}
		})
	}
}

// Being cut off by the context leaves an entry whole or not there.
func TestSaveInterrupted(t *testing.T) {
	dir := t.TempDir()
	a := open(t, dir)
	d, faxes := fill(t, 1)
	ctx, cancel := context.WithCancel(t.Context())
	d.before = cancel
	if _, _, err := a.Save(ctx, d, faxes[0]); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if got := files(t, dir); len(got) > 0 {
		t.Errorf("files %v", got)
	}
}
