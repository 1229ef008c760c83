package receiver

import (
	"context"
	"log/slog"
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

// quiet passes on what River has to warn of, once a minute: while a database is away it
// would be a line for each of its attempts. The rest is told here in our own words.
type quiet struct {
	slog.Handler
	rare *rare
}

// Enabled implements slog.Handler.
func (h quiet) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && h.Handler.Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (h quiet) Handle(ctx context.Context, record slog.Record) error {
	times := h.rare.count(record.Message)
	if times == 0 {
		return nil
	}
	if times > 1 {
		record.AddAttrs(slog.Int("times", times))
	}
	return h.Handler.Handle(ctx, record)
}

// WithAttrs implements slog.Handler.
func (h quiet) WithAttrs(attrs []slog.Attr) slog.Handler {
	return quiet{h.Handler.WithAttrs(attrs), h.rare}
}

// WithGroup implements slog.Handler.
func (h quiet) WithGroup(name string) slog.Handler { return quiet{h.Handler.WithGroup(name), h.rare} }
