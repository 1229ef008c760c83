package archive

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

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
		{name: "held", want: Skipped, is: fax.ErrConflict, there: true, prepare: func(t *testing.T, a *Archive, d *desk, f *fax.Fax, _ string) {
			save(t, a, d, *f)
			if _, err := a.Hold(t.Context(), f.ID, "lawsuit"); err != nil {
				t.Fatal(err)
			}
		}},
		{name: "in progress", want: Skipped, is: fax.ErrConflict, there: true, prepare: func(_ *testing.T, _ *Archive, _ *desk, f *fax.Fax, _ string) {
			f.Status = fax.Receiving
		}},
		{name: "in progress, the provider says", want: Skipped, is: fax.ErrConflict, there: true, prepare: func(_ *testing.T, _ *Archive, d *desk, _ *fax.Fax, _ string) {
			d.conflict = true
		}},
		{name: "not a document", want: Failed, is: fax.ErrUnavailable, there: true, prepare: func(_ *testing.T, _ *Archive, d *desk, f *fax.Fax, _ string) {
			d.docs[f.ID] = []byte("<html>")
		}},
		{name: "storage knows nothing of the document", want: Failed, is: fax.ErrUnavailable, there: true, prepare: func(_ *testing.T, _ *Archive, d *desk, _ *fax.Fax, _ string) {
			d.storage = fmt.Errorf("document: %w", fax.ErrNotFound)
		}},
		{name: "storage refuses with a conflict", want: Failed, is: fax.ErrConflict, there: true, prepare: func(_ *testing.T, _ *Archive, d *desk, _ *fax.Fax, _ string) {
			d.storage = fmt.Errorf("document: %w", fax.ErrConflict)
		}},
		{name: "marked as gone, and there", want: Deleted, prepare: func(t *testing.T, a *Archive, d *desk, f *fax.Fax, _ string) {
			f.MediaID = "" // as SignalWire may leave it out
			whole := d.docs[f.ID]
			d.docs[f.ID], d.records[f.ID] = nil, *f
			save(t, a, d, *f)
			d.docs[f.ID] = whole
		}},
		{name: "marked as gone, there, and not to be had", want: Failed, is: fax.ErrUnavailable, there: true, prepare: func(t *testing.T, a *Archive, d *desk, f *fax.Fax, _ string) {
			f.MediaID = ""
			whole := d.docs[f.ID]
			d.docs[f.ID], d.records[f.ID] = nil, *f
			save(t, a, d, *f)
			d.docs[f.ID], d.storage = whole, fmt.Errorf("document: %w", fax.ErrNotFound)
		}},
		{name: "the document was deleted before", want: Deleted, prepare: func(_ *testing.T, _ *Archive, d *desk, f *fax.Fax, _ string) {
			d.docs[f.ID] = nil
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
			r, err := a.SaveThenDelete(t.Context(), d, f, tc.media)
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
			}
		})
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
		if r, err := Delete(t.Context(), d, tc.f, false); r.Result != tc.want || (err != nil) != (tc.want == Skipped) {
			t.Errorf("%+v, %v; want %s", r, err, tc.want)
		}
	}
}

func TestReceipts(t *testing.T) {
	name := filepath.Join(t.TempDir(), "receipts.jsonl")
	want := []Receipt{
		{ID: "FX1", NumberTail: "0123", At: time.Unix(1, 0).UTC(), SHA256: "ab", Result: Deleted},
		{ID: "FX2", At: time.Unix(2, 0).UTC(), Result: Failed, Error: "no"},
	}
	for _, one := range want { // a second run appends
		r, err := OpenReceipts(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(r.Write(one), r.Close()); err != nil {
			t.Fatal(err)
		}
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var got []Receipt
	for s := bufio.NewScanner(f); s.Scan(); {
		var r Receipt
		if err := json.Unmarshal(s.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		got = append(got, r)
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
	if st, err := f.Stat(); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", st.Mode(), err)
	}
}
