package archive

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

func TestSecure(t *testing.T) {
	for _, tc := range []struct {
		name    string
		prepare func(t *testing.T, a *Archive, d *fakeFaxes, f *fax.Fax, dir string)
		is      error

		uncounted bool // a copy whose pages cannot be counted is enough
	}{
		{name: "kept"},
		{name: "kept by an earlier run", prepare: func(t *testing.T, a *Archive, d *fakeFaxes, f *fax.Fax, _ string) {
			save(t, a, d, *f)
		}},
		{name: "deleted by an earlier run", is: ErrGone, prepare: func(t *testing.T, a *Archive, d *fakeFaxes, f *fax.Fax, _ string) {
			save(t, a, d, *f)
			delete(d.docs, f.ID)
		}},
		{name: "a failed fax has only a record", prepare: func(_ *testing.T, _ *Archive, d *fakeFaxes, f *fax.Fax, _ string) {
			d.docs[f.ID], f.Status, f.MediaID, f.Pages = nil, fax.Failed, "", nil
		}},
		{name: "held", is: problem.ErrConflict, prepare: func(t *testing.T, a *Archive, d *fakeFaxes, f *fax.Fax, _ string) {
			save(t, a, d, *f)
			if _, err := a.Hold(t.Context(), f.ID, "lawsuit"); err != nil {
				t.Fatal(err)
			}
		}},
		{name: "not a document", is: problem.ErrUnavailable, prepare: func(_ *testing.T, _ *Archive, d *fakeFaxes, f *fax.Fax, _ string) {
			d.docs[f.ID] = []byte("<html>")
		}},
		{name: "a document of no pages", is: problem.ErrConflict, prepare: func(_ *testing.T, _ *Archive, d *fakeFaxes, f *fax.Fax, _ string) {
			d.docs[f.ID] = []byte(noPages)
		}},
		{name: "a copy of no pages, kept before the record told of some", is: ErrDamagedCopy, prepare: func(t *testing.T, a *Archive, d *fakeFaxes, f *fax.Fax, _ string) {
			pages := f.Pages
			d.docs[f.ID], f.Pages = []byte(noPages), nil
			save(t, a, d, *f)
			f.Pages = pages
		}},
		{name: "a document whose pages cannot be counted", is: ErrUnproven, prepare: func(_ *testing.T, _ *Archive, d *fakeFaxes, f *fax.Fax, _ string) {
			d.docs[f.ID] = []byte(uncounted)
		}},
		{name: "pages that cannot be counted, of a fax that tells of none", is: ErrUnproven, prepare: func(_ *testing.T, _ *Archive, d *fakeFaxes, f *fax.Fax, _ string) {
			d.docs[f.ID], f.Pages = []byte(uncounted), nil
		}},
		{name: "pages that cannot be counted, and need not be", uncounted: true, prepare: func(_ *testing.T, _ *Archive, d *fakeFaxes, f *fax.Fax, _ string) {
			d.docs[f.ID] = []byte(uncounted)
		}},
		{name: "two documents", is: ErrUnproven, prepare: func(_ *testing.T, _ *Archive, d *fakeFaxes, f *fax.Fax, _ string) {
			d.listed = []string{f.MediaID, "ME2"}
		}},
		{name: "two documents, of which the record names none", is: ErrUnproven, prepare: func(_ *testing.T, _ *Archive, d *fakeFaxes, f *fax.Fax, _ string) {
			d.listed, f.MediaID = []string{"ME1", "ME2"}, ""
			d.records[f.ID] = *f
		}},
		{name: "the list of documents shows another than the record names", is: ErrUnproven, prepare: func(_ *testing.T, _ *Archive, d *fakeFaxes, _ *fax.Fax, _ string) {
			d.listed = []string{"ME2"}
		}},
		{name: "the list of documents shows one twice", prepare: func(_ *testing.T, _ *Archive, d *fakeFaxes, f *fax.Fax, _ string) {
			d.listed = []string{f.MediaID, f.MediaID}
		}},
		{name: "the list of documents is not to be had", is: problem.ErrUnavailable, prepare: func(_ *testing.T, _ *Archive, d *fakeFaxes, _ *fax.Fax, _ string) {
			d.unlisted = problem.ErrUnavailable
		}},
		{name: "the list of documents is not found, and the fax is there", is: fax.ErrContradiction, prepare: func(_ *testing.T, _ *Archive, d *fakeFaxes, _ *fax.Fax, _ string) {
			d.unlisted = problem.ErrNotFound
		}},
		{name: "storage knows nothing of the document", is: fax.ErrContradiction, prepare: func(_ *testing.T, _ *Archive, d *fakeFaxes, _ *fax.Fax, _ string) {
			d.storage = fmt.Errorf("document: %w", problem.ErrNotFound)
		}},
		{name: "storage refuses with a conflict", is: problem.ErrConflict, prepare: func(_ *testing.T, _ *Archive, d *fakeFaxes, _ *fax.Fax, _ string) {
			d.storage = fmt.Errorf("document: %w", problem.ErrConflict)
		}},
		{name: "marked as gone, and there", prepare: func(t *testing.T, a *Archive, d *fakeFaxes, f *fax.Fax, _ string) {
			f.MediaID = "" // as SignalWire may leave it out
			whole := d.docs[f.ID]
			d.docs[f.ID], d.records[f.ID] = nil, *f
			save(t, a, d, *f)
			d.docs[f.ID] = whole
		}},
		{name: "marked as gone, there, and not to be had", is: fax.ErrContradiction, prepare: func(t *testing.T, a *Archive, d *fakeFaxes, f *fax.Fax, _ string) {
			f.MediaID = ""
			whole := d.docs[f.ID]
			d.docs[f.ID], d.records[f.ID] = nil, *f
			save(t, a, d, *f)
			d.docs[f.ID], d.storage = whole, fmt.Errorf("document: %w", problem.ErrNotFound)
		}},
		{name: "a failed fax, of which a document is listed", is: problem.ErrUnavailable, prepare: func(_ *testing.T, _ *Archive, d *fakeFaxes, f *fax.Fax, _ string) {
			f.Status, f.MediaID, f.Pages = fax.Failed, "", nil
			d.records[f.ID] = *f
		}},
		{name: "the document was deleted before", prepare: func(_ *testing.T, _ *Archive, d *fakeFaxes, f *fax.Fax, _ string) {
			d.docs[f.ID] = nil
		}},
		{name: "the document was deleted before, and one lies where a fax without a date is kept", is: ErrDamagedCopy, prepare: func(t *testing.T, _ *Archive, d *fakeFaxes, f *fax.Fax, dir string) {
			orphan := filepath.Join(dir, "undated", f.ID+".pdf")
			err := os.MkdirAll(filepath.Dir(orphan), 0o700)
			if err == nil {
				err = os.WriteFile(orphan, d.docs[f.ID], 0o600)
			}
			if d.docs[f.ID] = nil; err != nil {
				t.Fatal(err)
			}
		}},
		{name: "the copy came with the callback, and is the document that is shown", prepare: func(t *testing.T, a *Archive, d *fakeFaxes, f *fax.Fax, _ string) {
			comeAlong(t, a, d, *f, d.docs[f.ID])
		}},
		{name: "the copy came with the callback, and another document is shown", is: ErrUnproven, prepare: func(t *testing.T, a *Archive, d *fakeFaxes, f *fax.Fax, _ string) {
			comeAlong(t, a, d, *f, sheet(t, 1, 99))
		}},
		{name: "the copy came with the callback, and what is shown is not to be had", is: ErrUnproven, prepare: func(t *testing.T, a *Archive, d *fakeFaxes, f *fax.Fax, _ string) {
			comeAlong(t, a, d, *f, d.docs[f.ID])
			d.storage = problem.ErrUnavailable
		}},
		{name: "the copy came with the callback, and the provider keeps none", prepare: func(t *testing.T, a *Archive, d *fakeFaxes, f *fax.Fax, _ string) {
			f.MediaID = ""
			comeAlong(t, a, d, *f, d.docs[f.ID])
			d.docs[f.ID] = nil
		}},
		{name: "another document is shown than was fetched, and the record names none", is: ErrUnproven, prepare: func(t *testing.T, a *Archive, d *fakeFaxes, f *fax.Fax, _ string) {
			f.MediaID, d.listed = "", []string{"MEaaaa"}
			save(t, a, d, *f)
			d.docs[f.ID], d.listed = sheet(t, 1, 99), []string{"MEbbbb"}
		}},
		{name: "the same document is shown by another id", prepare: func(t *testing.T, a *Archive, d *fakeFaxes, f *fax.Fax, _ string) {
			f.MediaID, d.listed = "", []string{"MEaaaa"}
			save(t, a, d, *f)
			d.listed = []string{"MEbbbb"}
		}},
		{name: "the kept copy has changed", is: ErrDamagedCopy, prepare: func(t *testing.T, a *Archive, d *fakeFaxes, f *fax.Fax, dir string) {
			save(t, a, d, *f)
			name := filepath.Join(dir, "2026/11/23", f.ID+".pdf")
			data, err := os.ReadFile(name)
			if err == nil {
				data[len(data)-7] ^= 1
				err = os.WriteFile(name, data, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			a := open(t, dir)
			d, faxes := fill(t, 1)
			f := faxes[0]
			if tc.prepare != nil {
				tc.prepare(t, a, d, &f, dir)
			}
			e, err := a.Secure(t.Context(), d, f, tc.uncounted)
			if !errors.Is(err, tc.is) || (err == nil) != (tc.is == nil) {
				t.Fatalf("%+v, %v; want %v", e, err, tc.is)
			}
			if err != nil {
				return
			}
			kept, bad := a.Get(t.Context(), f.ID)
			if bad != nil || kept.Document == nil != (d.docs[f.ID] == nil && e.Document == nil) || e.Document != nil && *kept.Document != *e.Document {
				t.Errorf("secured %+v, kept %+v, %v", e.Document, kept.Document, bad)
			}
		})
	}
}

// comeAlong keeps a document that came with the callback.
func comeAlong(t *testing.T, a *Archive, d *fakeFaxes, f fax.Fax, body []byte) {
	t.Helper()
	if e, _, err := a.Save(t.Context(), callback{d, body}, f); err != nil || e.Document == nil || e.Document.MediaID != "" {
		t.Fatalf("%+v, %v", e, err)
	}
}
