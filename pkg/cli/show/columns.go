// Package show describes what the commands print: one [output.Type] for each kind of
// data, with its columns, which every format follows.
//
// Use it to add a column, or a type of output.
package show

import (
	"strconv"
	"time"

	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/screen/output"
)

// Pieces that the descriptions of several types share.

// Accent marks what a row is about.
func Accent[T any](T) output.Style { return output.Accent }

// Wide puts a column into the wide table only.
func Wide[T any](c output.Column[T]) output.Column[T] {
	c.Wide = true
	return c
}

// supportColumn shows yes, no or unknown.
func supportColumn[T any](name string, get func(T) fax.Support) output.Column[T] {
	return output.Column[T]{
		Name:  name,
		Value: func(v T) string { return get(v).String() },
		Style: func(v T) output.Style {
			switch get(v) {
			case fax.Yes:
				return output.Good
			case fax.No:
				return output.Dim
			case fax.Unknown:
			}
			return output.Warn
		},
	}
}

// YesColumn shows an answer: yes or no to a person, true or false to a machine.
func YesColumn[T any](name string, get func(T) bool) output.Column[T] {
	return output.Column[T]{
		Name:  name,
		Value: func(v T) string { return strconv.FormatBool(get(v)) },
		Show: func(v T, _ output.Human) string {
			if get(v) {
				return "yes"
			}
			return "no"
		},
	}
}

// TimeColumn shows how long ago to a person, RFC 3339 to a machine.
func TimeColumn[T any](name string, get func(T) time.Time) output.Column[T] {
	return output.Column[T]{
		Name:  name,
		Value: func(v T) string { return output.Time(get(v)) },
		Show:  func(v T, h output.Human) string { return h.Ago(get(v)) },
		Whole: true,
	}
}
