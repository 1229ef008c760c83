package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/output"
	"github.com/faxctl/faxctl/pkg/plan"
)

func (a *app) numbersExport() *cobra.Command {
	return &cobra.Command{
		Use:   "export [REF...]",
		Short: "Write your numbers down as code",
		Long: `Write your numbers down as code: all of them, or those named, as the YAML that
plan and apply read. Compared with the account, such a file changes nothing.

With -o json it is JSON, which plan and apply read as well.`,
		Example: `  faxctl numbers export > numbers.yaml
  faxctl numbers export 'front desk'`,
		ValidArgsFunction: a.completeNumbers,
		RunE: func(cmd *cobra.Command, args []string) error {
			opt := a.outputOptions()
			if !a.flags.outputGiven {
				var err error
				if opt.Format, err = output.Parse("yaml"); err != nil {
					return err
				}
			}
			switch name := opt.Format.String(); name {
			case "yaml", "json", "jsonl", "jq", "template":
			default:
				return fax.WithHint(usageError("-o %s: a file of numbers has no columns", name), "it is written as yaml or json")
			}
			ctx := cmd.Context()
			numbers, err := a.theirs(ctx, args)
			if err != nil {
				return err
			}
			owned, err := fax.Collect(numbers)
			if err != nil {
				return err
			}
			file, warnings := plan.Export(owned)
			a.warnAll(warnings)
			if err := output.One(ctx, a.term.Out, file, output.Type[plan.Exported]{ID: func(plan.Exported) string { return "" }}, opt); err != nil {
				return fmt.Errorf("write the file of numbers: %w", err)
			}
			return nil
		},
	}
}
