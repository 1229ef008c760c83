package receiver

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/fax/listing"
	"github.com/faxctl/faxctl/pkg/receive/delivery"
)

const (
	backfilled = "backfilled" // the note that says until when
	// overlap is how long a fax may take from its creation to its end: that
	// much is looked at again each time, and at the very first time.
	overlap = 24 * time.Hour
)

// backfill records the faxes that the provider has and that we were not told
// of: a callback can be lost, and while we are down all are. However long that
// was, the list is read from where it was read to last.
func (r *Receiver) backfill(ctx context.Context) error {
	return errors.Join(r.takeUp(ctx), r.fromList(ctx))
}

func (r *Receiver) fromList(ctx context.Context) error {
	now, err := r.providerNow(ctx)
	if err != nil {
		return fmt.Errorf("ask the provider for the time: %w", err)
	}
	since, err := r.missedSince(ctx, now)
	if err != nil {
		return err
	}
	q := fax.Filter{Direction: fax.Inbound, After: since}
	faxes := listing.CountUndated(r.provider().Faxes, q)
	found := 0
	for f, err := range listing.List(ctx, faxes, q, listing.Options{Retention: r.provider().Retention, Now: now}) {
		if err != nil {
			return fmt.Errorf("list the provider's faxes: %w", err)
		}
		fresh, err := r.catchUp(ctx, f, time.Now())
		if err != nil {
			return err
		}
		if fresh {
			found++
		}
	}
	if found > 0 {
		r.log.Warn("faxes of which no callback came", "count", found)
	}
	if n := faxes.Count(); n > 0 {
		r.log.Warn("faxes without a date: nobody knows whether a callback came", "count", n)
	}
	return r.queue.setNote(ctx, backfilled, now.UTC().Format(time.RFC3339))
}

// providerNow is what time it is at the provider, which dates the faxes; where it does
// not say, that of this machine has to do.
func (r *Receiver) providerNow(ctx context.Context) (time.Time, error) {
	if clock := r.provider().Clock; clock != nil {
		if at, err := clock.Now(ctx); err != nil || !at.IsZero() {
			return at, err
		}
	}
	return time.Now(), nil
}

// unlike is how far apart the clocks of a provider's servers may be.
const unlike = 5 * time.Minute

// missedSince is from when on the provider's list has to be looked at: a day before
// it was read to last. A note from the future is of a clock that was wrong, nobody
// knows since when: then it is as long as events are remembered, so that none of
// them is taken for new.
func (r *Receiver) missedSince(ctx context.Context, now time.Time) (time.Time, error) {
	last, err := r.lastBackfill(ctx)
	switch {
	case err != nil:
		return now, err
	case last.IsZero():
		return now.Add(-overlap), nil
	case last.After(now.Add(unlike)):
		r.log.Warn("the last backfill is noted in the future; all faxes of the time that is remembered are looked at", "noted", last, "now", now)
		return now.Add(-remember), nil
	}
	return last.Add(-overlap), nil
}

// lastBackfill is until when the provider's list was read; zero: it never was.
func (r *Receiver) lastBackfill(ctx context.Context) (time.Time, error) {
	last, err := r.queue.note(ctx, backfilled)
	if err != nil || last == "" {
		return time.Time{}, err
	}
	until, err := time.Parse(time.RFC3339, last)
	if err != nil {
		err = fmt.Errorf("the note of the last backfill: %w", err)
	}
	return until, err
}

// catchUp records a fax of the provider's list, unless it is known or still on
// its way.
func (r *Receiver) catchUp(ctx context.Context, f fax.Fax, now time.Time) (fresh bool, err error) {
	if !f.Status.Terminal() || !isWord(f.ID, maxID) {
		return false, nil
	}
	if known, err := r.queue.known(ctx, f.ID, f.Status); err != nil || known {
		return false, err
	}
	e := fromRecord(f, now)
	if old, err := r.inherited(ctx, e, f.Created); err != nil {
		return false, err
	} else if old {
		_, err = r.queue.learn(delivery.News{Event: e})
		return false, err
	}
	fresh, err = r.queue.record(e, "")
	if fresh {
		r.metrics.request("backfill", "recorded")
	}
	return fresh, err
}

// remember is how long an event is known, and with that a repeated callback
// harmless. A backfill looks a day further back than where the last one ended,
// however long ago that was, and knows a fax by its event: what is forgotten is
// counted back from there. A provider repeats a callback for hours, not days; but
// its signature has no date, so one that was recorded on the way can be sent
// again at any time. After this long Twilio has the fax no more (180 days), and
// nothing could come of it.
const remember = 200 * 24 * time.Hour

// forget deletes old events, so that the database does not grow for ever.
func (r *Receiver) forget(ctx context.Context) error {
	return errors.Join(r.takeUp(ctx), r.forgetOld(ctx)) // where there is no backfill
}

func (r *Receiver) forgetOld(ctx context.Context) error {
	until, err := r.lastBackfill(ctx)
	if err != nil {
		return err
	}
	if now := time.Now(); until.IsZero() || until.After(now) {
		until = now
	}
	n, err := r.queue.forget(ctx, until.Add(-remember))
	if n > 0 {
		r.log.Info("forgot old events", "count", n)
	}
	if err != nil || r.uploads.room == nil {
		return err
	}
	if n, err = r.uploads.room.clear(ctx, r.queue); n > 0 {
		r.log.Info("removed documents that were never acknowledged", "count", n)
	}
	return err
}
