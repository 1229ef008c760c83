package serve

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/cli/flag"
	"github.com/faxctl/faxctl/pkg/profile"
)

const (
	// probeTime is a little more than a receiver takes to say that a part of it does
	// not answer.
	probeTime = 6 * time.Second

	mostHealth = 4 << 10 // bytes of an answer that are read
)

// probe is a question of how a receiver is.
type probe struct {
	listen, address, public string
	live                    bool
	within                  time.Duration
}

// HealthcheckCommand asks a receiver how it is, as containers and orchestrators want
// to know it.
func HealthcheckCommand(a *app.App) *cobra.Command {
	p := probe{within: probeTime}
	cmd := &cobra.Command{
		Use:   "healthcheck",
		Short: "Ask a running receiver whether it can take faxes",
		Long: `Ask a running receiver whether it can take faxes, for the HEALTHCHECK of a
container and the probes of an orchestrator. The exit status is 0 when it can,
and 1 when it cannot, does not answer, or is something else; a line says why.

It asks faxctl serve on this machine, where --listen or FAXCTL_LISTEN has it, or
at --url: /readyz, or with --live /healthz, which says that the process lives.
It needs no account, no configuration and no home.

A receiver that has a certificate is asked with TLS, by the host of
--public-url. On this machine it is not checked whose certificate it is, as it
is for another name; nothing secret is sent, and nothing but a word believed.`,
		Example: `  faxctl healthcheck
  faxctl healthcheck --live -q
  faxctl healthcheck --url http://10.0.0.5:8080`,
		Args: app.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			at, err := p.target(cmd)
			if err != nil {
				return err
			}
			if err := p.ask(cmd.Context(), at); err != nil {
				return fmt.Errorf("%s: %v", at, err) //nolint:errorlint // whatever is wrong, the status is 1
			}
			a.Say("%s", map[bool]string{true: "alive", false: "ready"}[p.live])
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&p.listen, "listen", ":8080", "`address` that the receiver on this machine listens on")
	f.StringVar(&p.address, "url", "", "`URL` of the receiver, in place of --listen")
	f.StringVar(&p.public, "public-url", "", "`URL` under which the provider reaches it: whose certificate to ask for")
	f.BoolVar(&p.live, "live", false, "ask only whether the process lives")
	f.Var(flag.SomeTime(&p.within), "within", "`duration` that it may take")
	flag.From(f, "listen", profile.ListenVariable)
	flag.From(f, "public-url", profile.PublicURLVariable)
	a.CompleteNothing(cmd, "listen", "url", "public-url", "within")
	cmd.GroupID = "receive"
	return cmd
}

// target is the URL to ask.
func (p *probe) target(cmd *cobra.Command) (*url.URL, error) {
	for name, address := range map[string]string{"url": p.address, "public-url": p.public} {
		if address == "" {
			continue
		}
		if err := app.WebAddress(flag.Name(cmd.Flags().Lookup(name)), address); err != nil {
			return nil, problem.With(err, problem.Say("as in %s", problem.Field(name, "http://127.0.0.1:8080")))
		}
	}
	at := &url.URL{Scheme: "http"}
	if p.address != "" {
		if cmd.Flags().Changed("listen") {
			return nil, app.Misuse("--url and --listen contradict each other")
		}
		given, err := url.Parse(p.address)
		if err != nil {
			return nil, err
		}
		at.Scheme, at.Host = given.Scheme, given.Host
		if given.RawQuery != "" || strings.Trim(given.Path, "/") != "" {
			return nil, problem.With(app.Misuse("--url %s: name the server alone", p.address), problem.Say("as in %s", problem.Field("url", at.String())))
		}
	} else {
		host, port, err := net.SplitHostPort(p.listen)
		if err != nil {
			return nil, err
		}
		if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
			host = "127.0.0.1"
			if ip != nil && ip.To4() == nil {
				host = "::1"
			}
		}
		at.Host = net.JoinHostPort(host, port)
	}
	at.Path = "/readyz"
	if p.live {
		at.Path = "/healthz"
	}
	return at, nil
}

// ask is how the receiver is, nil: well. What speaks TLS is asked with TLS.
func (p *probe) ask(ctx context.Context, at *url.URL) error {
	ctx, cancel := context.WithTimeout(ctx, p.within)
	defer cancel()
	transport := &http.Transport{DisableKeepAlives: true, TLSClientConfig: p.tls(at.Hostname())} // and no proxy
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	status, body, err := get(ctx, client, at)
	if err == nil && status == http.StatusBadRequest && at.Scheme == "http" && p.address == "" && bytes.Contains(body, []byte("HTTPS server")) {
		at.Scheme = "https"
		status, body, err = get(ctx, client, at)
	}
	if err != nil {
		return err
	}
	return p.judge(status, string(body))
}

// tls asks for the certificate of the public URL. On this machine nobody else can
// answer, and the certificate is for another name.
func (p *probe) tls(host string) *tls.Config {
	config := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: app.IsThisMachine(host)} //nolint:gosec // see above
	if public, err := url.Parse(p.public); err == nil {
		config.ServerName = public.Hostname()
	}
	return config
}

func get(ctx context.Context, client *http.Client, at *url.URL) (status int, body []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return 0, nil, err
	}
	resp, err := client.Do(req)
	if err != nil {
		var inner *url.Error // it repeats the URL
		if errors.As(err, &inner) {
			err = inner.Err
		}
		var system *os.SyscallError
		switch {
		case errors.Is(err, context.DeadlineExceeded):
			err = errors.New("no answer in time")
		case errors.As(err, &system): // the rest is the address again
			err = system.Err
		}
		return 0, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err = io.ReadAll(io.LimitReader(resp.Body, mostHealth))
	return resp.StatusCode, body, err
}

// judge reads the answer of [receiver.Receiver.Handler]: a server that says 200 to
// everything is no receiver.
func (p *probe) judge(status int, body string) error {
	ours := strings.HasPrefix(body, "database: ")
	if p.live {
		ours = body == "ok\n"
	}
	switch {
	case !ours:
		return fmt.Errorf("this is no faxctl serve (HTTP %d)", status)
	case status == http.StatusOK:
		return nil
	}
	var wrong []string
	for line := range strings.Lines(body) {
		if line = strings.TrimSpace(line); !strings.HasSuffix(line, ": ok") {
			wrong = append(wrong, text.Line(line))
		}
	}
	return fmt.Errorf("not ready: %s", strings.Join(wrong, "; "))
}
