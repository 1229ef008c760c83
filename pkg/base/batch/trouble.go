package batch

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"slices"
	"syscall"

	"github.com/faxctl/faxctl/pkg/base/problem"
)

// ErrPartial says that some items of a batch failed, and others did not.
var ErrPartial = errors.New("some failed")

// Trouble counts what became of the items of a batch, tells of each that failed
// or was skipped, and says when there is no use in going on. What ends a batch is
// told once: those under way meet it as well. Make it with [NewTrouble]; it lives
// for one batch, and is not for concurrent use.
type Trouble struct {
	Tally Tally

	skipped, failed func(error)

	first error
	told  []error // the last ones
	inRow int     // failures since the last success, the other side refusing or being unavailable
}

// NewTrouble tells skipped why an item was left alone, and failed of each failure.
func NewTrouble(skipped, failed func(error)) *Trouble {
	return &Trouble{skipped: skipped, failed: failed}
}

// tooMany failures in a row of a side that is unavailable end a batch: each took
// as long as it is asked again, and the next ones would as well.
const tooMany = 20

// remembered is of how many failures it is known that they were told: more than
// there are items under way when one of them ends the batch.
const remembered = 128

// Add takes in one result. It returns an error when there is no use in going on.
func (t *Trouble) Add(err error) error {
	t.Tally.Add(err)
	switch {
	case err == nil:
		t.inRow = 0
	case errors.Is(err, errPassed):
	case Skipped(err):
		t.skipped(err)
	default:
		return t.fail(err)
	}
	return nil
}

// Warn tells, as of an item that was skipped, why something was left alone that is no
// item.
func (t *Trouble) Warn(why error) { t.skipped(why) }

func (t *Trouble) fail(err error) error {
	if t.first == nil {
		t.first = err
	}
	if !Stops(err) || !slices.ContainsFunc(t.told, func(told error) bool { return alike(told, err) }) {
		t.failed(err)
	}
	if t.told = append(t.told, err); len(t.told) > remembered {
		t.told = t.told[1:] // one that ends a batch is among the last
	}
	if !errors.Is(err, problem.ErrUnavailable) && !errors.Is(err, problem.ErrAuth) {
		return nil
	}
	if t.inRow++; t.inRow == tooMany {
		return fmt.Errorf("%d failures in a row, the rest was left: %w", tooMany, err)
	}
	return nil
}

// alike tells whether two errors that end a batch have the same cause, such as a
// full disk, whatever they happened to.
func alike(a, b error) bool {
	return Stops(a) && errors.Is(problem.KindOf(a), problem.KindOf(b)) && cause(a) == cause(b)
}

// cause is what the system says of a file; 0: nothing.
func cause(err error) (number syscall.Errno) {
	errors.As(err, &number)
	return number
}

// End is the error that ended the batch; when an item failed with it, it is
// [problem.ErrTold].
func (t *Trouble) End(err error) error {
	if slices.ContainsFunc(t.told, func(told error) bool { return errors.Is(told, err) }) {
		return problem.Of(problem.ErrTold, err)
	}
	return err
}

// Err is what the batch comes to, its failures having been told: the first of
// them, as [problem.ErrTold], when all of it failed, else [ErrPartial].
func (t *Trouble) Err() error {
	n := t.Tally
	if n.Failed == 0 {
		return nil
	}
	if n.Done == 0 && n.Skipped == 0 {
		return problem.Of(problem.ErrTold, t.first)
	}
	return fmt.Errorf("%w: %d of %d", ErrPartial, n.Failed, n.Seen())
}

// Sift yields what succeeded and takes in the rest as trouble. It ends with an
// error when there is no use in going on, or with that of the results.
func Sift[T, R any](t *Trouble, results iter.Seq2[Result[T, R], error]) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		var none R
		for r, err := range results {
			if err == nil {
				err = t.Add(r.Err)
			} else {
				err = t.End(err)
			}
			if err != nil {
				yield(none, err)
				return
			}
			if r.Err == nil && !yield(r.Value, nil) {
				return
			}
		}
	}
}

// Lasting marks, by [Stop], the errors that every other call would meet as well:
// credentials that are refused, and what the other side cannot do.
func Lasting(err error) error {
	if errors.Is(err, problem.ErrAuth) || errors.Is(err, problem.ErrUnsupported) {
		return Stop(err)
	}
	return err
}

// Local marks, by [Stop], the errors of this machine's files, such as a full disk
// or a folder that may not be written: what comes next would fail alike.
func Local(err error) error {
	var file *fs.PathError
	var link *os.LinkError
	if errors.As(err, &file) || errors.As(err, &link) {
		return Stop(err)
	}
	return err
}
