package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/numbers/plan"
	"github.com/faxctl/faxctl/pkg/screen/output"
)

func (a *app) numbersExport() *cobra.Command {
	var out printing[plan.Exported]
	cmd := &cobra.Command{
		Use:   "export [REF...]",
		Short: "Write your numbers down as code",
		Long: `Write your numbers down as code: all of them, or those named, as the YAML that
plan and apply read. Compared with the account, such a file changes nothing.

With -o json it is JSON, which plan and apply read as well.`,
		Example: `  faxctl numbers export > numbers.yaml
  faxctl numbers export 'front desk'`,
		ValidArgsFunction: a.completeNumbers,
		RunE: func(cmd *cobra.Command, args []string) error {
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
			if err := out.one(ctx, file); err != nil {
				return fmt.Errorf("write the file of numbers: %w", err)
			}
			return nil
		},
	}
	out.bind(a, cmd, func() output.Type[plan.Exported] { return output.Type[plan.Exported]{Form: "yaml"} }, nil)
	return cmd
}
