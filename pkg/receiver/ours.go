package receiver

import (
	"context"
	"sync"
	"time"

	"github.com/faxctl/faxctl/pkg/fax"
)

// ours knows the account's numbers. A number it does not know is looked for
// again, since it may have been bought a moment ago, but not at every request.
type ours struct {
	numbers fax.Numbers // nil: the provider does not tell; every number is ours

	mu    sync.Mutex
	known map[string]bool
	asked time.Time
	blind bool // the provider could not be asked
}

const (
	askAgain  = 2 * time.Second
	forget    = 10 * time.Minute // a number that was given up
	askBounds = 4 * time.Second  // SignalWire gives us 5 s to answer
)

// has reports whether the account owns the number. While the provider cannot be
// asked every number counts as ours: the request was signed with the account's
// key, and a fax that is refused for nothing is lost.
func (o *ours) has(ctx context.Context, phone string) bool {
	if o.numbers == nil {
		return true
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	age := time.Since(o.asked)
	if o.known[phone] && age < forget {
		return true
	}
	if age > askAgain {
		o.look(ctx)
	}
	return o.known[phone] || o.blind
}

// look asks the provider, also for the request after one whose sender hangs up.
func (o *ours) look(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), askBounds)
	defer cancel()
	known := map[string]bool{}
	for n, err := range o.numbers.List(ctx, fax.NumberFilter{}) {
		if err != nil {
			o.asked, o.blind = time.Now(), true
			return
		}
		known[n.Phone] = true
	}
	o.asked, o.known, o.blind = time.Now(), known, false
}
