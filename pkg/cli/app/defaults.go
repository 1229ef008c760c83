package app

import (
	"errors"
	"os"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
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
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		whole := with(args)
		err := run(cmd, whole)
		if len(whole) > len(args) && len(args) > 0 {
			return notTheArchive(cmd, whole[0], args[0], err)
		}
		return err
	}
}

// notTheArchive is err with the advice for a person who named the archive alone, which was
// taken for what is in the one that need not be named.
func notTheArchive(cmd *cobra.Command, dir, word string, err error) error {
	info, failed := os.Stat(word)
	if failed != nil || !info.IsDir() || !errors.Is(err, problem.ErrNotFound) && !errors.Is(err, problem.ErrInvalid) {
		return err
	}
	path := strings.Fields(cmd.CommandPath())[1:]
	return problem.With(err, problem.Say("%s is a folder, and was taken for an id in the archive %s, which is named already; as in: %s",
		problem.Text(text.Line(word)), problem.Text(text.Line(dir)), problem.Command(path...).Arg(word).Arg("ID")))
}

// TakesArchive is the variable that stands for the first argument of cmd; "": none does.
func TakesArchive(cmd *cobra.Command) string { return cmd.Annotations[archiveArgument] }
