package plan

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/yamlfile"
	"github.com/faxctl/faxctl/pkg/fax"
)

// Saved is a plan that is kept to be reviewed and carried out later: the numbers file
// it was made of, and what was to be done then. It holds no secret of faxctl's.
type Saved struct {
	Format   int         `json:"faxctl_plan"` // see savedFormat
	Provider string      `json:"provider"`
	Account  string      `json:"account"`
	Made     time.Time   `json:"made"`
	Path     string      `json:"path"` // of the numbers file, for messages
	Numbers  string      `json:"numbers"`
	Targets  []string    `json:"targets,omitempty"`
	Steps    []SavedStep `json:"steps"` // that have something to do
}

// SavedStep is a step as it was reviewed.
type SavedStep struct {
	Action Action     `json:"action"`
	Number string     `json:"number"` // to buy: this one and no other
	ID     string     `json:"id,omitempty"`
	Name   string     `json:"name,omitempty"`
	Fields []Field    `json:"fields,omitempty"`
	Price  *fax.Money `json:"price,omitempty"` // to buy: a month
}

// savedFormat is the version of the file. What it means never changes: another meaning
// is another version.
const savedFormat = 1

// Save is the plan of steps that were made of a file for an account.
func Save(provider, account string, f File, targets []string, steps []Step) Saved {
	s := Saved{Format: savedFormat, Provider: provider, Account: account, Made: time.Now().UTC().Truncate(time.Millisecond), Path: f.Path, Numbers: f.Text, Targets: targets, Steps: []SavedStep{}}
	for _, step := range steps {
		if step.Pending() {
			s.Steps = append(s.Steps, saved(step))
		}
	}
	return s
}

func saved(s Step) SavedStep {
	kept := SavedStep{Action: s.Action, Number: s.Phone, ID: s.ID, Name: s.Name, Fields: s.Fields}
	if s.Offer != nil {
		kept.Price = s.Offer.Price
	}
	return kept
}

// ReadSaved reads a plan strictly; path is for messages. fax.ErrInvalid: it is none, or
// of another version of faxctl.
func ReadSaved(path string, text []byte) (Saved, error) {
	version := formatOf(text)
	if version == 0 {
		return Saved{}, problem.Invalid(problem.Say("%s writes one; a file of numbers is applied with -f", problem.Command("numbers", "plan").Set("out", "FILE")), "plan %s: it is none", path)
	}
	if version != savedFormat {
		return Saved{}, problem.Invalid(problem.Say("make the plan again with this version of faxctl"), "plan %s: it has format %d, and this faxctl knows %d", path, version, savedFormat)
	}
	var s Saved
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	err := d.Decode(&s)
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("something follows the plan")
		}
	}
	if err != nil {
		return Saved{}, problem.Invalid(problem.Say("make the plan again; it is not to be edited"), "plan %s: %v", path, err)
	}
	return s, nil
}

// Compare finds what of a saved plan is still to do, and makes sure that it is what was
// reviewed: each step that is to be done now is in the plan, from the same and to the
// same, and buys the same number for the same price. What is done already is not to do
// any more, so that a plan can be run again. fax.ErrConflict: the account, or what is
// for sale, has moved since; or the plan is of another account. It changes nothing.
func (s Saved) Compare(ctx context.Context, numbers fax.Numbers, provider, account string, o Options) ([]Step, error) {
	if s.Provider != provider || s.Account != account {
		return nil, problem.With(fmt.Errorf("%w: the plan is of account %s at %s, and this is %s at %s", problem.ErrConflict, s.Account, s.Provider, account, provider),
			problem.Say("choose the account with %s", problem.Field("profile")))
	}
	f, err := ReadFile(s.Path, []byte(s.Numbers))
	if err != nil {
		return nil, err
	}
	pinned := map[string]SavedStep{}
	for _, step := range s.Steps {
		if step.Action == ActionBuy {
			pinned[step.Name] = step
		}
	}
	steps, err := compare(ctx, numbers, f, o, pinned)
	var entries *yamlfile.Error
	if errors.As(err, &entries) {
		return nil, s.moved(entries.Error())
	} else if err != nil {
		return nil, err
	}
	if steps, err = Targeted(steps, s.Targets, "the file or the account"); err != nil {
		return nil, s.moved(err.Error())
	}
	notes, err := o.Notes.read(ctx)
	if err != nil {
		return nil, err
	}
	var reasons []string
	for _, step := range steps {
		why := s.differs(step)
		switch {
		case why != "":
		case step.Refused != nil:
			why = step.Refused.Error()
		case step.Action == ActionBuy:
			why = s.boughtBefore(step, notes)
		}
		if why != "" {
			reasons = append(reasons, step.Label()+": "+why)
		}
	}
	if len(reasons) > 0 {
		return nil, s.moved(strings.Join(reasons, "; "))
	}
	return steps, nil
}

// moved says that a plan is not what would be done now.
func (s Saved) moved(how string) error {
	return problem.With(fmt.Errorf("%w: the account is not as it was when the plan was made at %s; nothing was done: %s", problem.ErrConflict, s.Made.Format(time.RFC3339), how),
		problem.Say("plan again, and review it: %s", problem.Command("numbers", "plan").Set("f", s.Path).Set("out", "FILE")))
}

// differs says why a step is not one of the plan; "" when it is, or there is nothing to
// do.
func (s Saved) differs(step Step) string {
	if !step.Pending() {
		return ""
	}
	at := slices.IndexFunc(s.Steps, func(o SavedStep) bool { return o.Number == step.Phone })
	if at < 0 {
		return "to " + string(step.Action) + ", which was not planned"
	}
	planned, now := s.Steps[at], saved(step)
	continued := planned.Action == ActionBuy && now.Action == ActionChange && planned.Name == now.Name // it was bought by a run before
	switch {
	case planned.Action != now.Action && !continued:
		return "to " + string(now.Action) + ", and it was to " + string(planned.Action)
	case planned.ID != now.ID && !continued:
		return "its id is " + now.ID + ", and was " + planned.ID
	case now.Action == ActionBuy && !samePrice(planned.Price, now.Price):
		return "it costs " + priceInWords(now.Price) + " a month, and it was " + priceInWords(planned.Price)
	}
	for _, f := range now.Fields {
		i := slices.IndexFunc(planned.Fields, func(o Field) bool { return o.Name == f.Name && o.To == f.To })
		fresh := continued && (f.From == "" || isDemo(f.From))
		switch name := strings.ReplaceAll(f.Name, "_", " "); {
		case i < 0:
			return name + " would become " + orNone(f.To) + ", which was not planned"
		case f.From != planned.Fields[i].From && !fresh:
			return name + " is " + orNone(f.From) + ", and was " + orNone(planned.Fields[i].From)
		}
	}
	return ""
}

// boughtBefore says that a plan has bought a number already, which somebody gave up
// since; "" when this machine's notes do not know of it.
func (s Saved) boughtBefore(step Step, notes []note) string {
	for _, n := range notes {
		bought := n.State == noteBought || n.State == noteReleased
		if bought && n.Time.After(s.Made) && n.Phone == step.Phone && n.Name == step.Name {
			return "it was bought at " + n.at() + " and is not there any more"
		}
	}
	return ""
}

func samePrice(a, b *fax.Money) bool { return a == nil && b == nil || a != nil && b != nil && *a == *b }

func priceInWords(m *fax.Money) string {
	if m == nil {
		return "a price that is not told"
	}
	return m.String()
}

// Targeted are the steps about the numbers that targets name: by phone number, by id,
// or by the exact name; none is all. fax.ErrNotFound: there is no such step.
func Targeted(steps []Step, targets []string, in string) ([]Step, error) {
	if len(targets) == 0 {
		return steps, nil
	}
	named := map[int]bool{}
	for _, target := range targets {
		phone, _ := fax.ParsePhone(target) // what is none is a name or an id
		found := false
		for i, s := range steps {
			if s.Phone == phone && phone != "" || s.ID == target && s.ID != "" || s.Name == target || s.wanted() == target {
				named[i], found = true, true
			}
		}
		if !found {
			return nil, problem.With(fmt.Errorf("target %s: %w in %s", target, problem.ErrNotFound, in), likelyTarget(steps, target))
		}
	}
	var left []Step
	for i, s := range steps {
		if named[i] {
			left = append(left, s)
		}
	}
	return left, nil
}

// wanted is the name that a step gives, or "".
func (s Step) wanted() string {
	if s.change.Name != nil {
		return *s.change.Name
	}
	return ""
}

// choose is the number for sale that an entry is to have; exact: a saved plan says
// which.
func (c *comparer) choose(ctx context.Context, s *shelf, p Purchase) (offer fax.Offer, exact bool, err error) {
	if pin, exact := c.pinned[p.Order.Name]; exact {
		offer, err = c.pinnedOffer(ctx, s, p, pin)
		return offer, true, err
	}
	others := map[string]bool{}
	for _, pin := range c.pinned {
		others[pin.Number] = true
	}
	offer, err = s.take(func(o fax.Offer) error {
		if c.taken[o.Phone] || others[o.Phone] {
			return errTaken
		}
		return p.of(o).fits()
	})
	return offer, false, err
}

// pinnedOffer is the number for sale that a saved plan has for an entry, as it is
// offered now.
func (c *comparer) pinnedOffer(ctx context.Context, s *shelf, p Purchase, pin SavedStep) (fax.Offer, error) {
	gone := fmt.Errorf("%s: %w among the numbers for sale any more", pin.Number, problem.ErrNotFound)
	if c.taken[pin.Number] {
		return fax.Offer{}, gone
	}
	offer, err := s.take(func(o fax.Offer) error {
		if o.Phone != pin.Number {
			return errTaken
		}
		return p.of(o).fits()
	})
	if !errors.Is(err, problem.ErrNotFound) {
		return offer, err
	}
	p.Order.Phone = pin.Number // the search may have it beyond its first answers
	if err := p.LookUp(ctx, c.numbers); err != nil {
		return fax.Offer{}, err
	}
	if p.Offer == nil {
		return fax.Offer{}, gone
	}
	return *p.Offer, p.fits()
}

// likelyTarget is the advice for a target that no step is about.
func likelyTarget(steps []Step, target string) problem.Advice {
	phone, _ := fax.ReadPhone(target, "")
	for _, s := range steps {
		switch {
		case phone != "" && s.Phone == phone:
			return problem.Say("did you mean %s?", problem.Field("target", s.Phone))
		case s.Name != "" && strings.EqualFold(s.Name, strings.TrimSpace(target)):
			return problem.Say("did you mean %s?", problem.Field("target", s.Name))
		}
	}
	return problem.Say("name a number, an id or the exact name: %s", problem.Field("target", "front desk"))
}

// IsSaved reports whether a text is a plan rather than a file of numbers.
func IsSaved(text []byte) bool { return formatOf(text) != 0 }

// formatOf is the format of a plan; 0: it is none.
func formatOf(text []byte) int {
	var format struct {
		Version int `json:"faxctl_plan"`
	}
	if json.Unmarshal(text, &format) != nil {
		return 0
	}
	return format.Version
}
