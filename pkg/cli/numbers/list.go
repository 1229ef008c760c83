package numbers

import (
	"context"
	"iter"
	"strings"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/base/batch"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/seq"
	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/cli/flag"
	"github.com/faxctl/faxctl/pkg/cli/show"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/fax/resolve"
)

func listCommand(a *app.App) *cobra.Command {
	var (
		l        app.Limits
		onlyFax  bool
		mode     fax.Mode
		name     string
		contains string
		out      app.Printing[fax.Number]
	)
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List the numbers you own",
		Example: `  faxctl numbers list --mode fax
  faxctl numbers list --contains '+1415*' -o csv=phone,name,fax_url
  faxctl numbers list --mode fax -o id | faxctl numbers check -`,
		Args: app.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if strings.Trim(contains, "+0123456789*") != "" || strings.LastIndex(contains, "+") > 0 {
				return problem.With(app.Misuse("--contains: %q is no pattern", contains), problem.Say("digits, and * for any one: %s", problem.Field("contains", "+1415*")))
			}
			most, err := l.Most(a, cmd)
			if err != nil {
				return err
			}
			numbers, err := a.Numbers(cmd.Context())
			if err != nil {
				return err
			}
			query := fax.NumberFilter{Name: name, Contains: contains, WithMode: mode != "" || a.Format.String() != "id"}
			if most > 0 && mode == "" && !onlyFax {
				query.Most = most + 1 // to know whether there are more
			}
			all := numbers.List(cmd.Context(), query)
			selected := seq.Filter(all, func(n fax.Number) bool {
				return (mode == "" || n.Mode == mode) && (!onlyFax || n.Capabilities.Fax != fax.No)
			})
			shown, err := out.Most(cmd.Context(), selected, most)
			switch {
			case err != nil || shown > 0:
			case app.Given(cmd, []string{"fax", "mode", "name", "contains"}) != "":
				a.Say("no number matches")
			default:
				a.Say("no number; find one with %s", problem.Command("numbers", "search").Switch("fax"))
			}
			return err
		},
	}
	f := cmd.Flags()
	f.BoolVar(&onlyFax, "fax", false, "only numbers that can receive faxes, or do not say")
	f.Var(flag.OneOf(&mode, fax.ModeFax, fax.ModeVoice, fax.ModeUnknown), "mode", "only numbers in this receive `mode`: fax, voice or unknown")
	f.StringVar(&name, "name", "", "only the number of exactly this friendly `name`")
	f.StringVar(&contains, "contains", "", "only numbers with these `digits`; * is one digit")
	a.CompleteValues(cmd, "mode", string(fax.ModeFax), string(fax.ModeVoice), string(fax.ModeUnknown))
	a.CompleteNothing(cmd, "name", "contains")
	l.Bind(a, cmd)
	out.Bind(a, cmd, show.NumberType, nil)
	return cmd
}

// resolved are the numbers that refs name, and what keeps each from being found.
// What every other one would meet as well ends it.
func resolved(ctx context.Context, numbers fax.Numbers, refs []string, how resolve.Reading) iter.Seq2[batch.Result[string, fax.Number], error] {
	return func(yield func(batch.Result[string, fax.Number], error) bool) {
		for r := range resolve.Numbers(ctx, numbers, refs, how) {
			err := batch.Lasting(r.Err)
			if !yield(batch.Result[string, fax.Number]{Item: r.Ref, Value: r.Number, Err: err}, nil) {
				return
			}
			if batch.Stops(err) {
				yield(batch.Result[string, fax.Number]{}, r.Err)
				return
			}
		}
	}
}

func getCommand(a *app.App) *cobra.Command {
	var out app.Printing[fax.Number]
	cmd := &cobra.Command{
		Use:   "get REF...",
		Short: "Show numbers you own, every field",
		Long: `Show numbers you own, every field.

A REF is a phone number, the provider's id, or a friendly name; - reads them
from standard input. Here, where nothing is changed, a phone number may be
written as people do, a name in any case, and an id in any case or by its first
six characters or more; what may mean several numbers is refused. Those that
cannot be found are named, the others shown.`,
		Example: `  faxctl numbers get +14155550123
  faxctl numbers get '(415) 555-0123'
  faxctl numbers get 'front desk' -o yaml`,
		Args:              app.NeedArgs("a number", "faxctl numbers get +14155550123"),
		ValidArgsFunction: a.CompleteNumbers,
		RunE: func(cmd *cobra.Command, args []string) error {
			refs, err := a.Refs(args)
			if err != nil {
				return err
			}
			numbers, err := a.Numbers(cmd.Context())
			if err != nil {
				return err
			}
			if app.NamesOne(args) {
				n, err := resolve.Number(cmd.Context(), numbers, refs[0], a.Reading())
				if err != nil {
					return err
				}
				return out.Single(cmd.Context(), n)
			}
			t := a.Trouble()
			found := batch.Sift(t, resolved(cmd.Context(), numbers, refs, a.Reading()))
			if err := out.All(cmd.Context(), eachOnce(found)); err != nil {
				return err
			}
			return t.Err()
		},
	}
	out.Bind(a, cmd, show.NumberType, nil)
	return cmd
}
