package receiver

import (
	"context"
	"sync"
	"time"

	"github.com/faxctl/faxctl/pkg/fax"
)

// ours knows the account's numbers. A number it does not know is looked for
// again, since it may have been bought a minute ago, but not at every request.
type ours struct {
	numbers fax.Numbers // nil: the provider does not tell; every number is ours

	mu    sync.Mutex
	known map[string]bool
	asked time.Time
}

const (
	askAgain  = 15 * time.Second
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
	if age < askAgain {
		return o.known == nil || o.known[phone]
	}
	o.asked = time.Now()
	ctx, cancel := context.WithTimeout(ctx, askBounds)
	defer cancel()
	known := map[string]bool{}
	for n, err := range o.numbers.List(ctx, fax.NumberFilter{}) {
		if err != nil {
			return o.known == nil || o.known[phone]
		}
		known[n.Phone] = true
	}
	o.known = known
	return known[phone]
}
