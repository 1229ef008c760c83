package serve

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/faxctl/faxctl/pkg/archive"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/receive/receiver"
)

// mostTakeOver is how long a receiver that takes an archive over waits for the one
// before it to leave it.
const mostTakeOver = 30 * time.Second

// claim makes the archive the receiver's own, before a job of it runs.
func (k *archived) claim(ctx context.Context, r *receiver.Receiver, s serving) (err error) {
	var takeOver func() error
	if s.takeOver {
		takeOver = func() error { return r.TakeOver(ctx) }
	}
	if k.claimed, err = archive.ClaimFor(k.dir, s.Account, archive.NewReceiver(r.ID(), s.StateDir), takeOver); err != nil {
		return err
	}
	due, err := r.Inherits(ctx)
	if err != nil || !due {
		return err
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
func (k *archived) serves() error { return k.claimed.Check() }

// leaveClaim says that the receiver does not run any more.
func (k *archived) leaveClaim() error {
	if k.claimed == nil {
		return nil
	}
	return k.claimed.Close()
}
