package cli

import (
	"bytes"
	_ "embed"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/cli/app"
)

// completionCommand prints the script that makes a shell complete faxctl's commands.
func completionCommand(a *app.App) *cobra.Command {
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
				return problem.With(app.Misuse("the name of a shell is needed"), problem.Say(hint))
			case !slices.Contains(cmd.ValidArgs, args[0]):
				return problem.With(app.Misuse("unknown shell %q", args[0]), problem.Say(hint))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			root := cmd.Root()
			switch args[0] {
			case "zsh":
				return root.GenZshCompletion(&a.Page)
			case "fish":
				return root.GenFishCompletion(&a.Page, true)
			case "powershell":
				return root.GenPowerShellCompletionWithDesc(&a.Page)
			}
			return completionBash(a, root)
		},
	}
}

//go:embed completion.bash
var bashAlone string

// completionBash prints cobra's script for bash, made to work without the
// package bash-completion as well, which is often not there: on macOS, and in
// images.
func completionBash(a *app.App, root *cobra.Command) error {
	var script bytes.Buffer
	if err := root.GenBashCompletionV2(&script, true); err != nil {
		return err
	}
	_, err := strings.NewReplacer(
		`_get_comp_words_by_ref "$@" cur prev words cword`, "__faxctl_words",
		"_filedir", "__faxctl_files",
	).WriteString(&a.Page, script.String())
	if err != nil {
		return err
	}
	_, err = io.WriteString(&a.Page, bashAlone)
	return err
}
