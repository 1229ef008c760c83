package provider

import (
	"context"
	"errors"
	"net/http"
	"sync"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

// Access is whose credentials are in use, and what they may do as far as asking
// tells: an account may have keys for a part of it.
type Access struct {
	Account fax.Account // the zero Account when they may not read it
	May     May
}

// May tells what credentials may read. Unknown: it could not be found out, or the
// provider does not have it.
type May struct {
	Account fax.Support `json:"account"`
	Numbers fax.Support `json:"numbers"`
	Faxes   fax.Support `json:"faxes"`
}

// Not names what the provider refuses.
func (m May) Not() []string {
	var not []string
	for _, of := range []struct {
		what string
		may  fax.Support
	}{{"account", m.Account}, {"numbers", m.Numbers}, {"faxes", m.Faxes}} {
		if of.may == fax.No {
			not = append(not, of.what)
		}
	}
	return not
}

// CheckAccess asks a provider, side by side, for the account, one number and one
// fax. The credentials are good when what they are for works: numbers or faxes.
// What was found out comes with an error as well: ErrAuth when the provider
// refuses all, or answers for another account; else what kept it from
// answering.
func CheckAccess(ctx context.Context, p fax.Provider) (Access, error) {
	var a Access
	var account, numbers, faxes error
	var wg sync.WaitGroup
	if p.Accounts != nil {
		wg.Go(func() { a.Account, account = p.Accounts.Account(ctx) })
	}
	if p.Numbers != nil {
		wg.Go(func() {
			for _, err := range p.Numbers.List(ctx, fax.NumberFilter{Most: 1}) {
				numbers = err
				break
			}
		})
	}
	if p.Faxes != nil && p.NoFaxes == nil {
		wg.Go(func() { _, faxes = p.Faxes.Page(ctx, fax.Filter{WithoutLinks: true}, 1, "") })
	}
	wg.Wait()
	a.May = May{
		Account: mayBe(p.Accounts != nil, account),
		Numbers: mayBe(p.Numbers != nil, numbers),
		Faxes:   mayBe(p.Faxes != nil && p.NoFaxes == nil, faxes),
	}
	for _, err := range []error{account, numbers, faxes} {
		if err != nil && !forbidden(err) && !errors.Is(err, problem.ErrUnsupported) {
			return a, err
		}
	}
	if a.May.Numbers != fax.Yes && a.May.Faxes != fax.Yes {
		return a, firstOf(account, numbers, faxes)
	}
	return a, nil
}

func mayBe(has bool, err error) fax.Support {
	if has && err == nil {
		return fax.Yes
	}
	if forbidden(err) {
		return fax.No
	}
	return fax.Unknown
}

// forbidden reports whether the provider refuses the credentials something. An
// answer for another account has no such status.
func forbidden(err error) bool {
	var api *fax.APIError
	return errors.Is(err, problem.ErrAuth) && errors.As(err, &api) && (api.Status == http.StatusUnauthorized || api.Status == http.StatusForbidden)
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
