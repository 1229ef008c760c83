package fax

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/faxctl/faxctl/pkg/base/problem"
)

// ErrContradiction is a provider whose answers do not go together: its list shows
// a fax, and its record is not found. Nothing is done to such a fax.
var ErrContradiction = errors.New("the provider contradicts itself")

// Denied reports whether err says that there is no such thing, in whoever's words.
// In the provider's own it is an ErrNotFound; a gateway's 404 or 410 is an
// ErrUnavailable and proves nothing.
func Denied(err error) bool {
	var api *APIError
	return errors.Is(err, problem.ErrNotFound) || errors.Is(err, problem.ErrUnavailable) && errors.As(err, &api) &&
		(api.Status == http.StatusNotFound || api.Status == http.StatusGone)
}

// Presence is what a provider has of a fax.
type Presence int

// Least to most.
const (
	Gone         Presence = iota // neither record nor document
	RecordAlone                  // the record, and no document
	WithDocument                 // the record, and a document
)

// StillShown asks a provider, whose lists and records may be late, whether it shows
// what is said to be gone: up to three times, now, after one second and after three.
// False at any time is false. Errors: that of shows, and that of ctx.
func StillShown(ctx context.Context, shows func() (bool, error)) (bool, error) {
	for _, pause := range []time.Duration{0, time.Second, 2 * time.Second} {
		if err := sleep(ctx, pause); err != nil {
			return true, err
		}
		if shown, err := shows(); err != nil || !shown {
			return shown, err
		}
	}
	return true, nil
}

// Look asks the provider what it has of f, and believes no single answer that
// something is not there.
//
// RecordAlone is a record that names no document and a list of its documents that
// is empty. Gone is a record that is not found, and a list of the account, asked
// for the date of f, that does not show it; it is asked up to three times in three
// seconds, since lists are late. Of a fax of which only the id is known, which no
// list has shown, the provider's own word is believed.
//
// now is the record as it is. Errors: [ErrContradiction] when the list goes on
// showing f; ErrUnavailable when nobody can tell, as of a fax without a date that
// only a gateway says is not there; those of [Faxes].
func Look(ctx context.Context, faxes Faxes, f Fax) (now Fax, has Presence, err error) {
	now, err = faxes.Get(ctx, f.ID)
	switch {
	case Denied(err):
		return Fax{}, Gone, ProveGone(ctx, faxes, f, err)
	case err != nil:
		return Fax{}, Gone, err
	case now.HasDocument():
		return now, WithDocument, nil
	}
	for _, err := range faxes.Media(ctx, f.ID) {
		if Denied(err) { // it went just now, or one of the two is wrong
			return Fax{}, Gone, ProveGone(ctx, faxes, now, err)
		}
		if err != nil {
			return Fax{}, Gone, err
		}
		return now, WithDocument, nil
	}
	return now, RecordAlone, nil
}

// ProveGone is nil when f, which denial says is not there, is gone. Errors as of
// [Look].
func ProveGone(ctx context.Context, faxes Faxes, f Fax, denial error) error {
	if f.Status == "" && errors.Is(denial, problem.ErrNotFound) { // known by its id alone
		return nil
	}
	if f.Created.IsZero() {
		//nolint:errorlint // its kind is what it must not have
		return fmt.Errorf("fax %s: %w: it has no date to look for it in the list by: %v", f.ID, problem.ErrUnavailable, denial)
	}
	if shown, err := StillShown(ctx, func() (bool, error) { return shownByList(ctx, faxes, f) }); err != nil || !shown {
		return err
	}
	//nolint:errorlint // its kind is what it must not have
	return fmt.Errorf("fax %s: %w: the list shows it: %v", f.ID, ErrContradiction, denial)
}

// shownByList asks the list of the account whether it shows f.
func shownByList(ctx context.Context, faxes Faxes, f Fax) (bool, error) {
	q := Filter{After: f.Created.Add(-time.Second), Until: f.Created.Add(time.Second), WithoutLinks: true}
	for got, err := range Pages(ctx, func(f Fax) string { return f.ID }, func(ctx context.Context, cursor string) (Page[Fax], error) {
		return faxes.Page(ctx, q, 0, cursor)
	}) {
		if err != nil || got.ID == f.ID {
			return err == nil, err
		}
	}
	return false, nil
}

// sleep waits for d, or returns the error of ctx as soon as it ends.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
