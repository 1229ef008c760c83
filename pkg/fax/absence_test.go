package fax_test

import (
	"context"
	"errors"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

// witness is a provider that is asked about one fax.
type witness struct {
	fax.Faxes
	record, media, list error // what each is answered with; nil: that it is there
	named               bool  // the record names the document
	documents           int   // in the list of documents
	shown               int   // looks at the list that show the fax
	looks               int
	deleted             error
}

const witnessed = "FX1"

func (w *witness) fax() fax.Fax {
	f := fax.Fax{ID: witnessed, Status: fax.Received, Created: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)}
	if w.named {
		f.MediaID = "ME1"
	}
	return f
}

func (w *witness) Get(context.Context, string) (fax.Fax, error) {
	if w.record != nil {
		return fax.Fax{}, w.record
	}
	return w.fax(), nil
}

func (w *witness) Media(context.Context, string) iter.Seq2[fax.Media, error] {
	return func(yield func(fax.Media, error) bool) {
		if w.media != nil {
			yield(fax.Media{}, w.media)
			return
		}
		for range w.documents {
			if !yield(fax.Media{ID: "ME1"}, nil) {
				return
			}
		}
	}
}

func (w *witness) Page(_ context.Context, q fax.Filter, _ int, cursor string) (page fax.Page[fax.Fax], err error) {
	if cursor == "" { // the fax is on the second page
		w.looks++
		return fax.Page[fax.Fax]{Items: []fax.Fax{{ID: "FX2"}}, Next: "2"}, w.list
	}
	if f := w.fax(); w.looks <= w.shown && q.Match(f) {
		page.Items = append(page.Items, f)
	}
	return page, nil
}

func (w *witness) Delete(context.Context, string) error              { return w.deleted }
func (w *witness) DeleteMedia(context.Context, string, string) error { return w.deleted }

func TestLook(t *testing.T) {
	gateway := &fax.APIError{Kind: problem.ErrUnavailable, Status: 404}
	for name, test := range map[string]struct {
		witness
		known func(*fax.Fax) // of the fax before
		want  fax.Presence
		is    error
		looks int
		takes time.Duration
	}{
		"there":                          {witness: witness{named: true}, want: fax.WithDocument},
		"named by the list of documents": {witness: witness{documents: 1}, want: fax.WithDocument},
		"the record alone":               {want: fax.RecordAlone},
		"gone":                           {witness: witness{record: problem.ErrNotFound}, looks: 1},
		"gone, and the list is late":     {witness: witness{record: problem.ErrNotFound, shown: 2}, looks: 3, takes: 3 * time.Second},
		"gone, says a gateway":           {witness: witness{record: gateway}, looks: 1},
		"listed": {
			witness: witness{record: problem.ErrNotFound, shown: 9}, is: fax.ErrContradiction, looks: 3, takes: 3 * time.Second,
		},
		"listed, and a gateway": {
			witness: witness{record: gateway, shown: 9}, is: fax.ErrContradiction, looks: 3, takes: 3 * time.Second,
		},
		"its documents denied": {
			witness: witness{media: problem.ErrNotFound, shown: 9}, is: fax.ErrContradiction, looks: 3, takes: 3 * time.Second,
		},
		"gone between the questions":      {witness: witness{media: problem.ErrNotFound}, looks: 1},
		"no list":                         {witness: witness{record: problem.ErrNotFound, list: problem.ErrUnavailable}, is: problem.ErrUnavailable, looks: 1},
		"a gateway before everything":     {witness: witness{record: gateway, list: gateway}, is: problem.ErrUnavailable, looks: 1},
		"no answer":                       {witness: witness{record: problem.ErrUnavailable}, is: problem.ErrUnavailable},
		"no documents' answer":            {witness: witness{media: problem.ErrUnavailable}, is: problem.ErrUnavailable},
		"without a date":                  {witness: witness{record: problem.ErrNotFound}, known: func(f *fax.Fax) { f.Created = time.Time{} }, is: problem.ErrUnavailable},
		"by its id alone":                 {witness: witness{record: problem.ErrNotFound}, known: func(f *fax.Fax) { *f = fax.Fax{ID: f.ID} }},
		"by its id alone, says a gateway": {witness: witness{record: gateway}, known: func(f *fax.Fax) { *f = fax.Fax{ID: f.ID} }, is: problem.ErrUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := test.witness
				f := w.fax()
				if test.known != nil {
					test.known(&f)
				}
				start := time.Now()
				_, has, err := fax.Look(t.Context(), &w, f)
				if !errors.Is(err, test.is) || (err == nil) != (test.is == nil) || errors.Is(err, problem.ErrNotFound) || err == nil && has != test.want {
					t.Errorf("%v, %v; want %v, %v", has, err, test.want, test.is)
				}
				if w.looks != test.looks || time.Since(start) != test.takes {
					t.Errorf("%d looks in %v", w.looks, time.Since(start))
				}
			})
		})
	}
}

func TestLookIsInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		w := &witness{record: problem.ErrNotFound, shown: 9}
		if _, _, err := fax.Look(ctx, w, w.fax()); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}

// What a deletion finds gone is gone, or it says so.
func TestRemove(t *testing.T) {
	gateway := &fax.APIError{Kind: problem.ErrUnavailable, Status: 410}
	for name, test := range map[string]struct {
		witness
		named    bool  // by its id alone
		fax      error // of Remove; nil: done
		document error // of RemoveDocument
		was      bool
	}{
		"there":                              {witness: witness{named: true}, was: true},
		"gone":                               {witness: witness{named: true, deleted: problem.ErrNotFound, record: problem.ErrNotFound}},
		"denied once":                        {witness: witness{named: true, deleted: problem.ErrNotFound}, fax: fax.ErrContradiction, document: fax.ErrContradiction},
		"denied twice":                       {witness: witness{named: true, deleted: problem.ErrNotFound, record: problem.ErrNotFound, shown: 9}, fax: fax.ErrContradiction, document: fax.ErrContradiction},
		"by its id, denied twice":            {witness: witness{deleted: problem.ErrNotFound, media: problem.ErrNotFound, record: problem.ErrNotFound, shown: 9}, named: true},
		"by its id, denied by a gateway":     {witness: witness{deleted: gateway, media: gateway, record: problem.ErrNotFound}, named: true, fax: problem.ErrUnavailable, document: problem.ErrUnavailable},
		"by its id, the record by a gateway": {witness: witness{deleted: problem.ErrNotFound, media: problem.ErrNotFound, record: gateway}, named: true, fax: problem.ErrUnavailable, document: problem.ErrUnavailable},
		"the document is gone":               {witness: witness{deleted: problem.ErrNotFound}, fax: fax.ErrContradiction},
		"no answer":                          {witness: witness{named: true, deleted: problem.ErrUnavailable}, fax: problem.ErrUnavailable, document: problem.ErrUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				for _, of := range []struct {
					what   string
					remove func(context.Context, fax.Faxes, fax.Fax) (bool, error)
					want   error
				}{{"fax", fax.Remove, test.fax}, {"document", fax.RemoveDocument, test.document}} {
					w := test.witness
					f := w.fax()
					if test.named {
						f = fax.Fax{ID: f.ID}
					}
					was, err := of.remove(t.Context(), &w, f)
					if was != test.was || !errors.Is(err, of.want) || (err == nil) != (of.want == nil) {
						t.Errorf("%s: %t, %v; want %v", of.what, was, err, of.want)
					}
				}
			})
		})
	}
}
