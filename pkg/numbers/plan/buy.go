package plan

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/fax"
)

// Outcome is what became of a number.
type Outcome string

// The outcomes. What is bought, changed or unchanged is as wanted, read back.
const (
	OutcomeBought      Outcome = "bought"
	OutcomeChanged     Outcome = "changed"
	OutcomeUnconfirmed Outcome = "unconfirmed" // changed, and the provider shows something else
	OutcomeUnfinished  Outcome = "unfinished"  // the account has it, and it is not yet as wanted
	OutcomeUnchanged   Outcome = "unchanged"
	OutcomeReleased    Outcome = "released"
	OutcomeGone        Outcome = "gone" // to be released, and the account did not have it any more
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
	Number     fax.Number
	Bought     bool // in this run
	Configured bool // and as wanted, but for what Err says
	Err        error
}

// Error begins with what was achieved.
func (e *UnfinishedError) Error() string {
	state := "is in the account"
	if e.Bought {
		state = "is bought"
	}
	if !e.Configured {
		state += ", but not configured"
	}
	return fmt.Sprintf("%s %s: %v", e.Number.Phone, state, e.Err)
}

// Unwrap is the cause.
func (e *UnfinishedError) Unwrap() error { return e.Err }

// Confirm is the usual [Options.ConfirmFor]: three looks.
const Confirm = 4 * time.Second

// Buy buys a number once and makes it what it should be, as one transaction
// that can be run again:
//
//  1. An order by phone number looks first whether the account has it; then
//     nothing is bought and the run continues with 5, if [Purchase.Claim]
//     lets it.
//  2. The price is checked against MaxPrice.
//  3. The order is noted, and sent once. What the provider refuses in its own
//     words was not bought. When it is not known what became of it (the
//     provider unavailable, a gateway, a timeout, an interrupt), the account is
//     looked at, for up to [LookFor] even when ctx has ended, before anything is
//     reported. An order by area code is never repeated, and without a name
//     nothing is taken for what it bought.
//  4. A number that was picked is ours only when it is fresh: providers answer
//     the purchase of a number that the account has, and change it.
//  5. The number is configured by a second call, since providers do not keep
//     the receive mode given on purchase, and read back.
//  6. The account is read until it shows the purchase, and once more 3 s later:
//     of two numbers that were bought for one name, the later is one too many.
//
// The Result is valid with an error too. [UnfinishedError]: the account has
// the number, and something is missing. fax.ErrConflict: too expensive, taken, or
// it cannot be told which number was bought. Else the errors of fax.Numbers.
func Buy(ctx context.Context, numbers fax.Numbers, p Purchase, o Options) (Result, error) {
	p, err := p.checked()
	if err != nil {
		return Result{}, err
	}
	b := buyer{numbers: numbers, Purchase: p, Options: o}
	res := Result{}
	if p.Offer != nil {
		res.Price = p.Offer.Price
	}
	before, n, owned, err := b.before(ctx)
	if err != nil {
		return res, err
	}
	bought := false
	if owned {
		if err = p.Claim(n); err != nil {
			err = &UnfitError{err}
		}
	} else if res.Price, err = b.affordable(ctx); err == nil {
		n, bought, err = b.order(ctx, before)
	}
	if err != nil {
		return res, err
	}
	res.Number = n
	if err = b.finish(ctx, &res, bought); err == nil && bought {
		err = b.settle(ctx, &res)
	}
	return b.ended(res, bought, err)
}

// ended is what a purchase came to.
func (b buyer) ended(res Result, bought bool, err error) (Result, error) {
	var kept *NameKeptError
	var more *OneTooManyError
	switch {
	case errors.As(err, &kept), errors.As(err, &more), errors.Is(err, errNotListed):
		res.Outcome = OutcomeUnfinished
		return res, problem.With(&UnfinishedError{Number: res.Number, Bought: bought, Configured: true, Err: err}, problem.AdviceOf(err))
	case err != nil:
		res.Outcome = OutcomeUnfinished
		advice := problem.AdviceOf(err)
		if !b.Want.Empty() && !errors.Is(err, problem.ErrInvalid) {
			advice = problem.Say("continue with: %s", b.Want.Command(res.Number.Phone))
		}
		return res, problem.With(&UnfinishedError{Number: res.Number, Bought: bought, Err: err}, advice)
	case bought:
		res.Outcome = OutcomeBought
	case len(res.Fields) > 0:
		res.Outcome = OutcomeChanged
	default:
		res.Outcome = OutcomeUnchanged
	}
	return res, nil
}

// buyer is one purchase under way; it lives for one call of Buy.
type buyer struct {
	numbers fax.Numbers
	Purchase
	Options
	since time.Time // by the provider's clock, before the order; zero: not known
}

// before is what the account has before the order, and the number itself if it
// is among it.
func (b buyer) before(ctx context.Context) (all owned, n fax.Number, has bool, err error) {
	if all, err = b.list(ctx); err != nil {
		return nil, n, false, err
	}
	if n, has = all.find(b.Order.Phone); !has {
		n, has, err = b.notedPhone(ctx)
	}
	return all, n, has, err
}

// order notes the order, sends it once, and notes what became of it. It reports
// false for a number that is in the account and that this order did not buy.
func (b buyer) order(ctx context.Context, before owned) (n fax.Number, bought bool, err error) {
	if b.Now != nil {
		b.since, err = b.Now(ctx)
		if err == nil && b.since.IsZero() && (b.Picked || b.Order.Phone == "") {
			err = fmt.Errorf("%w: its answers do not say, by which a fresh number is known", problem.ErrUnavailable)
		}
		if err != nil {
			return n, false, fmt.Errorf("ask the provider for the time: %w; nothing was bought", err)
		}
	}
	noted, err := b.Notes.begin(ctx, b.Purchase, b.since)
	if err != nil {
		return n, false, err
	}
	n, err = b.numbers.Buy(ctx, b.Order)
	var refused bool
	if err == nil {
		n, bought, err = b.answered(n)
		refused = err != nil
	} else {
		n, bought, refused, err = b.failed(ctx, before, err)
	}
	switch {
	case err == nil:
		noted.State, noted.ID, noted.Phone, noted.Shown = noteBought, n.ID, n.Phone, n.Name
		noted.Untold = noted.Repeats
	case refused:
		noted.State = noteRefused
	default: // what became of it is still not known
		return n, bought, err
	}
	if unnoted := b.Notes.write(ctx, noted); unnoted != nil {
		b.tell("The purchase of %s could not be noted: %v", n.Phone, unnoted)
	}
	return n, bought, err
}

// answered is what an order bought by its answer: nothing, when the number was in
// the account before.
func (b buyer) answered(n fax.Number) (fax.Number, bool, error) {
	why := b.stale(n)
	switch {
	case why == "":
		return n, true, nil
	case b.Order.Phone != "" && !b.Picked:
		return n, false, nil // the person means this number, whoever bought it
	}
	return fax.Number{}, false, b.notOurs(n, why)
}

func (b buyer) notOurs(n fax.Number, why string) error {
	return problem.With(fmt.Errorf("%w: %s was for sale and is in the account already (%s): the provider answered the purchase of a number that was bought before", problem.ErrConflict, n.Phone, why),
		problem.Say("look whether its name and URL are still right: %s", problem.Command("numbers", "get").Arg(n.Phone)))
}

// createdWithin is by how much a clock of the provider may be behind another.
const createdWithin = 2 * time.Second

// stale says why a number cannot have been bought just now; "" when it can.
func (b buyer) stale(n fax.Number) string {
	switch {
	case n.Mode == fax.ModeFax:
		return "it is in mode fax"
	case n.TrunkID != "" || n.ApplicationID != "": // a call handler can be the account's default
		return "a " + n.ShadowedBy() + " takes its calls"
	case n.URL() != "" && !isDemo(n.URL()):
		return "its URL is set"
	case !b.since.IsZero() && n.Created.Before(b.since.Add(-createdWithin)):
		return "it was created " + n.Created.UTC().Format(time.RFC3339)
	}
	return ""
}

// isDemo tells the URL that a provider gives to new numbers.
// Source: Twilio's console, https://demo.twilio.com/welcome/voice/.
func isDemo(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Hostname() == "demo.twilio.com"
}

// failed finds out what became of an order that was answered with an error.
// refused says that it bought nothing.
func (b buyer) failed(ctx context.Context, before owned, err error) (n fax.Number, bought, refused bool, _ error) {
	cause := fmt.Errorf("buy %s: %w", b.what(), err)
	if understood(err) {
		n, err = b.refused(ctx, before, cause)
		return n, false, err != nil, err
	}
	if !errors.Is(err, problem.ErrUnavailable) && !interrupted(err) {
		cause = fmt.Errorf("%w: something between here and the provider answered: %v", problem.ErrUnavailable, cause) //nolint:errorlint // what a gateway says is no refusal
	}
	if n, err = b.look(ctx, before, cause, false); err != nil {
		return n, false, false, err
	}
	picked := b.Picked || b.Order.Phone == ""
	switch why := b.stale(n); {
	case why != "" && picked:
		return fax.Number{}, false, false, b.notOurs(n, why)
	case why != "":
		return n, false, false, nil
	case picked && b.Order.Name != "" && n.Name != b.Order.Name && folded(n.Name) == folded(b.Order.Name):
		return fax.Number{}, false, false, alikeNamed(b.Order.Name, n)
	case b.Order.Name != "": // without one, an answer that was lost is the best guess
		err = b.Claim(n)
	}
	return n, err == nil, false, err
}

// understood reports whether it was the provider that refused an order: then
// nothing was bought. A gateway says things of the same status.
func understood(err error) bool {
	var api *fax.APIError
	isAPI := errors.As(err, &api)
	switch {
	case interrupted(err):
		return false
	case isAPI && api.Status == http.StatusTooManyRequests:
		return api.Code != ""
	case errors.Is(err, problem.ErrUnavailable):
		return false
	}
	return !isAPI || api.Status == 0 || api.Code != ""
}

func interrupted(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

func (b buyer) what() string {
	if b.Order.Phone != "" {
		return b.Order.Phone
	}
	return "a number in area code " + b.Order.AreaCode
}

// finish makes the number what it should be, and says in res what that took.
func (b buyer) finish(ctx context.Context, res *Result, bought bool) error {
	n, err := get(ctx, b.numbers, res.Number.ID, b.ConfirmFor)
	if err != nil {
		return notShown(err)
	}
	if bought {
		if err := b.stillOurs(res.Number, n); err != nil {
			return err
		}
	}
	res.Number = n
	d, err := Diff(n, b.Want)
	if err != nil {
		return err
	}
	res.Fields, res.Warnings = d.Fields, d.Warnings
	if n, err = Apply(ctx, b.numbers, n, d.Change, b.Options); n.ID != "" {
		res.Number = n
	}
	for _, w := range b.otherwise(n, bought) {
		res.Warnings = append(res.Warnings, w)
		b.tell("%s.", w)
	}
	if n.Status != "" {
		pending := "the provider says that " + n.Phone + " is " + n.Status
		res.Warnings = append(res.Warnings, pending)
		b.tell("%s.", pending)
	}
	if bought && n.CallHandler != "" {
		shadowed := n.Phone + " is bought; a call handler takes its calls (" + n.CallHandler + ")"
		res.Warnings = append(res.Warnings, shadowed)
		b.tell("%s.", shadowed)
	}
	var un *UnconfirmedError
	otherwise := err == nil && b.Want.Name != nil && n.Name != *b.Want.Name
	if otherwise || errors.As(err, &un) && len(un.Fields) == 1 && un.Fields[0].Name == "name" {
		return &NameKeptError{Number: n, Name: *b.Want.Name}
	}
	return err
}

// notShown says what it means that a number is not found which the provider says
// the account has. Other errors stay as they are.
func notShown(err error) error {
	if !errors.Is(err, problem.ErrNotFound) {
		return err
	}
	return fmt.Errorf("%w: the provider does not show it yet", problem.ErrConflict)
}

// stillOurs makes sure that a number just bought is as the order left it: nobody
// else has set it up since.
func (b buyer) stillOurs(answered, now fax.Number) error {
	name := b.Order.Name
	renamed := name != "" && now.Name != name && now.Name != answered.Name && folded(now.Name) != folded(name)
	why := ""
	if b.Picked || b.Order.Phone == "" {
		why = b.stale(now)
	}
	switch {
	case renamed:
		why = "its name is " + text.Quote(now.Name)
	case why == "":
		return nil
	}
	return b.notOurs(now, why)
}
