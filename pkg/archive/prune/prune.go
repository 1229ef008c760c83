// Package prune deletes faxes at a provider by a policy, and lets kept copies go.
//
// A [Run] is one such deletion. [Run.Plan] fixes what goes and what stays: it holds
// the clock of this machine against the provider's, lists, and asks the archive what
// it knows of each fax. Show the [Plan], ask, and hand what it selects to
// [Run.Delete], which does the same with each fax, in this order:
//
//  1. secure: keep it in the archive, and prove that the copy is whole; where others write
//     to the archive at the same time, its sidecar says that the fax is being deleted;
//  2. write a receipt that says that its deletion begins;
//  3. delete it at the provider;
//  4. write a receipt that says what became of it;
//  5. mark the copy, or take back that it is being deleted.
//
// It may be cut off between any two of them: what was deleted is kept whole, and has
// a receipt. [Run.Daily] does all of it with nobody at hand, who could be shown or
// asked anything.
//
// Which faxes a policy selects is a pure function of the policy, the faxes and the
// [Facts]: see [Policy.Plan].
//
// A [Removal] is the same for kept copies, which go from an archive.
package prune

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/faxctl/faxctl/pkg/archive"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/fax/listing"
)

// Run is one deletion by policy.
type Run struct {
	Policy   Policy
	Provider fax.Provider

	Begun    time.Time       // by the clock of this machine; ages are counted back from there
	Ages     []time.Duration // of all conditions that are counted back
	AnyClock bool            // that clock is relied on as it is

	Archive        *archive.Archive // keeps each fax first; nil: no copy is kept
	AllowUncounted bool             // a copy whose pages cannot be counted is good enough
	MaxDocument    int64            // bytes of a document that is kept

	Jobs    int                 // faxes that are deleted at a time
	Receipt func(Receipt) error // takes what is done with each fax, several at once; nil: nobody does
	Raw     bool                // what a plan selects comes with the provider's records
}

// now is what time it is by the clock that ages are counted by: if that is set right
// meanwhile, it is too late for them.
func (r Run) now() time.Time { return r.Begun.Add(time.Since(r.Begun)) }

// Plan fixes what goes and what stays. Errors: those of [CheckClock] and of
// [Policy.Plan].
func (r Run) Plan(ctx context.Context) (Plan, error) {
	if err := r.checkClock(ctx); err != nil {
		return Plan{}, err
	}
	return r.plan(ctx)
}

// checkClock refuses to go by a clock that is not the provider's.
func (r Run) checkClock(ctx context.Context) error {
	if len(r.Ages) == 0 || r.AnyClock {
		return nil
	}
	var theirs time.Time
	if r.Provider.Clock != nil {
		var err error
		if theirs, err = r.Provider.Clock.Now(ctx); err != nil {
			return err
		}
	}
	return CheckClock(r.now(), theirs, slices.Min(r.Ages))
}

func (r Run) plan(ctx context.Context) (Plan, error) {
	now := r.now()
	q := r.Policy.Query(now)
	q.WithRaw, q.WithoutLinks = r.Raw, true
	facts := Facts{Now: now}
	if r.Archive != nil {
		if err := r.Archive.Survey(ctx); err != nil {
			return Plan{}, err
		}
		facts.Copy = func(f fax.Fax) (Copy, error) { return r.copyOf(ctx, f) }
	}
	faxes := r.Provider.Faxes
	if r.Policy.byDate() {
		told := listing.NoteDates(faxes)
		faxes, facts.Told = told, told.Of
	}
	return r.Policy.Plan(listing.List(ctx, faxes, q, listing.Options{Retention: r.Provider.Retention, Frugal: true}), facts)
}

// copyOf is what the archive knows of a fax.
func (r Run) copyOf(ctx context.Context, f fax.Fax) (Copy, error) {
	e, found, whole, err := r.Archive.Kept(ctx, f)
	switch {
	case errors.Is(err, archive.ErrDamagedCopy), errors.Is(err, problem.ErrInvalid): // or its id is no name of a file
		return Copy{Stays: Damaged, Detail: inFull(err)}, nil
	case err != nil || !found:
		return Copy{}, err
	case e.Hold != nil:
		return Copy{Stays: Held, Detail: e.Hold.Reason}, nil
	case e.Document != nil && e.Document.EnoughFor(f) != nil:
		return Copy{Stays: Incomplete, Detail: inFull(e.Document.EnoughFor(f))}, nil //nolint:nilerr // the plan says it
	case e.Document != nil && e.Document.Uncounted != "" && !r.AllowUncounted:
		return Copy{Stays: Uncounted, Detail: e.Document.Uncounted}, nil
	}
	return Copy{Whole: whole, Created: e.Fax.Created}, nil
}

// inFull is an error in one line, with what to do about it.
func inFull(err error) string {
	if advice := problem.AdviceOf(err); !advice.Empty() {
		return err.Error() + "; " + advice.String()
	}
	return err.Error()
}
