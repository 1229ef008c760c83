package flag

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
)

// Explain makes the mistakes of a command line ours: each is problem.ErrInvalid, names
// its flag, and suggests the one that was meant.
func Explain(cmd *cobra.Command, err error) error {
	if errors.Is(err, pflag.ErrHelp) {
		return err
	}
	advice := problem.Say(cmd.CommandPath() + " --help lists the flags")
	var missing *pflag.NotExistError
	var value *pflag.InvalidValueError
	switch {
	case errors.As(err, &missing):
		if name, _, _ := strings.Cut(missing.GetSpecifiedShortnames(), "="); cmd.Flags().Lookup(name) != nil {
			advice = problem.Say("did you mean --" + name + "?")
		} else if near := nearest(cmd, missing.GetSpecifiedName()); near != "" {
			advice = problem.Say("did you mean --" + near + "?")
		}
	case errors.As(err, &value):
		return invalid(value.GetFlag(), value.GetValue(), value.Unwrap())
	}
	return problem.With(problem.Of(problem.ErrInvalid, err), advice)
}

// invalid is what is wrong with the value of a flag, by the name of where it is from.
func invalid(f *pflag.Flag, given string, cause error) error {
	var out *rangeError
	switch {
	case errors.As(cause, &out):
		return fmt.Errorf("%s %s: %w", Name(f), given, cause)
	case problem.KindOf(cause) != nil:
		return problem.Of(problem.ErrInvalid, fmt.Errorf("%s: %w", Name(f), cause))
	}
	what, example := kindOfValue(f.Value.Type())
	return problem.With(problem.Of(problem.ErrInvalid, fmt.Errorf("%s: invalid %s %q", Name(f), what, given)), problem.Say("write it like "+example))
}

// kindOfValue says in words what a flag of a type takes.
func kindOfValue(kind string) (what, example string) {
	switch kind {
	case "int":
		return "number", "20"
	case "float64":
		return "number", "0.5"
	case "duration":
		return "duration", "30s, 5m or 1h"
	case "bool":
		return "answer", "true or false"
	}
	return "value", "the help of the command shows"
}

func nearest(cmd *cobra.Command, name string) string {
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if _, does := f.Annotations[destroys]; !does || text.OneAway(name, f.Name) { // as with commands
			names = append(names, f.Name)
		}
	})
	return text.Nearest(name, names)
}

// destroys is the annotation of a flag that permits what does not come back.
const destroys = "faxctl_destroys"

// Destroys marks a flag that permits what does not come back: it is suggested only to
// those who missed it by one letter.
func Destroys(flags *pflag.FlagSet, name string) error {
	if err := flags.SetAnnotation(name, destroys, []string{"for good"}); err != nil {
		return fmt.Errorf("flag: %w", err)
	}
	return nil
}
