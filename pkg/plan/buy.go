package plan

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/strict"
)

// Purchase is a number to buy and what it should be then.
type Purchase struct {
	Order fax.Order
	Want  Want

	// Offer is what the person was shown: its price, capabilities, country
	// and type. Without it they are unknown.
	Offer *fax.Offer
	// MaxPrice refuses a number that costs more a month, or whose price is
	// not known. nil: any price.
	MaxPrice *fax.Money

	// Picked says that a search chose the phone number and no person named it:
	// any other would have done. See [Purchase.Claim].
	Picked bool
}

// Outcome is what became of a number.
type Outcome string

// The outcomes. What is bought, changed or unchanged is as wanted, read back.
const (
	OutcomeBought     Outcome = "bought"
	OutcomeChanged    Outcome = "changed"
	OutcomeUnfinished Outcome = "unfinished" // the account has it, and it is not yet as wanted
	OutcomeUnchanged  Outcome = "unchanged"
	OutcomeReleased   Outcome = "released"
	OutcomeGone       Outcome = "gone" // to be released, and the account did not have it any more
)

// Result is how far a purchase, a change or a release came.
type Result struct {
	Number   fax.Number `json:"number"`
	Outcome  Outcome    `json:"outcome"` // "" when there is no number to tell of
	Fields   []Field    `json:"fields,omitempty"`
	Warnings []string   `json:"warnings,omitempty"`
	Price    *fax.Money `json:"price,omitempty"` // a month, where known
}

// UnfinishedError says that the account has the number, and what is missing
// until it is as wanted. It unwraps to the cause; its hint is the command that
// continues.
type UnfinishedError struct {
	Number fax.Number
	Bought bool // in this run
	Err    error
}

// Error begins with what was achieved.
func (e *UnfinishedError) Error() string {
	state := "is in the account"
	if e.Bought {
		state = "is bought"
	}
	return fmt.Sprintf("%s %s, but not configured: %v", e.Number.Phone, state, e.Err)
}

// Unwrap is the cause.
func (e *UnfinishedError) Unwrap() error { return e.Err }

// Buy buys a number once and makes it what it should be, as one transaction
// that can be run again:
//
//  1. An order by phone number looks first whether the account has it; then
//     nothing is bought and the run continues with 4, if [Purchase.Claim]
//     lets it.
//  2. The price is checked against MaxPrice.
//  3. The order is sent once. When it is not known what became of it (the
//     provider unavailable, a timeout, an interrupt), the account is looked
//     at, for up to [LookFor] even when ctx has ended, before anything is
//     reported. An order by area code is never repeated: the numbers there
//     are listed before, and what is new after is what was bought.
//  4. The number is configured by a second call, since providers do not keep
//     the receive mode given on purchase, and read back.
//
// The Result is valid with an error too. [UnfinishedError]: the account has
// the number, configuring it failed. fax.ErrConflict: too expensive, taken, or
// it cannot be told which number was bought. Else the errors of fax.Numbers.
func Buy(ctx context.Context, numbers fax.Numbers, p Purchase) (Result, error) {
	p, err := p.checked()
	if err != nil {
		return Result{}, err
	}
	b := buyer{numbers, p}
	res := Result{}
	if p.Offer != nil {
		res.Price = p.Offer.Price
	}
	before, err := b.list(ctx)
	if err != nil {
		return res, err
	}
	bought := false
	n, owned := before.find(p.Order.Phone)
	if owned {
		err = p.Claim(n)
	} else if res.Price, err = b.affordable(ctx); err == nil {
		n, bought, err = b.buy(ctx, before)
	}
	if err != nil {
		return res, err
	}
	res.Number = n
	err = b.finish(ctx, &res)
	switch {
	case err != nil:
		res.Outcome = OutcomeUnfinished
		hint := fax.Hint(err)
		if c := p.Want.Command(n.Phone); c != "" && !errors.Is(err, fax.ErrInvalid) {
			hint = "continue with: " + c
		}
		return res, fax.WithHint(&UnfinishedError{Number: res.Number, Bought: bought, Err: err}, hint)
	case bought:
		res.Outcome = OutcomeBought
	case len(res.Fields) > 0:
		res.Outcome = OutcomeChanged
	default:
		res.Outcome = OutcomeUnchanged
	}
	return res, nil
}

// Claim tells whether a number that the account has can be what this purchase
// was to buy. One that a person named always can. One that was picked among
// those for sale was bought by somebody else, unless it has the name that the
// order gives. The error is fax.ErrConflict.
func (p Purchase) Claim(n fax.Number) error {
	if !p.Picked || p.Order.Name != "" && n.Name == p.Order.Name {
		return nil
	}
	return fax.WithHint(fmt.Errorf("%w: %s was for sale and is in the account by now, under the name %q: somebody else bought it", fax.ErrConflict, n.Phone, n.Name),
		"look at it: faxctl numbers get "+n.Phone+"; a new search picks another")
}

// NameFree makes sure that no other number of the account has the name that the
// order gives: a command that is repeated would buy one number after another, and
// the name would mean none of them. The error is fax.ErrConflict, or that of the
// listing. A run asks again right before [Buy], which does not.
func (p Purchase) NameFree(ctx context.Context, numbers fax.Numbers) error {
	if p.Order.Name == "" {
		return nil
	}
	named, err := allNamed(ctx, numbers, p.Order.Name)
	named = slices.DeleteFunc(named, func(n fax.Number) bool { return n.Phone == p.Order.Phone })
	const another = "; to buy one more, give it another --name"
	switch len(named) {
	case 0:
		return err
	case 1:
		hint := "look at it: faxctl numbers get " + named[0].Phone
		want := p.Want
		if want.Name = nil; !want.Empty() { // a run that bought it may not have come further
			hint = "continue with it: " + want.Command(named[0].Phone)
		}
		return fax.WithHint(fmt.Errorf("%w: %s has the name %s already; nothing was bought", fax.ErrConflict, named[0].Phone, strict.Quote(p.Order.Name)), hint+another)
	}
	return fax.WithHint(fmt.Errorf("%w; nothing was bought", manyNamed(p.Order.Name, named)), "look at them: faxctl numbers list --name "+quote(p.Order.Name)+another)
}

// Check finds what would keep the purchase from being made: an order or a want
// that cannot be, or a price above the limit. It buys nothing; it may ask for
// the price. Errors as Buy.
func (p Purchase) Check(ctx context.Context, numbers fax.Numbers) error {
	p, err := p.checked()
	if err != nil {
		return err
	}
	_, err = buyer{numbers, p}.affordable(ctx)
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
		return p, fax.Invalid("name the number, or an area code with --area-code", "order: exactly one of a phone number and an area code")
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
		return p, fax.Invalid("choose one that can: faxctl numbers search --fax; or insist with --force", "mode fax for %s: the number cannot receive faxes", p.Offer.Phone)
	}
	return p, p.Want.Check()
}

// buyer is one purchase under way; it lives for one call of Buy.
type buyer struct {
	numbers fax.Numbers
	Purchase
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
			err = fmt.Errorf("price of a number in %s: %w", country, err)
			if errors.Is(err, fax.ErrUnsupported) {
				err = fax.WithHint(err, "leave --max-price out, which cannot be held to here")
			}
			return nil, err
		}
		if m, ok := list[kind]; ok {
			price = &m
		}
	}
	if price == nil {
		return nil, fax.WithHint(fmt.Errorf("%w: the price is not known, so it cannot be held against the limit of %s", fax.ErrConflict, *b.MaxPrice), "see what the provider asks: faxctl numbers search --price; or leave --max-price out")
	}
	switch c, err := price.Cmp(*b.MaxPrice); {
	case err != nil:
		return price, err
	case c > 0:
		return price, fax.WithHint(fmt.Errorf("%w: the number costs %s a month, more than the limit of %s", fax.ErrConflict, *price, *b.MaxPrice), "find another: faxctl numbers search --price; or raise --max-price")
	}
	return price, nil
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

// buy sends the order once. It reports false for a number that is in the
// account and that this order did not buy.
func (b buyer) buy(ctx context.Context, before owned) (fax.Number, bool, error) {
	n, err := b.numbers.Buy(ctx, b.Order)
	if err == nil {
		return n, true, nil
	}
	err = fmt.Errorf("buy %s: %w", b.what(), err)
	// The provider understood and refused: nothing was bought.
	if errors.Is(err, fax.ErrInvalid) || errors.Is(err, fax.ErrAuth) || errors.Is(err, fax.ErrUnsupported) {
		return fax.Number{}, false, err
	}
	// Refused as taken: by area code that is final, but the one number may be
	// ours by now.
	settled := errors.Is(err, fax.ErrConflict) || errors.Is(err, fax.ErrNotFound)
	if settled && b.Order.Phone == "" {
		return fax.Number{}, false, err
	}
	n, err = b.look(ctx, before, err, settled)
	// Without a name in the order, an answer that was lost is the best guess.
	if err == nil && (settled || b.Order.Name != "") {
		err = b.Claim(n)
	}
	return n, err == nil && !settled, err
}

func (b buyer) what() string {
	if b.Order.Phone != "" {
		return b.Order.Phone
	}
	return "a number in area code " + b.Order.AreaCode
}

// finish makes the number what it should be, and says in res what that took.
func (b buyer) finish(ctx context.Context, res *Result) error {
	n, err := b.numbers.Get(ctx, res.Number.ID)
	if err != nil {
		return err
	}
	res.Number = n
	d, err := Diff(n, b.Want)
	if err != nil {
		return err
	}
	res.Fields, res.Warnings = d.Fields, d.Warnings
	if n, err = Apply(ctx, b.numbers, n, d.Change); n.ID != "" {
		res.Number = n
	}
	return err
}
