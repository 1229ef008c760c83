package cli

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/provider/transport"
	"github.com/faxctl/faxctl/pkg/receive/callback"
	"github.com/faxctl/faxctl/pkg/receive/webhook"
)

func (a *app) webhookGroup() *cobra.Command {
	g := group("webhook", "Try out and explain a provider's callbacks",
		"  faxctl webhook send --to http://localhost:8080/fax --event incoming\n  faxctl webhook verify --url https://fax.example.com/in \\\n    --signature RSOYDt4T1cUTdK1PDd93/VVr8B8= --body request.txt",
		a.webhookSend(), a.webhookVerify())
	g.GroupID = "receive"
	return g
}

// sender stands in for the provider of the profile in force.
func (a *app) sender(ctx context.Context) (callback.Sender, error) {
	key, err := a.rightKey(ctx)
	if err != nil {
		return callback.Sender{}, err
	}
	p := a.account.resolved
	return callback.Sender{
		Client:    a.webClient(transport.Base(jobsCeiling)),
		Dialect:   webhook.Dialect(p.Provider),
		AccountID: p.AccountID,
		Key:       key.Key,
	}, nil
}

// webClient speaks over base to whom the provider would call, until the command
// ends.
func (a *app) webClient(base *http.Transport) *http.Client {
	a.onClose(func() error { base.CloseIdleConnections(); return nil })
	return &http.Client{Transport: transport.Stack(base, transport.UserAgent(thisBuild().Version), transport.Trace(a.log))}
}

// rightKey is the key the provider signs with, by the name people know it by.
// It is an error when the profile does not know it.
func (a *app) rightKey(ctx context.Context) (webhook.NamedKey, error) {
	if _, err := a.provider(ctx); err != nil {
		return webhook.NamedKey{}, err
	}
	p := a.account.resolved
	named := webhook.NamedKey{Name: p.Info().SigningKey}
	var err error
	named.Key, err = a.signingKey(ctx)
	return named, err
}

// callable checks a URL that is to be called: https, or http on this machine.
func callable(flag, raw string) error {
	err := webAddress(flag, raw)
	if u, _ := url.Parse(raw); err == nil && u.Scheme == "http" && !isThisMachine(u.Hostname()) {
		return problem.With(usageError("--%s: %s is http and not this machine: numbers and links would travel in the clear", flag, u.Host), problem.Say("use https"))
	}
	return err
}

// webAddress checks that raw is a URL of the web.
func webAddress(flag, raw string) error {
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" {
		return problem.With(usageError("--%s: %q is no http or https URL", flag, raw), problem.Say("as in --"+flag+" http://localhost:8080/fax"))
	}
	return nil
}

func isThisMachine(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// milliseconds is a duration as people compare them.
func milliseconds(d time.Duration) string {
	if d <= 0 {
		return ""
	}
	if d < 10*time.Millisecond {
		return d.Round(10 * time.Microsecond).String()
	}
	return d.Round(time.Millisecond).String()
}
