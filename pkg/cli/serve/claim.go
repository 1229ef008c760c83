package serve

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"time"

	"github.com/faxctl/faxctl/pkg/archive"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/seq"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/receive/receiver"
)

// mostTakeOver is how long a receiver that takes an archive over waits for the one
// before it to leave it.
const mostTakeOver = 30 * time.Second

// claim makes the archive the receiver's own, before a job of it runs.
func (k *archived) claim(ctx context.Context, r *receiver.Receiver, s serving) (err error) {
	me := archive.NewReceiver(r.ID(), s.StateDir)
	me.Database = s.database
	var takeOver func(archive.Receiver) error
	if s.takeOver {
		takeOver = func(before archive.Receiver) error {
			if before.Database != "" && s.database == "" && before.Database != s.givesUp {
				return wouldGiveUp(k.dir, before)
			}
			return r.TakeOver(ctx)
		}
	}
	if k.claimed, err = k.opener.Claim(ctx, k.dir, s.Account, me, takeOver); err != nil {
		return err
	}
	if err := r.NotePlace(ctx, k.dir); err != nil {
		return err
	}
	due, err := r.Inherits(ctx)
	if err != nil {
		return err
	}
	if !due {
		return k.news(ctx, r)
	}
	k.wait = mostTakeOver // nobody else uses the archive yet
	defer func() { k.wait = 0 }()
	err = k.use(ctx, func(kept *archive.Archive) error {
		n, err := r.Inherit(ctx, inheritance(kept.List(ctx, fax.Filter{Direction: fax.Inbound})))
		if err == nil {
			k.log.Warn("took the archive over: what it has counts as done, and no program is run for it", "faxes", n)
		}
		return err
	})
	if errors.Is(err, archive.ErrLocked) { // so far it is ours, and the next start goes on
		err = problem.With(err, problem.Say("run this again when that process has finished"))
	}
	return err
}

// news warns of faxes that are kept although no receiver, neither this one nor one that it
// took over from, has heard of them: they may be told of for the second time.
func (k *archived) news(ctx context.Context, r *receiver.Receiver) error {
	if knows, err := r.Knows(ctx); err != nil || knows {
		return err
	}
	n := 0
	err := k.look(ctx, func(kept *archive.Archive) error {
		return seq.Each(kept.List(ctx, fax.Filter{Direction: fax.Inbound}), func(archive.Entry) { n++ })
	})
	switch {
	case err != nil: // the jobs meet it again, and wait
		k.log.Warn("whether faxes are kept there already could not be seen", "error", err)
	case n > 0:
		k.log.Warn("faxes are kept there already, and this receiver knows of none: those that a callback or the provider's list of the last day names count as new, and programs are run for them", "faxes", n,
			"hint", "if another receiver has told of them, end this one, start that one once with this archive and --take-over, then this one with --take-over")
	}
	return nil
}

// mayGiveUp asks, before a receiver with a state of its own takes an archive over from
// replicas, whether what is in their database alone may be lost.
func (s *serving) mayGiveUp(ctx context.Context, a *app.App) error {
	if !s.takeOver || s.Database != nil {
		return nil
	}
	before, err := a.Archives().Receiver(ctx, s.archive, s.Account)
	switch {
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, problem.ErrInvalid):
		return nil // nobody's, or nobody knows whose
	case err != nil:
		return err
	case before.Database == "":
		return nil
	case !a.Flags.Yes && !a.Term.CanAsk():
		return wouldGiveUp(s.archive, before)
	}
	err = a.Confirm(ctx, fmt.Sprintf("Take %s over from the receivers with the database %s, and give up what they have not done?", text.Line(s.archive), text.Line(before.Database)))
	if err == nil {
		s.givesUp = before.Database
	}
	return err
}

// mostAsk bounds how long a receiver looks at the archive that it had before.
const mostAsk = 15 * time.Second

// mayMove refuses a receiver that had another archive until now, if that one is another
// receiver's, or nobody can tell: what came since was received there, and its own state
// knows nothing of that.
func (s *serving) mayMove(ctx context.Context, a *app.App, r *receiver.Receiver) error {
	if s.Database != nil {
		return nil // those who share it have noted their archive
	}
	before, err := r.Place(ctx)
	if err != nil || before.Archive == "" || before.Archive == s.archive {
		return err
	}
	where := text.Line(before.Archive)
	look, cancel := context.WithTimeout(ctx, mostAsk)
	defer cancel()
	now, err := a.Archives().Receiver(look, before.Archive, before.Account)
	switch {
	case err == nil && now.ID == r.ID() || errors.Is(err, fs.ErrNotExist):
		return nil // its own still, or nobody's
	case err != nil && s.takeOver:
		a.Warn("whether %s, which this state had before, is another receiver's could not be seen: %s", where, text.Line(err.Error()))
		return nil
	case err != nil:
		return problem.With(fmt.Errorf("this state received into %s, and whether that is another receiver's now could not be seen: %w", where, err),
			problem.AdviceOf(err).Then(problem.Say("if no other one receives there, %s goes on with the archive that is named here", problem.Field("take-over"))))
	case s.takeOver && now.Database == "":
		return nil
	case s.takeOver && (a.Flags.Yes || a.Term.CanAsk()):
		return a.Confirm(ctx, fmt.Sprintf("Others receive into %s, with the database %s. Receive into %s as well, and tell of faxes that they have told of?", where, text.Line(now.Database), text.Line(s.archive)))
	}
	return problem.With(fmt.Errorf("this state received into %s: %w: that is another receiver's now (%s), and what it has told is not known here", where, problem.ErrConflict, now),
		s.insteadOf(now, where))
}

// mayReceive refuses an archive in which the receiver is not known, although its state had one
// before: one that is misspelt, that is made where a disk is not mounted, or that is older
// would know of no hold, and what is held would be pruned. Where the receiver left its claim
// is its own archive still, whatever the place is called by now.
func (s *serving) mayReceive(ctx context.Context, a *app.App, r *receiver.Receiver) error {
	if s.takeOver {
		return nil
	}
	before, err := r.Place(ctx)
	if err != nil {
		return err
	}
	here, err := a.Archives().Receiver(ctx, s.archive, cmp.Or(before.Account, s.Account))
	moved := before.Archive != "" && before.Archive != s.archive
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist) || err == nil && here.ID != r.ID():
		return nil // it is another's, or nobody can tell whose: it cannot be claimed
	case err == nil && (!moved || s.Database != nil): // those who share it have noted their archive
		return nil
	case err == nil:
		last, err := a.Archives().Receiver(ctx, before.Archive, before.Account)
		if errors.Is(err, fs.ErrNotExist) || err == nil && last.Since.Equal(here.Since) {
			return nil // it was moved, or is reached in another way
		} else if err != nil {
			return err
		}
	}
	if moved {
		return problem.With(fmt.Errorf("archive %s: %w: this state received into %s", text.Line(s.archive), problem.ErrConflict, text.Line(before.Archive)),
			problem.Say("start it with that one; %s goes on with the one that is named here, which may not know of all that is held", problem.Field("take-over")))
	}
	return s.lost(ctx, a, r, before)
}

// lost fails when a state that knows of faxes has no archive any more at the place of it, or
// none that knows the receiver. An earlier version has noted no place, and maybe made no claim.
func (s *serving) lost(ctx context.Context, a *app.App, r *receiver.Receiver, before receiver.Place) error {
	if before.Archive == "" {
		if knows, err := r.Knows(ctx); err != nil || !knows {
			return err
		}
	}
	known := a.Archives().Known(ctx, s.archive)
	switch {
	case errors.Is(known, problem.ErrNotFound):
		return problem.With(fmt.Errorf("archive %s: %w: the archive of this receiver is not there any more", text.Line(s.archive), problem.ErrConflict),
			problem.Say("is its disk mounted? Bring it back, or name the place where it is now; %s makes a new one, which knows of nothing that is held", problem.Field("take-over")))
	case known != nil || before.Archive == "":
		return known
	}
	return problem.With(fmt.Errorf("archive %s: %w: it is not the archive that this receiver had there, in which it has left its name", text.Line(s.archive), problem.ErrConflict),
		problem.Say("is its disk mounted? Bring it back, or name the place where it is now; %s goes on with this one, which may not know of all that is held", problem.Field("take-over")))
}

// insteadOf is what to do where another receiver has what this one had before. Nobody is led
// away from replicas: what they have taken on is in their database alone.
func (s *serving) insteadOf(now archive.Receiver, where string) problem.Advice {
	as := problem.Say("receive as that one: %s", now.With(problem.Command("serve").Set("archive", where)))
	switch {
	case now.Database == "":
		return as.Then(problem.Say("or end it, and %s goes on with the archive that is named here", problem.Field("take-over")))
	case s.takeOver:
		return as.Then(problem.Say("or end them, and run this with %s", problem.Field("yes")))
	}
	return as.Then(problem.Say("docs/scale.md tells how to go back to one receiver"))
}

func wouldGiveUp(where string, before archive.Receiver) error {
	return problem.With(fmt.Errorf("archive %s: %w: receivers with a database serve it (%s), and what they have not done would be given up; nothing was done", where, problem.ErrConflict, before),
		problem.Say("receive with it: %s; or have %s say that nothing is left, end them, and run this with %s",
			problem.Command("serve").Set("database", text.Line(before.Database)), problem.Command("serve", "jobs", "list").Set("database", text.Line(before.Database)), problem.Field("yes")))
}

// inheritance is what a receiver has to know of the faxes that are kept.
func inheritance(kept iter.Seq2[archive.Entry, error]) iter.Seq2[receiver.Inheritance, error] {
	return func(yield func(receiver.Inheritance, error) bool) {
		for e, err := range kept {
			i := receiver.Inheritance{Fax: e.Fax}
			if d := e.Document; d != nil {
				i.Kept = receiver.Kept{SHA256: d.SHA256, Size: d.Size, Pages: d.Pages, ContentType: d.ContentType}
			}
			if !yield(i, err) {
				return
			}
		}
	}
}

// serves reports whether the archive still is the receiver's.
func (k *archived) serves(ctx context.Context) error { return k.claimed.Check(ctx) }

// leaveClaim says that the receiver does not run any more.
func (k *archived) leaveClaim() error {
	if k.claimed == nil {
		return nil
	}
	return k.claimed.Close()
}
