// Package store is where an archive keeps its files: a seam, behind which there are a
// folder (archive/dir) and a bucket (archive/s3). Both pass archive/storetest.
//
// A store knows names, bytes and conditions; what a sidecar is, and in which order a
// fax is kept and let go, its user knows.
package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"

	"github.com/faxctl/faxctl/pkg/base/problem"
)

// Store keeps files under slash-separated names, such as "2026/11/23/FX….pdf"; a name that
// fs.ValidPath refuses is problem.ErrInvalid. One with a part that begins with a dot is
// hidden from [Store.List]. An error about a name that is
// not there is fs.ErrNotExist; one of a store that cannot be reached now is
// problem.ErrUnavailable, of credentials that are refused problem.ErrAuth. Safe for
// concurrent use.
type Store interface {
	// Put keeps content under a name, whole or not at all, in place of what is there, if
	// the condition holds, and returns the stamp of it. Then it lasts, and so does what
	// was put before it. [ErrChanged]: the condition did not hold, and nothing was
	// changed. After any other error nobody knows whether it was put.
	Put(ctx context.Context, name string, content Content, when Condition) (stamp string, err error)

	// Open opens a file at an offset in bytes, its size at most, and tells what it is as
	// a whole. What is read is of that version, and an error when it ends early.
	Open(ctx context.Context, name string, offset int64) (io.ReadCloser, File, error)

	// Stat tells what a file is.
	Stat(ctx context.Context, name string) (File, error)

	// List yields the files whose names begin with prefix, in no particular order; "" is
	// all of them. Hidden ones are yielded when the prefix itself is hidden.
	List(ctx context.Context, prefix string) iter.Seq2[File, error]

	// Remove removes a file for good, and all of its versions where the store keeps
	// several. One that is not there is removed already. problem.ErrConflict: the store
	// was told to keep it, by a legal hold or for a time.
	Remove(ctx context.Context, name string) error
}

// Content is what is put. It is read more than once, where a connection breaks: a
// bytes.Reader, or an io.SectionReader of a file.
type Content interface {
	io.ReaderAt
	Size() int64 // bytes
}

// File is a kept file.
type File struct {
	Name  string
	Size  int64  // bytes
	Stamp string // differs when the content was replaced

	Written time.Time // by the clock of the store, give or take a second
}

// Hidden reports whether a part of a name, or of a prefix, begins with a dot.
func Hidden(name string) bool { return strings.HasPrefix(name, ".") || strings.Contains(name, "/.") }

// ErrChanged is a condition that did not hold: somebody else has put the file, or removed
// it. It comes together with problem.ErrConflict.
var ErrChanged = errors.New("it was changed meanwhile")

// Changed is [ErrChanged] about a name.
func Changed(name string) error {
	return fmt.Errorf("%s: %w: %w", name, problem.ErrConflict, ErrChanged)
}

// Condition is what must be so of a name when something is put there. The zero value
// always holds.
type Condition struct {
	Absent bool   // nothing is there
	Stamp  string // what is there has this stamp, unless it is empty
}

// Absent holds when nothing is there.
func Absent() Condition { return Condition{Absent: true} }

// Unchanged holds when what is there still has this stamp.
func Unchanged(stamp string) Condition { return Condition{Stamp: stamp} }
