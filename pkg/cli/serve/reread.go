package serve

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/receive/receiver"
	"github.com/faxctl/faxctl/pkg/receive/server"
	"github.com/faxctl/faxctl/pkg/receive/webhook"
)

// reread reads what a receiver has from files again, all of it or nothing: the account,
// its secret and its signing key, the rules of mail. Certificates are looked at each
// second anyway.
func reread(ctx context.Context, a *app.App, s serving, r *receiver.Receiver) (app.Account, error) {
	if a.Account.Box != nil { // the sandbox is in this process
		return a.Account, s.rereadMail(ctx, a, a.Account.Provider)
	}
	fresh := a.With(&app.Account{})
	provider, err := fresh.Provider(ctx)
	if err != nil {
		return app.Account{}, err
	}
	if id := fresh.Account.Resolved.AccountID; id != s.Account {
		return app.Account{}, fmt.Errorf("%w: it is another account now, %s; end this one and start again", problem.ErrConflict, id)
	}
	key, err := fresh.SigningKey(ctx)
	if err != nil {
		return app.Account{}, err
	}
	if s.cert != "" {
		if _, err := server.CertificateFiles(s.cert, s.key, nil); err != nil { // it tells why the old one stays
			return app.Account{}, err
		}
	}
	if err := s.rereadMail(ctx, fresh, provider); err != nil {
		return app.Account{}, err
	}
	r.Renew([]webhook.Key{key}, provider)
	return fresh.Account, nil
}

// rereadMail reads the rules of mail, the server and its password again.
func (s serving) rereadMail(ctx context.Context, a *app.App, p fax.Provider) error {
	if s.mailer == nil {
		return nil
	}
	m, err := readMailing(ctx, a, p, s.mail)
	if err == nil {
		s.mailer.Store(&m)
	}
	return err
}

// readAgain rereads at each hangup, and has what came of it in current.
func (s *serving) readAgain(ctx context.Context, a *app.App, r *receiver.Receiver, again <-chan os.Signal, current *atomic.Pointer[app.Account]) {
	for range again {
		now, err := reread(ctx, a, *s, r)
		if err != nil {
			a.WithHint(s.Log, err).Error("what comes from files was not read again, and stays as it was", "error", err)
			continue
		}
		current.Store(&now)
		if s.mailer == nil {
			s.Log.Info("read again: the account, its secret and signing key, the certificate")
			continue
		}
		s.Log.Info("read again: the account, its secret and signing key, the certificate, the rules of mail", "rules", len(s.mailer.Load().Rules.Rules))
	}
}
