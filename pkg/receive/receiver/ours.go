package receiver

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/faxctl/faxctl/pkg/fax"
)

// ours knows the account's numbers. A number it does not know is looked for
// again, since it may have been bought a moment ago, but not at every request. One
// list may lack a number: it takes two that do, and no list that had it lately.
type ours struct {
	mu      sync.Mutex
	numbers fax.Numbers          // nil: the provider does not tell; every number is ours
	seen    map[string]time.Time // when a list had the number last
	asked   time.Time
	blind   bool // the provider could not be asked
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
	listed, blind := o.listed(ctx, phone)
	return listed || blind
}

// listed reports whether the account owns the number. blind: the provider could not
// be asked, and no list had the number lately.
func (o *ours) listed(ctx context.Context, phone string) (listed, blind bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.numbers == nil || o.lately(phone) {
		return true, false
	}
	if time.Since(o.asked) > askAgain {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), askBounds) // also for the request after one whose sender hangs up
		defer cancel()
		for range 2 {
			if o.look(ctx); o.blind || o.lately(phone) {
				break
			}
		}
	}
	listed = o.lately(phone)
	return listed, !listed && o.blind
}

func (o *ours) lately(phone string) bool {
	at, ok := o.seen[phone]
	return ok && time.Since(at) < forget
}

// ask has these asked from now on.
func (o *ours) ask(numbers fax.Numbers) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.numbers = numbers
}

// look asks the provider.
func (o *ours) look(ctx context.Context) {
	var listed []string
	for n, err := range o.numbers.List(ctx, fax.NumberFilter{}) {
		if err != nil {
			o.asked, o.blind = time.Now(), true
			return
		}
		listed = append(listed, n.Phone)
	}
	o.asked, o.blind = time.Now(), false
	if o.seen == nil {
		o.seen = map[string]time.Time{}
	}
	maps.DeleteFunc(o.seen, func(phone string, _ time.Time) bool { return !o.lately(phone) })
	for _, phone := range listed {
		o.seen[phone] = o.asked
	}
}
