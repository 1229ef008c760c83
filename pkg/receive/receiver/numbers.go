package receiver

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/faxctl/faxctl/pkg/fax"
)

// accountNumbers knows the account's numbers. A number it does not know is looked for
// again, since it may have been bought a moment ago, but not at every request. One
// list may lack a number: it takes two that do, and no list that had it lately.
type accountNumbers struct {
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
func (n *accountNumbers) has(ctx context.Context, phone string) bool {
	listed, blind := n.listed(ctx, phone)
	return listed || blind
}

// listed reports whether the account owns the number. blind: the provider could not
// be asked, and no list had the number lately.
func (n *accountNumbers) listed(ctx context.Context, phone string) (listed, blind bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.numbers == nil || n.lately(phone) {
		return true, false
	}
	if time.Since(n.asked) > askAgain {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), askBounds) // also for the request after one whose sender hangs up
		defer cancel()
		for range 2 {
			if n.look(ctx); n.blind || n.lately(phone) {
				break
			}
		}
	}
	listed = n.lately(phone)
	return listed, !listed && n.blind
}

func (n *accountNumbers) lately(phone string) bool {
	at, ok := n.seen[phone]
	return ok && time.Since(at) < forget
}

// ask has these asked from now on.
func (n *accountNumbers) ask(numbers fax.Numbers) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.numbers = numbers
}

// look asks the provider.
func (n *accountNumbers) look(ctx context.Context) {
	var listed []string
	for number, err := range n.numbers.List(ctx, fax.NumberFilter{}) {
		if err != nil {
			n.asked, n.blind = time.Now(), true
			return
		}
		listed = append(listed, number.Phone)
	}
	n.asked, n.blind = time.Now(), false
	if n.seen == nil {
		n.seen = map[string]time.Time{}
	}
	maps.DeleteFunc(n.seen, func(phone string, _ time.Time) bool { return !n.lately(phone) })
	for _, phone := range listed {
		n.seen[phone] = n.asked
	}
}
