package archive

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

// A fax that comes without the provider's record is asked for, once: what is
// kept is what the provider says.
func TestSaveFetchesTheRecord(t *testing.T) {
	a := open(t, t.TempDir())
	d, faxes := fill(t, 2)
	bare, gone := faxes[0], faxes[1]
	bare.Raw, gone.Raw = nil, nil
	delete(d.docs, gone.ID)
	for range 2 {
		save(t, a, d, bare)
		e, err := a.Get(t.Context(), bare.ID)
		if err != nil || !strings.Contains(string(e.Record), `"odd"`) || e.Document == nil {
			t.Errorf("%+v, %v", e, err)
		}
	}
	if d.fetched != 1 {
		t.Errorf("asked for %d times", d.fetched)
	}
	if _, _, err := a.Save(t.Context(), d, gone); !errors.Is(err, ErrGone) {
		t.Errorf("a fax that is gone by now: %v", err)
	}
	if _, err := a.Get(t.Context(), gone.ID); !errors.Is(err, problem.ErrNotFound) {
		t.Errorf("it left an entry: %v", err)
	}
}

// A fax that the list shows and its record denies is not gone: its record is kept
// as it was listed, and asked for again.
func TestSaveDoesNotBelieveOneDenial(t *testing.T) {
	for name, denial := range map[string]error{
		"the provider": problem.ErrNotFound,
		"a gateway":    &fax.APIError{Kind: problem.ErrUnavailable, Status: 404},
	} {
		t.Run(name, func(t *testing.T) {
			a := open(t, t.TempDir())
			d, faxes := fill(t, 1)
			f := faxes[0]
			d.denied, d.storage = denial, fmt.Errorf("document: %w", problem.ErrNotFound)
			if _, _, err := a.Save(t.Context(), d, f); !errors.Is(err, fax.ErrContradiction) || errors.Is(err, problem.ErrNotFound) {
				t.Errorf("got %v", err)
			}
			if e, err := a.Get(t.Context(), f.ID); err != nil || e.Whole() || e.marked() {
				t.Errorf("%+v, %v", e, err)
			}
			d.denied, d.storage = nil, nil
			if e, _ := save(t, a, d, f); e.Document == nil {
				t.Errorf("%+v", e)
			}
		})
	}
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
	if got, err := a.ReadDocument(t.Context(), "FX0002"); err != nil || !bytes.Equal(got, d.docs["FX0002"]) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if err := a.Close(t.Context()); err != nil {
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
		{name: "deleted at the provider since it was listed", gone: true, asked: 2},
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
		d := &fakeFaxes{docs: map[string][]byte{id: sheet(t, 1, 1)}}
		if _, _, err := a.Save(t.Context(), d, received(id, 1)); !errors.Is(err, problem.ErrInvalid) {
			t.Errorf("%q: %v", id, err)
		}
		if _, err := a.Get(t.Context(), id); !errors.Is(err, problem.ErrInvalid) {
			t.Errorf("%q: %v", id, err)
		}
		if _, err := a.Hold(t.Context(), id, ""); !errors.Is(err, problem.ErrInvalid) {
			t.Errorf("%q: %v", id, err)
		}
	}
	if got := files(t, dir); len(got) > 0 {
		t.Errorf("files %v", got)
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
	if _, err := a.Hold(t.Context(), "FX9999", "x"); !errors.Is(err, problem.ErrNotFound) || problem.AdviceOf(err).String() == "" {
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

// Storage's word alone is not taken for it that a document is gone: the record is
// kept, and waits for it. A mark is taken back when the record names a document
// again.
func TestSaveDoesNotBelieveStorage(t *testing.T) {
	a := open(t, t.TempDir())
	d, faxes := fill(t, 2)
	unnamed := faxes[1] // the list of its documents alone tells of one
	unnamed.MediaID = ""
	d.records[unnamed.ID] = unnamed
	d.storage = fmt.Errorf("document: %w", problem.ErrNotFound)
	for _, f := range []fax.Fax{faxes[0], unnamed} {
		if e, _, err := a.Save(t.Context(), d, f); !errors.Is(err, fax.ErrContradiction) || errors.Is(err, problem.ErrNotFound) {
			t.Errorf("%s: %+v, %v", f.ID, e, err)
		}
		asked := d.opened // it is told once, and then asked for by those alone who insist
		if e, existed := save(t, a, d, f); !existed || e.DocumentDenied.IsZero() || !e.DocumentMissing || d.opened > asked {
			t.Errorf("%s, again: existed %v, %+v", f.ID, existed, e)
		}
		if e, err := a.Get(t.Context(), f.ID); err != nil || e.Whole() || !e.MediaGone.IsZero() || len(e.Record) == 0 {
			t.Errorf("all that there is of %s is its record: %+v, %v", f.ID, e, err)
		}
	}
	d.storage = nil
	whole := d.docs[faxes[0].ID]
	d.docs[faxes[0].ID] = nil
	if e, _, err := a.SaveNews(t.Context(), d, faxes[0]); err != nil || e.MediaGone.IsZero() || e.Fax.HasDocument() || !e.DocumentDenied.IsZero() {
		t.Errorf("a document that is gone: %+v, %v", e, err)
	}
	d.docs[faxes[0].ID] = whole
	if e, existed := save(t, a, d, faxes[0]); existed || !e.MediaGone.IsZero() || e.Document == nil {
		t.Errorf("a document that is there again: existed %v, %+v", existed, e)
	}
}

// A provider whose record is slow to name a document is asked again, for an hour
// and whenever there is news of it.
func TestSaveWaitsForADocument(t *testing.T) {
	a := open(t, t.TempDir())
	d, faxes := fill(t, 2)
	for _, f := range faxes {
		whole := d.docs[f.ID]
		young := f.ID == faxes[0].ID
		if young {
			f.Created = time.Now().Add(-time.Minute)
		}
		f.MediaID = ""
		d.records[f.ID], d.docs[f.ID] = f, nil
		for range 2 {
			if e, _ := save(t, a, d, f); e.Whole() == young || e.MediaGone.IsZero() != young {
				t.Errorf("young %v, without a document: %+v", young, e)
			}
		}
		d.docs[f.ID] = whole
		if e, _ := save(t, a, d, f); (e.Document != nil) != young {
			t.Errorf("young %v, with its document: %+v", young, e)
		}
		if e, _, err := a.SaveNews(t.Context(), d, f); err != nil || e.Document == nil || !e.MediaGone.IsZero() {
			t.Errorf("young %v, told of its document: %+v, %v", young, e, err)
		}
	}
}

// A fax whose document was not given is known not to be whole, whatever its record
// says, and after the archive was opened again.
func TestSaveKnowsWhatIsMissing(t *testing.T) {
	dir := t.TempDir()
	d, faxes := fill(t, 1)
	f := faxes[0]
	f.Status, f.MediaID, f.MediaURL = fax.Failed, "", "https://files.example.com/1.pdf"
	d.storage = fmt.Errorf("document: %w", problem.ErrUnavailable)
	a, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := a.Save(t.Context(), d, f); !errors.Is(err, problem.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
	if err := errors.Join(a.Close(t.Context()), os.Remove(filepath.Join(dir, indexFile))); err != nil {
		t.Fatal(err)
	}
	a = open(t, dir)
	if e, err := a.Get(t.Context(), f.ID); err != nil || e.Whole() {
		t.Errorf("%+v, %v", e, err)
	}
	d.storage, d.docs[f.ID] = nil, nil
	f.MediaURL = ""
	d.records[f.ID] = f
	if e, existed := save(t, a, d, f); existed || !e.Whole() {
		t.Errorf("without a document after all: existed %v, %+v", existed, e)
	}
}

// A snapshot that the file server shows in the archive is not the archive.
func TestHiddenFolders(t *testing.T) {
	dir := t.TempDir()
	d, faxes := fill(t, 1)
	a := open(t, dir)
	save(t, a, d, faxes[0])
	snapshot := filepath.Join(dir, ".snapshot", "hourly.0")
	part := filepath.Join(snapshot, ".FX0.pdf.part")
	if err := errors.Join(
		os.CopyFS(filepath.Join(snapshot, "2026"), os.DirFS(filepath.Join(dir, "2026"))),
		os.WriteFile(part, nil, 0o600),
	); err != nil {
		t.Fatal(err)
	}
	for o, err := range a.walk(t.Context()) {
		if err != nil || strings.Contains(o.Name, "snapshot") {
			t.Errorf("%s, %v", o.Name, err)
		}
	}
	if err := a.files.clear(t.Context()); err != nil {
		t.Error(err)
	}
	if n, err := a.Reindex(t.Context()); err != nil || n.Entries != 1 {
		t.Errorf("%+v, %v", n, err)
	}
	if _, err := a.Hold(t.Context(), faxes[0].ID, "lawsuit"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(part); err != nil {
		t.Errorf("a file of the snapshot: %v", err)
	}
	if err := os.RemoveAll(filepath.Join(dir, ".snapshot")); err != nil {
		t.Fatal(err)
	}
	if e, err := a.Get(t.Context(), faxes[0].ID); err != nil || e.Hold == nil {
		t.Errorf("%+v, %v", e, err)
	}
}

// A record that names another document than the one that is kept is no reason to
// take that for it, nor to give it up.
func TestSaveOfAnotherDocument(t *testing.T) {
	a := open(t, t.TempDir())
	d, faxes := fill(t, 2)
	for i, f := range faxes {
		save(t, a, d, f)
		kept := d.docs[f.ID]
		if f.MediaID = "MEother"; i == 0 { // else it has another name alone
			d.docs[f.ID] = sheet(t, *f.Pages, 77)
		}
		d.records[f.ID] = f
		_, _, err := a.Save(t.Context(), d, f)
		if errors.Is(err, fax.ErrContradiction) != (i == 0) || (err == nil) != (i == 1) {
			t.Errorf("%d: %v", i, err)
		}
		if got, err := a.ReadDocument(t.Context(), f.ID); err != nil || !bytes.Equal(got, kept) {
			t.Errorf("%d: what was kept is not any more: %v", i, err)
		}
	}
	if _, err := a.Secure(t.Context(), d, d.records[faxes[0].ID], false); err == nil {
		t.Errorf("%v", err)
	}
}

// A hold that is written into the sidecar while its document comes counts.
func TestSaveSeesAHoldThatComesMeanwhile(t *testing.T) {
	dir := t.TempDir()
	a := open(t, dir)
	d, faxes := fill(t, 1)
	f := faxes[0]
	d.storage = problem.ErrUnavailable
	if _, _, err := a.Save(t.Context(), d, f); err == nil {
		t.Fatal("kept")
	}
	d.storage = nil
	d.before = func() {
		name := filepath.Join(dir, "2026/11/23", f.ID+".json")
		data, err := os.ReadFile(name)
		if err == nil {
			err = os.WriteFile(name, bytes.Replace(data, []byte(`"document": null`), []byte(`"hold": {"reason": "case 1", "since": "2026-11-28T00:00:00Z"}, "document": null`), 1), 0o600)
		}
		if err != nil {
			t.Error(err)
		}
	}
	d.storage = problem.ErrNotFound // also when no document comes, and that is noted
	if _, _, err := a.Save(t.Context(), d, f); !errors.Is(err, fax.ErrContradiction) {
		t.Error(err)
	}
	if e, err := a.Get(t.Context(), f.ID); err != nil || e.Hold == nil || e.DocumentDenied.IsZero() {
		t.Errorf("without a document: %+v, %v", e, err)
	}
	d.storage = nil
	if _, err := a.Secure(t.Context(), d, f, false); !errors.As(err, new(*HeldError)) {
		t.Errorf("%v", err)
	}
	if e, err := a.Get(t.Context(), f.ID); err != nil || e.Hold == nil || e.Document == nil {
		t.Errorf("%+v, %v", e, err)
	}
}

// The index alone is no copy: a sidecar that was removed is written again, and until
// then there is none.
func TestSaveWritesALostSidecar(t *testing.T) {
	dir := t.TempDir()
	a := open(t, dir)
	d, faxes := fill(t, 2)
	saveAll(t, a, d, faxes)
	name := filepath.Join(dir, "2026/11/23", faxes[0].ID)
	if err := errors.Join(os.Remove(name+".json"), os.WriteFile(filepath.Join(dir, "2026/11/23", faxes[1].ID+".pdf"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, f := range faxes {
		if has, err := a.Has(t.Context(), f.ID); has || err != nil {
			t.Errorf("%s is there: %v", f.ID, err)
		}
		save(t, a, d, f)
		if has, err := a.Has(t.Context(), f.ID); !has || err != nil {
			t.Errorf("%s is not there again: %v", f.ID, err)
		}
	}
	if has, err := a.Has(t.Context(), "FX9"); has || err != nil {
		t.Errorf("what never was: %t, %v", has, err)
	}
}
