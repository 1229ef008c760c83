package archive

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

func TestSaveThenDelete(t *testing.T) {
	for _, tc := range []struct {
		name    string
		prepare func(t *testing.T, a *Archive, d *desk, f *fax.Fax, dir string)
		media   bool
		want    Result
		is      error
		there   bool // the provider still has the fax

		uncounted bool // a copy whose pages cannot be counted is enough
	}{
		{name: "kept and deleted", want: Deleted},
		{name: "kept by an earlier run", want: Deleted, prepare: func(t *testing.T, a *Archive, d *desk, f *fax.Fax, _ string) {
			save(t, a, d, *f)
		}},
		{name: "deleted by an earlier run", want: AlreadyGone, prepare: func(t *testing.T, a *Archive, d *desk, f *fax.Fax, _ string) {
			save(t, a, d, *f)
			delete(d.docs, f.ID)
		}},
		{name: "the document only", media: true, want: Deleted, there: true},
		{name: "the document only, again", media: true, want: AlreadyGone, there: true, prepare: func(_ *testing.T, _ *Archive, d *desk, f *fax.Fax, _ string) {
			d.docs[f.ID] = nil
		}},
		{name: "a failed fax has only a record", want: Deleted, prepare: func(_ *testing.T, _ *Archive, d *desk, f *fax.Fax, _ string) {
			d.docs[f.ID], f.Status, f.MediaID, f.Pages = nil, fax.Failed, "", nil
		}},
		{name: "held", want: Skipped, is: problem.ErrConflict, there: true, prepare: func(t *testing.T, a *Archive, d *desk, f *fax.Fax, _ string) {
			save(t, a, d, *f)
			if _, err := a.Hold(t.Context(), f.ID, "lawsuit"); err != nil {
				t.Fatal(err)
			}
		}},
		{name: "in progress", want: Skipped, is: problem.ErrConflict, there: true, prepare: func(_ *testing.T, _ *Archive, _ *desk, f *fax.Fax, _ string) {
			f.Status = fax.Receiving
		}},
		{name: "in progress, the provider says", want: Skipped, is: problem.ErrConflict, there: true, prepare: func(_ *testing.T, _ *Archive, d *desk, _ *fax.Fax, _ string) {
			d.conflict = true
		}},
		{name: "not a document", want: Failed, is: problem.ErrUnavailable, there: true, prepare: func(_ *testing.T, _ *Archive, d *desk, f *fax.Fax, _ string) {
			d.docs[f.ID] = []byte("<html>")
		}},
		{name: "a document of no pages", want: Failed, is: problem.ErrConflict, there: true, prepare: func(_ *testing.T, _ *Archive, d *desk, f *fax.Fax, _ string) {
			d.docs[f.ID] = []byte(noPages)
		}},
		{name: "a copy of no pages, kept before the record told of some", want: Failed, is: ErrDamagedCopy, there: true, prepare: func(t *testing.T, a *Archive, d *desk, f *fax.Fax, _ string) {
			pages := f.Pages
			d.docs[f.ID], f.Pages = []byte(noPages), nil
			save(t, a, d, *f)
			f.Pages = pages
		}},
		{name: "a document whose pages cannot be counted", want: Failed, is: ErrUnproven, there: true, prepare: func(_ *testing.T, _ *Archive, d *desk, f *fax.Fax, _ string) {
			d.docs[f.ID] = []byte(uncounted)
		}},
		{name: "pages that cannot be counted, of a fax that tells of none", want: Failed, is: ErrUnproven, there: true, prepare: func(_ *testing.T, _ *Archive, d *desk, f *fax.Fax, _ string) {
			d.docs[f.ID], f.Pages = []byte(uncounted), nil
		}},
		{name: "pages that cannot be counted, and need not be", uncounted: true, want: Deleted, prepare: func(_ *testing.T, _ *Archive, d *desk, f *fax.Fax, _ string) {
			d.docs[f.ID] = []byte(uncounted)
		}},
		{name: "two documents", want: Failed, is: ErrUnproven, there: true, prepare: func(_ *testing.T, _ *Archive, d *desk, f *fax.Fax, _ string) {
			d.listed = []string{f.MediaID, "ME2"}
		}},
		{name: "two documents, the document only", media: true, want: Failed, is: ErrUnproven, there: true, prepare: func(_ *testing.T, _ *Archive, d *desk, f *fax.Fax, _ string) {
			d.listed = []string{f.MediaID, "ME2"}
		}},
		{name: "two documents, of which the record names none", want: Failed, is: ErrUnproven, there: true, prepare: func(_ *testing.T, _ *Archive, d *desk, f *fax.Fax, _ string) {
			d.listed, f.MediaID = []string{"ME1", "ME2"}, ""
			d.records[f.ID] = *f
		}},
		{name: "the list of documents shows another than the record names", want: Failed, is: ErrUnproven, there: true, prepare: func(_ *testing.T, _ *Archive, d *desk, _ *fax.Fax, _ string) {
			d.listed = []string{"ME2"}
		}},
		{name: "the list of documents shows one twice", want: Deleted, prepare: func(_ *testing.T, _ *Archive, d *desk, f *fax.Fax, _ string) {
			d.listed = []string{f.MediaID, f.MediaID}
		}},
		{name: "the list of documents is not to be had", want: Failed, is: problem.ErrUnavailable, there: true, prepare: func(_ *testing.T, _ *Archive, d *desk, _ *fax.Fax, _ string) {
			d.unlisted = problem.ErrUnavailable
		}},
		{name: "the list of documents is not found, and the fax is there", want: Failed, is: fax.ErrContradiction, there: true, prepare: func(_ *testing.T, _ *Archive, d *desk, _ *fax.Fax, _ string) {
			d.unlisted = problem.ErrNotFound
		}},
		{name: "storage knows nothing of the document", want: Failed, is: fax.ErrContradiction, there: true, prepare: func(_ *testing.T, _ *Archive, d *desk, _ *fax.Fax, _ string) {
			d.storage = fmt.Errorf("document: %w", problem.ErrNotFound)
		}},
		{name: "storage refuses with a conflict", want: Failed, is: problem.ErrConflict, there: true, prepare: func(_ *testing.T, _ *Archive, d *desk, _ *fax.Fax, _ string) {
			d.storage = fmt.Errorf("document: %w", problem.ErrConflict)
		}},
		{name: "marked as gone, and there", want: Deleted, prepare: func(t *testing.T, a *Archive, d *desk, f *fax.Fax, _ string) {
			f.MediaID = "" // as SignalWire may leave it out
			whole := d.docs[f.ID]
			d.docs[f.ID], d.records[f.ID] = nil, *f
			save(t, a, d, *f)
			d.docs[f.ID] = whole
		}},
		{name: "marked as gone, there, and not to be had", want: Failed, is: fax.ErrContradiction, there: true, prepare: func(t *testing.T, a *Archive, d *desk, f *fax.Fax, _ string) {
			f.MediaID = ""
			whole := d.docs[f.ID]
			d.docs[f.ID], d.records[f.ID] = nil, *f
			save(t, a, d, *f)
			d.docs[f.ID], d.storage = whole, fmt.Errorf("document: %w", problem.ErrNotFound)
		}},
		{name: "a failed fax, of which a document is listed", want: Failed, is: problem.ErrUnavailable, there: true, prepare: func(_ *testing.T, _ *Archive, d *desk, f *fax.Fax, _ string) {
			f.Status, f.MediaID, f.Pages = fax.Failed, "", nil
			d.records[f.ID] = *f
		}},
		{name: "the document was deleted before", want: Deleted, prepare: func(_ *testing.T, _ *Archive, d *desk, f *fax.Fax, _ string) {
			d.docs[f.ID] = nil
		}},
		{name: "the copy came with the callback, and is the document that is shown", want: Deleted, prepare: func(t *testing.T, a *Archive, d *desk, f *fax.Fax, _ string) {
			comeAlong(t, a, d, *f, d.docs[f.ID])
		}},
		{name: "the copy came with the callback, and another document is shown", want: Failed, is: ErrUnproven, there: true, prepare: func(t *testing.T, a *Archive, d *desk, f *fax.Fax, _ string) {
			comeAlong(t, a, d, *f, sheet(t, 1, 99))
		}},
		{name: "the copy came with the callback, and another document is shown, the document only", media: true, want: Failed, is: ErrUnproven, there: true, prepare: func(t *testing.T, a *Archive, d *desk, f *fax.Fax, _ string) {
			comeAlong(t, a, d, *f, sheet(t, 1, 99))
		}},
		{name: "the copy came with the callback, and what is shown is not to be had", want: Failed, is: ErrUnproven, there: true, prepare: func(t *testing.T, a *Archive, d *desk, f *fax.Fax, _ string) {
			comeAlong(t, a, d, *f, d.docs[f.ID])
			d.storage = problem.ErrUnavailable
		}},
		{name: "the copy came with the callback, and the provider keeps none", want: Deleted, prepare: func(t *testing.T, a *Archive, d *desk, f *fax.Fax, _ string) {
			f.MediaID = ""
			comeAlong(t, a, d, *f, d.docs[f.ID])
			d.docs[f.ID] = nil
		}},
		{name: "another document is shown than was fetched, and the record names none", want: Failed, is: ErrUnproven, there: true, prepare: func(t *testing.T, a *Archive, d *desk, f *fax.Fax, _ string) {
			f.MediaID, d.listed = "", []string{"MEaaaa"}
			save(t, a, d, *f)
			d.docs[f.ID], d.listed = sheet(t, 1, 99), []string{"MEbbbb"}
		}},
		{name: "the same document is shown by another id", want: Deleted, prepare: func(t *testing.T, a *Archive, d *desk, f *fax.Fax, _ string) {
			f.MediaID, d.listed = "", []string{"MEaaaa"}
			save(t, a, d, *f)
			d.listed = []string{"MEbbbb"}
		}},
		{name: "the kept copy has changed", want: Failed, there: true, is: ErrDamagedCopy, prepare: func(t *testing.T, a *Archive, d *desk, f *fax.Fax, dir string) {
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
			r, err := a.SaveThenDelete(t.Context(), d, f, Deletion{MediaOnly: tc.media, AllowUncounted: tc.uncounted})
			if r.Result != tc.want || !errors.Is(err, tc.is) || (err == nil) != (tc.is == nil) {
				t.Errorf("%+v, %v; want %s, %v", r, err, tc.want, tc.is)
			}
			if (err != nil) != (r.Error != "") || r.ID != f.ID || r.NumberTail != "0123" || r.At.IsZero() {
				t.Errorf("receipt %+v", r)
			}
			if _, there := d.docs[f.ID]; there != tc.there {
				t.Errorf("the fax is there: %v", there)
			}
			if e, err := a.Get(t.Context(), f.ID); (tc.want == Deleted && err != nil) || (err == nil && e.Document != nil && r.SHA256 != "" && e.Document.SHA256 != r.SHA256) {
				t.Errorf("kept %+v, %v", e, err)
			} else if err == nil && e.Gone.IsZero() != (r.Result != Deleted || tc.media) {
				t.Errorf("%s, and marked %v", r.Result, e.Gone) // what somebody else deleted has no mark of ours
			}
		})
	}
}

// comeAlong keeps a document that came with the callback.
func comeAlong(t *testing.T, a *Archive, d *desk, f fax.Fax, body []byte) {
	t.Helper()
	if e, _, err := a.Save(t.Context(), callback{d, body}, f); err != nil || e.Document == nil || e.Document.MediaID != "" {
		t.Fatalf("%+v, %v", e, err)
	}
}

func TestDelete(t *testing.T) {
	d, faxes := fill(t, 2)
	for _, tc := range []struct {
		f    fax.Fax
		want Result
	}{
		{faxes[0], Deleted}, {faxes[0], AlreadyGone},
		{fax.Fax{ID: "FX0001", Status: fax.Sending}, Skipped},
	} {
		if r, err := Delete(t.Context(), d, tc.f, Deletion{}); r.Result != tc.want || (err != nil) != (tc.want == Skipped) {
			t.Errorf("%+v, %v; want %s", r, err, tc.want)
		}
	}
}

// A DELETE whose answer does not come is looked after.
func TestDeleteWithoutAnAnswer(t *testing.T) {
	for _, tc := range []struct {
		name    string
		prepare func(d *desk, cancel func())
		want    Result
		is      error
	}{
		{"carried out, then interrupted", func(d *desk, cancel func()) { d.lost = cancel }, Deleted, nil},
		{"not carried out", func(d *desk, _ func()) { d.silent = true }, Failed, problem.ErrUnavailable},
		{"nobody knows", func(d *desk, _ func()) { d.silent, d.deaf = true, true }, Unknown, problem.ErrUnavailable},
		{"interrupted before", func(_ *desk, cancel func()) { cancel() }, Failed, context.Canceled},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d, faxes := fill(t, 1)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			tc.prepare(d, cancel)
			r, err := Delete(ctx, d, faxes[0], Deletion{})
			if r.Result != tc.want || !errors.Is(err, tc.is) || (err != nil) != (r.Error != "") {
				t.Errorf("%+v, %v; want %s", r, err, tc.want)
			}
		})
	}
}

// Without a line that says so first nothing is deleted; with one, what is deleted
// is marked.
func TestReceiptBeforeTheDeletion(t *testing.T) {
	a := open(t, t.TempDir())
	d, faxes := fill(t, 2)
	full := errors.New("disk full")
	if r, err := a.SaveThenDelete(t.Context(), d, faxes[0], Deletion{Before: func(Receipt) error { return full }}); r.Result != Failed || !errors.Is(err, full) || len(d.deleted) > 0 {
		t.Errorf("%+v, %v", r, err)
	}
	if e, err := a.Get(t.Context(), faxes[0].ID); err != nil || !e.Gone.IsZero() {
		t.Errorf("%+v, %v", e, err)
	}
	for _, mediaOnly := range []bool{true, false} {
		var begun []Receipt
		r, err := a.SaveThenDelete(t.Context(), d, faxes[0], Deletion{MediaOnly: mediaOnly, Before: func(r Receipt) error {
			begun = append(begun, r)
			return nil
		}})
		if err != nil || r.Result != Deleted || r.Error != "" || len(begun) != 1 || begun[0].Result != Deleting || begun[0].SHA256 != r.SHA256 {
			t.Errorf("%+v, %+v, %v", begun, r, err)
		}
		e, err := a.Get(t.Context(), faxes[0].ID)
		if err != nil || e.MediaGone.IsZero() || e.Gone.IsZero() != mediaOnly || e.Document == nil || e.Record == nil {
			t.Errorf("%+v, %v", e, err)
		}
		faxes[0].MediaID = "" // as it is listed from now on
	}
}
