package receiver

import (
	"context"
	"strconv"
	"sync"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// A slot of River's that comes free is empty until River asks for jobs again. So more of
// them are claimed than may run, and those wait here, in the process, for their turn. What
// is claimed at a replica that dies waits until the others miss it, and is done by nobody
// meanwhile: in a shared database few are claimed ahead.
const claimedAhead = 4

// slots are how many jobs of a queue run at once; what is in none of these has no turns.
func slots(jobs int) map[string]int {
	return map[string]int{fetchQueue: jobs, deliverQueue: jobs, mailQueue: mostMails}
}

// claims is how many jobs are claimed where so many may run.
func (s *state) claims(slots int) int {
	if s.shared() {
		return slots + claimedAhead
	}
	return 2 * slots
}

// turns are those of the jobs that are claimed, by queue.
type turns struct {
	free map[string]chan struct{} // one is put there by whoever has a turn
	over chan struct{}            // closed when nobody gets one any more
	end  func()
}

func newTurns(jobs int) *turns {
	t := &turns{free: map[string]chan struct{}{}, over: make(chan struct{})}
	t.end = sync.OnceFunc(func() { close(t.over) })
	for queue, n := range slots(jobs) {
		t.free[queue] = make(chan struct{}, n)
	}
	return t
}

// take waits for the turn of a job, which lasts until done. What has not had it when the
// receiver ends is given back, which is no failure.
func (t *turns) take(ctx context.Context, queue string) (done func(), err error) {
	free := t.free[queue]
	select {
	case free <- struct{}{}:
		return func() { <-free }, nil
	case <-t.over:
	case <-ctx.Done():
	}
	return nil, river.JobSnooze(0)
}

// atOnce is the note of how many jobs run at once, for those who look from outside.
const atOnce = "jobs at once"

// noteSlots notes how many jobs run at once here. Replicas have the same flags.
func (q *queue) noteSlots(ctx context.Context) error {
	now := strconv.Itoa(q.r.cfg.Jobs)
	noted, err := q.note(ctx, atOnce)
	if err != nil || noted == now {
		return err
	}
	return q.setNote(ctx, atOnce, now)
}

// mostRunning bounds a list of the jobs that run, or are claimed; it is River's.
const mostRunning = 10_000

// inLine are the jobs that are claimed and wait for their turn: those that were claimed
// last, since turns come in that order.
func (q *queue) inLine(ctx context.Context, list lister) ([]*rivertype.JobRow, error) {
	noted, err := q.note(ctx, atOnce)
	if err != nil || noted == "" { // none has run that claims ahead
		return nil, err
	}
	jobs, err := strconv.Atoi(noted)
	if err != nil {
		return nil, err
	}
	page, err := list(ctx, river.NewJobListParams().States(rivertype.JobStateRunning).
		OrderBy(river.JobListOrderByTime, river.SortOrderAsc).First(mostRunning))
	if err != nil {
		return nil, err
	}
	type place struct{ queue, replica string }
	have := map[place]int{}
	var waiting []*rivertype.JobRow
	for _, job := range page.Jobs {
		most, has := slots(jobs)[job.Queue]
		if !has || len(job.AttemptedBy) == 0 {
			continue
		}
		at := place{job.Queue, job.AttemptedBy[len(job.AttemptedBy)-1]}
		if have[at]++; have[at] > most {
			waiting = append(waiting, job)
		}
	}
	return waiting, nil
}
