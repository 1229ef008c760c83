package prune

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

// ErrEmpty is a policy without a condition: it would select everything. It
// comes together with fax.ErrInvalid.
var ErrEmpty = errors.New("it has no condition and would select every fax")

// Policy says which faxes to delete: those that meet every condition given.
type Policy struct {
	Filter    fax.Filter
	OlderThan time.Duration // by creation time; 0: of any age
	KeepLast  int           // of each of our numbers, keep this many of the newest; 0: none
	MediaOnly bool          // only documents are deleted: a fax without one is not selected
	MaxDelete Limit         // select more than this and nothing is deleted

	// Shard is the part of the selection that goes. It is cut last: KeepLast and
	// MaxDelete mean the whole of it.
	Shard fax.Shard

	copies bool // what goes is kept copies: also of faxes that were in progress
}

// Check refuses a policy without a condition with [ErrEmpty], and one that
// contradicts itself with fax.ErrInvalid. MaxDelete is no condition: it does
// not say which faxes.
func (p Policy) Check() error {
	f := p.Filter
	if p.OlderThan < 0 || p.KeepLast < 0 {
		return fmt.Errorf("%w policy: an age or a count below zero", problem.ErrInvalid)
	}
	if p.OlderThan == 0 && p.KeepLast == 0 && f.From == "" && f.To == "" && f.Number == "" && !slices.ContainsFunc(f.Ends, chooses) && f.After.IsZero() &&
		f.Until.IsZero() && f.Direction == "" && len(f.Statuses) == 0 && f.MinPages == 0 {
		return problem.With(fmt.Errorf("%w policy: %w", problem.ErrInvalid, ErrEmpty), problem.Say("say which faxes: %s, or a filter such as %s", problem.Field("older-than", "90d"), problem.Field("to", "+14155550123")))
	}
	return nil
}

// chooses reports whether a pattern leaves a number out.
func chooses(p fax.Pattern) bool { return !p.Any() }

// Query is what to list for [Policy.Plan]: no more than is needed to decide.
// What is kept by KeepLast, and a share or a day that MaxDelete allows, are known
// only when the newer faxes are seen as well.
func (p Policy) Query(now time.Time) fax.Filter {
	q := p.Filter
	q.Undated = true // they stay, and are counted
	if p.KeepLast == 0 && !p.MaxDelete.needsAll() {
		q.Until = p.until(now)
	}
	return q
}

// Facts is what a decision rests on besides the faxes.
type Facts struct {
	Now  time.Time
	Told func(id string) (oldest, newest time.Time) // what dates a list told of a fax; nil: no more than there is of it here
	Copy func(fax.Fax) (Copy, error)                // asked of each fax that the conditions select; nil: no archive
}

// Copy is what an archive knows of a fax.
type Copy struct {
	Whole   bool      // record and document are in it
	Created time.Time // when the fax was made, as it says; zero: it does not
	Bytes   int64     // of its document
	Gone    bool      // it is known that the provider has the fax no more
	Stays   Reason    // why the fax must stay: [Held], [Damaged], [Incomplete] or [Uncounted]; empty: it need not
	Detail  string    // about Stays
}

// Reason is why a fax that the conditions select stays.
type Reason string

// The reasons.
const (
	InProgress Reason = "in progress"        // its status may still change
	Held       Reason = "held"               // Skip.Detail is the reason given
	Kept       Reason = "kept by its bucket" // by a legal hold or for a time; Skip.Detail is by which
	Leaving    Reason = "being deleted"      // somebody is at it now, or was when that process ended; Skip.Detail is since when
	Damaged    Reason = "copy damaged"       // nobody knows whether it is held, or it is not what was kept; Skip.Detail is why
	Incomplete Reason = "copy incomplete"    // it lacks pages that the record tells of; Skip.Detail is why
	Uncounted  Reason = "uncounted"          // the pages of its copy cannot be counted; Skip.Detail is why
	KeptLast   Reason = "among the last"     // protected by KeepLast
	Absent     Reason = "not found"          // it is not in the archive
	NoDate     Reason = "without a date"     // nobody knows whether it meets a condition of age or date
	TwoDates   Reason = "of two dates"       // the conditions select it by one of them alone; Skip.Detail is which
)

// Skip is a fax that stays, and why.
type Skip struct {
	ID     string
	Reason Reason
	Detail string
}

// Odd reports whether a person has to look at it: its copy is not what it should be, or its
// dates contradict each other.
func (s Skip) Odd() bool {
	return s.Reason == Damaged || s.Reason == Incomplete || s.Reason == TwoDates
}

// Plan is a fixed selection: what is deleted is in it, and nothing else is.
type Plan struct {
	Delete  fax.Packed // the oldest first
	Skipped []Skip     // the oldest first
	Summary Summary
}

// Left is how many faxes stay for a reason.
func (plan Plan) Left(why Reason) int {
	n := 0
	for _, s := range plan.Skipped {
		if s.Reason == why {
			n++
		}
	}
	return n
}

// Summary describes what a plan deletes.
type Summary struct {
	Count        int       `json:"count"`
	Considered   int       `json:"considered"`    // faxes that met the filter
	Pages        int       `json:"pages"`         // of those whose count is known
	UnknownPages int       `json:"unknown_pages"` // faxes whose page count is not
	Archived     int       `json:"archived"`      // of which a copy is kept
	Bytes        int64     `json:"bytes"`         // of the documents of those copies
	Gone         int       `json:"gone"`          // of which it is known that the provider has them no more
	Skipped      int       `json:"skipped"`
	Elsewhere    int       `json:"elsewhere"` // faxes that other shards delete
	Oldest       time.Time `json:"oldest,omitzero"`
	Newest       time.Time `json:"newest,omitzero"`
}

// Plan fixes the selection. It reads faxes, listed by [Policy.Query], to their
// end; an error among them is returned and there is no plan, since half a
// selection is a wrong one. Faxes may come in any order. Errors: those of
// [Policy.Check], fax.ErrConflict when MaxDelete is exceeded (with the plan,
// for showing), and those of faxes and facts.
func (p Policy) Plan(faxes iter.Seq2[fax.Fax, error], facts Facts) (Plan, error) {
	if err := p.Check(); err != nil {
		return Plan{}, err
	}
	all, considered, err := p.read(faxes)
	if err != nil {
		return Plan{}, err
	}
	all.NewestFirst()
	plan := Plan{Summary: Summary{Considered: considered}}
	days := span(all, facts.Now)
	lasts, decided := map[string]*lasting{}, make(map[string]bool, all.Len())
	all.DeleteFunc(func(f fax.Fax) bool { // what stays
		if decided[f.ID] { // a list may tell of it twice, with two dates: the newest counts
			if p.Filter.Match(f) {
				plan.Summary.Considered--
			}
			return true
		}
		decided[f.ID] = true
		last, protected := false, time.Time{}
		if p.KeepLast > 0 && f.Status.Terminal() && !f.Created.IsZero() {
			n := f.OurNumber()
			if lasts[n] == nil {
				lasts[n] = new(lasting)
			}
			last, protected = lasts[n].has(f, p.KeepLast)
		}
		when := made{}.also(f.Created)
		if facts.Told != nil {
			first, latest := facts.Told(f.ID)
			when = when.also(first).also(latest)
		}
		if err != nil || !p.mayBeDue(f, when, facts.Now) || p.MediaOnly && !f.HasDocument() {
			return true
		}
		var c Copy
		if facts.Copy != nil {
			if c, err = facts.Copy(f); err != nil {
				return true
			}
		}
		s := p.skip(f, last, c, p.contradiction(f.ID, when.also(c.Created), protected, facts.Now))
		switch {
		case s.Reason != "" && p.Shard.Has(f.ID):
			plan.Skipped = append(plan.Skipped, s)
		case s.Reason != "":
		case p.Shard.Has(f.ID):
			plan.Summary.count(f, c)
			return false
		default:
			plan.Summary.Elsewhere++
		}
		return true
	})
	if err != nil {
		return Plan{}, err
	}
	all.Reverse()
	slices.Reverse(plan.Skipped)
	plan.Delete, plan.Summary.Skipped = all, len(plan.Skipped)
	return plan, p.MaxDelete.Check(plan.Summary.Count+plan.Summary.Elsewhere, plan.Summary.Considered, days)
}

// read holds the faxes that there is to decide on, and says how many the filter meets.
func (p Policy) read(faxes iter.Seq2[fax.Fax, error]) (all fax.Packed, considered int, err error) {
	q := p.Filter
	q.Undated = true
	for f, err := range faxes {
		if err != nil {
			return fax.Packed{}, 0, err
		}
		if q.Match(f) {
			all.Add(f)
		}
		if p.Filter.Match(f) {
			considered++
		}
	}
	return all, considered, nil
}

// span is how many days the dates of faxes, the newest first, go back.
func span(faxes fax.Packed, now time.Time) float64 {
	for i := faxes.Len() - 1; i >= 0; i-- {
		if at := faxes.At(i).Created; !at.IsZero() {
			return now.Sub(at).Hours() / 24
		}
	}
	return 0
}

// lasting is the newest faxes of a number.
type lasting struct {
	count  int
	oldest time.Time // of those that are kept
}

// has takes in the next one, which is older, and reports whether it is among those that are
// kept; if not, it is not newer than oldest.
func (l *lasting) has(f fax.Fax, keep int) (last bool, oldest time.Time) {
	if l.count++; l.count <= keep {
		l.oldest = f.Created
		return true, time.Time{}
	}
	return false, l.oldest
}

// skip says why f stays, if it does. Dates that contradict each other are told as an error.
func (p Policy) skip(f fax.Fax, last bool, c Copy, dates error) Skip {
	s := Skip{ID: f.ID}
	switch {
	case c.Stays != "":
		s.Reason, s.Detail = c.Stays, c.Detail
	case !f.Status.Terminal() && !p.copies:
		s.Reason, s.Detail = InProgress, string(f.Status)
	case f.Created.IsZero() && p.byDate():
		s.Reason = NoDate
	case dates != nil:
		s.Reason, s.Detail = TwoDates, inFull(dates)
	case last:
		s.Reason, s.Detail = KeptLast, fmt.Sprintf("last %d of %s", p.KeepLast, f.OurNumber())
	}
	return s
}

// count takes in a fax that goes, and its copy.
func (s *Summary) count(f fax.Fax, c Copy) {
	s.Count++
	if f.Pages == nil {
		s.UnknownPages++
	} else {
		s.Pages += *f.Pages
	}
	if c.Whole {
		s.Archived++
	}
	if c.Gone {
		s.Gone++
	}
	s.Bytes += c.Bytes
	if f.Created.IsZero() {
		return
	}
	if s.Oldest.IsZero() || f.Created.Before(s.Oldest) {
		s.Oldest = f.Created
	}
	if f.Created.After(s.Newest) {
		s.Newest = f.Created
	}
}
