package plan

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/fax/market"
	"github.com/faxctl/faxctl/pkg/fax/resolve"
)

// Deal is a purchase that was looked at and not made: what a person is shown who
// is then asked. Of a number that the account has already, nothing is bought, and
// it is made what it should be.
type Deal struct {
	Step  Step // what would be done with the number
	Owned bool // the account has it

	numbers  fax.Numbers
	purchase Purchase
	options  Options
}

// Prepare looks whether the account has the number, and finds what would be done.
// fax.ErrConflict: it has, and this is not what the purchase was to buy (see
// [Purchase.Claim]). Else the errors of [Diff] and of the listing.
func Prepare(ctx context.Context, numbers fax.Numbers, p Purchase, o Options) (Deal, error) {
	d := Deal{numbers: numbers, purchase: p, options: o}
	n, err := ownedAlready(ctx, numbers, p.Order.Phone)
	if err != nil {
		return d, err
	}
	if n == nil {
		if err := d.offered(ctx); err != nil {
			return d, err
		}
		d.Step, err = p.Step()
		return d, err
	}
	d.Owned = true
	if err := p.Claim(*n); err != nil {
		return d, &UnfitError{Err: problem.With(fmt.Errorf("%w: %s is yours already, under the name %q", problem.ErrConflict, n.Phone, n.Name), problem.AdviceOf(err))}
	}
	change, err := Diff(*n, p.Want)
	d.Step = ChangeStep(*n, change)
	return d, err
}

// offered refuses a number that is not for sale, before anybody is asked whether to buy
// it. One that this machine ordered may be ours by now, whatever the lists say, and
// [Buy] finds that out. fax.ErrNotFound.
func (d Deal) offered(ctx context.Context) error {
	p := d.purchase
	if p.Order.Phone == "" || p.Offered != fax.No {
		return nil
	}
	notes, err := d.options.Notes.read(ctx)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(notes, func(n note) bool {
		return n.Phone == p.Order.Phone && (n.State == noteOrdering || n.State == noteBought)
	}) {
		return nil
	}
	return problem.With(fmt.Errorf("%s: %w among the numbers for sale, nor in this account", p.Order.Phone, problem.ErrNotFound),
		problem.Say("see what there is: %s", problem.Command("numbers", "search").Set("contains", p.Order.Phone[:min(len(p.Order.Phone), len("+1415"))])))
}

// ownedAlready is the number of that phone if the account has it, else nil.
func ownedAlready(ctx context.Context, numbers fax.Numbers, phone string) (*fax.Number, error) {
	if phone == "" {
		return nil, nil
	}
	n, err := resolve.Number(ctx, numbers, phone, resolve.Reading{})
	switch {
	case errors.Is(err, problem.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return &n, nil
}

// Check finds what would keep the number from being bought: its price, or its name.
// Errors as [Purchase.Check] and [Purchase.NameFree].
func (d Deal) Check(ctx context.Context) error {
	if d.Owned {
		return nil
	}
	if err := d.purchase.Check(ctx, d.numbers); err != nil {
		return err
	}
	return d.purchase.NameFree(ctx, d.numbers, d.options)
}

// Run buys the number, or changes the one that the account has. Where the number
// was picked, by a search or by the provider, no other run that keeps its notes in the
// same place buys for the account meanwhile: two would buy two. Whoever names the number cannot buy it
// twice. Errors as [Buy], and fax.ErrConflict while another run buys.
func (d Deal) Run(ctx context.Context) (Result, error) {
	if picked := d.purchase.Picked || d.purchase.Order.AreaCode != ""; picked && !d.Owned {
		mine, done, err := d.options.Notes.lock(ctx)
		if err != nil {
			return Result{}, err
		}
		d.options.Notes = mine
		defer done()
		if err := d.purchase.NameFree(ctx, d.numbers, d.options); err != nil { // another run may have ended meanwhile
			return Result{}, err
		}
	}
	return Buy(ctx, d.numbers, d.purchase, d.options)
}

// Told notes that whoever asked for the purchase knows what became of it, also when ctx
// has ended. Until then, or for 15 minutes where a run ends before, another without a
// name is in doubt whether it is the same one again, and buys nothing.
func (d Deal) Told(ctx context.Context, res Result) error {
	if !d.purchase.repeats() || res.Number.ID == "" {
		return nil
	}
	return d.options.Notes.told(context.WithoutCancel(ctx), res.Number.ID)
}

// LookUp learns what is known of the number for sale that the purchase names, its
// price among it. What is not for sale, or has no price, stays unknown.
func (p *Purchase) LookUp(ctx context.Context, numbers fax.Numbers) error {
	offer, offered, err := market.Find(ctx, numbers, p.Order.Phone)
	if p.Offered = offered; err != nil || offered != fax.Yes {
		return err
	}
	prices, err := numbers.Prices(ctx, offer.Country)
	if err != nil {
		err = &market.PriceListError{Country: offer.Country, Err: err}
	}
	switch m, known := prices[offer.Type]; {
	case market.NoPriceList(err):
	case err != nil:
		return err
	case known:
		offer.Price = &m
	}
	p.Offer = &offer
	return nil
}

// SureOfFax refuses to buy a number that may not be able to receive faxes, for
// whoever has nobody to read the warning. fax.ErrInvalid, with the ways to permit it.
func (s Step) SureOfFax() error {
	if !s.UnsureFax() {
		return nil
	}
	return problem.With(problem.Of(problem.ErrInvalid, fmt.Errorf("the provider does not say whether %s can receive faxes; nothing was bought", s.Phone)),
		problem.Say("permit it: %s, in a file allow-unsure-fax: true below buy; or look for others: another area code, type or country", problem.Field("allow-unsure-fax")))
}

// Try buys one of the purchases that [First] found: the next one, each time one
// turns out to be [Unfit].
func Try(all []Purchase, o Options, buy func(Purchase) error) (err error) {
	for i, p := range all {
		if i > 0 {
			all[i-1].Instead(p, err, o)
		}
		if err = buy(p); !Unfit(err) {
			break
		}
	}
	return err
}
