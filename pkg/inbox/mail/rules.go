package mail

import (
	"errors"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

// Rules say who is told of which fax, by mail.
type Rules struct {
	From    string // who the mails are from: an address, with or without a name before it
	MaxSize int64  // bytes of a whole message
	Rules   []Rule

	file string // its path, for messages
}

// Rule tells some addresses of some faxes.
type Rule struct {
	// ID names the rule: its name, or else what it selects by. It stays when the rest of
	// the rule is edited or rules are moved.
	ID string

	To, From string // as in the file; "": any
	Station  string // a pattern of what the far end calls itself; "": any
	When     []When

	Mail   []string // addresses
	Letter Letter   // without its address

	line    int // of the number that it selects by, in the file
	ends    fax.Filter
	ourName string // of our number; "": the rule names none
}

// Target is an address that is told of something, by a rule.
type Target struct {
	Rule    string `json:"rule"` // its ID
	Address string `json:"address"`
}

// ErrGone is the error of a target whose rule or address is not in the rules any more.
var ErrGone = problem.Of(problem.ErrNotFound, errors.New("it is not among the rules any more"))

// Targets are the rules and addresses that are told of this: each rule that matches, in
// the order of the rules, each of its addresses. nameOf tells the name that a number of
// ours has in the account; it is asked when a rule selects by one.
func (r *Rules) Targets(n News, nameOf func(phone string) string) []Target {
	var all []Target
	for _, rule := range r.Rules {
		if !rule.matches(n, nameOf) {
			continue
		}
		for _, address := range rule.Mail {
			all = append(all, Target{rule.ID, address})
		}
	}
	return all
}

// ByName reports whether a rule selects by the name of a number, which the account knows.
func (r *Rules) ByName() bool {
	return slices.ContainsFunc(r.Rules, func(rule Rule) bool { return rule.ourName != "" })
}

func (r Rule) matches(n News, nameOf func(string) string) bool {
	return slices.Contains(r.When, n.When) &&
		r.ends.Match(n.Fax) &&
		(r.Station == "" || sameStation(r.Station, n.Station)) &&
		(r.ourName == "" || nameOf != nil && nameOf(n.Fax.OurNumber()) == r.ourName)
}

// sameStation reports whether a pattern selects what the far end calls itself, in any case.
func sameStation(pattern, station string) bool {
	plain := strings.NewReplacer("/", "\x00") // a slash is nothing special here
	ok, err := path.Match(plain.Replace(strings.ToLower(pattern)), plain.Replace(strings.ToLower(strings.TrimSpace(station))))
	return ok && err == nil
}

// find is the rule of a target, and whether it still has its address.
func (r *Rules) find(t Target) (Rule, bool) {
	i := slices.IndexFunc(r.Rules, func(rule Rule) bool { return rule.ID == t.Rule })
	if i < 0 || !slices.Contains(r.Rules[i].Mail, t.Address) {
		return Rule{}, false
	}
	return r.Rules[i], true
}

// name gives each rule an ID that has none: what it selects by, and a number where
// another before it selects by the same.
func (r *Rules) name() {
	taken := map[string]bool{}
	for _, rule := range r.Rules {
		taken[rule.ID] = true
	}
	for i := range r.Rules {
		rule := &r.Rules[i]
		if rule.ID != "" {
			continue
		}
		id := rule.selects()
		for n := 2; taken[id]; n++ {
			id = rule.selects() + " #" + strconv.Itoa(n)
		}
		rule.ID, taken[id] = id, true
	}
}

// selects is what a rule selects by, in words that do not depend on the order in which
// they are written.
func (r Rule) selects() string {
	var parts []string
	for _, p := range [][2]string{{"to", r.To}, {"from", r.From}, {"station", r.Station}} {
		if p[1] != "" {
			parts = append(parts, p[0]+"="+p[1])
		}
	}
	for _, w := range Whens() {
		if slices.Contains(r.When, w) {
			parts = append(parts, string(w))
		}
	}
	return strings.Join(parts, " ")
}
