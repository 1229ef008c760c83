package numbers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/cli/flag"
	"github.com/faxctl/faxctl/pkg/cli/show"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/numbers/plan"
	"github.com/faxctl/faxctl/pkg/screen/output"
)

func buyCommand(a *app.App) *cobra.Command {
	var (
		search searchFlags
		buying purchaseFlags
		first  bool
	)
	cmd := &cobra.Command{
		Use:   "buy {+E164 | --first [search flags] | --area-code N}",
		Short: "Buy a number, and make it a fax number",
		Long: `Buy a number, and make it a fax number.

The number and its price are shown, and bought when you say yes. With
--fax-url it is then set to mode fax in a second call, since providers do not
keep the mode given on purchase, and read back.

Which number: one you name; with --first the first that the search flags find;
or with --area-code alone, whichever the provider picks there. One that you name
and that is not for sale is not asked about; the exit status is then 5.

A purchase is sent once. When it is not known what became of it, the account
is looked at before anything is reported, after a ^C as well: only a second one
ends that. Running the command again for a number you own already buys nothing
and continues with the set-up. One that --first found and that somebody else
bought meanwhile is not taken for yours.

With --first, numbers that cost more than --max-price or need an address that
was not given are left out. When the provider refuses one as sold, and the
account does not show it, the next is tried, five at most; never when it is
not known what became of an order.

With --name, none is bought when another number of the account has that name, or
was ordered for it in the last 15 minutes and does not show yet: a step that is
retried does not buy one more. Each purchase is noted in the state folder, so
that this holds for names that come back otherwise and for lists that are late.
Of two numbers that two machines bought for one name, the later is one too many;
its run names the command that releases it. While it is not known what became of
an order without a name, or its run was killed before it told of the number, no
other is made for 15 minutes. With --first and --area-code, one run at a time
buys for an account on this machine. A number that the account's list does not
show yet is bought all the same. Each of these ends with exit status 6.

With --database, notes and the turn to buy are in that database, and all of this
holds for every machine that names it: the same purchase in several places buys
once. Without the database nothing is bought (7).`,
		Example: `  faxctl numbers buy +14155550123 --fax-url https://fax.example.com/in
  faxctl numbers buy --first --fax --area-code 415 --max-price 2.00 \
    --fax-url https://fax.example.com/in --name 'front desk' --yes
  faxctl numbers buy --first --fax --country CA --dry-run`,
		ValidArgsFunction: cobra.NoFileCompletions,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return problem.With(app.Misuse("one number at a time, not %d", len(args)), problem.Say("buy each with a command of its own"))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := buying.purchase(cmd)
			if err != nil {
				return err
			}
			numbers, err := a.Numbers(cmd.Context())
			if err != nil {
				return err
			}
			if err := choosePhone(a, cmd, args, first, &search, numbers, &p); err != nil {
				return err
			}
			if first {
				return buyFirst(a, cmd, &search, numbers, p, &buying)
			}
			return buy(a, cmd, numbers, p, &buying)
		},
	}
	search.Bind(a, cmd)
	buying.Bind(a, cmd)
	buying.prints(a, cmd, func() bool { return true })
	cmd.Flags().BoolVar(&first, "first", false, "buy the first number that the search flags find")
	return cmd
}

// purchaseFlags say how a number is bought and what it is made to be. Buying a
// number and choosing one among those found share them.
type purchaseFlags struct {
	routing
	addressID, bundleID string
	maxPrice            *fax.Money
	allowUnsureFax      bool
	dryRun              bool

	bought app.Printing[plan.Result]
	would  app.Printing[plan.Step]
}

// prints declares what is printed of a purchase, for a command that makes one when
// the flags say so.
func (b *purchaseFlags) prints(a *app.App, cmd *cobra.Command, when func() bool) {
	b.bought.Bind(a, cmd, resultType, func() bool { return when() && !b.dryRun })
	b.would.Bind(a, cmd, stepType, func() bool { return when() && b.dryRun })
}

func (b *purchaseFlags) Bind(a *app.App, cmd *cobra.Command) {
	b.routing.Bind(a, cmd)
	f := cmd.Flags()
	f.StringVar(&b.addressID, "address-sid", "", "`id` of an address, for countries that want one")
	f.StringVar(&b.bundleID, "bundle-sid", "", "`id` of a regulatory bundle, for countries that want one")
	f.Var(flag.Of(&b.maxPrice, money), "max-price", "refuse a number that costs more a month than this `amount`")
	f.BoolVar(&b.allowUnsureFax, "allow-unsure-fax", false, "with --yes: buy a fax number also when the provider does not say that it does fax")
	f.BoolVar(&b.dryRun, "dry-run", false, "show what would be bought and set, and do nothing")
	a.BindDatabase(cmd)
	bindConfirm(a, cmd)
	a.CompleteNothing(cmd, "address-sid", "bundle-sid", "max-price")
}

// purchase is what the flags come to; which number is not among it.
func (b *purchaseFlags) purchase(cmd *cobra.Command) (plan.Purchase, error) {
	p := plan.Purchase{Order: fax.Order{Name: b.name, AddressID: b.addressID, BundleID: b.bundleID}, MaxPrice: b.maxPrice, AllowUnsureFax: b.allowUnsureFax}
	var err error
	p.Want, err = b.want(cmd)
	return p, err
}

func money(text string) (*fax.Money, error) {
	m, err := fax.ParseMoney(text)
	return &m, err
}

// choosePhone decides which number is meant and what is known of it.
func choosePhone(a *app.App, cmd *cobra.Command, args []string, first bool, s *searchFlags, numbers fax.Numbers, p *plan.Purchase) error {
	switch {
	case len(args) == 1 && (first || app.Given(cmd, app.FlagNames[searchFlags](a)) != ""):
		return problem.With(app.Misuse("a number, and flags to search for one"), problem.Say("name the number, or search with %s", problem.Field("first")))
	case len(args) == 1:
		phone, err := fax.ParsePhone(args[0])
		if likely, no := fax.ReadPhone(args[0], a.Reading().Country); err != nil && no == nil {
			return problem.With(err, problem.Say("did you mean %s?", problem.Text(likely)))
		}
		if err != nil {
			return err
		}
		p.Order.Phone = phone
		return p.LookUp(cmd.Context(), numbers)
	case !first && onlyAreaCode(a, cmd, s):
		p.Order.AreaCode, p.Order.Country = s.AreaCodes[0], s.Country
		return nil
	case !first && app.Given(cmd, app.FlagNames[searchFlags](a)) != "":
		return problem.With(app.Misuse("which of the numbers that the search flags find?"), problem.Say("add %s to buy the first", problem.Field("first")))
	case !first:
		return problem.With(app.Misuse("the number to buy is needed"), problem.Say("name it, or take the first that a search finds: %s", problem.Command("numbers", "buy").Switch("first").Switch("fax").Set("area-code", "415")))
	}
	return nil
}

// onlyAreaCode reports whether --area-code alone says which number is wanted:
// the one purchase where the provider picks.
func onlyAreaCode(a *app.App, cmd *cobra.Command, s *searchFlags) bool {
	others := slices.DeleteFunc(app.FlagNames[searchFlags](a), func(f string) bool { return f == "area-code" || f == "country" })
	return len(s.AreaCodes) == 1 && app.Given(cmd, others) == ""
}

// buy shows, asks, buys and prints.
func buy(a *app.App, cmd *cobra.Command, numbers fax.Numbers, p plan.Purchase, how *purchaseFlags) error {
	ctx := cmd.Context()
	care, err := care(ctx, a)
	if err != nil {
		return err
	}
	deal, err := plan.Prepare(ctx, numbers, p, care)
	if err != nil {
		return err
	}
	if err := deal.Check(ctx); err != nil {
		return err
	}
	if err := showDeal(a, deal, p, how.dryRun); err != nil {
		return err
	}
	if how.dryRun {
		return printDryRun(ctx, &how.would, []plan.Step{deal.Step}, true)
	}
	question := "Buy it?"
	if deal.Owned {
		question = "Change it?"
	}
	if deal.Step.Pending() {
		if err := a.Confirm(ctx, question); err != nil {
			return err
		}
	}
	still := context.AfterFunc(ctx, func() { a.Say("Finding out what became of it; ^C again ends at once.") })
	defer still()
	res, err := deal.Run(ctx)
	if res.Number.ID != "" { // money was spent: that is told also after an interrupt
		err = errors.Join(err, app.Unprinted(how.bought.Single(context.WithoutCancel(ctx), res), outcomes(res)))
		if untold := deal.Told(ctx, res); untold != nil {
			a.Say("That this was told of %s could not be noted: %v", res.Number.Phone, untold)
		}
	}
	return err
}

// showDeal says what is about to be bought, for how much, and what it will be. A
// real purchase is refused when nobody is there to read a warning.
func showDeal(a *app.App, d plan.Deal, p plan.Purchase, dryRun bool) error {
	s := d.Step
	switch {
	case d.Owned:
		a.Say("%s is yours already; nothing is bought.", s.Phone)
	case p.Order.AreaCode != "":
		s.Phone = fmt.Sprintf("a number in area code %s (%s), whichever the provider picks", p.Order.AreaCode, p.Order.Country)
	}
	showStep(a, s)
	if !d.Owned && p.Want.FaxURL == nil {
		a.Say("    It will be a voice number; --fax-url makes it a fax number.")
	}
	warnAll(a, s.Warnings)
	switch {
	case d.Owned:
	case dryRun:
		a.Say("Dry run: nothing is bought.")
	case a.Flags.Yes:
		return d.Step.SureOfFax()
	}
	return nil
}

// outcomes says in words what became of numbers.
func outcomes(all ...plan.Result) string {
	words := make([]string, len(all))
	for i, r := range all {
		words[i] = r.Number.Phone + ": " + string(r.Outcome)
	}
	return strings.Join(words, ", ")
}

func outcomeStyle(r plan.Result) output.Style {
	switch r.Outcome {
	case plan.OutcomeBought, plan.OutcomeChanged:
		return output.Good
	case plan.OutcomeUnfinished, plan.OutcomeUnconfirmed:
		return output.Bad
	case plan.OutcomeUnchanged, plan.OutcomeReleased, plan.OutcomeGone:
	}
	return output.Dim
}

// resultType shows what became of a number.
func resultType() output.Type[plan.Result] {
	return output.Type[plan.Result]{
		ID: func(r plan.Result) string { return r.Number.ID },
		Columns: []output.Column[plan.Result]{
			{Name: "phone", Value: func(r plan.Result) string { return r.Number.Phone }, Whole: true, Style: show.Accent[plan.Result]},
			{Name: "name", Value: func(r plan.Result) string { return r.Number.Name }, Least: show.LeastName},
			{Name: "outcome", Value: func(r plan.Result) string { return string(r.Outcome) }, Style: outcomeStyle},
			{Name: "mode", Value: func(r plan.Result) string { return string(r.Number.Mode) }, Style: func(r plan.Result) output.Style { return show.ModeStyle(r.Number) }},
			{Name: "fax_url", Value: func(r plan.Result) string { return r.Number.FaxURL }, Least: show.LeastURL},
			{Name: "price", Value: func(r plan.Result) string { return show.Amount(r.Price) }, Show: func(r plan.Result, _ output.Human) string { return show.Money(r.Price) }, Right: true},
			{Name: "id", Value: func(r plan.Result) string { return r.Number.ID }, Whole: true},
		},
	}
}
