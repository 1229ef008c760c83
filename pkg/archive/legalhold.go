package archive

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/faxctl/faxctl/pkg/archive/fetch"
	"github.com/faxctl/faxctl/pkg/archive/store"
	"github.com/faxctl/faxctl/pkg/base/problem"
)

// ErrKept is a fax of which the bucket keeps a file, by a legal hold or for a time, so that
// it cannot be removed. It comes together with fax.ErrConflict.
var ErrKept = errors.New("its bucket keeps it")

// A bucket with object lock has a legal hold of each fax that is held: of the document
// before the sidecar says so, and of each sidecar that says so from the moment it is there.
// The release comes after the sidecar no longer says so, which tells of it until it is
// complete; nobody holds the fax meanwhile. So whatever is told as held is kept, and a
// legal hold that was left alone by a run that was cut off is found by [Archive.Verify], and
// released by [Archive.Unhold].

// locks reports whether the archive is in a bucket with object lock.
func (a *Archive) locks(ctx context.Context) (bool, error) {
	if a.bucket == nil {
		return false, nil
	}
	return a.bucket.ObjectLock(ctx)
}

// keep is that of the files, with the legal hold of what is held.
func (a *Archive) keep(ctx context.Context, key string, part *fetch.Part, e Entry, sidecar []byte, when store.Condition) (stamp string, err error) {
	if e.Hold != nil {
		locks, err := a.locks(ctx)
		if err != nil {
			return "", err
		}
		if locks {
			document := ""
			if e.Document != nil {
				document = documentName(key, e.Document)
			}
			return a.bucket.keepHeld(ctx, key, part, document, sidecar, when)
		}
	}
	return a.files.keep(ctx, key, part, sidecar, when)
}

// names are what there is of a fax: the document, if any, and the sidecar.
func (l located) names() []string {
	sidecar := l.key + sidecarExt
	if l.Document == nil {
		return []string{sidecar}
	}
	return []string{documentName(l.key, l.Document), sidecar}
}

// protected reports whether what is held is under a legal hold, where there are any.
func (a *Archive) protected(ctx context.Context, l located) (bool, error) {
	if l.Hold == nil {
		return true, nil
	}
	if locks, err := a.locks(ctx); err != nil || !locks {
		return true, err
	}
	n, of, err := a.legallyHeld(ctx, l)
	return n == of, err
}

// legallyHeld is how many files of a fax are under a legal hold, of those that are there.
func (a *Archive) legallyHeld(ctx context.Context, l located) (n, of int, err error) {
	for _, name := range l.names() {
		held, err := a.bucket.Held(ctx, name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			return 0, 0, err
		case held:
			n++
		}
		of++
	}
	return n, of, nil
}

// documentHeld reports whether a document under a key is under a legal hold.
func (a *Archive) documentHeld(ctx context.Context, key string) (bool, error) {
	if locks, err := a.locks(ctx); err != nil || !locks {
		return false, err
	}
	for _, ext := range []string{".pdf", ".tiff"} {
		held, err := a.bucket.Held(ctx, key+ext)
		if held || err != nil && !errors.Is(err, fs.ErrNotExist) {
			return held, err
		}
	}
	return false, nil
}

// release is Unhold where there are legal holds.
func (a *Archive) release(ctx context.Context, id string) (was *Hold, err error) {
	if err := a.writable(id); err != nil {
		return nil, err
	}
	defer a.lockFax(id)()
	var l located
	var until time.Time // later somebody may hold it
	err = whileChanged(func() error {
		until = time.Now().Add(removingFor)
		l, was, err = a.beginRelease(ctx, id)
		return err
	})
	if err != nil || l.Release == nil || !l.Release.Done.IsZero() {
		return was, err
	}
	begun := l.Release.Begun
	ctx = context.WithoutCancel(ctx) // the rest takes a moment
	soon, end := context.WithDeadline(ctx, until)
	defer end()
	for _, name := range l.names() {
		if err := a.bucket.LegalHold(soon, name, false); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return was, problem.With(fmt.Errorf("fax %s is no longer held, and its bucket may keep it still: %w", id, err),
				adviceOr(err, problem.Say("run this again after %s", clock(begun.Add(removingStale)))))
		}
	}
	return was, whileChanged(func() error {
		return a.changeOnce(ctx, id, func(e *Entry) error {
			if e.Release != nil && e.Release.Begun.Equal(begun) {
				e.Release = &Release{Begun: begun, Done: time.Now().UTC().Truncate(time.Millisecond)}
			}
			return nil
		})
	})
}

// adviceOr is the advice of an error, or another one.
func adviceOr(err error, otherwise problem.Advice) problem.Advice {
	if advice := problem.AdviceOf(err); !advice.Empty() {
		return advice
	}
	return otherwise
}

// beginRelease has the sidecar say that the fax is no longer held, and that its legal holds
// are being released, unless there are none.
func (a *Archive) beginRelease(ctx context.Context, id string) (l located, was *Hold, err error) {
	l, err = a.getToChange(ctx, id)
	if err == nil {
		err = a.beingReleased(l.Entry)
	}
	if err != nil {
		return located{}, nil, err
	}
	if l.Hold == nil && (l.Release == nil || !l.Release.Done.IsZero()) {
		if n, _, err := a.legallyHeld(ctx, l); err != nil || n == 0 {
			return located{}, nil, err
		}
	}
	e := l.Entry
	was = l.Hold
	e.letGo()
	e.Release = &Release{Begun: time.Now().UTC().Truncate(time.Millisecond)}
	if err := a.put(ctx, l, nil, e); err != nil {
		return located{}, nil, err
	}
	l.Entry = e
	return l, was, nil
}

// mayBeRemoved fails with [ErrKept] when the bucket keeps a file of a fax.
func (a *Archive) mayBeRemoved(ctx context.Context, l located) error {
	if locks, err := a.locks(ctx); err != nil || !locks {
		return err
	}
	for _, name := range l.names() {
		if err := a.bucket.MayRemove(ctx, name); err != nil {
			return errKept(l.Fax.ID, err)
		}
	}
	return nil
}

// errKept is [ErrKept], if that is why a removal failed.
func errKept(id string, err error) error {
	if !errors.Is(err, problem.ErrConflict) || errors.Is(err, store.ErrChanged) {
		return err
	}
	return problem.With(fmt.Errorf("fax %s: %w: %w", id, ErrKept, err), problem.AdviceOf(err))
}

// stays takes back what a removal has begun that the bucket refused, if all of the fax is
// there: somebody has put it under a legal hold meanwhile.
func (a *Archive) stays(ctx context.Context, l located, why error) error {
	kept := errKept(l.Fax.ID, why)
	if !errors.Is(kept, ErrKept) || l.Document == nil {
		return kept
	}
	there, err := a.documentThere(ctx, l.key, l.Document)
	if err != nil || !there {
		return cmp.Or(err, kept)
	}
	return errors.Join(kept, whileChanged(func() error {
		return a.changeOnce(ctx, l.Fax.ID, func(e *Entry) error {
			if e.Removing.Equal(l.Removing) {
				e.Removing = time.Time{}
			}
			return nil
		})
	}))
}

// legalHold compares the legal hold of a fax with what its sidecar says. Somebody may be
// setting it just now, and takes a moment.
func (v *verification) legalHold(ctx context.Context, name string) error {
	locks, err := v.a.locks(ctx)
	if err != nil || !locks {
		return err
	}
	for end := time.Now().Add(settled); ; {
		found, note, err := v.a.compareHolds(ctx, name)
		if err != nil || found == nil && note == nil {
			return err
		}
		if time.Now().After(end) {
			if found != nil {
				v.mu.Lock()
				v.report.Findings = append(v.report.Findings, *found)
				v.mu.Unlock()
			} else {
				v.addNote(*note)
			}
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(delay):
		}
	}
}

// settled is how long a hold may take to be set, after its first legal hold.
const settled = time.Second

// compareHolds compares the two once.
func (a *Archive) compareHolds(ctx context.Context, name string) (*Finding, *Note, error) {
	l, err := a.readKnown(ctx, name)
	if err != nil && !errors.Is(err, errLater) { // it was removed, or is told of otherwise
		if away(ctx, err) {
			return nil, nil, err
		}
		return nil, nil, nil
	}
	e, id := l.Entry, l.Fax.ID
	unhold := problem.Command("archive", "unhold").Arg(a.dir).Arg(id)
	if r := e.Release; r != nil && r.Done.IsZero() {
		if a.beingReleased(e) != nil {
			return nil, nil, nil //nolint:nilerr // whoever does it is at it
		}
		return &Finding{id, name, Unreleased, problem.Say("its release was begun at %s: %s finishes it", problem.Text(r.Begun.Format(time.RFC3339)), unhold)}, nil, nil
	}
	n, of, err := a.legallyHeld(ctx, l)
	switch {
	case err != nil:
		return nil, nil, err
	case e.Hold != nil && n < of:
		return &Finding{id, name, NotLocked, problem.Say("it is held, and its bucket does not keep all of it: %s sees to that",
			problem.Command("archive", "hold").Arg(a.dir).Arg(id).Set("reason", e.Hold.Reason))}, nil, nil
	case e.Hold == nil && n > 0:
		return nil, &Note{id, name, problem.Say("its bucket keeps it by a legal hold, and it is not held here: %s releases it", unhold)}, nil
	}
	return nil, nil, nil
}
