package cli

import (
	"context"
	"fmt"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/receive/receiver"
	"github.com/faxctl/faxctl/pkg/receive/webhook"
)

// reread reads what a receiver has from files again: the account, its secret and
// its signing key. Certificates are looked at each second anyway.
func (a *app) reread(ctx context.Context, s serving, r *receiver.Receiver) (account, error) {
	if a.account.box != nil { // the sandbox is in this process
		return a.account, nil
	}
	fresh := a.with(&account{})
	provider, err := fresh.provider(ctx)
	if err != nil {
		return account{}, err
	}
	if id := fresh.account.resolved.AccountID; id != s.Account {
		return account{}, fmt.Errorf("%w: it is another account now, %s; end this one and start again", problem.ErrConflict, id)
	}
	key, err := fresh.signingKey(ctx)
	if err != nil {
		return account{}, err
	}
	if s.cert != "" {
		if _, err := receiver.CertificateFiles(s.cert, s.key, nil); err != nil { // it tells why the old one stays
			return account{}, err
		}
	}
	r.Renew([]webhook.Key{key}, provider)
	return fresh.account, nil
}
