package serve

import (
	"context"
	"crypto/tls"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/numbers/plan"
	"github.com/faxctl/faxctl/pkg/receive/receiver"
	"github.com/faxctl/faxctl/pkg/receive/webhook"
)

// prepare reads and asks for what a receiver begins with, and refuses what cannot be, before
// a folder or a file is made.
func (s *serving) prepare(ctx context.Context, a *app.App) (config *tls.Config, err error) {
	if s.Provider, err = a.Provider(ctx); err != nil {
		return nil, err
	}
	key, err := a.SigningKey(ctx)
	if err != nil {
		return nil, err
	}
	if s.mail != "" {
		m, err := readMailing(ctx, a, s.Provider, s.mail)
		if err != nil {
			return nil, err
		}
		s.mailer = &mailer{}
		s.mailer.Store(&m)
		s.Deliveries = append(s.Deliveries, s.mailer.deliver(s.Log))
	}
	s.Keys, s.Account = []webhook.Key{key}, a.Account.Resolved.AccountID
	s.Dialect = webhook.Dialect(a.Account.Resolved.Provider)
	if s.Answer.StoreMedia != nil && !s.Dialect.Info().SendsDocument {
		a.Warn("%s knows no --store-media=false: it keeps the documents", s.Dialect.Info().Title)
		s.Answer.StoreMedia = nil // it would refuse the whole answer
	}
	if s.StateDir, err = receiverState(a, s.state); err != nil {
		return nil, err
	}
	if err = s.share(ctx, a); err != nil {
		return nil, err
	}
	if config, err = s.tls(); err != nil {
		return nil, err
	}
	if err := a.Archives().Check(ctx, s.archive); err != nil {
		return nil, err
	}
	if err := s.mayGiveUp(ctx, a); err != nil {
		return nil, err
	}
	if !s.takeOver && s.Database == nil && !receiver.Known(s.StateDir) {
		if err := a.Archives().Claimable(ctx, s.archive, s.Account, ""); err != nil {
			return nil, err
		}
	}
	return config, nil
}

// begin is the first line of the log; the last one tells how long it ran, if it did by then.
// Why it did not is told at the end of every command.
func (s *serving) begin(a *app.App, runs *bool) {
	build, begun := app.ThisBuild(), time.Now()
	s.Build = receiver.Build{Version: build.Version, Commit: build.Commit, Go: build.Go}
	s.Log.Info("starting", "version", build.Version, "commit", build.Commit, "listen", s.listen, "public_url", s.PublicURL, "archive", s.archive, "process", os.Getpid())
	a.OnClose(func() error {
		if *runs || a.Interrupts.ToldToStop() {
			s.Log.Info("stopped", "after", time.Since(begun).Round(time.Millisecond))
		}
		return nil
	})
}

// announce says where the receiver is and what is left to do.
func announce(a *app.App, l net.Listener, r *receiver.Receiver, s serving) {
	find := problem.Command("numbers", "configure").Arg("NUMBER").Set("fax-url", r.FaxURL())
	if plan.CheckURL(r.FaxURL(), false) != nil {
		find = find.Switch("allow-http")
	}
	if u, err := url.Parse(s.PublicURL); err == nil && u.Scheme != "https" && !app.IsThisMachine(u.Hostname()) {
		a.Warn("--public-url is http: numbers and documents travel in the clear")
	}
	if _, port, err := net.SplitHostPort(l.Addr().String()); len(s.acme.Hosts) > 0 && err == nil && port != "443" {
		a.Say("The authority asks at port 443 of %s, which must lead to %s.", strings.Join(s.acme.Hosts, ", "), l.Addr())
	}
	s.Log.Info("listening", "address", l.Addr().String(), "fax_url", r.FaxURL(), "account", s.Account, "state", s.stateFor())
	if s.logFormat != app.LogText {
		return
	}
	a.Say("Receiving on %s; ^C ends it. Numbers find it with", l.Addr())
	a.Say("  %s", find)
}
