package receiver

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Pruned is what became of a run of [Config.Prune].
type Pruned struct {
	At       time.Time `json:"at"` // when it ended; set by the receiver
	Deleted  int       `json:"deleted"`
	Failed   int       `json:"failed"`    // those that are still there, or of which nobody knows
	HeldBack int       `json:"held_back"` // selected, and more than may go without a person
	Undated  int       `json:"undated"`   // left alone: their age is not known

	// Succeeded is when a run last ended with nothing in its way, also when that was
	// an earlier one; set by the receiver. Zero: never.
	Succeeded time.Time `json:"succeeded,omitzero"`

	// Refused is why nothing was deleted, where a person has to look: ByClock or
	// ByLimit. Problem says it, or what else went wrong, in words.
	Refused string `json:"refused,omitempty"`
	Problem string `json:"problem,omitempty"`
}

// Counts are the faxes of a run by what became of them.
func (p Pruned) Counts() map[string]int {
	return map[string]int{"deleted": p.Deleted, "failed": p.Failed, "held back": p.HeldBack, "undated": p.Undated}
}

// The reasons for which a run deletes nothing.
const (
	ByClock = "clock" // that of this machine is not the provider's, or nobody knows
	ByLimit = "limit" // more were selected than a day may have
)

const pruned = "pruned" // the note that says what became of the last run

// prune runs Config.Prune and notes what became of it.
func (r *Receiver) prune(ctx context.Context) error {
	if err := r.serves(ctx); err != nil {
		return err
	}
	run, err := r.cfg.Prune(ctx)
	if err != nil && cutOff(ctx) {
		return err
	}
	if run.At = time.Now().UTC(); err != nil {
		run.Problem = err.Error()
	}
	if run.Succeeded = run.At; run.Problem != "" || run.Refused != "" || run.Failed > 0 {
		run.Succeeded = r.lastPruned(ctx)
	}
	note, bad := json.Marshal(run)
	if bad == nil {
		bad = r.queue.setNote(context.WithoutCancel(ctx), pruned, string(note))
	}
	if bad != nil {
		r.log.Error("what became of the prune is not noted", "error", bad)
	}
	if err == nil {
		r.metrics.request("prune", "done")
	}
	return err
}

// lastPruned is when a prune last succeeded; zero: never, or nobody knows.
func (r *Receiver) lastPruned(ctx context.Context) time.Time {
	before, err := r.queue.lastPrune(context.WithoutCancel(ctx))
	if err != nil || before == nil {
		return time.Time{}
	}
	return before.Succeeded
}

// lastPrune is what the note says; nil: there is none.
func (q *queue) lastPrune(ctx context.Context) (*Pruned, error) {
	text, err := q.note(ctx, pruned)
	if err != nil || text == "" {
		return nil, err
	}
	var run Pruned
	if err := json.Unmarshal([]byte(text), &run); err != nil {
		return nil, fmt.Errorf("the note of the last prune: %w", err)
	}
	return &run, nil
}
