package flag

import (
	"strings"

	"github.com/spf13/pflag"

	"github.com/faxctl/faxctl/pkg/base/problem"
)

// What is noted with a flag: the variable that stands for it, and where its value is
// from when that is not the command line.
const (
	variableNote = "faxctl_variable"
	sourceNote   = "faxctl_source"
)

// From lets a variable of the environment stand for a flag that is not on the command
// line; help says so. A variable is set once and forgotten: none may delete, buy, confirm
// or weaken a check.
func From(flags *pflag.FlagSet, name, variable string) {
	f := flags.Lookup(name)
	f.Usage += " (" + variable + ")"
	note(f, variableNote, variable)
}

// Variable is the one that stands for a flag; "": there is none.
func Variable(f *pflag.Flag) string { return noted(f, variableNote) }

// Fill gives the flags that are not on the command line what look says of their
// variables: a text, and what to call the place that it is from. What is wrong with a
// text is told by the name of that place. [pflag.Flag.Changed] stays false: nobody typed
// it.
func Fill(flags *pflag.FlagSet, look func(variable string) (text, from string)) (err error) {
	flags.VisitAll(func(f *pflag.Flag) {
		variable := Variable(f)
		if f.Changed || variable == "" || err != nil {
			return
		}
		text, from := look(variable)
		if text = strings.TrimSpace(text); text == "" {
			return
		}
		note(f, sourceNote, from)
		if f.Value.Type() == "bool" {
			text = answer(text)
		}
		if wrong := f.Value.Set(text); wrong != nil {
			err = invalid(f, text, wrong)
		}
	})
	return err
}

// answer is a word of yes or no as a switch takes it: variables are written in more ways
// than flags.
func answer(text string) string {
	switch strings.ToLower(text) {
	case "yes", "on":
		return "true"
	case "no", "off":
		return "false"
	}
	return text
}

// Name is what a person calls the place that the value of a flag is from: --archive, or
// FAXCTL_ARCHIVE.
func Name(f *pflag.Flag) string {
	if from := noted(f, sourceNote); from != "" {
		return from
	}
	return problem.Field(f.Name).String()
}

// Says reports whether somebody gave the flag a value, on the command line or by a
// variable.
func Says(f *pflag.Flag) bool { return f.Changed || noted(f, sourceNote) != "" }

// Visit visits the flags that say something, be it on the command line or by a variable.
func Visit(flags *pflag.FlagSet, visit func(*pflag.Flag)) {
	flags.VisitAll(func(f *pflag.Flag) {
		if Says(f) {
			visit(f)
		}
	})
}

func note(f *pflag.Flag, key, text string) {
	if f.Annotations == nil {
		f.Annotations = map[string][]string{}
	}
	f.Annotations[key] = []string{text}
}

func noted(f *pflag.Flag, key string) string { return strings.Join(f.Annotations[key], "") }
