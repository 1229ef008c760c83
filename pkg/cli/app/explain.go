package app

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/faxctl/faxctl/pkg/base/problem"
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

// inWords is err in these words when an interrupt is behind it, and says what to do when a
// disk is.
func inWords(err error) error {
	if errors.Is(err, context.Canceled) {
		return &interrupted{err}
	}
	return ofDisk(err)
}

// ofDisk is err with what to do about a disk that is full, or cannot be written. The file
// is named as it was to be, not as it is while it is written.
func ofDisk(err error) error {
	var what problem.Advice
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		what = problem.Say("free room there, and run it again")
	case errors.Is(err, syscall.EROFS):
		what = problem.Say("name a place that can be written, or have the disk mounted so that this one can be")
	default:
		return err
	}
	if problem.AdviceOf(err).Empty() {
		err = problem.With(err, what)
	}
	if file := new(fs.PathError); errors.As(err, &file) {
		dir, name := filepath.Split(file.Path)
		if hidden, part := strings.CutSuffix(name, ".part"); part && strings.HasPrefix(hidden, ".") {
			return &fileError{err, strings.ReplaceAll(err.Error(), file.Path, dir+hidden[1:])}
		}
	}
	return err
}

// fileError is an error in words that name another file.
type fileError struct {
	error
	text string
}

func (e *fileError) Error() string { return e.text }
func (e *fileError) Unwrap() error { return e.error }
