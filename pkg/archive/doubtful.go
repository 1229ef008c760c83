package archive

import (
	"context"
	"encoding/json"
	"iter"
	"time"

	"github.com/faxctl/faxctl/pkg/fax"
)

// Doubtful yields the entries whose marks an earlier version may have set on one
// answer that something was not found.
func (a *Archive) Doubtful(ctx context.Context) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for e, err := range a.List(ctx, fax.Filter{}) {
			if (err != nil || e.doubtful()) && !yield(e, err) {
				return
			}
		}
	}
}

func (e Entry) doubtful() bool { return e.marked() && !e.Proven }

// AskAgain asks the provider, for the account given, about an entry that is marked,
// and takes back what is not so: false reports that. What the provider has not stays
// marked, and is proven when the record kept is of that account. A document that is
// there after all, and not kept, is noted as missing: [Archive.Save] gets it. Errors
// as of fax.Look and [Archive.Get].
func (a *Archive) AskAgain(ctx context.Context, faxes fax.Faxes, account, id string) (stays bool, err error) {
	e, err := a.Get(ctx, id)
	if err != nil || !e.doubtful() {
		return true, err
	}
	now, has, err := fax.Look(ctx, faxes, e.Fax)
	switch {
	case err != nil:
		return true, err
	case has == fax.Gone && !e.of(account):
		return true, nil
	case has == fax.Gone:
		return true, a.change(ctx, id, func(e *Entry) { e.Proven = true })
	}
	stays = e.Gone.IsZero() && has == fax.RecordAlone
	return stays, a.change(ctx, id, func(e *Entry) {
		e.Fax, e.Record, e.Gone = now, now.Raw, time.Time{}
		if has == fax.RecordAlone {
			e.mediaGone()
			return
		}
		e.MediaGone, e.DocumentMissing = time.Time{}, e.Document == nil
	})
}

// of reports whether the record that is kept is of an account.
func (e Entry) of(account string) bool {
	var record struct {
		Account string `json:"account_sid"` // so at both providers
	}
	return json.Unmarshal(e.Record, &record) == nil && account != "" && record.Account == account
}
