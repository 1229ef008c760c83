package plan

import (
	"context"
	"fmt"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/fax/market"
)

// Purchase is a number to buy and what it should be then.
type Purchase struct {
	Order fax.Order
	Want  Want

	// Offer is what the person was shown: its price, capabilities, country
	// and type. Without it they are unknown.
	Offer *fax.Offer
	// Offered says whether the provider's search has the number that a person named;
	// see [market.Find].
	Offered fax.Support
	// Fax says that the number must be able to receive faxes, also when nothing
	// of that is set up yet.
	Fax bool
	// AllowUnsureFax buys also when nobody is there to be warned that the number
	// may not be able to receive faxes. See [Purchase.UnsureFax].
	AllowUnsureFax bool
	// MaxPrice refuses a number that costs more a month, or whose price is
	// not known. nil: any price.
	MaxPrice *fax.Money

	// Picked says that a search chose the phone number and no person named it:
	// any other would have done. See [Purchase.Claim].
	Picked bool
}

// Claim tells whether a number that the account has can be what this purchase
// was to buy. One that a person named always can. One that was picked among
// those for sale was bought by somebody else, unless it has the name that the
// order gives. The error is fax.ErrConflict.
func (p Purchase) Claim(n fax.Number) error {
	if !p.Picked || p.Order.Name != "" && n.Name == p.Order.Name {
		return nil
	}
	return problem.With(fmt.Errorf("%w: %s was for sale and is in the account by now, under the name %q: somebody else bought it", problem.ErrConflict, n.Phone, n.Name),
		problem.Say("look at it: %s; a new search picks another", problem.Command("numbers", "get").Arg(n.Phone)))
}

// repeats reports whether the same order, given again, may buy another number:
// nothing in it tells that it was made.
func (p Purchase) repeats() bool {
	return p.Order.Name == "" && (p.Picked || p.Order.Phone == "")
}

// NameFree makes sure that no other number of the account has the name that the
// order gives, or one that only differs in how it is written, and that none was
// bought for it that does not show yet: a command that is repeated would buy one
// number after another, and the name would mean none of them. Without a name, an
// order for any number of which it is not known what became is as much in the way,
// for 15 minutes. The error is
// fax.ErrConflict, or that of the listing. A run asks again right before [Buy],
// which does not.
func (p Purchase) NameFree(ctx context.Context, numbers fax.Numbers, o Options) error {
	switch {
	case p.repeats():
		return buyer{numbers: numbers, Purchase: p, Options: o}.unanswered(ctx)
	case p.Order.Name == "":
		return nil
	}
	all, err := fax.Collect(numbers.List(ctx, fax.NumberFilter{}))
	if err != nil {
		return fmt.Errorf("look whether %q is there already: %w", p.Order.Name, err)
	}
	var named, alike []fax.Number
	for _, n := range all {
		switch {
		case n.Phone == p.Order.Phone:
		case n.Name == p.Order.Name:
			named = append(named, n)
		case folded(n.Name) == folded(p.Order.Name):
			alike = append(alike, n)
		}
	}
	switch {
	case len(named) > 0:
		return p.nameTaken(named)
	case len(alike) > 0:
		return alikeNamed(p.Order.Name, alike[0])
	}
	b := buyer{numbers: numbers, Purchase: p, Options: o}
	notes, err := o.Notes.read(ctx)
	if err != nil {
		return err
	}
	over, err := b.noted(ctx, notes, all)
	if err != nil {
		return err
	}
	return b.giveUp(ctx, over)
}

// nameTakenError says that numbers have the name of an order already. It is
// fax.ErrConflict.
type nameTakenError struct {
	name    string
	numbers []fax.Number
}

func (e *nameTakenError) Error() string {
	if len(e.numbers) > 1 {
		return fmt.Sprintf("%v; nothing was bought", manyNamed(e.name, e.numbers))
	}
	return fmt.Sprintf("%v: %s has the name %s already; nothing was bought", problem.ErrConflict, e.numbers[0].Phone, text.Quote(e.name))
}

func (e *nameTakenError) Unwrap() error { return problem.ErrConflict }

// nameTaken says that numbers have the order's name, and what to do about it.
func (p Purchase) nameTaken(named []fax.Number) error {
	err := &nameTakenError{p.Order.Name, named}
	another := problem.Say("to buy one more, give it another %s", problem.Field("name"))
	if len(named) > 1 {
		return problem.With(err, problem.Say("look at them: %s", problem.Command("numbers", "list").Set("name", p.Order.Name)).Then(another))
	}
	advice := problem.Say("look at it: %s", problem.Command("numbers", "get").Arg(named[0].Phone))
	want := p.Want
	if want.Name = nil; !want.Empty() { // a run that bought it may not have come further
		advice = problem.Say("continue with it: %s", want.Command(named[0].Phone))
	}
	return problem.With(err, advice.Then(another))
}

// alikeNamed says that a number has a name which is the same but for how it is
// written: it was bought for it, and the provider changed it.
func alikeNamed(name string, n fax.Number) error {
	return problem.With(fmt.Errorf("%w: %s has the name %s already, written as %s; nothing was bought", problem.ErrConflict, n.Phone, text.Quote(name), text.Quote(n.Name)), byNumber(n.Phone))
}

// UnsureFax reports whether a fax number is wanted, and nothing says that the one
// to be bought can be one.
func (p Purchase) UnsureFax() bool {
	return (p.Fax || p.Want.fax()) && p.Offer != nil && p.Offer.Capabilities.Fax == fax.Unknown
}

// Check finds what would keep the purchase from being made: an order or a want
// that cannot be, or a price above the limit. It buys nothing; it may ask for
// the price. Errors as Buy.
func (p Purchase) Check(ctx context.Context, numbers fax.Numbers) error {
	p, err := p.checked()
	if err != nil {
		return err
	}
	_, err = buyer{numbers: numbers, Purchase: p}.affordable(ctx)
	return err
}

// checked finds what can be known to be wrong before money is spent. A run
// that finds the number bought already gives it the order's name all the same.
func (p Purchase) checked() (Purchase, error) {
	if p.Want.Name == nil && p.Order.Name != "" {
		p.Want.Name = &p.Order.Name
	}
	var err error
	switch {
	case (p.Order.Phone == "") == (p.Order.AreaCode == ""):
		return p, problem.Invalid(problem.Say("name the number, or an area code with %s", problem.Field("area-code")), "order: exactly one of a phone number and an area code")
	case p.Order.Phone != "":
		if p.Order.Phone, err = fax.ParsePhone(p.Order.Phone); err != nil {
			return p, err
		}
	default:
		if err := fax.CheckAreaCode(p.Order.AreaCode); err != nil {
			return p, err
		}
	}
	if p.Offer != nil && p.Want.fax() && p.Offer.Capabilities.Fax == fax.No && !p.Want.Force {
		return p, problem.Invalid(problem.Say("choose one that can: %s; or insist with %s", problem.Command("numbers", "search").Switch("fax"), problem.On("force")), "mode fax for %s: the number cannot receive faxes", p.Offer.Phone)
	}
	return p, p.Want.Check()
}

// affordable is the price, where known, if it may be paid.
func (b buyer) affordable(ctx context.Context) (*fax.Money, error) {
	var price *fax.Money
	if b.Offer != nil {
		price = b.Offer.Price
	}
	if b.MaxPrice == nil {
		return price, nil
	}
	if country, kind := b.priced(); price == nil && country != "" {
		list, err := b.numbers.Prices(ctx, country)
		if err != nil {
			err = &market.PriceListError{Country: country, Err: err}
			if market.NoPriceList(err) {
				err = problem.With(err, problem.Say("leave %s out, which cannot be held to here", problem.Field("max-price")))
			}
			return nil, err
		}
		if m, ok := list[kind]; ok {
			price = &m
		}
	}
	if price == nil {
		return nil, problem.With(fmt.Errorf("%w: the price is not known, so it cannot be held against the limit of %s", problem.ErrConflict, *b.MaxPrice), problem.Say("see what the provider asks: %s; or leave %s out", problem.Command("numbers", "search").Switch("price"), problem.Field("max-price")))
	}
	return price, b.tooDear(price)
}

// priced is where in the price list the order stands, as far as it is known.
// What an area code sells are local numbers.
func (b buyer) priced() (country string, kind fax.NumberType) {
	switch {
	case b.Offer != nil:
		return b.Offer.Country, b.Offer.Type
	case b.Order.AreaCode != "" && b.Order.Country == "":
		return "US", fax.Local
	case b.Order.AreaCode != "":
		return b.Order.Country, fax.Local
	}
	return "", ""
}
