package term

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/clipperhouse/displaywidth"

	"github.com/faxctl/faxctl/pkg/base/text"
)

// How often progress is told: on a terminal the line is rewritten, elsewhere a
// line is added.
const (
	redrawEvery = 100 * time.Millisecond
	reportEvery = 10 * time.Second
)

// Progress tells how far long work has come. The zero Progress tells nothing.
type Progress struct {
	t     *Term
	label string
	total int64 // 0: not known
	start time.Time

	items, bytes atomic.Int64

	stop func()
}

// Progress begins to tell of work on total items (0: not known how many),
// which label names: "downloading". Nothing shows when quiet. The caller stops
// it.
func (t *Term) Progress(label string, total int) *Progress {
	p := &Progress{t: t, label: text.Line(label), total: int64(total), start: time.Now(), stop: func() {}}
	if t.quiet {
		return p
	}
	every, tell := reportEvery, p.report
	if t.Err.Terminal && !t.dumb {
		every, tell = redrawEvery, p.redraw
	}
	end, ended := make(chan struct{}), make(chan struct{})
	p.stop = sync.OnceFunc(func() {
		close(end)
		<-ended
		t.show("")
	})
	go func() {
		defer close(ended)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-end:
				return
			case <-tick.C:
				tell()
			}
		}
	}()
	return p
}

// Add counts items done and bytes moved; either may be 0.
func (p *Progress) Add(items int, bytes int64) {
	p.items.Add(int64(items))
	p.bytes.Add(bytes)
}

// Stop takes the line off the screen. It may be called again.
func (p *Progress) Stop() {
	if p.stop != nil {
		p.stop()
	}
}

// report adds a plain line, for logs.
func (p *Progress) report() { p.t.say("", "%s", []any{p.String()}) }

// redraw rewrites the line, never as wide as the terminal: a line that wraps
// cannot be taken back.
func (p *Progress) redraw() {
	width := p.t.Err.Width
	if now, _ := p.t.size(); now > 0 {
		width = now // the window may have been resized
	}
	p.t.show(displaywidth.TruncateString(p.String(), width-1, "…"))
}

// String is "downloading 120/5000 · 87/s · 7.2 MB · 0.6 MB/s · 56 s left".
func (p *Progress) String() string {
	items, bytes := p.items.Load(), p.bytes.Load()
	elapsed := time.Since(p.start).Seconds()
	count := strconv.FormatInt(items, 10)
	if p.total > 0 {
		count += "/" + strconv.FormatInt(p.total, 10)
	}
	parts := []string{p.label + " " + count}
	if items > 0 && elapsed > 0 {
		rate, digits := float64(items)/elapsed, 1
		if rate >= 100 {
			digits = 0
		}
		parts = append(parts, strconv.FormatFloat(rate, 'f', digits, 64)+"/s")
	}
	if bytes > 0 {
		parts = append(parts, Bytes(bytes))
		if elapsed > 0 {
			parts = append(parts, Bytes(int64(float64(bytes)/elapsed))+"/s")
		}
	}
	if items > 0 && items < p.total {
		left := time.Duration(elapsed * float64(p.total-items) / float64(items) * float64(time.Second))
		parts = append(parts, left.Round(time.Second).String()+" left")
	}
	return strings.Join(parts, " · ")
}

// Bytes is n for a person, in decimal units: "7.2 MB".
func Bytes(n int64) string {
	const units = "kMGTPE"
	if n < 1000 {
		return strconv.FormatInt(n, 10) + " B"
	}
	f, unit := float64(n), -1
	for f >= 999.5 && unit < len(units)-1 {
		f, unit = f/1000, unit+1
	}
	if f < 9.95 {
		return fmt.Sprintf("%.1f %cB", f, units[unit])
	}
	return fmt.Sprintf("%.0f %cB", f, units[unit])
}
