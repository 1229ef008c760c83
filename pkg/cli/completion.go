package cli

import (
	"bytes"
	"context"
	_ "embed"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/fax/listing"
	"github.com/faxctl/faxctl/pkg/profile"
	"github.com/faxctl/faxctl/pkg/screen/output"
)

// completion prints the script that makes a shell complete faxctl's commands.
func (a *app) completion() *cobra.Command {
	return &cobra.Command{
		Use:   "completion {bash|zsh|fish|powershell}",
		Short: "Print the completion script for a shell",
		Long: `Print the completion script for a shell.

Numbers, fax ids and profiles are completed too, from the account in force. The
folder for bash is read by the package bash-completion; where that is not
installed, write source <(faxctl completion bash) into ~/.bashrc.`,
		Example: `  faxctl completion bash > /etc/bash_completion.d/faxctl
  faxctl completion zsh > "${fpath[1]}/_faxctl"
  faxctl completion fish > ~/.config/fish/completions/faxctl.fish
  faxctl completion powershell | Out-String | Invoke-Expression`,
		ValidArgs: []string{"bash", "zsh", "fish", "powershell"},
		Args: func(cmd *cobra.Command, args []string) error {
			const hint = "it takes one of bash, zsh, fish and powershell"
			switch {
			case len(args) != 1:
				return problem.With(usageError("the name of a shell is needed"), problem.Say(hint))
			case !slices.Contains(cmd.ValidArgs, args[0]):
				return problem.With(usageError("unknown shell %q", args[0]), problem.Say(hint))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			root := cmd.Root()
			switch args[0] {
			case "zsh":
				return root.GenZshCompletion(&a.page)
			case "fish":
				return root.GenFishCompletion(&a.page, true)
			case "powershell":
				return root.GenPowerShellCompletionWithDesc(&a.page)
			}
			return a.completionBash(root)
		},
	}
}

//go:embed completion.bash
var bashAlone string

// completionBash prints cobra's script for bash, made to work without the
// package bash-completion as well, which is often not there: on macOS, and in
// images.
func (a *app) completionBash(root *cobra.Command) error {
	var script bytes.Buffer
	if err := root.GenBashCompletionV2(&script, true); err != nil {
		return err
	}
	_, err := strings.NewReplacer(
		`_get_comp_words_by_ref "$@" cur prev words cword`, "__faxctl_words",
		"_filedir", "__faxctl_files",
	).WriteString(&a.page, script.String())
	if err != nil {
		return err
	}
	_, err = io.WriteString(&a.page, bashAlone)
	return err
}

// withoutMarks takes the marks around the names of values out of what is said of
// flags: help makes something of them, a shell shows them as they are.
func withoutMarks(cmd *cobra.Command) {
	plain := func(f *pflag.Flag) { f.Usage = strings.ReplaceAll(f.Usage, "`", "") }
	cmd.PersistentFlags().VisitAll(plain)
	cmd.Flags().VisitAll(plain)
	for _, child := range cmd.Commands() {
		withoutMarks(child)
	}
}

// completeNumbers offers the numbers of the account, and those whose name begins as
// typed by their name.
func (a *app) completeNumbers(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	all := a.live(cmd.Context(), "numbers", func(ctx context.Context, own *app) ([]cobra.Completion, error) {
		numbers, err := own.numbers(ctx)
		if err != nil {
			return nil, err
		}
		var out []cobra.Completion
		for n, err := range numbers.List(ctx, fax.NumberFilter{}) {
			if err != nil {
				return nil, err
			}
			out = append(out, cobra.CompletionWithDesc(n.Phone, text.Line(n.Name)))
		}
		return out, nil
	})
	return append(remaining(all, args, typed), remaining(byName(all, args, typed), args, typed)...), cobra.ShellCompDirectiveNoFileComp
}

// byName are the numbers under their names, the other way around. A name of several
// means none of them, and before anything is typed the numbers are enough.
func byName(numbers []cobra.Completion, args []string, typed string) []cobra.Completion {
	if typed == "" {
		return nil
	}
	phones := map[string][]string{}
	for _, c := range numbers {
		phone, name, _ := strings.Cut(c, "\t")
		phones[name] = append(phones[name], phone)
	}
	var out []cobra.Completion
	for _, name := range sortedKeys(phones) {
		if of := phones[name]; name != "" && len(of) == 1 && !slices.Contains(args, of[0]) {
			out = append(out, cobra.CompletionWithDesc(name, of[0]))
		}
	}
	return out
}

// recentFaxes is how many ids are offered: those that people still have in
// mind.
const recentFaxes = 50

// completeFaxes offers the ids of the newest faxes.
func (a *app) completeFaxes(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	all := a.live(cmd.Context(), "faxes", func(ctx context.Context, own *app) ([]cobra.Completion, error) {
		faxes, err := own.faxes(ctx)
		if err != nil {
			return nil, err
		}
		newest, _, err := listing.First(ctx, faxes, fax.Filter{}, recentFaxes)
		var out []cobra.Completion
		for _, f := range newest {
			out = append(out, cobra.CompletionWithDesc(f.ID, describe(f, time.Now())))
		}
		return out, err
	})
	return remaining(all, args, typed), cobra.ShellCompDirectiveNoFileComp
}

// remaining are the values that begin as typed and are not given yet.
func remaining(all []cobra.Completion, args []string, typed string) []cobra.Completion {
	var out []cobra.Completion
	for _, c := range all {
		value, _, _ := strings.Cut(c, "\t")
		if strings.HasPrefix(value, typed) && !slices.Contains(args, value) {
			out = append(out, c)
		}
	}
	return out
}

// describe is a fax in a few words: "received 2 h ago from +14155550123, 3
// pages".
func describe(f fax.Fax, now time.Time) string {
	words := string(f.Status)
	if when := (output.Human{Now: now}).Ago(f.Created); when != "" {
		words += " " + when
	}
	words += " " + otherEnd(f)
	if f.Pages != nil {
		words += ", " + plural(*f.Pages, "page", "pages")
	}
	return text.Line(words)
}

// completeFolders offers folders for a flag.
func (*app) completeFolders(cmd *cobra.Command, flags ...string) {
	for _, f := range flags {
		must(cmd.RegisterFlagCompletionFunc(f, func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		}))
	}
}

// completeProfiles offers the profiles of the configuration and the built-in
// ones.
func (a *app) completeProfiles(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	out, directive := a.completeOwnProfiles(cmd, args, typed)
	for name, p := range profile.BuiltIns() {
		out = append(out, cobra.CompletionWithDesc(name, "built in, speaks "+string(p.Provider)))
	}
	slices.Sort(out)
	return out, directive
}

// completeOwnProfiles offers the profiles of the configuration.
func (a *app) completeOwnProfiles(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var out []cobra.Completion
	if c, err := a.config(); err == nil { // an error has no place in a prompt
		for _, name := range c.Names() {
			out = append(out, cobra.CompletionWithDesc(name, string(c.Profiles[name].Provider)))
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

// completeOutput offers the formats for -o, and after csv= and its like the
// columns of the command.
func (a *app) completeOutput(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if format, columns, given := strings.Cut(typed, "="); given {
		if !slices.Contains([]string{"table", "wide", "csv", "tsv"}, format) {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		names, directive := a.completeColumns(cmd, args, columns)
		for i := range names {
			names[i] = format + "=" + names[i]
		}
		return names, directive
	}
	var out []cobra.Completion
	for _, f := range output.Formats() {
		out = append(out, cobra.CompletionWithDesc(f.Name, f.Help))
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}
