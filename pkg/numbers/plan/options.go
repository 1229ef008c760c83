package plan

import (
	"cmp"
	"context"
	"fmt"
	"time"
)

// Options are how purchases and changes are made sure of. The zero value looks
// once, and once more for others who buy at the same time, and keeps no notes.
type Options struct {
	Notes Notes

	// Now is the provider's clock: a number that was created before the order
	// for it is not what the order bought. nil: that is not looked at.
	Now func(context.Context) (time.Time, error)

	// ConfirmFor is how long what was done is looked for before it is said not
	// to show: at once, 1 s later, 3 s later, and then every 5 s.
	ConfirmFor time.Duration

	// SettleFor is how long others have who buy at the same time: until then
	// their number shows, or what they made of ours. 0: 3 s. However short
	// ConfirmFor is, a purchase with a name is looked at once more then.
	SettleFor time.Duration

	// Tell is told what a person should know meanwhile; nil: nobody is.
	Tell func(string)
}

func (o Options) settleFor() time.Duration { return cmp.Or(o.SettleFor, settleFor) }

func (o Options) tell(format string, args ...any) {
	if o.Tell != nil {
		o.Tell(fmt.Sprintf(format, args...))
	}
}
