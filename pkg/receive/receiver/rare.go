package receiver

import (
	"sync"
	"time"
)

// rarelyEvery is how often something of a kind that anybody can cause is told.
const rarelyEvery = time.Minute

// rare counts what is not told each time, by kind. The kinds are ours and few.
type rare struct {
	mu    sync.Mutex
	kinds map[string]*rareKind
}

type rareKind struct {
	when time.Time // it was told last
	n    int       // times since then
}

// rarely tells of something that happened, unless it did so within the last
// minute, and how many times it happened since.
func (r *Receiver) rarely(kind string, tell func(times int)) {
	if n := r.rare.count(kind); n > 0 {
		tell(n)
	}
}

// count is how many times to tell of; 0: not now.
func (r *rare) count(kind string) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.kinds == nil {
		r.kinds = map[string]*rareKind{}
	}
	k := r.kinds[kind]
	if k == nil {
		k = &rareKind{}
		r.kinds[kind] = k
	}
	k.n++
	if !k.when.IsZero() && time.Since(k.when) < rarelyEvery {
		return 0
	}
	n, k.n, k.when = k.n, 0, time.Now()
	return n
}
