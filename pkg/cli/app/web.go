package app

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/provider/transport"
	"github.com/faxctl/faxctl/pkg/receive/callback"
	"github.com/faxctl/faxctl/pkg/receive/twiml"
	"github.com/faxctl/faxctl/pkg/receive/webhook"
)

// Methods are those by which a provider asks a URL.
func Methods() []string { return []string{"POST", "GET"} }

// Sender stands in for the provider of the profile in force.
func (a *App) Sender(ctx context.Context) (callback.Sender, error) {
	key, err := a.RightKey(ctx)
	if err != nil {
		return callback.Sender{}, err
	}
	p := a.Account.Resolved
	return callback.Sender{
		Client:    a.WebClient(transport.Base(JobsCeiling)),
		Dialect:   webhook.Dialect(p.Provider),
		AccountID: p.AccountID,
		Key:       key.Key,
	}, nil
}

// WebClient speaks over base to whom the provider would call, until the command
// ends.
func (a *App) WebClient(base *http.Transport) *http.Client {
	a.OnClose(func() error { base.CloseIdleConnections(); return nil })
	return &http.Client{Transport: transport.Stack(base, transport.UserAgent(ThisBuild().Version), transport.Trace(a.log))}
}

// RightKey is the key the provider signs with, by the name people know it by.
// It is an error when the profile does not know it.
func (a *App) RightKey(ctx context.Context) (webhook.NamedKey, error) {
	if _, err := a.Provider(ctx); err != nil {
		return webhook.NamedKey{}, err
	}
	p := a.Account.Resolved
	named := webhook.NamedKey{Name: p.Info().SigningKey}
	var err error
	named.Key, err = a.SigningKey(ctx)
	return named, err
}

// Callable checks a URL that is to be called, which name says: https, or http on this machine.
func Callable(name, raw string) error {
	err := WebAddress(name, raw)
	if u, _ := url.Parse(raw); err == nil && u.Scheme == "http" && !IsThisMachine(u.Hostname()) {
		return problem.With(Misuse("%s: %s is http and not this machine: numbers and links would travel in the clear", name, u.Host), problem.Say("use https"))
	}
	return err
}

// WebAddress checks that raw, which name says, is a URL of the web.
func WebAddress(name, raw string) error {
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" {
		return problem.With(Misuse("%s: %q is no http or https URL", name, raw), problem.Say("as in http://localhost:8080/fax"))
	}
	return nil
}

// IsThisMachine reports whether a host is this machine by its name or address.
func IsThisMachine(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Milliseconds is a duration as people compare them.
func Milliseconds(d time.Duration) string {
	if d <= 0 {
		return ""
	}
	if d < 10*time.Millisecond {
		return d.Round(10 * time.Microsecond).String()
	}
	return d.Round(time.Millisecond).String()
}

// Numbers of the range that is kept for fiction.
const (
	MadeUpSender    = "+12125550123"
	MadeUpRecipient = "+14155550100"
)

// Judged gives what is wrong with an application's answer its exit status.
func Judged(err error) error {
	var status callback.StatusError
	var answer *twiml.Error
	switch {
	case errors.Is(err, problem.ErrAuth) && errors.As(err, &status):
		return problem.With(err, problem.Say("it may have another signing key, or another idea of its public URL: %s", problem.Command("webhook", "verify")))
	case errors.As(err, &status):
		return problem.With(problem.Of(ErrFindings, err), problem.Say("see the application's log"))
	case errors.As(err, &answer):
		return problem.With(problem.Of(ErrFindings, err), problem.Say("a good answer: %s", problem.Command("twiml", "receive")))
	}
	return err
}
