package cli

import (
	"context"
	"errors"
	"strings"

	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/output"
	"github.com/faxctl/faxctl/pkg/profile"
)

// errReported marks a failure that the command has told of already: only its
// status is left.
var errReported = errors.New("reported")

// explain gives the errors of packages that know no kinds theirs, and a hint
// where the package has one.
func explain(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		err = &interrupted{err}
	} else {
		err = inWords(err)
	}
	var spec *output.SpecError
	var missing *profile.Error
	switch {
	case errors.As(err, &spec):
		return fax.WithHint(&kindError{fax.ErrInvalid, err}, spec.Hint)
	case errors.As(err, &missing):
		return fax.WithHint(&kindError{profileKind(missing), err}, missing.Hint())
	}
	return err
}

// interrupted is whatever broke because of an interrupt, in words for the
// person who did it.
type interrupted struct{ err error }

func (e *interrupted) Error() string {
	return strings.ReplaceAll(e.err.Error(), context.Canceled.Error(), "interrupted")
}
func (e *interrupted) Unwrap() []error { return []error{context.Canceled, e.err} }

// inWords is err in these words when an interrupt is behind it.
func inWords(err error) error {
	if errors.Is(err, context.Canceled) {
		return &interrupted{err}
	}
	return err
}

func profileKind(err error) error {
	for _, k := range []struct{ theirs, ours error }{
		{profile.ErrNone, fax.ErrAuth},
		{profile.ErrSecret, fax.ErrAuth},
		{profile.ErrNotFound, fax.ErrNotFound},
		{profile.ErrConflict, fax.ErrConflict},
	} {
		if errors.Is(err, k.theirs) {
			return k.ours
		}
	}
	return fax.ErrInvalid
}
