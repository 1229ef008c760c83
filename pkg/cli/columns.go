package cli

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/screen/output"
)

// Pieces that the descriptions of several types share.

// accent marks what a row is about.
func accent[T any](T) output.Style { return output.Accent }

// wide puts a column into the wide table only.
func wide[T any](c output.Column[T]) output.Column[T] {
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

// yesColumn shows an answer: yes or no to a person, true or false to a machine.
func yesColumn[T any](name string, get func(T) bool) output.Column[T] {
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

// timeColumn shows how long ago to a person, RFC 3339 to a machine.
func timeColumn[T any](name string, get func(T) time.Time) output.Column[T] {
	return output.Column[T]{
		Name:  name,
		Value: func(v T) string { return output.Time(get(v)) },
		Show:  func(v T, h output.Human) string { return h.Ago(get(v)) },
		Whole: true,
	}
}

// completeColumns offers the columns that are not named yet, with the + or -
// that was typed.
func (a *app) completeColumns(cmd *cobra.Command, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	const directive = cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	done, last := typed[:strings.LastIndex(typed, ",")+1], typed[strings.LastIndex(typed, ",")+1:]
	sign := last[:len(last)-len(strings.TrimLeft(last, "+-"))]
	var out []cobra.Completion
	for _, name := range a.columnsOf(cmd) {
		if !slices.Contains(strings.Split(done, ","), sign+name) {
			out = append(out, done+sign+name)
		}
	}
	return out, directive
}

// columnsOf are the columns that a command can print.
func (a *app) columnsOf(cmd *cobra.Command) []string {
	var all []string
	for _, f := range a.forms[cmd] {
		for _, name := range f.columns() {
			if !slices.Contains(all, name) {
				all = append(all, name)
			}
		}
	}
	return all
}
