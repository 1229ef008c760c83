package output

import (
	"errors"
	"io"
	"sync"
	"syscall"
	"time"
)

// ErrClosed says that whoever read the output has gone away, as head does when
// it has seen enough. There is nobody left to tell.
var ErrClosed = errors.New("output closed by its reader")

// Unwritten is the error of a write to the output: [ErrClosed] when its reader has
// gone away, else err itself.
func Unwritten(err error) error {
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe) {
		return ErrClosed
	}
	return err
}

// pipe is a writer whose reader may go away. Lines that come one by one are
// written as they come; of those that come in a rush, many go in one write, a
// moment later at most. It must be closed.
type pipe struct {
	w io.Writer

	mu      sync.Mutex
	buf     []byte
	written time.Time // the last write of buf
	later   *time.Timer
	err     error
}

const (
	moment = 5 * time.Millisecond
	rush   = 64 << 10 // bytes
)

// Write keeps b or writes it. The error may be that of an earlier one.
func (p *pipe) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.buf = append(p.buf, b...)
	switch {
	case len(p.buf) >= rush || time.Since(p.written) >= moment:
		p.flush()
	case p.later == nil:
		p.later = time.AfterFunc(moment, func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.flush()
		})
	}
	return len(b), p.err
}

// Close writes what is left.
func (p *pipe) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.flush()
	return p.err
}

func (p *pipe) flush() {
	if p.later != nil {
		p.later.Stop()
		p.later = nil
	}
	if len(p.buf) == 0 || p.err != nil {
		return
	}
	_, p.err = p.w.Write(p.buf)
	p.err = Unwritten(p.err)
	p.buf, p.written = p.buf[:0], time.Now()
}
