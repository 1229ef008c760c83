// Package cli is the command line of faxctl: the tree of its commands, help, and the
// commands that belong to no noun. Flags become requests, sequences become output,
// and errors exit statuses; what a command decides about numbers and faxes lives
// below, in packages of their own.
//
// [Main] is all that anybody outside needs.
package cli

import (
	"errors"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/cli/archive"
	"github.com/faxctl/faxctl/pkg/cli/faxes"
	"github.com/faxctl/faxctl/pkg/cli/flag"
	"github.com/faxctl/faxctl/pkg/cli/numbers"
	"github.com/faxctl/faxctl/pkg/cli/profile"
	"github.com/faxctl/faxctl/pkg/cli/sandbox"
	"github.com/faxctl/faxctl/pkg/cli/serve"
	"github.com/faxctl/faxctl/pkg/cli/webhook"
	"github.com/faxctl/faxctl/pkg/screen/output"
)

// Main runs faxctl for the process it is in, and returns the exit status.
func Main() int {
	a := app.New(os.Stdin, os.Stdout, os.Stderr, os.Getenv)
	return a.Main(root(a))
}

// root is the command tree, as far as it is needed for every command line: see app.Later.
func root(a *app.App) *cobra.Command {
	root := &cobra.Command{
		Use:   "faxctl" + app.CommandArg,
		Short: "Fax numbers and received faxes on Twilio and SignalWire",
		Long: `faxctl works with fax numbers and received faxes on Twilio-shaped providers:
it searches, buys and configures numbers, and lists, fetches, archives and
deletes faxes.

No account yet? The built-in sandbox needs none:

  faxctl --profile sandbox numbers search --fax

Exit statuses, environment variables, the configuration and output formats have
help pages of their own: faxctl help exit-codes, environment, config, output.`,
		Example: `  faxctl --profile sandbox numbers search --fax --area-code 415
  faxctl numbers configure +14155550123 --fax-url https://fax.example.com/in
  faxctl faxes download --since 24h -d inbox`,
		SilenceErrors:     true,
		SilenceUsage:      true,
		Args:              cobra.ArbitraryArgs,
		PersistentPreRunE: a.Prepare,
		RunE:              app.OnlyChildren,
		ValidArgsFunction: cobra.NoFileCompletions,

		DisableFlagsInUseLine: true,
	}
	root.SetIn(a.In)
	root.SetOut(&a.Page)
	root.SetErr(a.Err)
	root.SetFlagErrorFunc(explain)
	root.SetUsageFunc(usage)
	a.Globals(root)
	root.Version = app.ThisBuild().String()
	root.Flags().BoolP("version", "v", false, "print the version")
	root.SetVersionTemplate("{{.Version}}\n")

	root.AddGroup(
		&cobra.Group{ID: "work", Title: "Numbers and faxes:"},
		&cobra.Group{ID: "receive", Title: "Receiving:"},
		&cobra.Group{ID: "account", Title: "Accounts:"},
		&cobra.Group{ID: "try", Title: "Try it out:"},
	)
	root.AddCommand(commands(a)...)
	root.AddCommand(app.Reads(versionCommand(a), app.PrintsOnly("a script", completionCommand(a)))...)
	root.AddCommand(topics()...)
	root.AddCommand(elsewhere()...)
	root.CompletionOptions.DisableDefaultCmd = true
	root.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp)
	root.SetHelpCommand(helpCommand(a))
	app.KnowHelp(root)
	refuseHelpOnTypos(a, root)
	return root
}

// explain is what is wrong with the flags of a command line; a command that does not
// exist has none.
func explain(cmd *cobra.Command, err error) error {
	if words := cmd.Flags().Args(); len(words) > 0 && cmd.HasSubCommands() && !errors.Is(err, pflag.ErrHelp) {
		return app.UnknownCommand(cmd, words[0])
	}
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) && slices.Contains([]string{"archive", "from", "to"}, unknown.GetSpecifiedName()) {
		if where := archiveGoes(cmd, unknown.GetSpecifiedName()); where != "" {
			return problem.With(problem.Of(problem.ErrInvalid, err), problem.Say(where))
		}
	}
	if unknown != nil && slices.ContainsFunc(output.Formats(), func(f output.FormatInfo) bool { return f.Name == unknown.GetSpecifiedName() }) {
		return problem.With(problem.Of(problem.ErrInvalid, err), problem.Say("did you mean -o "+unknown.GetSpecifiedName()+"?"))
	}
	return flag.Explain(cmd, err)
}

// archiveGoes is where a command without a flag of this name takes the archive that would be
// its value; "": it takes none.
func archiveGoes(cmd *cobra.Command, name string) string {
	switch {
	case cmd.Parent() != nil && cmd.Parent().Name() == "archive" && cmd.Name() == "copy":
		return "both archives are arguments here, without a flag: " + cmd.UseLine()
	case cmd.Parent() != nil && cmd.Parent().Name() == "archive":
		return "the archive is an argument here, without a flag: " + cmd.UseLine()
	case name == "archive" && cmd.Name() == "archive" && cmd.Flags().Lookup("to") != nil:
		return "the archive is named by --to here: " + cmd.CommandPath() + " --to ARCHIVE"
	}
	return ""
}

// refuseHelpOnTypos keeps `faxctl faxs --help` from showing the help of faxctl
// as if all were well.
func refuseHelpOnTypos(a *app.App, root *cobra.Command) {
	help := root.HelpFunc()
	root.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		if cmd.Hidden {
			a.Misspelt = cmd.RunE(cmd, args)
			return
		}
		if words := cmd.Flags().Args(); len(words) > 0 && cmd.HasSubCommands() {
			a.Misspelt = app.UnknownCommand(cmd, words[0])
			return
		}
		help(cmd, args)
	})
}

// helpCommand is cobra's, but a page that does not exist is a mistake.
func helpCommand(a *app.App) *cobra.Command {
	return &cobra.Command{
		Use:     "help [command or topic]",
		Short:   "Help about a command or a topic",
		Example: "  faxctl help numbers search\n  faxctl help exit-codes",
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			at, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			var names []cobra.Completion
			for _, c := range at.Commands() {
				if c.IsAvailableCommand() || c.IsAdditionalHelpTopicCommand() {
					names = append(names, cobra.CompletionWithDesc(c.Name(), c.Short))
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			a.Named(cmd.Root(), args)
			at, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				word := strings.Join(args, " ")
				if len(rest) > 0 {
					word = rest[0]
				}
				if at == nil {
					at = cmd.Root()
				}
				if !at.HasSubCommands() {
					return problem.With(app.Misuse("%s has no command %q", at.CommandPath(), word), problem.Say("its own help: %s %s", problem.Text(at.CommandPath()), problem.Field("help")))
				}
				return app.UnknownWord(at, word, true)
			}
			at.InitDefaultHelpFlag()
			return at.Help()
		},
	}
}

// elsewhere are words that people try without the noun that they belong to.
func elsewhere() []*cobra.Command {
	search, list := problem.Command("numbers", "search"), problem.Command("faxes", "list")
	return slices.Concat(
		app.Elsewhere(problem.Say("faxctl sends no faxes; a sandbox can let one arrive: %s", problem.Command("sandbox", "call")), "send"),
		app.Elsewhere(problem.Say("faxes as they come: %s", problem.Command("faxes", "watch")), "watch"),
		app.Elsewhere(problem.Say("documents as files: %s", problem.Command("faxes", "download")), "download"),
		app.Elsewhere(problem.Say("see what is for sale: %s; then: %s", search.Switch("fax"), problem.Command("numbers", "buy").Arg("+E164")), "buy"),
		app.Elsewhere(problem.Say("numbers for sale: %s; faxes: %s", search.Switch("fax"), list), "search", "find"),
		app.Elsewhere(problem.Say("faxes: %s; numbers: %s", list, problem.Command("numbers", "list")), "list", "ls"),
		app.Elsewhere(problem.Say("add an account: %s", problem.Command("profile", "add")), "login"),
		app.Elsewhere(problem.Say("whose account it is: %s; how the server does: %s", problem.Command("whoami"), problem.Command("serve", "status")), "status"))
}

// commands are what people come for.
func commands(a *app.App) []*cobra.Command {
	return slices.Concat(
		app.Reads(numbers.Command(a), faxes.Command(a), archive.Command(a),
			webhook.Command(a), webhook.TwimlCommand(a), serve.HealthcheckCommand(a),
			profile.Command(a), whoamiCommand(a), sandbox.Command(a)),
		app.Changes(serve.Command(a)),
		app.Destroys(apiCommand(a)))
}
