package numbers

import (
	"cmp"
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/base/batch"
	"github.com/faxctl/faxctl/pkg/base/seq"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/cli/show"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/numbers/plan"
)

func releaseCommand(a *app.App) *cobra.Command {
	var (
		dryRun bool
		jobs   int
		would  app.Printing[fax.Number]
	)
	cmd := &cobra.Command{
		Use:   "release REF...",
		Short: "Give numbers up",
		Long: `Give numbers up. The provider may sell a released number to somebody else at
once, and faxes sent to it go there.

For one number you type the number, for several how many they are. A script
passes --yes.`,
		Example: `  faxctl numbers release +14155550123
  faxctl numbers release 'old desk' --dry-run
  faxctl numbers release +14155550123 --yes`,
		Args:              app.NeedArgs("a number", "faxctl numbers release +14155550123"),
		ValidArgsFunction: a.CompleteNumbers,
		RunE: func(cmd *cobra.Command, args []string) error {
			numbers, owned, err := ownedNumbers(cmd.Context(), a, args)
			if err != nil {
				return err
			}
			if dryRun {
				a.Say("Dry run: %s would be released.", text.Plural(len(owned), "number", "numbers"))
				return printNumbers(cmd.Context(), &would, owned, app.NamesOne(args))
			}
			care, err := care(cmd.Context(), a)
			if err != nil {
				return err
			}
			return releaseAll(cmd.Context(), a, numbers, owned, jobs, care)
		},
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "show what would be released, and release nothing")
	a.BindDatabase(cmd)
	a.BindJobs(cmd, &jobs, 4, "numbers")
	would.Bind(a, cmd, show.NumberType, func() bool { return dryRun })
	return cmd
}

func releaseAll(ctx context.Context, a *app.App, numbers fax.Numbers, owned []fax.Number, jobs int, care plan.Options) error {
	for _, n := range owned {
		a.Say("  %s  %s  (%s, %s)", n.Phone, n.Name, n.ID, n.Mode)
	}
	if len(owned) == 0 {
		return nil
	}
	question, word := "Release it for good?", owned[0].Phone
	if len(owned) > 1 {
		question, word = fmt.Sprintf("Release these %d numbers for good?", len(owned)), fmt.Sprint(len(owned))
	}
	if err := a.TypeToConfirm(ctx, question, word); err != nil {
		return err
	}
	work := batch.Until(a.Interrupts.Gently(), seq.Of(owned))
	t := a.Trouble()
	end := seq.Each(batch.Sift(t, batch.RunOrdered(ctx, jobs, work, func(ctx context.Context, n fax.Number) (string, error) {
		released, err := care.Release(ctx, numbers, n)
		if !released {
			return n.Phone + " had left the account already: released before, or moved to another account.", batch.Lasting(err)
		}
		return "Released " + n.Phone + ".", nil
	})), func(what string) { a.Say("%s", what) })
	return cmp.Or(end, t.Err())
}
