package app

import (
	"context"
	"errors"
	"strings"
)

// Explain is err in words for the person who interrupted the command, when that
// is what happened.
func Explain(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return &interrupted{err}
	}
	return inWords(err)
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
