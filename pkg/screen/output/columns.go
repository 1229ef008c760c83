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

// Select applies each of specs, an -o csv=… or a --columns, to the columns
// that are shown by default: "a,b" are these and no others, in this order;
// "+c" adds one and "-d" takes one away. The wide columns belong to the
// default when wide is set. An unknown name is problem.ErrInvalid.
func Select[T any](cols []Column[T], wide bool, specs ...string) ([]Column[T], error) {
	var chosen []Column[T]
	for _, c := range cols {
		if wide || !c.Wide {
			chosen = append(chosen, c)
		}
	}
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
