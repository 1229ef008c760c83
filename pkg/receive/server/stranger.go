package server

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// turnWait is how long a stranger waits for its turn: a provider waits for
	// an answer for 15 s.
	turnWait = 10 * time.Second

	// beginTime is how long a stranger may take to begin with its document, or
	// be slow in all.
	beginTime = 10 * time.Second

	// documentMercy is how far a stranger's document may be behind when others
	// wait.
	documentMercy = 2 * time.Second

	documentTurns = 16 // of strangers, who could fill the disk

	formTime = 10 * time.Second // that a form may take

	// uploadTime is how long a callback with a document may take: 64 MiB at
	// 5 Mbit/s.
	uploadTime = 2 * time.Minute
)

// Stranger is the body of a request whose sender is not known yet. It is read at
// a pace: who is too slow is cut off, and sooner when others wait for its turn.
type Stranger struct {
	pace
	req   *http.Request
	conn  *http.ResponseController
	ends  time.Time // whatever the pace
	out   atomic.Bool
	turns []*turns // that it has
	all   *Strangers
}

// Strangers share what there is for those who are not known.
type Strangers struct {
	bodies    turns
	documents turns
}

// NewStrangers shares it at so many connections.
func NewStrangers(conns int) *Strangers {
	return &Strangers{
		bodies:    turns{most: max(1, conns*3/4), mercy: mercy},
		documents: turns{most: documentTurns, mercy: documentMercy},
	}
}

// Enter begins to read the body of a request. The caller leaves in the end.
func (all *Strangers) Enter(w http.ResponseWriter, req *http.Request) (*Stranger, error) {
	s := &Stranger{req: req, conn: http.NewResponseController(w), all: all}
	return s, s.take(&all.bodies, formTime)
}

// take waits for a turn. From then on there is so much time.
func (s *Stranger) take(t *turns, limit time.Duration) error {
	g := guestOfRequest(s.req)
	g.begin() // it came so far in good time
	if err := t.take(s.req.Context(), s); err != nil {
		return err
	}
	g.begin() // nor is it slow for having waited
	s.turns = append(s.turns, t)
	s.ends = time.Now().Add(limit)
	return nil
}

// Begin has documents come next. A sender who is known to be our provider waits for
// nobody, and keeps nobody waiting; strangers, who could fill the disk, take turns once
// they have shown that they have something to send.
func (s *Stranger) Begin(document *bufio.Reader, known bool) error {
	if !known {
		_, _ = document.Peek(Slowest) // what is wrong with it shows when it is read
		return s.take(&s.all.documents, uploadTime)
	}
	s.Leave()
	s.trust()
	guestOfRequest(s.req).trust()
	s.ends = time.Now().Add(uploadTime)
	return nil
}

// Leave gives the turns back.
func (s *Stranger) Leave() {
	for _, t := range s.turns {
		t.leave(s)
	}
	s.turns = nil
}

// Error is that somebody could not be served since others came, too. It may come back.
type Error struct {
	Outcome string // one of a few words
	Reason  string // for the log
}

// Error implements error.
func (e *Error) Error() string { return e.Reason }

func tooSlow() error { return &Error{"put out", "it was too slow, and others waited"} }

// Read implements io.Reader.
func (s *Stranger) Read(p []byte) (int, error) {
	ends := s.ends
	if due, ok := s.due(); ok {
		if due = due.Add(beginTime); due.Before(ends) {
			ends = due
		}
	}
	_ = s.conn.SetReadDeadline(ends) // a test's recorder has none
	if s.out.Load() {
		return 0, tooSlow()
	}
	n, err := s.req.Body.Read(p)
	s.add(n)
	if s.out.Load() && errors.Is(err, os.ErrDeadlineExceeded) || err != nil && guestOfRequest(s.req).out.Load() {
		err = tooSlow()
	}
	return n, err
}

var _ io.Reader = (*Stranger)(nil)

// putOut ends the reading of a body at once.
func (s *Stranger) putOut() {
	s.out.Store(true)
	_ = s.conn.SetReadDeadline(time.Unix(1, 0))
}

// turns is what no more than so many strangers have at once. Who came last is the
// next: it waits for one who is there to end or to be slow, and not for all who came
// before it and may be dead.
type turns struct {
	most  int
	mercy time.Duration // how far one may be behind when others wait

	mu      sync.Mutex
	taken   []*Stranger
	waiting []waiter
}

type waiter struct {
	*Stranger
	mine chan struct{} // closed when it has a turn
}

// take returns when the stranger has a turn. It waits for a while.
func (t *turns) take(ctx context.Context, s *Stranger) error {
	w := waiter{s, make(chan struct{})}
	t.mu.Lock()
	t.waiting = append(t.waiting, w)
	t.next()
	t.mu.Unlock()
	end := time.NewTimer(turnWait)
	defer end.Stop()
	for {
		again := time.NewTimer(t.hurry(w))
		select {
		case <-w.mine:
			again.Stop()
			return nil
		case <-again.C:
			continue
		case <-end.C:
		case <-ctx.Done():
		}
		again.Stop()
		return t.giveUp(ctx, w)
	}
}

// leave gives a turn to the next.
func (t *turns) leave(s *Stranger) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.taken = slices.DeleteFunc(t.taken, func(other *Stranger) bool { return other == s })
	t.next()
}

// next gives the turns that are free to who waits.
func (t *turns) next() {
	for last := len(t.waiting) - 1; last >= 0 && len(t.taken) < t.most; last-- {
		w := t.waiting[last]
		t.waiting = t.waiting[:last]
		t.taken = append(t.taken, w.Stranger)
		w.begin()
		close(w.mine)
	}
}

// hurry puts the slowest out when it is slow and the waiter is the next, and says
// how long to wait until it is to be tried again.
func (t *turns) hurry(w waiter) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n := len(t.waiting); n == 0 || t.waiting[n-1] != w {
		return t.mercy
	}
	var slow *Stranger
	var first time.Time
	for _, s := range t.taken {
		if due, ok := s.due(); ok && !s.out.Load() && (slow == nil || due.Before(first)) {
			slow, first = s, due
		}
	}
	if slow == nil {
		return t.mercy
	}
	wait := time.Until(first.Add(t.mercy))
	if wait <= 0 {
		slow.putOut()
	}
	return max(wait, 10*time.Millisecond)
}

// giveUp is a wait that came to nothing, unless the turn came just now.
func (t *turns) giveUp(ctx context.Context, w waiter) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	before := len(t.waiting)
	t.waiting = slices.DeleteFunc(t.waiting, func(other waiter) bool { return other == w })
	if len(t.waiting) == before {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return &Error{"busy", "too many came at once whose sender is not known yet"}
}
