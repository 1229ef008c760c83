package twilio

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/provider/info"
)

// What a record is about, and whose it is. Something in between may mix answers up,
// and what is then kept, shown or deleted is another's. So a record that says what
// it is about is held against what was asked; one that does not say, as providers
// leave members out, is no contradiction. Ids are compared as they are written,
// accounts, which people write, in either case.
//
// The addresses of numbers have the account in them, and the credentials of an
// account reach those of its subaccounts. The addresses of Twilio's fax API have
// none: there the credentials alone say whose faxes they are, and what is deleted
// is theirs.

// otherFaxes is the refusal of faxes with credentials that are known to be of
// another account; nil: they are not.
func (a *account) otherFaxes() error {
	if a.owner == "" || strings.EqualFold(a.owner, a.id) || a.dialect.Name != info.Twilio {
		return nil
	}
	return problem.With(
		fmt.Errorf("%w: faxes of the subaccount %s with the credentials of %s, which reach the faxes of %s alone", problem.ErrUnsupported, a.id, a.owner, a.owner),
		ownCredentials())
}

func ownCredentials() problem.Advice {
	return problem.Say("use a profile with the account's own credentials: %s", problem.Command("profile", "add"))
}

// checkOwner refuses a fax that is of another account. A record that does not say
// whose it is, is taken for ours.
func (a *account) checkOwner(id, owner string) error {
	if a.ours(owner) {
		if owner != "" {
			a.own.Store(true)
		}
		return nil
	}
	return problem.With(fmt.Errorf("%w: fax %s is of account %s, not of %s: the credentials reach the faxes of their own account alone",
		problem.ErrUnsupported, clean(id, 100), clean(owner, 100), a.id), ownCredentials().Then(
		problem.Say("for its numbers alone, the profile has parent: %s (%s)", problem.Text(clean(owner, 100)), problem.Field("parent"))))
}

// ownFax makes sure, before something of a fax is deleted, that it is ours. The
// token of an account is its own; an API key may be another account's, which the
// first record tells.
func (a faxes) ownFax(ctx context.Context, id string) error {
	if err := a.otherFaxes(); err != nil {
		return err
	}
	if a.dialect.Name != info.Twilio || strings.EqualFold(a.user, a.id) || a.own.Load() {
		return nil
	}
	_, err := a.Get(ctx, id)
	if errors.Is(err, problem.ErrNotFound) { // the deletion will say so
		return nil
	}
	return err
}

// aboutAnother is an answer that tells of something else than was asked about: what
// became of the request is not known.
func aboutAnother(what, which string) error {
	return problem.With(fmt.Errorf("%w: the answer is about another %s, %s", problem.ErrUnavailable, what, clean(which, 100)), lookBetween())
}

// checkFax refuses a record of another fax than was asked for, or of another account.
func (a *account) checkFax(asked, id, owner string) error {
	if id != "" && id != asked {
		return aboutAnother("fax", id)
	}
	return a.checkOwner(asked, owner)
}

// ours reports whether a record says no other owner than the account.
func (a *account) ours(owner string) bool { return owner == "" || strings.EqualFold(owner, a.id) }

// checkMoved refuses an answer about a number that another account has by now.
func (a *account) checkMoved(n fax.Number, owner string) error {
	if a.ours(owner) {
		return nil
	}
	return problem.With(fmt.Errorf("%w: %s has moved from account %s to %s", problem.ErrConflict, n.Phone, a.id, clean(owner, 100)),
		problem.Say("use a profile of that account"))
}
