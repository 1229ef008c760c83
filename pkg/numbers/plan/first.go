package plan

import (
	"context"
	"errors"
	"fmt"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/fax/market"
)

// UnfitError says why one number for sale cannot be bought while another may be:
// it costs more than the limit, needs papers that were not given, cannot receive
// faxes, or was sold to somebody else. Nothing was bought, surely.
type UnfitError struct{ Err error }

// Error is the reason.
func (e *UnfitError) Error() string { return e.Err.Error() }

// Unwrap is the reason.
func (e *UnfitError) Unwrap() error { return e.Err }

// Unfit reports whether err says that another number may be bought in place of
// the one that was to be.
func Unfit(err error) bool {
	var u *UnfitError
	var unfinished *UnfinishedError
	return errors.As(err, &u) && !errors.As(err, &unfinished)
}

// Tries is how many numbers are tried, at most, for one purchase.
const Tries = 5

// First finds what p, which names no number, can buy: p with each of a few
// numbers for sale, in the order in which they are to be tried. Those that surely
// receive faxes come first, when that is wanted. Those that do not fit are left
// out, which is told. fax.ErrNotFound: there is nothing for sale; [Unfit]: nothing
// that fits.
func First(ctx context.Context, numbers fax.Numbers, queries []fax.Query, p Purchase, o Options) ([]Purchase, error) {
	all, err := p.first(ctx, numbers, queries, o, true)
	if market.NoPriceList(err) {
		all, err = p.first(ctx, numbers, queries, o, false)
	}
	return all, err
}

// manyUnsure is among how many numbers that do not say whether they receive faxes
// one that does is looked for.
const manyUnsure = 100

func (p Purchase) first(ctx context.Context, numbers fax.Numbers, queries []fax.Query, o Options, prices bool) ([]Purchase, error) {
	var sure, unsure []Purchase
	reasons := map[string]int{}
	var reason error // the first
	most := 30 * max(len(queries), 1)
	gap := func(err error) {
		if errors.Is(err, market.ErrNameless) {
			o.tell("%v.", err)
		}
	}
	for offer, err := range market.SearchAll(ctx, numbers, queries, market.Options{Limit: most, Prices: prices, MaxRefined: 1, Gap: gap}) {
		if err != nil && len(sure) > 0 {
			break // it was another question
		} else if err != nil {
			return nil, err
		}
		q := p.of(offer)
		if err := q.fits(); err != nil {
			reasons[err.Error()]++
			if reason == nil {
				reason = err
			}
			continue
		}
		if faxWanted(queries, p) && offer.Capabilities.Fax != fax.Yes {
			unsure = append(unsure, q)
		} else {
			sure = append(sure, q)
		}
		if len(sure) == Tries || len(unsure) == manyUnsure {
			break
		}
	}
	all := append(sure, unsure...)
	switch {
	case len(all) > 0:
		for text, n := range reasons {
			o.tell("%d left out of those for sale: %s.", n, text)
		}
		return all[:min(len(all), Tries)], nil
	case reason != nil:
		return nil, reason
	}
	return nil, nothingForSale()
}

func nothingForSale() error {
	return problem.With(fmt.Errorf("number for sale: %w", problem.ErrNotFound), problem.Say("see what there is: %s", problem.Command("numbers", "search")))
}

func faxWanted(queries []fax.Query, p Purchase) bool {
	return p.Want.fax() || len(queries) > 0 && queries[0].Fax
}

// of is the purchase with a number that a search picked.
func (p Purchase) of(offer fax.Offer) Purchase {
	p.Order.Phone, p.Offer, p.Picked = offer.Phone, &offer, true
	return p
}

// fits tells whether the number on offer can be what is wanted, by what is known
// of it. The error is an [UnfitError].
func (p Purchase) fits() error {
	o := p.Offer
	switch {
	case o == nil:
		return nil
	case p.Want.fax() && o.Capabilities.Fax == fax.No && !p.Want.Force:
		return &UnfitError{problem.Invalid(problem.Say("choose one that can: %s; or insist with %s", problem.Command("numbers", "search").Switch("fax"), problem.On("force")), "mode fax: the number cannot receive faxes")}
	case needsAddress(*o) && p.Order.AddressID == "" && p.Order.BundleID == "":
		return &UnfitError{problem.With(fmt.Errorf("%w: the number needs an address (%s), and none was given", problem.ErrConflict, o.Address),
			problem.Say("name one with %s or %s; or find others: %s", problem.Field("address-sid"), problem.Field("bundle-sid"), problem.Command("numbers", "search").Set("no-address-required", "any")))}
	}
	return p.tooDear(o.Price)
}

// needsAddress reports whether the provider sells the number only with an
// address: of any country, of the number's own or of another.
func needsAddress(o fax.Offer) bool { return o.Address != "" && o.Address != "none" }

// tooDear holds a price, where it is known, against the limit.
func (p Purchase) tooDear(price *fax.Money) error {
	if price == nil || p.MaxPrice == nil {
		return nil
	}
	c, err := price.Cmp(*p.MaxPrice)
	if err == nil && c > 0 {
		err = &UnfitError{problem.With(fmt.Errorf("%w: the number costs %s a month, more than the limit of %s", problem.ErrConflict, *price, *p.MaxPrice),
			problem.Say("find another: %s; or raise %s", problem.Command("numbers", "search").Switch("price"), problem.Field("max-price")))}
	}
	return err
}

// refused is what became of an order that the provider refused: one that it
// refused as taken may have been made before, and the number be ours by now.
func (b buyer) refused(ctx context.Context, before owned, cause error) (fax.Number, error) {
	switch {
	case errors.Is(cause, fax.ErrPapers):
		return fax.Number{}, &UnfitError{cause}
	case b.Order.Phone == "" || !errors.Is(cause, problem.ErrConflict) && !errors.Is(cause, problem.ErrNotFound):
		return fax.Number{}, cause
	}
	taken := errors.Is(cause, fax.ErrTaken)
	if taken { // before another is bought in its place
		b.ConfirmFor = max(b.ConfirmFor, b.settleFor())
	}
	n, err := b.look(ctx, before, cause, true)
	looked := !errors.Is(err, errNotLooked)
	if err == nil {
		err = b.Claim(n)
	}
	if err != nil && taken && looked {
		err = &UnfitError{err}
	}
	return n, err
}

// Instead tells that next is tried in place of p, for the reason of err.
func (p Purchase) Instead(next Purchase, err error, o Options) {
	o.tell("%s is not bought: %v. Next: %s.", p.Order.Phone, err, next.Order.Phone)
}

// another buys one of the numbers for sale in place of the one of a plan, which
// turned out not to be: it costs no more than was shown, receives faxes as surely,
// and no other entry is to have it.
func (s Step) another(ctx context.Context, numbers fax.Numbers, o Options, err error) (Result, error) {
	p := s.purchase
	if !Unfit(err) || s.exact {
		return Result{}, err
	}
	if p.MaxPrice = p.Offer.Price; p.MaxPrice == nil {
		p.MaxPrice = s.purchase.MaxPrice
	}
	all, serr := First(ctx, numbers, s.queries, p, o)
	if serr != nil {
		return Result{}, fmt.Errorf("%w; looking for another: %w", err, serr)
	}
	tried := 1
	for _, q := range all {
		switch {
		case s.taken[q.Order.Phone], q.UnsureFax() && !q.AllowUnsureFax && !s.purchase.UnsureFax():
			continue
		case tried == Tries:
			return Result{}, err
		}
		tried++
		p.Instead(q, err, o)
		p = q
		var res Result
		if res, err = Buy(ctx, numbers, q, o); !Unfit(err) {
			return res, err
		}
	}
	return Result{}, err
}

// otherwise is what the number just bought needs or is by the provider's answer,
// and was not by its offer.
func (p Purchase) otherwise(n fax.Number, bought bool) []string {
	if !bought || p.Offer == nil {
		return nil
	}
	var all []string
	if n.Address != "" && !needsAddress(*p.Offer) {
		all = append(all, "the provider says that "+n.Phone+" needs an address ("+n.Address+"), which its offer did not")
	}
	if n.Beta && !p.Offer.Beta {
		all = append(all, "the provider says that "+n.Phone+" is beta, which its offer did not")
	}
	return all
}
