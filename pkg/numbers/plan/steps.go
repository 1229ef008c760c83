package plan

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/base/yamlfile"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/fax/market"
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
	Phone    string     `json:"number"`              // to buy: the one that would be bought
	AreaCode string     `json:"area_code,omitempty"` // to buy: where the provider picks the number
	ID       string     `json:"id,omitempty"`        // of a number the account has
	Name     string     `json:"name,omitempty"`
	Fields   []Field    `json:"fields,omitempty"` // what changes, or what is set after buying
	Warnings []string   `json:"warnings,omitempty"`
	Offer    *fax.Offer `json:"offer,omitempty"` // to buy: what is for sale
	Line     int        `json:"line,omitempty"`  // in the file

	// Refused is why the purchase would not be made if it was carried out now: one
	// that this machine made for the name does not show yet. nil: nothing is known
	// against it.
	Refused error `json:"-"`

	number   fax.Number
	change   fax.Change
	purchase Purchase

	exact   bool            // to buy: no other number is bought in its place
	queries []fax.Query     // to buy: what another number for sale is found with
	taken   map[string]bool // phones that other entries mean, or will buy
}

// ChangeStep is a difference as a step.
func ChangeStep(n fax.Number, d Difference) Step {
	s := Step{Action: ActionChange, Phone: n.Phone, ID: n.ID, Name: n.Name, Fields: d.Fields, Warnings: d.Warnings, number: n, change: d.Change}
	if d.Change.Empty() {
		s.Action = ActionNone
	}
	return s
}

// UnsureFax reports whether the step buys a fax number that may not be able to be
// one, which nobody allowed.
func (s Step) UnsureFax() bool {
	return s.Action == ActionBuy && s.purchase.UnsureFax() && !s.purchase.AllowUnsureFax
}

// Pending reports whether there is something to do.
func (s Step) Pending() bool {
	return s.Action == ActionChange || s.Action == ActionBuy || s.Action == ActionRelease
}

// Steps compares a file with the account: a step for each entry in the order
// of the file, then one for each number that is not in it. It changes nothing, and
// notes nothing: of o, it reads the notes and asks the clock. What a person should
// know of what is for sale is told.
// The numbers are listed once; entries that search for the same share one
// search, and each gets an offer of its own, with its price.
//
// Entries that cannot be carried out are reported together, as a
// [*yamlfile.Error] with their lines: a number the account does not own
// (fax.ErrNotFound), a name that several numbers have or that is the name of
// another entry's number (fax.ErrConflict), nothing for sale
// (fax.ErrNotFound), and what [Diff] refuses.
func Steps(ctx context.Context, numbers fax.Numbers, f File, o Options) ([]Step, error) {
	return compare(ctx, numbers, f, o, nil)
}

// compare is [Steps]; what pinned has for the name of an entry to buy is bought, and
// nothing else.
func compare(ctx context.Context, numbers fax.Numbers, f File, o Options, pinned map[string]SavedStep) ([]Step, error) {
	all, err := fax.Collect(numbers.List(ctx, fax.NumberFilter{WithMode: true}))
	if err != nil {
		return nil, fmt.Errorf("list the account's numbers: %w", err)
	}
	notes, err := o.Notes.read(ctx)
	if err != nil {
		return nil, err
	}
	c := &comparer{
		numbers: numbers, options: o, notes: notes, most: len(f.Entries), all: all, has: index(all),
		pinned: pinned, named: map[string]Entry{}, taken: map[string]bool{}, shelves: map[shelfKey]*shelf{},
	}
	defer c.close()
	for _, e := range f.Entries {
		if e.Phone != "" {
			c.named[e.Phone], c.taken[e.Phone] = e, true
		}
	}
	var wrong yamlfile.Error
	var kind error
	var steps []Step
	managed := map[string]bool{}
	for _, e := range f.Entries {
		s, err := c.step(ctx, e)
		switch {
		case err == nil:
			managed[s.Phone] = true
			steps = append(steps, s)
		case !aboutEntry(err):
			return nil, err
		default:
			wrong.Problems = append(wrong.Problems, yamlfile.Problem{Line: e.Line, Text: err.Error(), Advice: problem.AdviceOf(err).Keys()})
			if kind == nil {
				kind = problem.KindOf(err)
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
	return errors.Is(err, problem.ErrInvalid) || errors.Is(err, problem.ErrNotFound) || errors.Is(err, problem.ErrConflict) || errors.Is(err, problem.ErrUnsupported)
}

// comparer makes steps; it lives for one comparison.
type comparer struct {
	numbers fax.Numbers
	options Options
	notes   []note       // purchases of this machine
	most    int          // entries there are: no search need find more
	all     []fax.Number // what the account has
	has     numberIndex  // the same
	pinned  map[string]SavedStep
	named   map[string]Entry // by the phone number they name
	taken   map[string]bool  // phones that other entries mean, or will buy
	shelves map[shelfKey]*shelf
	alike   map[string][]fax.Number // the same by its name folded, once something is to be bought

	unpriced bool // the provider has no price list
}

// gap tells of offers without a number.
func (c *comparer) gap(err error) {
	if errors.Is(err, market.ErrNameless) {
		c.options.tell("%v.", err)
	}
}

func (c *comparer) close() {
	for _, s := range c.shelves {
		s.stop()
	}
}

func (c *comparer) step(ctx context.Context, e Entry) (Step, error) {
	n, found, err := c.find(e)
	switch {
	case err != nil:
		return Step{}, err
	case !found && e.Buy == nil:
		return Step{}, problem.With(fmt.Errorf("%s: %w in this account", e.Phone, problem.ErrNotFound),
			problem.Say("buy it: %s; or take the entry out", problem.Command("numbers", "buy").Arg(e.Phone)))
	case !found:
		return c.shop(ctx, e)
	}
	d, err := Diff(n, e.Want)
	if err != nil {
		return Step{}, fmt.Errorf("%s: %w", e, err)
	}
	s := ChangeStep(n, d)
	s.Line = e.Line
	return s, nil
}

// numberIndex finds numbers without going through all of them for each entry.
type numberIndex struct{ byPhone, byName map[string][]fax.Number }

func index(all []fax.Number) numberIndex {
	x := numberIndex{map[string][]fax.Number{}, map[string][]fax.Number{}}
	for _, n := range all {
		x.byPhone[n.Phone] = append(x.byPhone[n.Phone], n)
		x.byName[n.Name] = append(x.byName[n.Name], n)
	}
	return x
}

// find is the number that an entry means, if the account has it. One that was
// bought is known by its name; numbers that other entries name are not meant.
func (c *comparer) find(e Entry) (fax.Number, bool, error) {
	candidates := c.has.byPhone[e.Phone]
	if e.Buy != nil {
		candidates = c.has.byName[e.Name()]
	}
	var found []fax.Number
	for _, n := range candidates {
		if err := c.distinct(n, e); err != nil {
			return fax.Number{}, false, err
		}
		if e.Buy == nil || !c.taken[n.Phone] {
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
	return fax.Number{}, false, problem.With(manyNamed(e.Name(), found), problem.Say(oneIsMeant))
}

// distinct refuses an entry to buy whose name another entry's number has and
// keeps: a number of that name is there, so nothing would ever be bought.
func (c *comparer) distinct(n fax.Number, e Entry) error {
	other, managed := c.named[n.Phone]
	if !managed || e.Buy == nil || other.Want.Name != nil && *other.Want.Name != n.Name {
		return nil
	}
	return problem.With(fmt.Errorf("%w: the name %s is that of %s, the number of the entry in line %d", problem.ErrConflict, text.Quote(n.Name), n.Phone, other.Line),
		problem.Say("give the number to buy another name, or take one of the two entries out"))
}

// shop finds what to buy for an entry, and for how much.
func (c *comparer) shop(ctx context.Context, e Entry) (Step, error) {
	if c.alike == nil {
		c.alike = map[string][]fax.Number{}
		for _, n := range c.all {
			c.alike[folded(n.Name)] = append(c.alike[folded(n.Name)], n)
		}
	}
	for _, n := range c.alike[folded(e.Name())] {
		if n.Name != e.Name() && !c.taken[n.Phone] {
			return Step{}, alikeNamed(e.Name(), n)
		}
	}
	queries, err := e.Buy.Search.Queries()
	if err != nil {
		return Step{}, err
	}
	key := keyOf(queries[0]) // an entry asks one question
	s := c.shelves[key]
	if s == nil {
		s = openShelf(ctx, c.numbers, queries[0], max(c.most, 30), !c.unpriced, c.gap)
		c.shelves[key] = s
	}
	p := Purchase{
		Order: fax.Order{Name: e.Name(), AddressID: e.Buy.AddressID, BundleID: e.Buy.BundleID},
		Want:  e.Want, MaxPrice: e.Buy.MaxPrice, AllowUnsureFax: e.Buy.AllowUnsureFax,
	}
	offer, exact, err := c.choose(ctx, s, p)
	if err != nil {
		return Step{}, fmt.Errorf("%s: %w", e, err)
	}
	c.taken[offer.Phone], c.unpriced = true, s.unpriced == nil
	p = p.of(offer)
	if err := p.Check(ctx, c.numbers); err != nil {
		return Step{}, fmt.Errorf("%s: %w", e, err)
	}
	step, err := p.Step()
	if err != nil {
		return Step{}, fmt.Errorf("%s: %w", e, err)
	}
	step.Line, step.exact, step.queries, step.taken = e.Line, exact, queries, c.taken
	switch _, err := (buyer{numbers: c.numbers, Purchase: p, Options: c.options}).noted(ctx, c.notes, c.all); {
	case errors.Is(err, problem.ErrConflict):
		step.Refused = err
	case err != nil:
		return Step{}, err
	}
	return step, nil
}

// Step is the purchase as a step: what a new number will be is known well
// enough to show it. Errors as [Diff].
func (p Purchase) Step() (Step, error) {
	s := Step{Action: ActionBuy, Phone: p.Order.Phone, AreaCode: p.Order.AreaCode, Name: p.Order.Name, Offer: p.Offer, purchase: p}
	fresh := fax.Number{Phone: p.Order.Phone, Mode: fax.ModeVoice, Capabilities: fax.Capabilities{Fax: fax.Yes}}
	if p.Offer != nil {
		fresh.Capabilities = p.Offer.Capabilities
	}
	d, err := Diff(fresh, p.Want)
	s.Fields = d.Fields
	if p.Order.Phone != "" && p.Offer == nil && p.Offered == fax.Unknown {
		s.Warnings = append(s.Warnings, "the provider's search does not show "+p.Order.Phone+": it may not be for sale")
	}
	if p.UnsureFax() {
		s.Warnings = append(s.Warnings, "the provider does not say whether "+p.Order.Phone+" can receive faxes")
	}
	return s, err
}

// Run carries a step out and reads the result back. It may be repeated, after
// any failure and in another run: the purchase asks once more, right before,
// whether a number of the entry's name has appeared. Errors as [Apply], [Buy]
// and [Release].
func (s Step) Run(ctx context.Context, numbers fax.Numbers, o Options) (Result, error) {
	switch s.Action {
	case ActionChange:
		n, err := Apply(ctx, numbers, s.number, s.change, o)
		res := Result{Number: n, Outcome: OutcomeChanged, Fields: s.Fields, Warnings: s.Warnings}
		var un *UnconfirmedError
		switch {
		case errors.As(err, &un):
			res.Outcome = OutcomeUnconfirmed
		case err != nil:
			res.Outcome = OutcomeUnfinished
		}
		return res, err
	case ActionBuy:
		return s.buy(ctx, numbers, o)
	case ActionRelease:
		released, err := o.Release(ctx, numbers, s.number)
		switch {
		case err != nil:
			return Result{Number: s.number}, err
		case released:
			return Result{Number: s.number, Outcome: OutcomeReleased}, nil
		}
		return Result{Number: s.number, Outcome: OutcomeGone}, nil
	case ActionNone, ActionUnmanaged:
	}
	return Result{Number: s.number, Outcome: OutcomeUnchanged}, nil
}

// buy carries a purchase out, after looking once more whether somebody made it
// since the account was listed: another machine may have. Its hints are about the
// file.
func (s Step) buy(ctx context.Context, numbers fax.Numbers, o Options) (Result, error) {
	if err := s.purchase.NameFree(ctx, numbers, o); err != nil {
		var taken *nameTakenError
		switch {
		case errors.As(err, &taken) && len(taken.numbers) == 1:
			err = problem.With(err, problem.Say("run it again: it continues with that number"))
		case errors.As(err, &taken):
			err = problem.With(err, problem.Say(oneIsMeant))
		}
		return Result{}, err
	}
	res, err := Buy(ctx, numbers, s.purchase, o)
	if res.Number.ID == "" && err != nil {
		res, err = s.another(ctx, numbers, o, err)
	}
	var unfinished *UnfinishedError
	switch {
	case errors.Is(err, problem.ErrInvalid):
	case errors.As(err, &unfinished) && !unfinished.Configured:
		err = problem.With(err, problem.Say("run it again: it continues with that number"))
	case unfinished == nil && errors.Is(err, problem.ErrUnavailable):
		err = problem.With(err, problem.Say("run it again in 15 minutes: until then the purchase may still show, and none is made in its place"))
	}
	return res, err
}

// manyNamed says that a name does not tell which number is meant.
func manyNamed(name string, all []fax.Number) error {
	phones := make([]string, len(all))
	for i, n := range all {
		phones[i] = n.Phone
	}
	const most = 5
	if len(phones) > most {
		phones = append(phones[:most], "…")
	}
	return fmt.Errorf("%w: %d numbers have the name %s (%s)", problem.ErrConflict, len(all), text.Quote(name), strings.Join(phones, ", "))
}

const oneIsMeant = "write number: in place of buy:, with the one that is meant"
