// Package providertest is the contract that every provider keeps: what the
// comments in package fax promise, as tests.
//
// Use it in the external tests of a package that implements [fax.Provider],
// against a sandbox or, with care, a real account: the suite buys one number
// and releases it, and deletes faxes.
//
//	func TestContract(t *testing.T) {
//		providertest.Run(t, providertest.Subject{Open: open, Refused: wrongSecret, ...})
//	}
//
// A sequence that is left early must not leave a goroutine behind. Goroutines
// belong to a process, so the package under test proves that for the whole
// suite in its TestMain, with goleak.
package providertest

import (
	"context"
	"errors"
	"iter"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

// Subject is a provider under test, and what is known of the account.
type Subject struct {
	// Open opens the provider. It is called once for every group of tests and
	// may lead to the same account or to a fresh one each time.
	Open func(t *testing.T) fax.Provider

	// Refused opens the same account with a wrong secret.
	Refused func(t *testing.T) fax.Provider

	// Offered is a question that several numbers for sale answer, Fax among
	// its requirements.
	Offered fax.Query

	// Numbers is how many numbers the account owns at least. It takes more
	// than a page of them to prove paging.
	Numbers int

	// Faxes is how many faxes the account has at least, three of them with a
	// document; 0 leaves them out.
	Faxes int

	// UnknownID has the form of an id of this provider, and is none.
	UnknownID string
}

// Run proves the contract, as far as the provider offers the thing.
func Run(t *testing.T, s Subject) {
	p := s.Open(t)
	if p.Name == "" {
		t.Error("the provider has no name")
	}
	if p.Accounts != nil {
		t.Run("accounts", s.accounts)
	}
	if p.Numbers != nil {
		t.Run("search", s.search)
		t.Run("numbers", s.numbers)
		t.Run("a number's life", s.life)
	}
	if p.Faxes != nil && s.Faxes > 0 {
		t.Run("faxes", s.faxes)
		t.Run("documents", s.documents)
		t.Run("deleting", s.deleting)
	}
	if p.Clock != nil {
		t.Run("clock", s.clock)
	}
	t.Run("a wrong secret", s.refused)
	t.Run("a context that is done", s.canceled)
}

func (s Subject) accounts(t *testing.T) {
	a, err := s.Open(t).Accounts.Account(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if a.ID == "" || a.Status == "" {
		t.Errorf("account %+v lacks an id or a status", a)
	}
}

// clock: it goes, it is not that of a long gone answer, and it has no zone.
func (s Subject) clock(t *testing.T) {
	clock := s.Open(t).Clock
	first, err := clock.Now(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if first.IsZero() || first.Location() != time.UTC || time.Since(first).Abs() > 24*time.Hour {
		t.Errorf("it is %v there", first)
	}
	second, err := clock.Now(t.Context())
	if err != nil || second.Before(first) {
		t.Errorf("then it is %v, %v", second, err)
	}
}

// calls is every method that only reads, as a function.
func (s Subject) calls(p fax.Provider) map[string]func(context.Context) error {
	all := map[string]func(context.Context) error{}
	if p.Accounts != nil {
		all["account"] = func(ctx context.Context) error { _, err := p.Accounts.Account(ctx); return err }
	}
	if p.Clock != nil {
		all["clock"] = func(ctx context.Context) error { _, err := p.Clock.Now(ctx); return err }
	}
	if n := p.Numbers; n != nil {
		all["search"] = func(ctx context.Context) error { _, err := fax.Collect(n.Search(ctx, s.Offered)); return err }
		all["list"] = func(ctx context.Context) error { _, err := fax.Collect(n.List(ctx, fax.NumberFilter{})); return err }
		all["get"] = func(ctx context.Context) error { _, err := n.Get(ctx, s.UnknownID); return err }
	}
	if f := p.Faxes; f != nil && s.Faxes > 0 {
		all["faxes"] = func(ctx context.Context) error { _, err := f.Page(ctx, fax.Filter{}, 1, ""); return err }
		all["fax"] = func(ctx context.Context) error { _, err := f.Get(ctx, s.UnknownID); return err }
		all["media"] = func(ctx context.Context) error { _, err := fax.Collect(f.Media(ctx, s.UnknownID)); return err }
	}
	return all
}

// refused: wrong credentials are ErrAuth, whatever is asked.
func (s Subject) refused(t *testing.T) {
	for name, call := range s.calls(s.Refused(t)) {
		if err := call(t.Context()); !errors.Is(err, problem.ErrAuth) {
			t.Errorf("%s: %v, want %v", name, err, problem.ErrAuth)
		}
	}
}

// canceled: the context's error comes back as itself, and as no kind.
func (s Subject) canceled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, call := range s.calls(s.Open(t)) {
		if err := call(ctx); !errors.Is(err, context.Canceled) || errors.Is(err, problem.ErrUnavailable) {
			t.Errorf("%s: %v, want %v alone", name, err, context.Canceled)
		}
	}
}

// want is the error's kind, or the end of the test.
func want(t *testing.T, what string, err, kind error) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Fatalf("%s: %v, want %v", what, err, kind)
	}
}

// sequence proves what holds of every list: ranging again gives the same,
// leaving early is possible at any point, and a context that ends mid-way ends
// the list with its error, once and last, or lets it finish when nothing more
// has to be fetched. It returns the items.
func sequence[T any](t *testing.T, list func(context.Context) iter.Seq2[T, error], id func(T) string) []T {
	t.Helper()
	seq := list(t.Context())
	items, err := fax.Collect(seq)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, item := range items {
		if seen[id(item)] {
			t.Errorf("%s comes twice", id(item))
		}
		seen[id(item)] = true
	}
	again, err := fax.Collect(seq)
	if err != nil || len(again) != len(items) {
		t.Errorf("ranging again: %d items, %v; want %d", len(again), err, len(items))
	}
	for _, after := range []int{1, len(items) / 2} {
		left := after
		for _, err := range list(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			if left--; left <= 0 {
				break
			}
		}
	}

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	count, ended := 0, false
	for _, err := range list(ctx) {
		switch {
		case ended:
			t.Fatal("a list goes on after its error")
		case err != nil:
			ended = true
			want(t, "a list whose context ends mid-way", err, context.Canceled)
		default:
			count++
			cancel()
		}
	}
	if !ended && count != len(items) {
		t.Errorf("a list whose context ends mid-way stops after %d of %d without an error", count, len(items))
	}
	return items
}
