package plan

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/strict"
)

// Action is what must be done with a number.
type Action string

// The actions.
const (
	ActionNone      Action = "none"      // it is as the file says
	ActionChange    Action = "change"    //
	ActionBuy       Action = "buy"       //
	ActionRelease   Action = "release"   // it is not in the file, and the file says prune
	ActionUnmanaged Action = "unmanaged" // it is not in the file and left alone
)

// Step is what must be done with one number for it to be as the file says.
type Step struct {
	Action   Action     `json:"action"`
	Phone    string     `json:"number"`       // to buy: the one that would be bought
	ID       string     `json:"id,omitempty"` // of a number the account has
	Name     string     `json:"name,omitempty"`
	Fields   []Field    `json:"fields,omitempty"` // what changes, or what is set after buying
	Warnings []string   `json:"warnings,omitempty"`
	Offer    *fax.Offer `json:"offer,omitempty"` // to buy: what is for sale
	Line     int        `json:"line,omitempty"`  // in the file

	number   fax.Number
	change   fax.Change
	purchase Purchase
}

// Pending reports whether there is something to do.
func (s Step) Pending() bool {
	return s.Action == ActionChange || s.Action == ActionBuy || s.Action == ActionRelease
}

// Steps compares a file with the account: a step for each entry in the order
// of the file, then one for each number that is not in it. It changes nothing.
// The numbers are listed once; for each number to buy, the offers are searched
// and its price looked up.
//
// Entries that cannot be carried out are reported together, as a
// [*strict.Error] with their lines: a number the account does not own
// (fax.ErrNotFound), a name that several numbers have (fax.ErrConflict),
// nothing for sale (fax.ErrNotFound), and what [Diff] refuses.
func Steps(ctx context.Context, numbers fax.Numbers, f File) ([]Step, error) {
	all, err := fax.Collect(numbers.List(ctx, fax.NumberFilter{WithMode: true}))
	if err != nil {
		return nil, fmt.Errorf("list the account's numbers: %w", err)
	}
	c := comparer{numbers: numbers, taken: map[string]bool{}}
	for _, e := range f.Entries {
		c.taken[e.Phone] = e.Phone != ""
	}
	var wrong strict.Error
	var kind error
	var steps []Step
	managed := map[string]bool{}
	for _, e := range f.Entries {
		s, err := c.step(ctx, all, e)
		switch {
		case err == nil:
			managed[s.Phone] = true
			steps = append(steps, s)
		case !aboutEntry(err):
			return nil, err
		default:
			wrong.Problems = append(wrong.Problems, strict.Problem{Line: e.Line, Text: err.Error(), Hint: flagsAsKeys(fax.Hint(err))})
			if kind == nil {
				kind = err
			}
		}
	}
	if kind != nil {
		wrong.Path = f.Path
		return nil, fileError(kind, &wrong)
	}
	for _, n := range all {
		if managed[n.Phone] {
			continue
		}
		s := Step{Action: ActionUnmanaged, Phone: n.Phone, ID: n.ID, Name: n.Name, number: n}
		if f.Prune {
			s.Action = ActionRelease
		}
		steps = append(steps, s)
	}
	return steps, nil
}

// aboutEntry reports whether an error says something about one entry, rather
// than about the way to the provider.
func aboutEntry(err error) bool {
	return errors.Is(err, fax.ErrInvalid) || errors.Is(err, fax.ErrNotFound) || errors.Is(err, fax.ErrConflict) || errors.Is(err, fax.ErrUnsupported)
}

// comparer makes steps; it lives for one comparison.
type comparer struct {
	numbers fax.Numbers
	taken   map[string]bool // phones that other entries mean, or will buy
}

func (c comparer) step(ctx context.Context, all []fax.Number, e Entry) (Step, error) {
	n, found, err := c.find(all, e)
	switch {
	case err != nil:
		return Step{}, err
	case !found && e.Buy == nil:
		return Step{}, fax.WithHint(fmt.Errorf("%s: %w in this account", e.Phone, fax.ErrNotFound),
			"buy it: faxctl numbers buy "+e.Phone+"; or take the entry out")
	case !found:
		return c.shop(ctx, e)
	}
	d, err := Diff(n, e.Want)
	if err != nil {
		return Step{}, fmt.Errorf("%s: %w", e, err)
	}
	s := Step{Action: ActionChange, Phone: n.Phone, ID: n.ID, Name: n.Name, Fields: d.Fields, Warnings: d.Warnings, Line: e.Line, number: n, change: d.Change}
	if d.Change.Empty() {
		s.Action = ActionNone
	}
	return s, nil
}

// find is the number that an entry means, if the account has it. One that was
// bought is known by its name; numbers that other entries name are not meant.
func (c comparer) find(all []fax.Number, e Entry) (fax.Number, bool, error) {
	var found []fax.Number
	for _, n := range all {
		if e.Phone == n.Phone || e.Buy != nil && n.Name == e.Name() && !c.taken[n.Phone] {
			found = append(found, n)
		}
	}
	switch len(found) {
	case 0:
		return fax.Number{}, false, nil
	case 1:
		c.taken[found[0].Phone] = true
		return found[0], true, nil
	}
	return fax.Number{}, false, fax.WithHint(
		fmt.Errorf("%w: %d numbers have the name %q (%s, %s, …)", fax.ErrConflict, len(found), e.Name(), found[0].Phone, found[1].Phone),
		"write number: in place of buy:, with the one that is meant")
}

// shop finds what to buy for an entry, and for how much.
func (c comparer) shop(ctx context.Context, e Entry) (Step, error) {
	queries, err := e.Buy.Search.Queries()
	if err != nil {
		return Step{}, err
	}
	offer, err := Quote(ctx, c.numbers, queries, func(o fax.Offer) bool { return !c.taken[o.Phone] })
	if err != nil {
		return Step{}, fmt.Errorf("%s: %w", e, err)
	}
	c.taken[offer.Phone] = true
	p := Purchase{
		Order: fax.Order{Phone: offer.Phone, Name: e.Name(), AddressID: e.Buy.AddressID, BundleID: e.Buy.BundleID},
		Want:  e.Want, Offer: &offer, MaxPrice: e.Buy.MaxPrice,
	}
	if err := p.Check(ctx, c.numbers); err != nil {
		return Step{}, fmt.Errorf("%s: %w", e, err)
	}
	// What a new number will be is known well enough to show it.
	d, err := Diff(fax.Number{Phone: offer.Phone, Mode: fax.ModeVoice, Capabilities: offer.Capabilities}, e.Want)
	if err != nil {
		return Step{}, fmt.Errorf("%s: %w", e, err)
	}
	return Step{Action: ActionBuy, Phone: offer.Phone, Name: e.Name(), Fields: d.Fields, Offer: &offer, Line: e.Line, purchase: p}, nil
}

// Quote finds the first number for sale that accept takes, with its price
// where the provider has a price list. fax.ErrNotFound: there is none.
func Quote(ctx context.Context, numbers fax.Numbers, queries []fax.Query, accept func(fax.Offer) bool) (fax.Offer, error) {
	o := fax.SearchOptions{Limit: 30, Prices: true} // as many as one question is answered with
	offer, err := firstOffer(fax.SearchAll(ctx, numbers, queries, o), accept)
	if errors.Is(err, fax.ErrUnsupported) {
		o.Prices = false
		offer, err = firstOffer(fax.SearchAll(ctx, numbers, queries, o), accept)
	}
	return offer, err
}

func firstOffer(offers iter.Seq2[fax.Offer, error], accept func(fax.Offer) bool) (fax.Offer, error) {
	for o, err := range offers {
		if err != nil || accept(o) {
			return o, err
		}
	}
	return fax.Offer{}, fax.WithHint(fmt.Errorf("number for sale: %w", fax.ErrNotFound), "see what there is: faxctl numbers search")
}

// Run carries a step out and reads the result back. It may be repeated, after
// any failure and in another run: the purchase asks once more, right before,
// whether a number of the entry's name has appeared. Errors as [Apply], [Buy]
// and [Release].
func (s Step) Run(ctx context.Context, numbers fax.Numbers) (Result, error) {
	switch s.Action {
	case ActionChange:
		n, err := Apply(ctx, numbers, s.number, s.change)
		return Result{Number: n, Configured: err == nil, Fields: s.Fields, Warnings: s.Warnings}, err
	case ActionBuy:
		if err := s.stillMissing(ctx, numbers); err != nil {
			return Result{}, err
		}
		return Buy(ctx, numbers, s.purchase)
	case ActionRelease:
		released, err := Release(ctx, numbers, s.number)
		return Result{Number: s.number, Released: released}, err
	case ActionNone, ActionUnmanaged:
	}
	return Result{Number: s.number, Configured: s.Action == ActionNone}, nil
}

// stillMissing makes sure that nobody bought the number of this name since the
// account was listed.
func (s Step) stillMissing(ctx context.Context, numbers fax.Numbers) error {
	named, err := fax.Collect(numbers.List(ctx, fax.NumberFilter{Name: s.Name}))
	if err != nil {
		return fmt.Errorf("look whether %q is there already: %w", s.Name, err)
	}
	if i := slices.IndexFunc(named, func(n fax.Number) bool { return n.Name == s.Name }); i >= 0 {
		return fax.WithHint(fmt.Errorf("%w: %s has the name %q by now; nothing was bought", fax.ErrConflict, named[i].Phone, s.Name), "run it again: it continues with that number")
	}
	return nil
}
