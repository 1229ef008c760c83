package plan

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"html"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/fax"
)

// Notes are the purchases that were made for one account: each is noted before its
// order is sent, and what became of it after. A provider's lists may be late, and its
// names may come back otherwise; the notes know all the same what was bought. They are
// of this machine ([NotesIn]), or of all that share a database ([NotesAt]). The zero
// value keeps none.
type Notes struct {
	Account string
	kept    ledger // nil: none
}

// ledger is where notes are kept. What it returns of a note is what was written last.
type ledger interface {
	// lock makes a run the only one that chooses numbers and buys them for the account,
	// until it calls done: its ledger is mine. The lock ends with the process.
	// ErrConflict: another run has it.
	lock(ctx context.Context) (mine ledger, done func(), err error)

	// begin keeps a new note, surely. Where the lock was lost meanwhile and another run
	// had it, that is ErrConflict.
	begin(ctx context.Context, n note) error

	// write keeps what is known of a purchase by now.
	write(ctx context.Context, n note) error

	// read is what is known of each purchase, the oldest first.
	read(ctx context.Context) ([]note, error)

	// now is the time by the clock that note.Time is of.
	now(ctx context.Context) (time.Time, error)

	// forget removes all notes.
	forget(ctx context.Context) error
}

// lock is the notes for a run that is the only one to buy; see [ledger]. Without notes
// there is no lock.
func (s Notes) lock(ctx context.Context) (mine Notes, done func(), err error) {
	if s.kept == nil {
		return s, func() {}, nil
	}
	s.kept, done, err = s.kept.lock(ctx)
	return s, done, err
}

// buying is what stands in the way of a run while another one buys.
func buying(account string) error {
	return problem.With(fmt.Errorf("%w: another faxctl is buying numbers for account %s; nothing was done", problem.ErrConflict, account),
		problem.Say("wait until it has finished, look what it bought, and run this again if it is still needed"))
}

// noteAge is how long a purchase may take to show at the provider: until then,
// none is made in its place.
const noteAge = 15 * time.Minute

// note is what is known of a purchase. Each line replaces those before with the
// same order.
type note struct {
	Order    string    `json:"order"` // names the purchase
	Account  string    `json:"account"`
	Time     time.Time `json:"time"`           // when the order was sent, by the clock of the notes
	Asked    time.Time `json:"asked,omitzero"` // the same by the provider's clock, where it is known
	State    noteState `json:"state"`
	Name     string    `json:"name,omitempty"` // as it was sent
	Phone    string    `json:"phone,omitempty"`
	AreaCode string    `json:"area_code,omitempty"`
	ID       string    `json:"id,omitempty"`
	Shown    string    `json:"shown,omitempty"` // the name as the provider has it

	// Repeats says that the same command orders another number: it has no name,
	// and no person named the number.
	Repeats bool `json:"repeats,omitempty"`

	// Untold says of one that repeats, and that bought a number, that nobody may know it
	// yet: its run has not come so far, or ended before. See [Deal.Told].
	Untold bool `json:"untold,omitempty"`
}

// noteState is how far a purchase came.
type noteState string

const (
	noteOrdering noteState = "ordering" // sent, or about to be; what became of it is not known
	noteBought   noteState = "bought"
	noteRefused  noteState = "refused" // nothing was bought
	noteReleased noteState = "released"
)

// begin notes an order that is about to be sent. Without the note it must not
// be.
func (s Notes) begin(ctx context.Context, p Purchase, asked time.Time) (note, error) {
	o := p.Order
	n := note{
		Order: rand.Text(), Account: s.Account, Asked: asked, State: noteOrdering,
		Name: o.Name, Phone: o.Phone, AreaCode: o.AreaCode, Repeats: p.repeats(),
	}
	if s.kept == nil {
		return n, nil
	}
	var err error
	if n.Time, err = s.kept.now(ctx); err == nil {
		err = s.kept.begin(ctx, n)
	}
	return n, err
}

// write adds what is known of a purchase by now, also when ctx has ended.
func (s Notes) write(ctx context.Context, n note) error {
	if s.kept == nil {
		return nil
	}
	return s.kept.write(context.WithoutCancel(ctx), n)
}

// read is what is known of each purchase, the oldest first.
func (s Notes) read(ctx context.Context) ([]note, error) {
	if s.kept == nil {
		return nil, nil
	}
	return s.kept.read(ctx)
}

// age is how long ago a purchase was ordered, by the clock of the notes.
func (s Notes) age(ctx context.Context, n note) (time.Duration, error) {
	if s.kept == nil {
		return 0, nil
	}
	now, err := s.kept.now(ctx)
	return now.Sub(n.Time), err
}

// Forget removes the notes, as when the account is a sandbox that was emptied.
func (s Notes) Forget(ctx context.Context) error {
	if s.kept == nil {
		return nil
	}
	return s.kept.forget(ctx)
}

// released notes that the number of that id was given up.
func (s Notes) released(ctx context.Context, id string) error {
	return s.bought(ctx, id, func(n *note) { n.State = noteReleased })
}

// told notes that somebody knows of the number of that id.
func (s Notes) told(ctx context.Context, id string) error {
	return s.bought(ctx, id, func(n *note) { n.Untold = false })
}

// bought changes the notes of the purchases that bought the number of that id.
func (s Notes) bought(ctx context.Context, id string, change func(*note)) error {
	all, err := s.read(ctx)
	for _, n := range all {
		if n.ID != id || n.State != noteBought {
			continue
		}
		was := n
		if change(&n); n != was {
			err = errors.Join(err, s.write(ctx, n))
		}
	}
	return err
}

// unanswered tells whether a purchase without a name stands in the way of another:
// one of which it is not known what became, or of which nobody may have been told.
func (b buyer) unanswered(ctx context.Context) error {
	notes, err := b.Notes.read(ctx)
	if err != nil {
		return err
	}
	for _, n := range notes {
		if !n.Repeats || n.State != noteOrdering && !n.isUntold() {
			continue
		}
		age, err := b.age(ctx, n)
		if err != nil {
			return err
		}
		if age >= noteAge {
			continue
		}
		order := buyer{numbers: b.numbers, Purchase: Purchase{Order: fax.Order{Phone: n.Phone, AreaCode: n.AreaCode}}}
		another := problem.Say("%s; to buy one more before %s, give it a %s", order.toLook(), problem.Text(until(age)), problem.Field("name"))
		if n.isUntold() {
			return problem.With(fmt.Errorf("%w: %s was bought without a name %s ago, by a run that has not told of it; nothing was bought", problem.ErrConflict, n.Phone, age.Round(time.Second)), another)
		}
		all, err := order.list(ctx)
		if err != nil {
			return err
		}
		shows := "the account does not show it yet"
		if _, has := all.find(n.Phone); has {
			shows = "the account has it by now"
		} else if n.Phone == "" {
			shows = "it is not known whether it was bought"
		}
		return problem.With(fmt.Errorf("%w: %s was ordered without a name %s ago, and %s; nothing was bought", problem.ErrConflict, order.what(), age.Round(time.Second), shows), another)
	}
	return nil
}

// isUntold reports whether it bought a number of which nobody may know.
func (n note) isUntold() bool { return n.State == noteBought && n.Untold }

// age is how long ago a purchase was ordered: by the provider's clock, where that
// was asked at the order and can be asked now, since any other clock may have
// been set meanwhile.
func (b buyer) age(ctx context.Context, n note) (time.Duration, error) {
	if !n.Asked.IsZero() && b.Now != nil {
		now, err := b.Now(ctx)
		if err != nil {
			return 0, fmt.Errorf("ask the provider for the time: %w; nothing was bought", err)
		}
		if !now.IsZero() {
			return now.Sub(n.Asked), nil
		}
	}
	return b.Notes.age(ctx, n)
}

// until is the time of this machine at which a purchase of that age is in nobody's
// way any more.
func until(age time.Duration) string { return time.Now().Add(noteAge - age).Format("15:04") }

// noted tells whether a purchase that the notes know stands in the way of another
// for the same name. all are the account's numbers. over are those of the name that
// the account does not show and that are too old to be waited for.
func (b buyer) noted(ctx context.Context, notes []note, all []fax.Number) (over []note, err error) {
	name := folded(b.Order.Name)
	elsewhere := func(n note) bool {
		return n.Name == "" || n.State == noteRefused || n.State == noteReleased || folded(n.Name) != name ||
			n.Phone != "" && n.Phone == b.Order.Phone && !b.Picked // whoever names the number cannot buy it twice
	}
	same := slices.DeleteFunc(slices.Clone(notes), elsewhere)
	if len(same) == 0 {
		return nil, nil
	}
	listed := map[string]bool{}
	for _, n := range all {
		listed[n.ID] = true
	}
	others := map[string]bool{} // ids of numbers that are known to be another purchase's
	for _, n := range notes {
		others[n.ID] = true
	}
	all = slices.DeleteFunc(slices.Clone(all), func(n fax.Number) bool { return others[n.ID] && n.ID != "" })
	for _, n := range same {
		isOver, err := b.stands(ctx, n, all, listed)
		if err != nil {
			return nil, err
		}
		if isOver {
			over = append(over, n)
		}
	}
	return over, nil
}

// stands tells whether a noted purchase stands in the way of another of its name.
// listed are the ids that the account's list has, all those of its numbers that no
// noted purchase bought. over: it does not, since it is old and nowhere.
func (b buyer) stands(ctx context.Context, n note, all []fax.Number, listed map[string]bool) (over bool, err error) {
	now, found, err := b.bought(ctx, n, all)
	if err != nil {
		return false, err
	}
	age, err := b.age(ctx, n)
	if err != nil {
		return false, err
	}
	switch {
	case found && n.Shown != "" && now.Name != n.Shown && folded(now.Name) != folded(n.Name):
		return false, nil // it has got another name since
	case found && folded(now.Name) == folded(n.Name) && !listed[now.ID]:
		return false, problem.With(fmt.Errorf("%w: %s was bought for the name %s %s ago, and the account's list does not show it yet; nothing was bought",
			problem.ErrConflict, now.Phone, text.Quote(n.Name), age.Round(time.Second)), problem.Say(againSoon))
	case found && now.Name == n.Name:
		return false, b.nameTaken([]fax.Number{now})
	case found:
		return false, problem.With(fmt.Errorf("%w: %s was bought for the name %s at %s, and its name is %s; nothing was bought",
			problem.ErrConflict, now.Phone, text.Quote(n.Name), n.at(), text.Quote(now.Name)), byNumber(now.Phone))
	case age < noteAge:
		what := "a number"
		if n.Phone != "" {
			what = n.Phone
		}
		return false, problem.With(fmt.Errorf("%w: %s was ordered for the name %s %s ago, and the account does not show it yet; nothing was bought",
			problem.ErrConflict, what, text.Quote(n.Name), age.Round(time.Second)),
			problem.Say("look after %s: %s; what is not there by then is bought anew", problem.Text(until(age)), problem.Command("numbers", "list").Set("name", n.Name)))
	}
	return true, nil
}

// at is when a purchase was ordered, for people.
func (n note) at() string { return n.Time.Local().Format("15:04 on 2006-01-02") }

// giveUp tells that purchases which the account does not show are made anew, and
// notes it.
func (b buyer) giveUp(ctx context.Context, over []note) error {
	for _, n := range over {
		b.tell("A number was ordered for the name %s at %s, and the account does not show it: it is bought anew.", text.Quote(n.Name), n.at())
		n.State = noteRefused
		if err := b.Notes.write(ctx, n); err != nil {
			return err
		}
	}
	return nil
}

// bought is the number that a noted purchase bought, if the account has it: by its
// id, or among all by its phone number.
func (b buyer) bought(ctx context.Context, n note, all []fax.Number) (fax.Number, bool, error) {
	if n.ID == "" {
		for _, o := range all {
			if n.Phone != "" && o.Phone == n.Phone {
				return o, true, nil
			}
		}
		return fax.Number{}, false, nil
	}
	now, err := b.numbers.Get(ctx, n.ID)
	if errors.Is(err, problem.ErrNotFound) {
		return fax.Number{}, false, nil
	}
	return now, err == nil, err
}

// notedPhone is the number of that phone which is noted as bought before, if the
// account has it: its list may not show it yet.
func (b buyer) notedPhone(ctx context.Context) (fax.Number, bool, error) {
	if b.Order.Phone == "" {
		return fax.Number{}, false, nil
	}
	notes, err := b.Notes.read(ctx)
	if err != nil {
		return fax.Number{}, false, err
	}
	for _, n := range notes {
		if n.ID == "" || n.Phone != b.Order.Phone || n.State != noteBought {
			continue
		}
		if now, found, err := b.bought(ctx, n, nil); err != nil || found && now.Phone == n.Phone {
			return now, found, err
		}
	}
	return fax.Number{}, false, nil
}

// folded is a name without what providers are known to change of it: which of the
// ways to write the same letters was taken (NFC), blanks, HTML entities. It
// answers only whether something is bought already, never what is changed or given
// up.
func folded(name string) string {
	for range 3 { // escaped more than once
		name = html.UnescapeString(name)
	}
	return strings.Join(strings.Fields(norm.NFC.String(name)), " ")
}

// againSoon is the advice while the provider's list is late.
const againSoon = "run it again in a moment: it looks first, and buys no other"

// byNumber is the advice for a number whose name does not tell that it is meant.
func byNumber(phone string) problem.Advice {
	return problem.Say(`name it by its number from now on: %s; in a file, write number: "%s" in place of buy:, and leave name: out or write it as it came back`,
		problem.Command("numbers", "get").Arg(phone), problem.Text(phone))
}
