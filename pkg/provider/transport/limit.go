package transport

import (
	"container/list"
	"context"
	"math"
	"net/http"
	"sync"
)

// Limit keeps the number of requests under way at what the provider takes,
// which it finds out by itself: up to ceiling requests at once, fewer after a
// 429. One value of the layer is one budget: put the same value under
// everything that speaks for one account.
//
// The limit begins at ten and doubles with every round of answers until the
// first 429 halves it. From then on it loses a seventh with a 429 and grows by
// one a round, but lingers for eight where the last 429 came from, so that it
// stays just around the provider's own limit. It never falls below one. Only a
// limit that was reached grows. The answer to a request that was sent before the
// last cut is old news and changes nothing: a burst of 429 from one overload
// counts once.
//
// A request is under way until the body of its response has been read to its
// end or closed, since the provider counts a call until it has sent the last
// byte. Waiting requests go in the order they came; the end of a request's
// context ends its wait with the context's error.
func Limit(ceiling int) Layer {
	const first = 10
	ceiling = max(ceiling, 1)
	g := &gate{ceiling: float64(ceiling), limit: float64(min(ceiling, first)), climbing: true}
	return func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(req *http.Request) (*http.Response, error) {
			ticket, err := g.enter(req.Context())
			if err != nil {
				return refuse(req, err)
			}
			res, err := next.RoundTrip(req)
			if err != nil {
				g.leave()
				return res, err
			}
			g.learn(ticket, res.StatusCode)
			res.Body = whenDone(res.Body, g.leave)
			return res, nil
		})
	}
}

// gate counts who is inside and lets in the next.
type gate struct {
	mu       sync.Mutex
	ceiling  float64
	limit    float64 // requests at once; the fraction is growth saved up
	climbing bool    // no 429 yet: grow by one with every answer
	wall     float64 // the limit at the last 429
	busy     int
	queue    list.List // of chan uint64, each to receive its ticket
	tickets  uint64    // given out so far
	cut      uint64    // tickets given out before the last cut
}

// enter waits for a place and returns a number that grows with each request
// let in.
func (g *gate) enter(ctx context.Context) (ticket uint64, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	ready := make(chan uint64, 1)
	g.mu.Lock()
	me := g.queue.PushBack(ready)
	g.admit()
	g.mu.Unlock()

	select {
	case ticket = <-ready:
		return ticket, nil
	case <-ctx.Done():
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-ready: // let in at the last moment: pass it on
		g.busy--
		g.admit()
	default:
		g.queue.Remove(me)
	}
	return 0, ctx.Err()
}

// admit lets in whoever has a place. The caller holds the lock.
func (g *gate) admit() {
	for g.queue.Len() > 0 && g.busy < int(g.limit) {
		ready := g.queue.Remove(g.queue.Front()).(chan uint64)
		g.busy++
		g.tickets++
		ready <- g.tickets
	}
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.busy--
	g.admit()
}

// learn moves the limit by what the answer to a request says.
func (g *gate) learn(ticket uint64, status int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if ticket <= g.cut {
		return
	}
	switch full := g.busy >= int(g.limit); {
	case status == http.StatusTooManyRequests:
		keep := 6.0 / 7
		if g.climbing {
			keep = 1.0 / 2 // where it was a round ago
		}
		g.wall = math.Floor(g.limit)
		g.limit = max(g.limit*keep, 1)
		g.climbing = false
		g.cut = g.tickets
	case status >= 500 || !full: // says nothing about the limit
	case g.climbing:
		g.limit = min(g.limit+1, g.ceiling)
	case g.limit >= g.wall-1 && g.limit < g.wall:
		g.limit = min(g.limit+1/(8*g.limit), g.ceiling)
	default:
		g.limit = min(g.limit+1/g.limit, g.ceiling)
	}
	g.admit()
}
