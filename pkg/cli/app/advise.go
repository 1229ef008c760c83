package app

import (
	"slices"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
)

// advise is advice as it is said to this command line: a command that it names is given
// what this one was given, so that it is about the same account, and finds the same archive
// and state. What is from the environment or a profile is there still when it is run.
func (a *App) advise(advice problem.Advice) string {
	a.advising.Lock() // commands are made as they are named, and jobs say something side by side
	defer a.advising.Unlock()
	return text.Lines(advice.In(problem.Shell{Account: a.typed("profile", "api-url"), Places: a.places}))
}

// adviseAll is what is printed, of which the parts of advice are said as [App.advise] does.
func (a *App) adviseAll(args []any) []any {
	said := slices.Clone(args)
	for i, arg := range said {
		if part, is := arg.(problem.Part); is {
			said[i] = a.advise(problem.Say("%s", part))
		}
	}
	return said
}

// Settled is advice in the words for this command line, for what is printed as data.
func (a *App) Settled(advice problem.Advice) problem.Advice { return problem.Say(a.advise(advice)) }

// places are the flags of this command line that c takes as well, of those that say where
// something is kept. State and database are two answers to one question.
func (a *App) places(c problem.Invocation) (given []problem.Word) {
	for _, names := range [][]string{{"database", "state"}, {"archive"}} {
		if !c.Sets(names...) {
			given = append(given, a.typed(names...)...)
		}
	}
	if len(given) == 0 {
		return nil
	}
	a.Named(a.cmd.Root(), c.Path)
	named, _, err := a.cmd.Root().Find(c.Path)
	return slices.DeleteFunc(given, func(w problem.Word) bool { return err != nil || named.Flag(w.Flag) == nil })
}

// typed are those of the flags that are on this command line.
func (a *App) typed(names ...string) (words []problem.Word) {
	if a.cmd == nil {
		return nil
	}
	for _, name := range names {
		if f := a.cmd.Flag(name); f != nil && f.Changed {
			words = append(words, problem.Word{Flag: name, Value: f.Value.String()})
		}
	}
	return words
}
