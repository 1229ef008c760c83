package archive

import (
	"context"
	"encoding/json"
	"iter"
	"time"

	"github.com/faxctl/faxctl/pkg/fax"
)

// Doubtful yields the entries whose marks an earlier version may have set on one
// answer that something was not found, and those that say that a deletion at the provider
// was begun, and not what became of it.
func (a *Archive) Doubtful(ctx context.Context) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for e, err := range a.List(ctx, fax.Filter{}) {
			if (err != nil || e.doubtful() || len(e.Deleting) > 0) && !yield(e, err) {
				return
			}
		}
	}
}

func (e Entry) doubtful() bool { return e.marked() && !e.Proven }

// AskAgain asks the provider, for the account given, about an entry that [Archive.Doubtful]
// yields, and takes back what is not so: false reports that. What the provider has not
// stays marked, or is marked, and is proven when the record kept is of that account. A
// document that is there after all, and not kept, is noted as missing: [Archive.Save] gets
// it. Errors as of fax.Look and [Archive.Get], and [LeavingError] of a fax that is there
// and may be deleted at any moment.
func (a *Archive) AskAgain(ctx context.Context, faxes fax.Faxes, account, id string) (stays bool, err error) {
	was, err := a.Get(ctx, id)
	if err != nil || !was.doubtful() && len(was.Deleting) == 0 {
		return true, err
	}
	now, has, err := fax.Look(ctx, faxes, was.Fax)
	switch {
	case err != nil:
		return true, err
	case has == fax.Gone && !was.of(account):
		return true, nil
	case has == fax.Gone:
		return true, a.change(ctx, id, func(e *Entry) error { e.provenGone(); return nil })
	case len(was.Deleting) > 0 && !was.Unsettled():
		return true, a.beingDeleted(was)
	}
	stays = was.Gone.IsZero() && has == fax.RecordAlone
	return stays, a.change(ctx, id, func(e *Entry) error {
		if !e.Gone.Equal(was.Gone) || len(e.fresh()) > 0 { // somebody has begun since
			return nil
		}
		e.Fax, e.Record, e.Gone = now, now.Raw, time.Time{}
		e.Deleting = nil
		if has == fax.RecordAlone {
			if was.marked() || e.Document != nil {
				e.mediaGone()
			}
			return nil
		}
		e.MediaGone, e.DocumentMissing = time.Time{}, e.Document == nil
		return nil
	})
}

// provenGone notes that a provider has a fax no more, of which that was not sure.
func (e *Entry) provenGone() {
	if len(e.Deleting) > 0 && e.Gone.IsZero() {
		e.Gone = time.Now().UTC().Truncate(time.Millisecond)
	}
	e.Proven, e.Deleting = true, nil
}

// of reports whether the record that is kept is of an account.
func (e Entry) of(account string) bool {
	var record struct {
		Account string `json:"account_sid"` // so at both providers
	}
	return json.Unmarshal(e.Record, &record) == nil && account != "" && record.Account == account
}
