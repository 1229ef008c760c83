package app

import (
	"context"
	_ "embed"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/fax/listing"
	"github.com/faxctl/faxctl/pkg/profile"
	"github.com/faxctl/faxctl/pkg/screen/output"
)

// completeColumns offers the columns that are not named yet, with the + or -
// that was typed.
func (a *App) completeColumns(cmd *cobra.Command, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	const directive = cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	done, last := typed[:strings.LastIndex(typed, ",")+1], typed[strings.LastIndex(typed, ",")+1:]
	sign := last[:len(last)-len(strings.TrimLeft(last, "+-"))]
	var out []cobra.Completion
	for _, name := range a.ColumnsOf(cmd) {
		if !slices.Contains(strings.Split(done, ","), sign+name) {
			out = append(out, done+sign+name)
		}
	}
	return out, directive
}

// ColumnsOf are the columns that a command can print.
func (a *App) ColumnsOf(cmd *cobra.Command) []string {
	var all []string
	for _, f := range a.forms[cmd] {
		for _, name := range f.columns() {
			if !slices.Contains(all, name) {
				all = append(all, name)
			}
		}
	}
	return all
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

// CompleteNumbers offers the numbers of the account, and those whose name begins as
// typed by their name.
func (a *App) CompleteNumbers(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	all := a.live(cmd.Context(), "numbers", func(ctx context.Context, own *App) ([]cobra.Completion, error) {
		numbers, err := own.Numbers(ctx)
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
	return append(Remaining(all, args, typed), Remaining(byName(all, args, typed), args, typed)...), cobra.ShellCompDirectiveNoFileComp
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
	for _, name := range slices.Sorted(maps.Keys(phones)) {
		if of := phones[name]; name != "" && len(of) == 1 && !slices.Contains(args, of[0]) {
			out = append(out, cobra.CompletionWithDesc(name, of[0]))
		}
	}
	return out
}

// recentFaxes is how many ids are offered: those that people still have in
// mind.
const recentFaxes = 50

// CompleteFaxes offers the ids of the newest faxes.
func (a *App) CompleteFaxes(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	all := a.live(cmd.Context(), "faxes", func(ctx context.Context, own *App) ([]cobra.Completion, error) {
		faxes, err := own.Faxes(ctx)
		if err != nil {
			return nil, err
		}
		newest, _, err := listing.First(ctx, faxes, fax.Filter{}, recentFaxes)
		var out []cobra.Completion
		for _, f := range newest {
			out = append(out, cobra.CompletionWithDesc(f.ID, Describe(f, time.Now())))
		}
		return out, err
	})
	return Remaining(all, args, typed), cobra.ShellCompDirectiveNoFileComp
}

// Remaining are the values that begin as typed and are not given yet.
func Remaining(all []cobra.Completion, args []string, typed string) []cobra.Completion {
	var out []cobra.Completion
	for _, c := range all {
		value, _, _ := strings.Cut(c, "\t")
		if strings.HasPrefix(value, typed) && !slices.Contains(args, value) {
			out = append(out, c)
		}
	}
	return out
}

// Describe is a fax in a few words: "received 2 h ago from +14155550123, 3
// pages".
func Describe(f fax.Fax, now time.Time) string {
	words := string(f.Status)
	if when := (output.Human{Now: now}).Ago(f.Created); when != "" {
		words += " " + when
	}
	words += " " + OtherEnd(f)
	if f.Pages != nil {
		words += ", " + text.Plural(*f.Pages, "page", "pages")
	}
	return text.Line(words)
}

// CompleteFolders offers folders for a flag.
func (*App) CompleteFolders(cmd *cobra.Command, flags ...string) {
	for _, f := range flags {
		Must(cmd.RegisterFlagCompletionFunc(f, func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		}))
	}
}

// CompleteProfiles offers the profiles of the configuration and the built-in
// ones.
func (a *App) CompleteProfiles(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	out, directive := a.CompleteOwnProfiles(cmd, args, typed)
	for name, p := range profile.BuiltIns() {
		out = append(out, cobra.CompletionWithDesc(name, "built in, speaks "+string(p.Provider)))
	}
	slices.Sort(out)
	return out, directive
}

// CompleteOwnProfiles offers the profiles of the configuration.
func (a *App) CompleteOwnProfiles(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var out []cobra.Completion
	if c, err := a.Config(); err == nil { // an error has no place in a prompt
		for _, name := range c.Names() {
			out = append(out, cobra.CompletionWithDesc(name, string(c.Profiles[name].Provider)))
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

// completeOutput offers the formats for -o, and after csv= and its like the
// columns of the command.
func (a *App) completeOutput(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
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

// OtherEnd is whom a fax came from or went to.
func OtherEnd(f fax.Fax) string {
	if f.Direction == fax.Outbound {
		return "to " + text.Line(f.To)
	}
	return "from " + text.Line(f.From)
}
