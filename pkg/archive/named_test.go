package archive_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/archive"
	"github.com/faxctl/faxctl/pkg/archive/prune"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

// during is a provider that does something in the middle of a DELETE.
type during struct {
	*archive.FakeFaxes
	do func()
}

func (d during) Delete(ctx context.Context, id string) error {
	d.do()
	return d.FakeFaxes.Delete(ctx, id)
}

func (d during) DeleteMedia(ctx context.Context, id, media string) error {
	d.do()
	return d.FakeFaxes.DeleteMedia(ctx, id, media)
}

var regexpDate = regexp.MustCompile(`20[0-9]{2}-[0-9]{2}-[0-9]{2} [0-9:]{8} `)

// shared opens an archive that others write to at the same time.
func shared(t *testing.T, dir string) *archive.Archive {
	t.Helper()
	other, err := archive.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.Close(context.Background()) })
	return archive.OpenShared(t, dir, other, func(string) error { return nil })
}

// A fax that is deleted by its id is deleted by the word of its sidecar: of a hold and a
// DELETE the first counts, and the second is told.
func TestNamedAndHeld(t *testing.T) {
	d, faxes := archive.Fill(t, 4)
	dir := t.TempDir()
	a := shared(t, dir)
	later, held, unknown, news := faxes[0], faxes[1], faxes[2], faxes[3]
	for _, f := range []fax.Fax{later, held} {
		if _, _, err := a.Save(t.Context(), d, f); err != nil {
			t.Fatal(err)
		}
	}
	holder := shared(t, dir) // and knows of them
	if _, err := holder.Hold(t.Context(), held.ID, "case 1"); err != nil {
		t.Fatal(err)
	}
	deletes := func(f fax.Fax, do func()) (prune.Receipt, error) {
		run := prune.Run{Archive: a, Provider: fax.Provider{Faxes: during{d, do}}}
		return run.Named(t.Context(), f.ID)
	}
	never := func() { t.Error("a DELETE is sent of a fax that is held") }
	if r, err := deletes(held, never); !errors.As(err, new(*archive.HeldError)) || r.Result != prune.Skipped {
		t.Errorf("of a fax that is held: %+v, %v", r, err)
	}

	// One that somebody else has kept and held since the archive was opened.
	if _, _, err := holder.Save(t.Context(), d, news); err != nil {
		t.Fatal(err)
	}
	if _, err := holder.Hold(t.Context(), news.ID, "case 2"); err != nil {
		t.Fatal(err)
	}
	if r, err := deletes(news, never); !errors.As(err, new(*archive.HeldError)) || r.Result != prune.Skipped {
		t.Errorf("of a fax that was kept and held just now: %+v, %v", r, err)
	}

	met := false
	r, err := deletes(later, func() {
		met = true
		var leaving *archive.LeavingError
		if _, err := holder.Hold(t.Context(), later.ID, "case 3"); !errors.As(err, &leaving) || !errors.Is(err, problem.ErrConflict) {
			t.Errorf("a hold that meets a DELETE: %v", err)
		}
	})
	if err != nil || r.Result != prune.Deleted || r.Error != "" || !met {
		t.Errorf("%+v, %v", r, err)
	}
	if e, err := a.Get(t.Context(), later.ID); err != nil || e.Gone.IsZero() || len(e.Deleting) > 0 || !e.Proven {
		t.Errorf("its copy does not say that it is gone: %+v, %v", e, err)
	}
	if r, err := deletes(unknown, func() {}); err != nil || r.Result != prune.Deleted {
		t.Errorf("of a fax that is not kept: %+v, %v", r, err)
	}
	if _, err := a.Get(t.Context(), unknown.ID); !errors.Is(err, problem.ErrNotFound) {
		t.Errorf("it is kept now: %v", err)
	}
}

// A hold that comes while a fax is being deleted of which there was no copy comes too late:
// it is told, and the copy says that only that is left.
func TestNamedAndKeptMeanwhile(t *testing.T) {
	for _, mediaOnly := range []bool{false, true} {
		d, faxes := archive.Fill(t, 1)
		dir := t.TempDir()
		a, holder := shared(t, dir), shared(t, dir)
		run := prune.Run{Archive: a, Policy: prune.Policy{MediaOnly: mediaOnly}, Provider: fax.Provider{Faxes: during{d, func() {
			if _, _, err := holder.Save(t.Context(), d, faxes[0]); err != nil {
				t.Error(err)
			}
			if _, err := holder.Hold(t.Context(), faxes[0].ID, "case 1"); err != nil {
				t.Error(err)
			}
		}}}}
		r, err := run.Named(t.Context(), faxes[0].ID)
		if err != nil || r.Result != prune.Deleted || !strings.Contains(r.Error, "held meanwhile (case 1)") {
			t.Errorf("%+v, %v", r, err)
		}
		if e, err := holder.Get(t.Context(), faxes[0].ID); err != nil || e.Hold == nil || e.Gone.IsZero() != mediaOnly || e.MediaGone.IsZero() == mediaOnly {
			t.Errorf("its copy says %+v, %v", e, err)
		}
	}
}

// What the provider refuses is not being deleted any more, and a sidecar that cannot be
// read may tell of a hold.
func TestNamedStays(t *testing.T) {
	d, faxes := archive.Fill(t, 2)
	dir := t.TempDir()
	a := shared(t, dir)
	for _, f := range faxes {
		if _, _, err := a.Save(t.Context(), d, f); err != nil {
			t.Fatal(err)
		}
	}
	stem := filepath.Join(dir, filepath.FromSlash(faxes[1].Created.UTC().Format("2006/01/02")), faxes[1].ID)
	if err := os.WriteFile(stem+".json", []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	run := prune.Run{Archive: a, Provider: fax.Provider{Faxes: refusing{d}}}
	if r, err := run.Named(t.Context(), faxes[0].ID); !errors.Is(err, problem.ErrConflict) || r.Result != prune.Skipped {
		t.Errorf("of a fax that the provider does not delete: %+v, %v", r, err)
	}
	if _, err := a.Hold(t.Context(), faxes[0].ID, "case 1"); err != nil {
		t.Errorf("after that: %v", err)
	}
	if r, err := run.Named(t.Context(), faxes[1].ID); !errors.Is(err, archive.ErrDamagedCopy) || r.Result != prune.Failed {
		t.Errorf("of a fax whose sidecar cannot be read: %+v, %v", r, err)
	}
}

// refusing is a provider that deletes nothing, as the fax is in progress.
type refusing struct{ *archive.FakeFaxes }

func (refusing) Delete(context.Context, string) error { return problem.ErrConflict }

// A mark of the future is of a clock that was wrong: it is believed as long as one of the
// moment in which it was written, and who adds another one goes by the right time.
func TestMarksOfTheFuture(t *testing.T) {
	d, faxes := archive.Fill(t, 1)
	dir := t.TempDir()
	a := shared(t, dir)
	if _, _, err := a.Save(t.Context(), d, faxes[0]); err != nil {
		t.Fatal(err)
	}
	id := faxes[0].ID
	sidecar := filepath.Join(dir, filepath.FromSlash(faxes[0].Created.UTC().Format("2006/01/02")), id+".json")
	future := time.Date(2999, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, tt := range []struct {
		mark  string // of the sidecar
		ago   time.Duration
		stops bool
	}{
		{`"deleting":["2999-01-02T03:04:05Z"]`, 59 * time.Minute, true},
		{`"deleting":["2999-01-02T03:04:05Z"]`, 61 * time.Minute, false},
		{`"removing":"2999-01-02T03:04:05Z"`, 9 * time.Minute, true},
		{`"removing":"2999-01-02T03:04:05Z"`, 11 * time.Minute, false},
	} {
		if _, err := a.Unhold(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		e, err := a.Get(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		archive.WriteSidecar(t, sidecar, e, tt.mark, time.Now().Add(-tt.ago))
		e, err = a.Get(t.Context(), id)
		if err != nil || len(e.Deleting) > 0 && (e.Unsettled() == tt.stops || !e.Deleting[0].Equal(future)) {
			t.Errorf("%s, written %s ago: %+v, %v", tt.mark, tt.ago, e, err)
		}
		var leaving *archive.LeavingError
		if _, err = a.Hold(t.Context(), id, "case 1"); errors.As(err, &leaving) != tt.stops {
			t.Errorf("%s, written %s ago: a hold comes to %v", tt.mark, tt.ago, err)
		}
		if leaving != nil && time.Since(leaving.Since) < tt.ago {
			t.Errorf("%s, written %s ago: since %s", tt.mark, tt.ago, leaving.Since)
		}
		if advice := problem.AdviceOf(err).String(); tt.stops && !regexpDate.MatchString(advice) {
			t.Errorf("the advice has no date: %s", advice)
		}
	}
	if _, err := a.Unhold(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	e, err := a.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	e.Removing = time.Time{}
	archive.WriteSidecar(t, sidecar, e, `"deleting":["2999-01-02T03:04:05Z"]`, time.Now())
	if begun, _, err := a.BeginDeletingNamed(t.Context(), faxes[0]); err != nil || time.Since(begun).Abs() > time.Minute {
		t.Errorf("beside a mark of the future another one is %s, %v", begun, err)
	}
}
