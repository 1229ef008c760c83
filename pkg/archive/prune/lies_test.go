package prune

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/sandbox"
)

var everyLie = flag.Bool("lies", false, "TestLies tries every lie with every method, not each seventeenth")

// A method is a way to delete.
type method struct {
	kept, media, daily bool
}

func (m method) String() string {
	return fmt.Sprintf("kept %v, media only %v, daily %v", m.kept, m.media, m.daily)
}

// TestLies holds what is promised when a provider, or something before it, says
// that what is there is not there, always or every other time, in both dialects:
//
//   - nothing is deleted that the policy does not select;
//   - what is deleted at the provider, with an archive, is kept whole;
//   - what has a receipt of a deletion had one before, that it begins, and is gone;
//   - what the archive marks as gone is gone;
//   - where nothing has failed, all of it is gone;
//   - a second run, which nobody lies to, finishes the first.
//
// The time is that of a bubble: lists are asked again after seconds, and nobody
// waits for them.
func TestLies(t *testing.T) {
	routes := []string{"/", "/Faxes", "GET /Faxes/*$", "DELETE /Faxes/*$", "GET /Faxes/*/Media$", "DELETE /Faxes/*/Media/*", "/media-cdn"}
	answers := []string{"404", "410", "404:html", "404:text", "404:empty", "200:html", "200:empty", "503", "lost"}
	methods := []method{{}, {media: true}, {kept: true}, {kept: true, media: true}, {kept: true, daily: true}}
	nth := 0
	for _, dialect := range sandbox.Dialects() {
		for _, m := range methods {
			for _, route := range routes {
				for _, answer := range answers {
					for _, share := range []string{"", "@0.5"} {
						if nth++; !*everyLie && nth%17 != 0 {
							continue
						}
						lie := route + "=" + answer + share
						seed := uint64(nth)
						t.Run(fmt.Sprintf("%s, %s, %s", dialect, m, lie), func(t *testing.T) {
							synctest.Test(t, func(t *testing.T) { lieTo(t, dialect, m, lie, seed) })
						})
					}
				}
			}
		}
	}
}

func lieTo(t *testing.T, dialect sandbox.Dialect, m method, lie string, seed uint64) {
	w := newWorld(t, sandbox.Options{Dialect: dialect, Faults: []sandbox.Fault{fault(t, lie)}, Seed: seed})
	due := []fax.Fax{
		w.add(t, 2, sandbox.Fax{Pages: 1}), w.add(t, 3, sandbox.Fax{Pages: 2}),
		w.add(t, 4, sandbox.Fax{Pages: 1, NoMedia: true}), w.add(t, 5, sandbox.Fax{Status: "failed", NoMedia: true}),
	}
	young := w.add(t, 0, sandbox.Fax{Pages: 1})
	w.remember(t, due)
	w.run.Policy.MediaOnly = m.media
	if m.kept {
		w.keep(t)
	}
	out, err := w.once(t, m)
	if w.has(t, young) != fax.WithDocument {
		t.Error("a fax was deleted that the policy does not select")
	}
	w.checkTruth(t, due, out, err)

	w.run.Provider = w.truth
	if m.kept { // what an earlier run was lied to about is asked again
		w.askAgain(t)
	}
	if out, err = w.once(t, m); err != nil || out.Failed > 0 {
		t.Errorf("the second run: %+v, %v, %q", out, err, w.told)
	}
	w.checkTruth(t, due, out, err)
}

// once runs as the method has it.
func (w *world) once(t *testing.T, m method) (Outcome, error) {
	if !m.daily {
		return w.do(t)
	}
	day, err := w.run.Daily(t.Context(), t.Context(), slog.New(slog.DiscardHandler))
	return day.Outcome, err
}

func (w *world) askAgain(t *testing.T) {
	for e, err := range w.run.Archive.Doubtful(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		t.Errorf("%s is marked on one answer alone", e.Fax.ID)
	}
}

// checkTruth holds what is said and kept against what the provider really has.
func (w *world) checkTruth(t *testing.T, due []fax.Fax, out Outcome, err error) {
	t.Helper()
	most := fax.Gone // that may be left of what is done
	if w.run.Policy.MediaOnly {
		most = fax.RecordAlone
	}
	for _, f := range due {
		has := w.has(t, f)
		results := w.results(f)
		told := slices.Contains(results, Deleted) || slices.Contains(results, AlreadyGone)
		switch {
		case told && has > most:
			t.Errorf("%s is called %v, and is there", f.ID, results)
		case slices.Contains(results, Deleted) && results[slices.Index(results, Deleted)-1] != Deleting:
			t.Errorf("%s: %v", f.ID, results)
		case err == nil && out.Failed+out.Skipped == 0 && has > most && (f.HasDocument() || !w.run.Policy.MediaOnly):
			t.Errorf("nothing failed, and %s is there", f.ID)
		case has < fax.WithDocument && f.HasDocument() && !slices.Contains(results, Deleting):
			t.Errorf("%s is deleted without a receipt: %v", f.ID, results)
		}
		if w.run.Archive != nil {
			w.checkCopy(t, f, has)
		}
	}
}

// checkCopy: of what the provider has no more there is a whole copy, and what is
// marked as gone is.
func (w *world) checkCopy(t *testing.T, f fax.Fax, has fax.Presence) {
	t.Helper()
	e, err := w.run.Archive.Get(t.Context(), f.ID)
	if err == nil && (!e.Gone.IsZero() && has > fax.Gone || !e.MediaGone.IsZero() && has == fax.WithDocument) {
		t.Errorf("%s is marked as gone, and is there", f.ID)
	}
	if !f.HasDocument() || has == fax.WithDocument {
		return
	}
	kept, bad := w.run.Archive.ReadDocument(t.Context(), f.ID)
	if bad != nil || e.Document.Pages != *f.Pages || !bytes.Equal(kept, w.documents[f.ID]) {
		t.Errorf("%s is deleted, and not kept whole: %+v, %v, %v", f.ID, e.Document, err, bad)
	}
}

// remember reads the documents that the provider has of some faxes.
func (w *world) remember(t testing.TB, faxes []fax.Fax) {
	t.Helper()
	for _, f := range faxes {
		if f.HasDocument() {
			w.documents[f.ID] = w.document(t, f)
		}
	}
}

func (w *world) document(t testing.TB, f fax.Fax) []byte {
	t.Helper()
	doc, err := w.truth.Faxes.Open(context.Background(), f, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer doc.Body.Close()
	data, err := io.ReadAll(doc.Body)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
