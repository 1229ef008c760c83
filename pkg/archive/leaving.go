package archive

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

// Where others write to an archive at the same time, a fax is deleted at the provider, and
// removed from the archive, by whoever has said so in its sidecar. Such a mark is worth
// something for a while only: who made it acts within that, or not at all, so that what a
// process leaves that was killed is in nobody's way for good. The clocks of machines that
// share an archive agree better than these times differ.
const (
	// DeletingFor is how long after [Archive.BeginDeleting] a DELETE may be sent.
	DeletingFor   = 10 * time.Minute
	deletingStale = time.Hour // when nobody sends it any more

	removingFor   = time.Minute // how long a removal may take, and the release of a legal hold
	removingStale = 10 * time.Minute
)

// LeavingError is a fax that somebody is being rid of, or was when that process ended. It
// is fax.ErrConflict.
type LeavingError struct {
	ID    string
	Doing string // "deleted at the provider", "removed from the archive" or "released from its hold"
	Since time.Time
}

func (e *LeavingError) Error() string {
	return fmt.Sprintf("fax %s is being %s since %s: %v", e.ID, e.Doing, e.Since.Format(time.RFC3339), problem.ErrConflict)
}

// Unwrap is the kind.
func (e *LeavingError) Unwrap() error { return problem.ErrConflict }

// unlike is how far apart the clocks of those who share an archive may be.
const unlike = 5 * time.Minute

// when is when a mark was made. One of the future is of a clock that was wrong, and no
// younger than the sidecar in which it is.
func (e Entry) when(mark time.Time) time.Time {
	if !e.written.IsZero() && e.written.Before(mark) && time.Until(mark) > unlike {
		return e.written
	}
	return mark
}

// until is the time from which nobody goes by a mark any more; zero: that has come.
func (e Entry) until(mark time.Time, stale time.Duration) time.Time {
	if end := e.when(mark).Add(stale); time.Now().Before(end) {
		return end
	}
	return time.Time{}
}

// fresh are the marks of those who may still send a DELETE.
func (e Entry) fresh() []time.Time {
	return slices.DeleteFunc(slices.Clone(e.Deleting), func(mark time.Time) bool { return e.until(mark, deletingStale).IsZero() })
}

// Unsettled reports whether a deletion at the provider was begun so long ago that whoever
// did has ended, and did not say what became of it. [Archive.AskAgain] finds that out.
func (e Entry) Unsettled() bool {
	return len(e.Deleting) > 0 && len(e.fresh()) == 0
}

// beingDeleted fails when the fax may be deleted at the provider at any moment.
func (a *Archive) beingDeleted(e Entry) error {
	now := e.fresh()
	if len(now) == 0 {
		return nil
	}
	var last time.Time
	for _, mark := range now {
		if end := e.until(mark, deletingStale); end.After(last) {
			last = end
		}
	}
	return problem.With(&LeavingError{e.Fax.ID, "deleted at the provider", e.when(now[0])},
		problem.Say("if no deletion is at work any more, wait until %s, then %s asks what became of it",
			clock(last), problem.Command("archive", "reindex").Arg(a.dir).Switch("ask")))
}

// beingRemoved fails when somebody else may be removing the fax from the archive.
func (a *Archive) beingRemoved(e Entry) error {
	if !a.shared || e.Removing.IsZero() {
		return nil
	}
	return e.leaving("removed from the archive", e.Removing)
}

// beingReleased fails when somebody may be taking the legal hold from the fax: of one that is
// set meanwhile nobody would know whether it stays.
func (a *Archive) beingReleased(e Entry) error {
	if r := e.Release; a.bucket == nil || r == nil || !r.Done.IsZero() {
		return nil
	}
	return e.leaving("released from its hold", e.Release.Begun)
}

// leaving fails while what takes a moment may be going on since a mark was made.
func (e Entry) leaving(doing string, mark time.Time) error {
	end := e.until(mark, removingStale)
	if end.IsZero() {
		return nil
	}
	return problem.With(&LeavingError{e.Fax.ID, doing, e.when(mark)},
		problem.Say("if nobody is at it any more, run this again after %s", clock(end)))
}

func clock(t time.Time) problem.Part {
	return problem.Text(t.Local().Format("2006-01-02 15:04:05 MST"))
}

// BeginDeleting is the last step before the DELETE of a fax that [Archive.Secure] has found
// to be kept. Where others write to the archive at the same time, the sidecar says from
// then on that the fax is being deleted, and a hold is too late; one that was there before
// keeps the fax ([HeldError]). Call [Archive.MarkDeleted] or [Archive.NotDeleted] with what
// it returns, when it is known what became of the fax, and send no DELETE later than
// [DeletingFor] after it.
//
// Where there is a lock, whoever has it is alone: begun is zero, and nothing is written.
func (a *Archive) BeginDeleting(ctx context.Context, kept Entry) (begun time.Time, err error) {
	if !a.shared {
		return time.Time{}, nil
	}
	id := kept.Fax.ID
	if err := a.writable(id); err != nil {
		return time.Time{}, err
	}
	defer a.lockFax(id)()
	err = whileChanged(func() error {
		l, err := a.getToChange(ctx, id)
		switch {
		case err != nil:
			return err
		case l.Hold != nil:
			return &HeldError{id, l.Hold.Reason}
		case !l.Removing.IsZero(), !reflect.DeepEqual(l.Document, kept.Document):
			return fmt.Errorf("fax %s: %w: its copy was changed meanwhile", id, ErrUnproven)
		}
		begun, err = a.putDeleting(ctx, l)
		return err
	})
	return begun, err
}

// BeginDeletingNamed is BeginDeleting of a fax that a person has named, whether or not there
// is a copy, and whatever that is worth. kept: there is one. Of f no more than the id has to
// be known; of a fax that was kept by others since the archive was opened, also when it was
// created. Errors: [HeldError]; [LeavingError], while it is removed from the archive;
// [ErrDamagedCopy] for a sidecar that cannot be read, since a hold may be noted in it.
func (a *Archive) BeginDeletingNamed(ctx context.Context, f fax.Fax) (begun time.Time, kept bool, err error) {
	if err := a.writable(f.ID); err != nil {
		return time.Time{}, false, err
	}
	defer a.lockFax(f.ID)()
	err = whileChanged(func() error {
		l, found, err := a.locate(ctx, f)
		if err == nil && l.Hold != nil {
			err = &HeldError{f.ID, l.Hold.Reason}
		}
		if err == nil {
			err = a.beingRemoved(l.Entry)
		}
		if kept = found && l.stamp != ""; err == nil && kept && a.shared {
			begun, err = a.putDeleting(ctx, l)
		}
		return err
	})
	return begun, kept, err
}

// putDeleting has the sidecar say that the fax is being deleted at the provider.
func (a *Archive) putDeleting(ctx context.Context, l located) (begun time.Time, err error) {
	e := l.Entry
	e.Deleting = e.fresh() // of the others it is known by now: the fax is there
	begun = mark(e.Deleting)
	e.Deleting = append(e.Deleting, begun)
	return begun, a.put(ctx, l, nil, e)
}

// mark is now, and another time than those that are there.
func mark(others []time.Time) time.Time {
	now := time.Now().UTC().Truncate(time.Millisecond)
	for slices.ContainsFunc(others, now.Equal) {
		now = now.Add(time.Millisecond)
	}
	return now
}

// NotDeleted takes back what [Archive.BeginDeleting] began, when no DELETE was sent or the
// fax is there in spite of it. If zero was begun it does nothing.
func (a *Archive) NotDeleted(ctx context.Context, id string, begun time.Time) error {
	if begun.IsZero() {
		return nil
	}
	return a.change(ctx, id, func(e *Entry) error {
		e.ended(begun)
		return nil
	})
}

// MarkDeleted notes that a fax, or only its document, was deleted at the provider; begun is
// what [Archive.BeginDeleting] said.
func (a *Archive) MarkDeleted(ctx context.Context, id string, begun time.Time, mediaOnly bool) error {
	return a.change(ctx, id, func(e *Entry) error {
		if mediaOnly {
			e.ended(begun)
			e.mediaGone()
			return nil
		}
		e.gone()
		return nil
	})
}

// MarkDeletedNamed is MarkDeleted of a fax, or its document, of which there was no copy when
// its deletion began: somebody else may have kept one since, and held it, which hold tells.
// Of f the date counts, by which that is found.
func (a *Archive) MarkDeletedNamed(ctx context.Context, f fax.Fax, mediaOnly bool) (hold *Hold, err error) {
	if !a.shared {
		return nil, nil
	}
	if err := a.writable(f.ID); err != nil {
		return nil, err
	}
	defer a.lockFax(f.ID)()
	err = whileChanged(func() error {
		l, _, err := a.locate(ctx, f)
		if err != nil || l.stamp == "" {
			return err
		}
		e := l.Entry
		if hold = e.Hold; mediaOnly {
			e.mediaGone()
		} else {
			e.gone()
		}
		return a.put(ctx, l, nil, e)
	})
	return hold, err
}

// gone marks an entry whose fax is gone at the provider, whoever else was about to delete it.
func (e *Entry) gone() {
	e.Gone, e.Proven, e.Deleting = time.Now().UTC().Truncate(time.Millisecond), true, nil
}

// ended takes back one mark: others may be at it, too.
func (e *Entry) ended(begun time.Time) {
	e.Deleting = slices.DeleteFunc(slices.Clone(e.Deleting), begun.Equal)
}
