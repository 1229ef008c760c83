package plan

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/faxctl/faxctl/pkg/base/batch"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/fax"
)

// Phases are the steps to carry out, in the order in which it is safe: a number is
// given up only when those that take its place are there.
type Phases struct{ Change, Buy, Release []Step }

// Sort finds the phases of steps. What has nothing to do is in none.
func Sort(steps []Step) (p Phases) {
	for _, s := range steps {
		switch s.Action {
		case ActionChange:
			p.Change = append(p.Change, s)
		case ActionBuy:
			p.Buy = append(p.Buy, s)
		case ActionRelease:
			p.Release = append(p.Release, s)
		case ActionNone, ActionUnmanaged:
		}
	}
	return p
}

// Empty reports whether there is nothing to do.
func (p Phases) Empty() bool { return len(p.Change)+len(p.Buy)+len(p.Release) == 0 }

// Permitted makes sure that money is spent and numbers are given up only by those
// who said so beside the file. The error is fax.ErrInvalid.
func (p Phases) Permitted(buy, release bool) error {
	switch {
	case len(p.Buy) > 0 && !buy:
		return problem.With(problem.Of(problem.ErrInvalid, fmt.Errorf("%s to buy, and buying is not allowed; nothing was done", howMany(len(p.Buy)))),
			problem.Say("%s permits it", problem.Field("allow-buy")))
	case len(p.Release) > 0 && !release:
		return problem.With(problem.Of(problem.ErrInvalid, fmt.Errorf("%s to release, and releasing is not allowed; nothing was done", howMany(len(p.Release)))),
			problem.Say("%s permits it; or take prune out of the file", problem.Field("allow-release")))
	}
	return nil
}

// SureOfFax is [Step.SureOfFax] for each purchase.
func (p Phases) SureOfFax() error {
	for _, s := range p.Buy {
		if err := s.SureOfFax(); err != nil {
			return err
		}
	}
	return nil
}

// Run carries the phases out: jobs changes at a time, purchases and releases one after
// another. Nothing new begins when soft has ended; nothing is released when something
// failed. done is what became of the numbers with which something was done, an error
// or not; each failure is told to t. While another run buys for the account, by notes in
// the same place, nothing is done: fax.ErrConflict. batch.ErrPartial: some steps failed, or
// none came to its end.
func (p Phases) Run(ctx, soft context.Context, all fax.Numbers, jobs int, o Options, t *batch.Trouble) (done []Result, err error) {
	if len(p.Buy) > 0 {
		mine, unlock, err := o.Notes.lock(ctx)
		if err != nil {
			return nil, err
		}
		o.Notes = mine
		defer unlock()
	}
	run := func(jobs int, steps []Step) error {
		for r, err := range batch.RunOrdered(ctx, jobs, batch.Until(soft, each(steps)), func(ctx context.Context, s Step) (Result, error) {
			return s.Run(ctx, all, o)
		}) {
			if err != nil {
				return t.End(err)
			}
			if somethingDone(r.Value, r.Err) {
				done = append(done, r.Value)
			}
			if r.Err != nil {
				r.Err = fmt.Errorf("%s: %w", r.Item.Label(), r.Err)
			}
			if err := t.Add(r.Err); err != nil {
				return err
			}
		}
		return nil
	}
	if err = run(jobs, p.Change); err == nil {
		err = run(1, p.Buy)
	}
	switch {
	case err != nil:
	case t.Tally.Failed == 0:
		err = run(1, p.Release)
	case len(p.Release) > 0:
		t.Warn(errors.New("nothing is released, because something else failed"))
	}
	if t.Tally.Done == 0 && len(done) > 0 {
		return done, errors.Join(err, fmt.Errorf("%w: %s only half done", batch.ErrPartial, isOrAre(len(done))))
	}
	return done, errors.Join(err, t.Err())
}

// somethingDone tells whether a step did something that a person should know of
// whatever came after: money was spent, or a setting sent.
func somethingDone(r Result, err error) bool {
	var unfinished *UnfinishedError
	return err == nil || r.Outcome == OutcomeUnconfirmed || errors.As(err, &unfinished) && unfinished.Bought
}

// Label names a step for messages.
func (s Step) Label() string {
	if s.Name == "" {
		return s.Phone
	}
	return s.Phone + " (" + text.Line(s.Name) + ")"
}

func each(steps []Step) iter.Seq2[Step, error] {
	return func(yield func(Step, error) bool) {
		for _, s := range steps {
			if !yield(s, nil) {
				return
			}
		}
	}
}

func howMany(n int) string {
	if n == 1 {
		return "1 number"
	}
	return fmt.Sprintf("%d numbers", n)
}
