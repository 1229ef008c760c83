package receiver

import (
	"context"
	"fmt"
	"time"

	"github.com/faxctl/faxctl/pkg/fax"
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
	now := time.Now()
	since, err := r.readUntil(ctx, now)
	if err != nil {
		return err
	}
	q := fax.Filter{Direction: fax.Inbound, After: since.Add(-overlap)}
	found := 0
	for f, err := range fax.List(ctx, r.cfg.Provider.Faxes, q, fax.ListOptions{Retention: r.cfg.Provider.Retention, Now: now}) {
		if err != nil {
			return fmt.Errorf("list the provider's faxes: %w", err)
		}
		fresh, err := r.catchUp(ctx, f, now)
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
	return r.queue.setNote(ctx, backfilled, now.UTC().Format(time.RFC3339))
}

// readUntil is when the provider's list was read last; now if it never was.
func (r *Receiver) readUntil(ctx context.Context, now time.Time) (time.Time, error) {
	last, err := r.queue.note(ctx, backfilled)
	if err != nil || last == "" {
		return now, err
	}
	until, err := time.Parse(time.RFC3339, last)
	switch {
	case err != nil:
		return now, fmt.Errorf("the note of the last backfill: %w", err)
	case until.After(now): // the clock was wrong
		return now, nil
	}
	return until, nil
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
	fresh, err = r.queue.record(fromRecord(f, now), "")
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
	until, err := r.readUntil(ctx, time.Now())
	if err != nil {
		return err
	}
	n, err := r.queue.forget(ctx, until.Add(-remember))
	if n > 0 {
		r.log.Info("forgot old events", "count", n)
	}
	return err
}
