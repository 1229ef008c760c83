package cli

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
)

// globalFlags are the flags every command has.
type globalFlags struct {
	profile    string
	apiURL     string
	output     string
	columns    []string
	noHeader   bool
	raw        bool
	quiet      bool
	debug      bool
	color      string
	noInput    bool
	yes        bool
	retryFor   time.Duration
	confirmFor time.Duration
	timeout    time.Duration
}

const (
	defaultRetryFor = 2 * time.Minute
	defaultTimeout  = 30 * time.Second
)

// root is the whole command tree.
func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "faxctl" + commandArg,
		Short: "Fax numbers and received faxes on Twilio and SignalWire",
		Long: `faxctl works with fax numbers and received faxes on Twilio-shaped providers:
it searches, buys and configures numbers, and lists, fetches, archives and
deletes faxes.

No account yet? The built-in sandbox needs none:

  faxctl --profile sandbox numbers search --fax

Exit statuses, environment variables and output formats have help pages of
their own: faxctl help exit-codes, environment, output.`,
		Example: `  faxctl --profile sandbox numbers search --fax --area-code 415
  faxctl numbers configure +14155550123 --fax-url https://fax.example.com/in
  faxctl faxes download --since 24h -d inbox`,
		SilenceErrors:     true,
		SilenceUsage:      true,
		Args:              cobra.ArbitraryArgs,
		PersistentPreRunE: a.prepare,
		RunE:              onlyChildren,
		ValidArgsFunction: cobra.NoFileCompletions,

		DisableFlagsInUseLine: true,
	}
	root.SetIn(a.in)
	root.SetOut(&a.page)
	root.SetErr(a.err)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return flagError(cmd, err) })
	root.SetUsageFunc(usage)
	a.globals(root)
	root.Version = thisBuild().String()
	root.Flags().BoolP("version", "v", false, "print the version")
	root.SetVersionTemplate("{{.Version}}\n")

	root.AddGroup(
		&cobra.Group{ID: "work", Title: "Numbers and faxes:"},
		&cobra.Group{ID: "receive", Title: "Receiving:"},
		&cobra.Group{ID: "account", Title: "Accounts:"},
		&cobra.Group{ID: "try", Title: "Try it out:"},
	)
	root.AddCommand(a.commands()...)
	root.AddCommand(a.version(), printsOnly("a script", a.completion()))
	root.AddCommand(topics()...)
	root.CompletionOptions.DisableDefaultCmd = true
	root.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp)
	root.SetHelpCommand(helpCommand())
	knowHelp(root)
	a.refuseHelpOnTypos(root)
	return root
}

func (a *app) globals(root *cobra.Command) {
	f, v := root.PersistentFlags(), &a.flags
	f.StringVarP(&v.profile, "profile", "p", "", "`name` of the profile to use (FAXCTL_PROFILE)")
	f.StringVar(&v.apiURL, "api-url", "", "send every provider call to this `origin` instead (https, or loopback)")
	f.StringVarP(&v.output, "output", "o", "table", "output `format`: table wide json jsonl yaml csv tsv id jq=EXPR template=TEXT")
	f.StringSliceVar(&v.columns, "columns", nil, "`columns` to print: a,b for these, +c to add, -d to leave out")
	f.BoolVar(&v.noHeader, "no-header", false, "leave out the header line")
	f.BoolVar(&v.raw, "raw", false, "with -o json or jsonl: what the provider sent")
	f.BoolVarP(&v.quiet, "quiet", "q", false, "no notes and no progress")
	f.BoolVar(&v.debug, "debug", false, "trace every request on standard error, without secrets")
	f.StringVar(&v.color, "color", "auto", "`when` to use colors: auto always never")
	f.BoolVar(&v.noInput, "no-input", false, "never ask a question (FAXCTL_NO_INPUT)")
	f.BoolVarP(&v.yes, "yes", "y", false, "answer yes to every question")
	f.DurationVar(&v.retryFor, "retry-for", defaultRetryFor, "how long to go on when the provider is unavailable or busy")
	f.DurationVar(&v.timeout, "timeout", defaultTimeout, "how long one request may take")

	a.completeValues(root, "color", "auto", "always", "never")
	must(root.RegisterFlagCompletionFunc("output", a.completeOutput))
	a.completeNothing(root, "api-url", "retry-for", "timeout")
	must(root.RegisterFlagCompletionFunc("profile", a.completeProfiles))
	must(root.RegisterFlagCompletionFunc("columns", a.completeColumns))
}

// group is a command that only holds others. Alone it prints its help; with a
// word that is no command it says so, with the nearest ones.
func group(name, short, example string, children ...*cobra.Command) *cobra.Command {
	g := &cobra.Command{
		Use:     name + commandArg,
		Short:   short,
		Example: example,
		Args:    cobra.ArbitraryArgs,
		RunE:    onlyChildren,

		ValidArgsFunction:     cobra.NoFileCompletions,
		DisableFlagsInUseLine: true,
	}
	g.AddCommand(children...)
	return g
}

// knowHelp makes the help flag known to all that hold commands, so that -h
// before a command is not taken for a flag with a value.
func knowHelp(cmd *cobra.Command) {
	cmd.InitDefaultHelpFlag()
	for _, c := range cmd.Commands() {
		knowHelp(c)
	}
}

// refuseHelpOnTypos keeps `faxctl faxs --help` from showing the help of faxctl
// as if all were well.
func (a *app) refuseHelpOnTypos(root *cobra.Command) {
	help := root.HelpFunc()
	root.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		if words := cmd.Flags().Args(); len(words) > 0 && cmd.HasSubCommands() {
			a.misspelt = unknownCommand(cmd, words[0])
			return
		}
		help(cmd, args)
	})
}

func onlyChildren(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return unknownCommand(cmd, args[0])
	}
	return cmd.Help()
}

// unknownCommand says that word is no command under cmd, and which it might
// have meant.
func unknownCommand(cmd *cobra.Command, word string) error { return unknownWord(cmd, word, false) }

// unknownWord is unknownCommand; with topics a page of help may be meant too.
func unknownWord(cmd *cobra.Command, word string, topics bool) error {
	err := usageError("unknown command %q for %q", word, cmd.CommandPath())
	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() || topics && c.IsAdditionalHelpTopicCommand() {
			names = append(names, c.Name())
		}
	}
	if meant := text.Meant(word, names); meant != "" {
		return problem.With(err, problem.Say(meant))
	}
	return problem.With(err, problem.Say(fmt.Sprintf("%s --help lists the commands", cmd.CommandPath())))
}

// flagError makes pflag's mistakes ours: a status of 2, a suggestion for a
// flag that does not exist.
func flagError(cmd *cobra.Command, err error) error {
	if errors.Is(err, pflag.ErrHelp) {
		return err
	}
	hint := cmd.CommandPath() + " --help lists the flags"
	var missing *pflag.NotExistError
	var value *pflag.InvalidValueError
	switch {
	case errors.As(err, &missing):
		if near := nearestFlag(cmd, missing.GetSpecifiedName()); near != "" {
			hint = "did you mean --" + near + "?"
		}
	case errors.As(err, &value):
		f := value.GetFlag()
		what, example := kindOfValue(f.Value.Type())
		err, hint = fmt.Errorf("--%s: invalid %s %q", f.Name, what, value.GetValue()), "write it like "+example
	}
	return problem.With(problem.Of(problem.ErrInvalid, err), problem.Say(hint))
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
	case "size":
		return "size", "64MiB, 20MB or 500000 (bytes), up to 1GiB"
	case "bool":
		return "answer", "true or false"
	}
	return "value", "the help of the command shows"
}

func nearestFlag(cmd *cobra.Command, name string) string {
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	return text.Nearest(name, names)
}

// helpCommand is cobra's, but a page that does not exist is a mistake.
func helpCommand() *cobra.Command {
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
			at, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				word := strings.Join(args, " ")
				if len(rest) > 0 {
					word = rest[0]
				}
				if at == nil {
					at = cmd.Root()
				}
				return unknownWord(at, word, true)
			}
			at.InitDefaultHelpFlag()
			return at.Help()
		},
	}
}

// must is for registering completion, which fails only for a flag that was
// never declared: a mistake in this package that any test run shows.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// commands are what people come for.
func (a *app) commands() []*cobra.Command {
	return []*cobra.Command{
		a.numbersGroup(), a.faxesGroup(), a.archiveGroup(),
		a.serve(), a.webhookGroup(), a.twimlGroup(),
		a.profileGroup(), a.whoami(), a.api(),
		a.sandboxGroup(),
	}
}
