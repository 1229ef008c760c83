package archive_test

import (
	"context"
	"errors"
	"testing"

	"github.com/faxctl/faxctl/pkg/archive"
	"github.com/faxctl/faxctl/pkg/archive/prune"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

// muddled is a provider that does not answer for a record as it should, a number of times
// (below zero: always), and to which no DELETE may be sent.
type muddled struct {
	*archive.FakeFaxes
	t      *testing.T
	times  *int
	answer func() (fax.Fax, error)
}

func (m muddled) Get(ctx context.Context, id string) (fax.Fax, error) {
	if *m.times == 0 {
		return m.FakeFaxes.Get(ctx, id)
	}
	*m.times--
	return m.answer()
}

func (m muddled) Delete(context.Context, string) error {
	m.t.Error("a DELETE is sent of a fax of which nobody knows whether it is held")
	return nil
}

func (m muddled) DeleteMedia(ctx context.Context, id, _ string) error { return m.Delete(ctx, id) }

// Where the provider's record, by whose date a fax is looked for that others have kept just
// now, cannot be had, nobody knows whether that is held, and no DELETE is sent.
func TestNamedOfUnknownDate(t *testing.T) {
	d, faxes := archive.Fill(t, 2)
	dir := t.TempDir()
	a, holder := shared(t, dir), shared(t, dir)
	if err := a.Survey(t.Context()); err != nil { // what comes after it is not found by a list
		t.Fatal(err)
	}
	if _, _, err := holder.Save(t.Context(), d, faxes[0]); err != nil {
		t.Fatal(err)
	}
	if _, err := holder.Hold(t.Context(), faxes[0].ID, "case 1"); err != nil {
		t.Fatal(err)
	}
	fails := func(err error) func() (fax.Fax, error) {
		return func() (fax.Fax, error) { return fax.Fax{}, err }
	}
	gateway := errors.Join(problem.ErrUnavailable, &fax.APIError{Status: 404})
	for _, tt := range []struct {
		name   string
		times  int
		answer func() (fax.Fax, error)
		result prune.Result
		kind   error
	}{
		{"is away", -1, fails(problem.ErrUnavailable), prune.Failed, problem.ErrUnavailable},
		{"refuses the credentials", -1, fails(problem.ErrAuth), prune.Failed, problem.ErrAuth},
		{"is behind a gateway with a page", -1, fails(gateway), prune.Failed, problem.ErrUnavailable},
		{"has it no more", -1, fails(problem.ErrNotFound), prune.AlreadyGone, nil},
		{"says once that it has it no more", 1, fails(problem.ErrNotFound), prune.Skipped, problem.ErrConflict},
	} {
		for _, mediaOnly := range []bool{false, true} {
			times := tt.times
			run := prune.Run{Archive: a, Provider: fax.Provider{Faxes: muddled{d, t, &times, tt.answer}}, Policy: prune.Policy{MediaOnly: mediaOnly}}
			r, err := run.Named(t.Context(), faxes[0].ID)
			if r.Result != tt.result || !errors.Is(err, tt.kind) {
				t.Errorf("of a provider that %s: %+v, %v", tt.name, r, err)
			}
		}
	}
}
