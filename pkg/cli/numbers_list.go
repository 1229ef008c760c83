package cli

import (
	"context"
	"iter"
	"strings"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/base/batch"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

func (a *app) numbersList() *cobra.Command {
	var (
		l        limits
		onlyFax  bool
		mode     string
		name     string
		contains string
		out      printing[fax.Number]
	)
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List the numbers you own",
		Example: `  faxctl numbers list --mode fax
  faxctl numbers list --contains '+1415*' -o csv=phone,name,fax_url
  faxctl numbers list --mode fax -o id | faxctl numbers check -`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			modes := []fax.Mode{fax.ModeFax, fax.ModeVoice, fax.ModeUnknown}
			if mode != "" {
				m, err := oneOf("mode", mode, modes)
				if err != nil {
					return err
				}
				modes = []fax.Mode{m}
			}
			if strings.Trim(contains, "+0123456789*") != "" || strings.LastIndex(contains, "+") > 0 {
				return problem.With(usageError("--contains: %q is no pattern", contains), problem.Say("digits, and * for any one: %s", problem.Field("contains", "+1415*")))
			}
			most, err := l.most(a, cmd)
			if err != nil {
				return err
			}
			numbers, err := a.numbers(cmd.Context())
			if err != nil {
				return err
			}
			query := fax.NumberFilter{Name: name, Contains: contains, WithMode: mode != "" || a.format.String() != "id"}
			if most > 0 && mode == "" && !onlyFax {
				query.Most = most + 1 // to know whether there are more
			}
			all := numbers.List(cmd.Context(), query)
			selected := filter(all, func(n fax.Number) bool {
				return (mode == "" || n.Mode == modes[0]) && (!onlyFax || n.Capabilities.Fax != fax.No)
			})
			shown, err := out.most(cmd.Context(), selected, most)
			switch {
			case err != nil || shown > 0:
			case given(cmd, []string{"fax", "mode", "name", "contains"}) != "":
				a.say("no number matches")
			default:
				a.say("no number; find one with faxctl numbers search --fax")
			}
			return err
		},
	}
	f := cmd.Flags()
	f.BoolVar(&onlyFax, "fax", false, "only numbers that can receive faxes, or do not say")
	f.StringVar(&mode, "mode", "", "only numbers in this receive `mode`: fax, voice or unknown")
	f.StringVar(&name, "name", "", "only the number of exactly this friendly `name`")
	f.StringVar(&contains, "contains", "", "only numbers with these `digits`; * is one digit")
	a.completeValues(cmd, "mode", string(fax.ModeFax), string(fax.ModeVoice), string(fax.ModeUnknown))
	a.completeNothing(cmd, "name", "contains")
	l.bind(a, cmd)
	out.bind(a, cmd, numberType, nil)
	return cmd
}

// filter keeps the items that keep accepts, and the error.
func filter[T any](seq iter.Seq2[T, error], keep func(T) bool) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for v, err := range seq {
			if (err != nil || keep(v)) && !yield(v, err) {
				return
			}
		}
	}
}

// resolved are the numbers that refs name, and what keeps each from being found.
// What every other one would meet as well ends it.
func resolved(ctx context.Context, numbers fax.Numbers, refs []string) iter.Seq2[batch.Result[string, fax.Number], error] {
	return func(yield func(batch.Result[string, fax.Number], error) bool) {
		for r := range fax.ResolveAll(ctx, numbers, refs) {
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

func (a *app) numbersGet() *cobra.Command {
	var out printing[fax.Number]
	cmd := &cobra.Command{
		Use:   "get REF...",
		Short: "Show numbers you own, every field",
		Long: `Show numbers you own, every field.

A REF is a phone number, the provider's id, or an exact friendly name; - reads
them from standard input. Those that cannot be found are named, the others
shown.`,
		Example: `  faxctl numbers get +14155550123
  faxctl numbers get 'front desk' -o yaml`,
		Args:              needArgs("a number", "faxctl numbers get +14155550123"),
		ValidArgsFunction: a.completeNumbers,
		RunE: func(cmd *cobra.Command, args []string) error {
			refs, err := a.refs(args)
			if err != nil {
				return err
			}
			numbers, err := a.numbers(cmd.Context())
			if err != nil {
				return err
			}
			if namesOne(args) {
				n, err := fax.Resolve(cmd.Context(), numbers, refs[0])
				if err != nil {
					return err
				}
				return out.one(cmd.Context(), n)
			}
			t := a.trouble()
			found := batch.Sift(t, resolved(cmd.Context(), numbers, refs))
			if err := out.all(cmd.Context(), eachOnce(found)); err != nil {
				return err
			}
			return t.Err()
		},
	}
	out.bind(a, cmd, numberType, nil)
	return cmd
}
