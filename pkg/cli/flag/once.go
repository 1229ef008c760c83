package flag

import (
	"github.com/spf13/pflag"

	"github.com/faxctl/faxctl/pkg/base/problem"
)

// Once has each flag that takes one value refuse a second one that differs. The last one
// wins elsewhere, which suits aliases; where something is destroyed, who names two archives
// or two ages must not find out afterwards which of them counted.
func Once(flags *pflag.FlagSet) {
	flags.VisitAll(func(f *pflag.Flag) {
		if _, many := f.Value.(pflag.SliceValue); !many {
			f.Value = &once{Value: f.Value}
		}
	})
}

// once is a value that is given once.
type once struct {
	pflag.Value

	given bool
	text  string
}

// Set implements pflag.Value.
func (o *once) Set(text string) error {
	if o.given && text != o.text {
		return problem.Invalid(problem.Say("give one of them"), "second value %q: it is %q already", text, o.text)
	}
	o.given, o.text = true, text
	return o.Value.Set(text)
}
