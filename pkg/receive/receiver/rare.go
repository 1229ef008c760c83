package receiver

import (
	"context"
	"log/slog"
	"strings"
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

// quiet has what River warns of told in our words, once a minute: while a database is away
// it would be a line for each of its attempts and parts, and nobody knows those. Its own
// words are for who looks for a mistake in the program.
type quiet struct {
	slog.Handler
	rare *rare
}

// Enabled implements slog.Handler.
func (h quiet) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && h.Handler.Enabled(ctx, slog.LevelWarn)
}

// Handle implements slog.Handler.
func (h quiet) Handle(ctx context.Context, record slog.Record) error {
	if why := reason(record); why != "" {
		if times := h.rare.count("river"); times > 0 {
			ours := slog.NewRecord(record.Time, slog.LevelWarn, "the database holds up the work on jobs", record.PC)
			ours.AddAttrs(slog.String("error", why), slog.Int("times", times))
			if err := h.Handler.Handle(ctx, ours); err != nil {
				return err
			}
		}
	}
	if !h.Handler.Enabled(ctx, slog.LevelDebug) {
		return nil
	}
	record.Level = slog.LevelDebug
	return h.Handler.Handle(ctx, record)
}

// reason is the error of which a line of River tells; "": it tells of none, or of work that
// was ended.
func reason(record slog.Record) (why string) {
	record.Attrs(func(a slog.Attr) bool {
		if a.Key == "err" || a.Key == "error" {
			why = a.Value.String()
		}
		return why == ""
	})
	if strings.Contains(why, context.Canceled.Error()) {
		return ""
	}
	return why
}

// WithAttrs implements slog.Handler.
func (h quiet) WithAttrs(attrs []slog.Attr) slog.Handler {
	return quiet{h.Handler.WithAttrs(attrs), h.rare}
}

// WithGroup implements slog.Handler.
func (h quiet) WithGroup(name string) slog.Handler { return quiet{h.Handler.WithGroup(name), h.rare} }
