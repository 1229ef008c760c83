// Package resolve finds the owned numbers that people mean: by phone number, by id, or
// by name.
//
// Use it wherever a person names a number; what is not found, or means several, is an
// error that helps.
package resolve

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/fax"
)

// AmbiguousError says that a ref names several numbers. It is ErrInvalid.
type AmbiguousError struct {
	Ref        string
	Candidates []fax.Number // in the provider's order
}

// Error names the candidates, the first few of many.
func (e *AmbiguousError) Error() string {
	const show = 5
	var b strings.Builder
	fmt.Fprintf(&b, "%q names %d numbers:", e.Ref, len(e.Candidates))
	for i, n := range e.Candidates {
		if i == show {
			fmt.Fprintf(&b, " and %d more", len(e.Candidates)-show)
			break
		}
		fmt.Fprintf(&b, " %s (%s)", n.Phone, n.ID)
	}
	return b.String()
}

// Unwrap is ErrInvalid.
func (e *AmbiguousError) Unwrap() error { return problem.ErrInvalid }

// Number finds the owned number that ref means: a phone number in E.164, a provider id, or
// an exact friendly name; what else it may mean, [Reading] says. The number comes from
// Get, so its receive mode is known where the provider tells it at all.
//
// What reads as a phone number is only ever a phone number, never the name of
// another one. A ref that may be an id is asked for as an id; no shape of id is
// assumed beyond being one word, the shape only decides what is tried first.
//
// ErrNotFound: the account owns no such number; the advice names those that were likely
// meant. [AmbiguousError]: it names several.
func Number(ctx context.Context, numbers fax.Numbers, ref string, how Reading) (fax.Number, error) {
	return number(ctx, numbers, ref, how, every(ctx, numbers))
}

// number is Number, with a list of the account's numbers for what is not found at once.
func number(ctx context.Context, numbers fax.Numbers, ref string, how Reading, owned func() ([]fax.Number, error)) (fax.Number, error) {
	if strings.TrimSpace(ref) == "" {
		return fax.Number{}, problem.Invalid(problem.Say("name it by its phone number, id or name, as %s shows them", problem.Command("numbers", "list")), "number: it is empty")
	}
	for _, m := range meanings(ref) {
		var n fax.Number
		var err error
		switch m.kind {
		case asPhone:
			return only(ctx, numbers, ref, fax.NumberFilter{Phone: m.text}, func(n fax.Number) bool { return n.Phone == m.text })
		case asName:
			n, err = only(ctx, numbers, ref, fax.NumberFilter{Name: ref}, func(n fax.Number) bool { return n.Name == ref })
		case asID:
			n, err = numbers.Get(ctx, ref)
			if errors.Is(err, problem.ErrInvalid) { // some providers call a strange id a bad request
				err = notFound(ref)
			}
		}
		if !errors.Is(err, problem.ErrNotFound) {
			return n, err
		}
	}
	return likely(ctx, numbers, ref, how, owned)
}

// meaning is one thing that a ref may mean.
type meaning struct {
	kind meaningKind
	text string
}

type meaningKind int8

const (
	asPhone meaningKind = iota
	asID
	asName
)

// meanings are what ref may mean, the likelier one first: people's words are
// short, and the ids of today's providers have 34 or 36 characters.
func meanings(ref string) []meaning {
	if phone, err := fax.ParsePhone(ref); err == nil {
		return []meaning{{asPhone, phone}}
	}
	switch oneWord := text.MadeOf(ref, text.Digits+text.Upper+text.Lower+"_-"); {
	case strings.TrimSpace(ref) == "":
		return nil
	case !oneWord:
		return []meaning{{asName, ref}}
	case len(ref) >= 30:
		return []meaning{{asID, ref}, {asName, ref}}
	}
	return []meaning{{asName, ref}, {asID, ref}}
}

// only fetches the one number that a filter and a predicate select.
func only(ctx context.Context, numbers fax.Numbers, ref string, f fax.NumberFilter, match func(fax.Number) bool) (fax.Number, error) {
	var found []fax.Number
	for n, err := range numbers.List(ctx, f) {
		if err != nil {
			return fax.Number{}, err
		}
		if match(n) { // a provider may answer more widely than it was asked
			found = append(found, n)
		}
	}
	n, err := single(ref, found)
	if err != nil {
		return n, err
	}
	return numbers.Get(ctx, n.ID)
}

// single is the one number that was found.
func single(ref string, found []fax.Number) (fax.Number, error) {
	switch len(found) {
	case 0:
		return fax.Number{}, notFound(ref)
	case 1:
		return found[0], nil
	}
	return fax.Number{}, problem.With(&AmbiguousError{Ref: ref, Candidates: found}, problem.Say("use the phone number or the id"))
}

func notFound(ref string) error {
	return problem.With(fmt.Errorf("number %q: %w in this account", ref, problem.ErrNotFound), problem.Say("see what there is: %s", problem.Command("numbers", "list")))
}
