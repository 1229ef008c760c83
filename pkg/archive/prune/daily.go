package prune

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/faxctl/faxctl/pkg/base/problem"
)

// Day is what became of a [Run.Daily].
type Day struct {
	Outcome
	Undated  int     // left alone: their age is not known
	HeldBack int     // selected, and more than may go without a person
	Refused  Refusal // why nothing was deleted, where a person has to look
}

// Refusal is why a day deletes nothing.
type Refusal string

// The refusals.
const (
	ByClock Refusal = "clock" // that of this machine is not the provider's, or nobody knows
	ByLimit Refusal = "limit" // more were selected than a day may have
)

// Daily plans and deletes, and tells the log: it is for a server, where nobody is at
// hand. Ages are counted back from now. Once going has ended it begins no more, which
// is no error: the next day goes on. Other errors are those of [Run.Plan] and
// [Run.Delete].
func (r Run) Daily(ctx, going context.Context, log *slog.Logger) (day Day, err error) {
	r.Begun = time.Now()
	if err := r.checkClock(ctx); err != nil {
		if errors.Is(err, problem.ErrConflict) {
			day.Refused = ByClock
		}
		return day, err
	}
	plan, err := r.plan(ctx)
	day.Undated = plan.Left(NoDate)
	if err != nil {
		if plan.Summary.Count > 0 && errors.Is(err, problem.ErrConflict) {
			day.Refused, day.HeldBack = ByLimit, plan.Summary.Count
		}
		return day, err
	}
	for _, skip := range plan.Skipped {
		if skip.Odd() {
			log.Warn("left alone", "error", skip.Detail)
		} else if skip.Reason == Uncounted {
			log.Warn("left alone, uncounted", "fax", skip.ID, "error", "the pages of its copy cannot be counted: "+skip.Detail, "hint", lookAtCopy())
		}
	}
	day.Outcome, err = r.Delete(ctx, going, plan.Delete,
		func(why error) { log.Warn(why.Error()) },
		func(err error) { log.Error("not pruned", "error", err) })
	log.Info("pruned at the provider", "deleted", day.String(), "left_alone", len(plan.Skipped), "undated", day.Undated)
	if going.Err() != nil {
		err = nil
	}
	return day, err
}

// lookAtCopy is what to do about a copy whose pages cannot be counted.
func lookAtCopy() problem.Advice {
	return problem.Say("look at it, then %s deletes such faxes too", problem.Command("faxes", "prune").Switch("allow-uncounted"))
}
