package numbers

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/numbers/plan"
	"github.com/faxctl/faxctl/pkg/screen/output"
)

func exportCommand(a *app.App) *cobra.Command {
	var out app.Printing[plan.Exported]
	cmd := &cobra.Command{
		Use:   "export [REF...]",
		Short: "Write your numbers down as code",
		Long: `Write your numbers down as code: all of them, or those named, as the YAML that
plan and apply read. Compared with the account, such a file changes nothing.

With -o json it is JSON, which plan and apply read as well.`,
		Example: `  faxctl numbers export > numbers.yaml
  faxctl numbers export 'front desk'`,
		ValidArgsFunction: a.CompleteNumbers,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			numbers, err := theirs(ctx, a, args)
			if err != nil {
				return err
			}
			owned, err := fax.Collect(numbers)
			if err != nil {
				return err
			}
			file, warnings := plan.Export(owned)
			warnAll(a, warnings)
			if err := out.Single(ctx, file); err != nil {
				return fmt.Errorf("write the file of numbers: %w", err)
			}
			return nil
		},
	}
	out.Bind(a, cmd, func() output.Type[plan.Exported] { return output.Type[plan.Exported]{Form: "yaml"} }, nil)
	return cmd
}
