package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/output"
)

// columnsOf are the columns a command prints, for completion; nil where they
// depend on what is printed.
func columnsOf(cmd *cobra.Command) []output.Info {
	switch strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()+" ") {
	case "numbers search":
		return output.Describe(offerType().Columns)
	case "numbers list", "numbers get", "numbers configure", "numbers release":
		return output.Describe(numberType().Columns)
	case "numbers buy", "numbers apply":
		return output.Describe(resultType().Columns)
	case "numbers check":
		return output.Describe(findingType().Columns)
	case "numbers plan":
		return output.Describe(stepType().Columns)
	case "faxes list", "faxes watch", "faxes delete":
		return output.Describe(faxType().Columns)
	case "faxes get":
		return output.Describe(recordType().Columns)
	case "faxes expiring":
		return output.Describe(expiringType().Columns)
	case "faxes media list":
		return output.Describe(mediaType().Columns)
	case "profile list", "profile show":
		return output.Describe(profileType().Columns)
	case "version":
		return output.Describe(buildType().Columns)
	}
	return nil
}

// completeColumns offers the columns of the command for --columns: a,b or +c
// or -d.
func completeColumns(cmd *cobra.Command, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	done, word := "", typed
	if i := strings.LastIndex(typed, ","); i >= 0 {
		done, word = typed[:i+1], typed[i+1:]
	}
	sign := ""
	if word != "" && (word[0] == '+' || word[0] == '-') {
		sign = word[:1]
	}
	given := strings.Split(strings.NewReplacer("+", "", "-", "").Replace(done), ",")
	var out []cobra.Completion
	for _, c := range columnsOf(cmd) {
		if !slices.Contains(given, c.Name) {
			out = append(out, done+sign+c.Name)
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

// completeOutput offers the formats for -o, and after csv= and its like the
// columns of the command.
func completeOutput(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if format, columns, given := strings.Cut(typed, "="); given {
		if !slices.Contains([]string{"table", "wide", "csv", "tsv"}, format) {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		names, directive := completeColumns(cmd, args, columns)
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
