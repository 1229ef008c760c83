package prune

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/faxctl/faxctl/pkg/archive"
	"github.com/faxctl/faxctl/pkg/base/batch"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

// Removal lets kept copies go, by a policy or by their ids; no provider is asked
// anything. [Removal.Plan] fixes what goes, for which the archive may be open for
// reading, and [Removal.Remove] takes exactly that out of it: for each fax a receipt
// that says so is on the disk before anything of it is gone, and another one says what
// became of it.
type Removal struct {
	Archive *archive.Archive

	Policy Policy
	IDs    []string // in place of a policy

	Begun    time.Time       // as in [Run]
	Ages     []time.Duration // of all conditions that are counted back
	AnyClock bool            // the clock of this machine is relied on as it is

	AllowDamaged bool // a document that is not what was kept goes, too

	Jobs    int                 // faxes that are removed at a time
	Receipt func(Receipt) error // as in [Run]
}

// Plan fixes what goes and what stays. It reads each document that goes. Errors: those
// of [CheckKeptClock], of [Policy.Plan] and of the archive.
func (r Removal) Plan(ctx context.Context) (Plan, error) {
	if err := r.Archive.Survey(ctx); err != nil {
		return Plan{}, err
	}
	if r.IDs != nil {
		return r.named(ctx)
	}
	if err := r.checkClock(ctx); err != nil {
		return Plan{}, err
	}
	policy := r.Policy
	policy.copies = true
	kept := r.Archive.List(ctx, policy.Query(r.Begun))
	return policy.Plan(recordsOf(kept), Facts{Now: r.Begun, Copy: func(f fax.Fax) (Copy, error) {
		e, c, err := r.look(ctx, f.ID)
		if err == nil && c.Stays == "" {
			c = asListed(e, f, c)
		}
		return c, err
	}})
}

func recordsOf(kept iter.Seq2[archive.Entry, error]) iter.Seq2[fax.Fax, error] {
	return func(yield func(fax.Fax, error) bool) {
		for e, err := range kept {
			if !yield(e.Fax, err) {
				return
			}
		}
	}
}

// named is the plan of what is named by its id.
func (r Removal) named(ctx context.Context) (Plan, error) {
	var plan Plan
	for _, id := range r.IDs {
		e, c, err := r.look(ctx, id)
		if err != nil {
			return Plan{}, err
		}
		if e.Fax.ID = id; c.Stays != "" {
			plan.Skipped = append(plan.Skipped, Skip{id, c.Stays, c.Detail})
			continue
		}
		plan.Delete.Add(e.Fax)
		plan.Summary.count(e.Fax, c)
	}
	plan.Delete.NewestFirst()
	plan.Delete.Reverse()
	plan.Summary.Considered, plan.Summary.Skipped = len(r.IDs), len(plan.Skipped)
	return plan, nil
}

// look finds a kept fax, and whether it has to stay.
func (r Removal) look(ctx context.Context, id string) (archive.Entry, Copy, error) {
	e, damage, err := r.Archive.MayGo(ctx, id)
	if r.AllowDamaged {
		damage = nil
	}
	switch held := new(archive.HeldError); {
	case errors.As(err, &held):
		return e, Copy{Stays: Held, Detail: held.Reason}, nil
	case errors.As(err, new(*archive.LeavingError)):
		return e, Copy{Stays: Leaving, Detail: inFull(err)}, nil
	case errors.Is(err, archive.ErrKept):
		return e, Copy{Stays: Kept, Detail: inFull(err)}, nil
	case errors.Is(err, archive.ErrDamagedCopy):
		return e, Copy{Stays: Damaged, Detail: inFull(err)}, nil
	case errors.Is(err, problem.ErrNotFound):
		return e, Copy{Stays: Absent, Detail: inFull(err)}, nil
	case err != nil && !errors.Is(err, archive.ErrStripped):
		return e, Copy{}, err
	case damage != nil:
		return e, Copy{Stays: Damaged, Detail: inFull(damage)}, nil
	}
	c := Copy{Whole: e.Whole(), Gone: !e.Gone.IsZero()}
	if e.Document != nil {
		c.Bytes = e.Document.Size
	}
	return e, c, nil
}

// asListed keeps a fax whose sidecar is another one than the index knows: it was selected
// by what the index says.
func asListed(e archive.Entry, f fax.Fax, c Copy) Copy {
	if err := listedOtherwise(e.Fax, f); err != nil {
		return Copy{Stays: Damaged, Detail: inFull(err)}
	}
	return c
}

// listedOtherwise fails when the record that is kept differs from the one that was
// selected in what people select by.
func listedOtherwise(kept, selected fax.Fax) error {
	if kept.Created.Equal(selected.Created) && kept.From == selected.From && kept.To == selected.To && kept.Direction == selected.Direction && kept.Status == selected.Status {
		return nil
	}
	return problem.With(fmt.Errorf("fax %s: %w: its sidecar tells of another date, number or status than the index", selected.ID, archive.ErrDamagedCopy),
		problem.Say("%s has the index follow it", problem.Command("archive", "reindex")))
}

// Remove removes the faxes that a plan selects, and nothing else. It tells why one stays
// after all, as it is held by now, and what failed. See [Run.Delete].
func (r Removal) Remove(ctx, going context.Context, faxes fax.Packed, skipped, failed func(error)) (Outcome, error) {
	return deletion{r.Jobs, r.Receipt, "removed", r.remove}.all(ctx, going, faxes, skipped, failed)
}

// remove removes one fax. Doing it again is safe.
func (r Removal) remove(ctx context.Context, f fax.Fax, before func(Receipt) error) (Receipt, error) {
	receipt := receiptOf(f)
	err := r.Archive.Remove(ctx, f.ID, func(e archive.Entry, damage error) error {
		if err := listedOtherwise(e.Fax, f); err != nil {
			return err
		}
		if damage != nil && !r.AllowDamaged {
			return damage
		}
		switch {
		case damage != nil:
			receipt.Error = damage.Error()
		case e.Document == nil:
			receipt.NoDocument = true
		case e.Removing.IsZero():
			receipt.SHA256 = e.Document.SHA256
		}
		begun, _ := receipt.end(Removing, nil)
		return before(begun)
	})
	switch held := new(archive.HeldError); {
	case err == nil:
		return receipt.end(Removed, nil)
	case errors.Is(err, archive.ErrStripped):
		return receipt.end(AlreadyGone, nil)
	case errors.As(err, &held), errors.As(err, new(*archive.LeavingError)), errors.Is(err, archive.ErrKept):
		return receipt.end(Skipped, err)
	}
	receipt, err = receipt.end(Failed, err)
	return receipt, batch.Local(err)
}

// checkClock refuses to go by a clock that is not that of the archive.
func (r Removal) checkClock(ctx context.Context) error {
	if len(r.Ages) == 0 || r.AnyClock {
		return nil
	}
	for e, err := range r.Archive.List(ctx, fax.Filter{}) {
		if err != nil {
			return err
		}
		latest := e.Fax.Created
		if e.ArchivedAt.After(latest) {
			latest = e.ArchivedAt
		}
		return CheckKeptClock(r.Begun, latest, slices.Min(r.Ages))
	}
	return nil
}
