package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/faxctl/faxctl/pkg/cli/app"
)

// usage prints what follows the text of a page of help. The flags that every
// command has are named and not explained again, so that a page fits the
// window.
func usage(cmd *cobra.Command) error {
	var b strings.Builder
	section := func(title, text string) {
		if text = strings.TrimRight(text, " \n"); text != "" {
			fmt.Fprintf(&b, "\n%s:\n%s\n", title, text)
		}
	}
	calls := "  " + cmd.UseLine() + "\n"
	if cmd.HasAvailableSubCommands() && !strings.HasSuffix(cmd.UseLine(), app.CommandArg) {
		calls += "  " + cmd.CommandPath() + app.CommandArg + "\n"
	}
	b.WriteString("Usage:\n" + calls)
	if len(cmd.Aliases) > 0 {
		section("Aliases", "  "+strings.Join(cmd.Aliases, ", "))
	}
	section("Examples", cmd.Example)
	for _, g := range cmd.Groups() {
		section(strings.TrimSuffix(g.Title, ":"), children(cmd, g.ID))
	}
	if len(cmd.Groups()) == 0 {
		section("Commands", children(cmd, ""))
	} else {
		section("More", children(cmd, ""))
	}
	var topics strings.Builder
	for _, c := range cmd.Commands() {
		if c.IsAdditionalHelpTopicCommand() {
			fmt.Fprintf(&topics, "  faxctl help %-11s  %s\n", c.Name(), c.Short)
		}
	}
	section("Topics", topics.String())
	section("Flags", cmd.LocalFlags().FlagUsagesWrapped(app.HelpWidth))
	section("Global flags, explained by faxctl --help", names(cmd.InheritedFlags()))
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "\n%s%s --help tells more about a command.\n", cmd.CommandPath(), app.CommandArg)
	}
	_, err := fmt.Fprint(cmd.OutOrStderr(), b.String())
	return err
}

// children are the commands below cmd that belong to a group, each with its
// line.
func children(cmd *cobra.Command, group string) string {
	var b strings.Builder
	for _, c := range cmd.Commands() {
		if c.GroupID == group && (c.IsAvailableCommand() || c.Name() == "help") {
			fmt.Fprintf(&b, "  %-*s %s\n", c.NamePadding(), c.Name(), c.Short)
		}
	}
	return b.String()
}

// names are flags without what they do, in lines.
func names(flags *pflag.FlagSet) string {
	var b strings.Builder
	column := app.HelpWidth
	flags.VisitAll(func(f *pflag.Flag) {
		name := "--" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + "/" + name
		}
		if column+1+len(name) > app.HelpWidth {
			b.WriteString("\n ")
			column = 1
		}
		b.WriteString(" " + name)
		column += 1 + len(name)
	})
	return strings.TrimPrefix(b.String(), "\n")
}
