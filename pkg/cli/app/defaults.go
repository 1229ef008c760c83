package app

import (
	"sync"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/profile"
)

// standIns is what stands for flags that are not on the command line: their variables,
// and below these what the profile in force says. The configuration is read when a
// variable says nothing, once. An account that cannot be told has no defaults: commands
// that need none go on without, the others tell why.
func (a *App) standIns() func(variable string) (text, from string) {
	resolved := sync.OnceValue(a.InForce)
	return func(variable string) (text, from string) {
		switch variable {
		case profile.NameVariable, profile.APIURLVariable: // the account's, which knows where they are from
			return "", ""
		}
		if text := a.Getenv(variable); text != "" {
			return text, variable
		}
		return resolved().Default(variable)
	}
}

// archiveArgument is the annotation of commands whose first argument is an archive that
// need not be named.
const archiveArgument = "faxctl_archive"

// ArchiveArgs makes cmd, whose arguments are an archive and what follows it, take the
// archive of a variable or of the profile where none is given: where there are fewer
// arguments than least. It never is for what removes or holds.
func (a *App) ArchiveArgs(cmd *cobra.Command, least int) {
	check, run := cmd.Args, cmd.RunE
	with := func(args []string) []string {
		if dir, _ := a.standIns()(profile.ArchiveVariable); dir != "" && len(args) == least-1 {
			return append([]string{dir}, args...)
		}
		return args
	}
	cmd.Annotations = map[string]string{archiveArgument: profile.ArchiveVariable}
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		err := check(cmd, with(args))
		if err == nil || len(args) != least-1 {
			return err
		}
		if _, unreadable := a.Config(); unreadable != nil { // it may say where the archive is
			return unreadable
		}
		return problem.With(err, problem.AdviceOf(err).Then(problem.Say("or set "+profile.ArchiveVariable)))
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return run(cmd, with(args)) }
}

// TakesArchive is the variable that stands for the first argument of cmd; "": none does.
func TakesArchive(cmd *cobra.Command) string { return cmd.Annotations[archiveArgument] }
