package output

import (
	"slices"
	"strings"

	"github.com/faxctl/faxctl/pkg/base/problem"
)

func (c Column[T]) title() string {
	if c.Title != "" {
		return c.Title
	}
	return strings.ToUpper(strings.ReplaceAll(c.Name, "_", " "))
}

// usual are the columns that are shown of those there are; wide: all of them.
func usual[T any](cols []Column[T], wide bool) []Column[T] {
	return slices.DeleteFunc(slices.Clone(cols), func(c Column[T]) bool { return c.Wide && !wide })
}

// named are the columns that somebody can ask for.
func (t Type[T]) named() []Column[T] {
	all := slices.Clone(t.Columns)
	for _, c := range t.Drawn {
		if !slices.ContainsFunc(all, func(o Column[T]) bool { return o.Name == c.Name }) {
			all = append(all, c)
		}
	}
	return all
}

// Select applies each of specs, an -o csv=… or a --columns, to the columns
// that are shown by default: "a,b" are these and no others, in this order;
// "+c" adds one and "-d" takes one away. cols are those that can be named. An
// unknown name is problem.ErrInvalid.
func Select[T any](cols, usual []Column[T], specs ...string) ([]Column[T], error) {
	chosen := slices.Clone(usual)
	var names []string
	for _, c := range cols {
		names = append(names, c.Name)
	}
	for _, spec := range specs {
		fresh := true // the first plain name starts over
		for name := range strings.SplitSeq(spec, ",") {
			name = strings.TrimSpace(name)
			if name == "" {
				continue
			}
			bare := strings.TrimLeft(name, "+-")
			i := slices.Index(names, bare)
			if i < 0 {
				return nil, unknown("column", bare, names)
			}
			if name == bare && fresh {
				chosen, fresh = nil, false
			}
			chosen = slices.DeleteFunc(chosen, func(c Column[T]) bool { return c.Name == bare })
			if name[0] != '-' {
				c := cols[i]
				c.asked = true
				chosen = append(chosen, c)
			}
		}
	}
	if len(chosen) == 0 {
		return nil, mistake("no column is left to show", problem.Say("there are "+strings.Join(names, ", ")))
	}
	return chosen, nil
}
