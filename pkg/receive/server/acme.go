package server

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/mail"
	"net/netip"
	"net/url"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/receive/webhook"
)

// ACME says which certificates to ask a certificate authority for. To use it is
// to accept the authority's terms of service.
type ACME struct {
	Hosts     []string     // names that lead here; others get no certificate
	Email     string       // where the authority writes to; empty: nowhere
	Directory string       // the authority's URL; empty: Let's Encrypt
	StateDir  string       // a folder; certificates and keys are kept in it
	Log       *slog.Logger // nil: none
}

// Config is a TLS configuration whose certificates are asked for when a first
// connection needs them, kept for the next start, and renewed when a third of
// their life is left. The authority makes sure that a host leads here by
// connecting to its port 443 (tls-alpn-01), which must be the port that is
// served with this configuration. Errors: fax.ErrInvalid.
// Source: RFC 8555; RFC 8737.
func (a ACME) Config() (*tls.Config, error) {
	if a.Directory == "" {
		a.Directory = autocert.DefaultACMEDirectory
	}
	if a.Log == nil {
		a.Log = slog.New(slog.DiscardHandler)
	}
	directory, err := a.check()
	if err != nil {
		return nil, err
	}
	manager := &autocert.Manager{
		Client:     &acme.Client{DirectoryURL: a.Directory, UserAgent: "faxctl"},
		Email:      a.Email,
		HostPolicy: autocert.HostWhitelist(a.Hosts...),
		Cache:      autocert.DirCache(filepath.Join(a.StateDir, "acme", folderOf(directory))),
		Prompt: func(terms string) bool {
			a.Log.Info("the authority's terms of service are accepted", "authority", directory.Host, "terms", terms)
			return true
		},
	}
	config := manager.TLSConfig()
	config.MinVersion = tls.VersionTLS12
	return config, nil
}

func (a ACME) check() (directory *url.URL, err error) {
	directory, err = webhook.CheckURL("the ACME directory", a.Directory)
	if err != nil {
		return nil, err
	}
	if directory.Scheme != "https" {
		return nil, fmt.Errorf("%w: the ACME directory %q is not https", problem.ErrInvalid, a.Directory)
	}
	if _, err := mail.ParseAddress(a.Email); a.Email != "" && err != nil {
		return nil, fmt.Errorf("%w: %q is no email address", problem.ErrInvalid, a.Email)
	}
	if len(a.Hosts) == 0 {
		return nil, fmt.Errorf("%w: a certificate is for a host, and none is named", problem.ErrInvalid)
	}
	for _, host := range a.Hosts {
		if _, err := netip.ParseAddr(host); err == nil || strings.ContainsAny(host, ":/*@ ") || !strings.Contains(strings.Trim(host, "."), ".") {
			return nil, problem.With(fmt.Errorf("%w: %q is no host that can have a certificate", problem.ErrInvalid, host), problem.Say("as in fax.example.com"))
		}
	}
	return directory, nil
}

// folderOf is a folder of its own for each authority: what one for trials gave
// out must not be taken for the real thing.
func folderOf(directory *url.URL) string {
	return strings.Map(func(r rune) rune {
		if r <= unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)) || strings.ContainsRune("-_.", r) {
			return r
		}
		return '-'
	}, directory.Host+strings.TrimSuffix(directory.Path, "/"))
}

// How long to wait until a certificate that was refused is asked for again,
// doubled each time. An authority allows few failures: Let's Encrypt five an
// hour.
const (
	askCertificateFirst = 5 * time.Minute
	askCertificateLast  = time.Hour
)

// certify asks for the certificate of the public URL now, and until there is
// one: a provider that calls would not wait for as long as an authority may
// take. Then it says what is wrong with it.
func (o Options) certify(ctx context.Context) {
	config := o.TLS
	if config == nil || config.GetCertificate == nil {
		return // it is there already, or there will be none
	}
	hello := &tls.ClientHelloInfo{ServerName: o.Host, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}}
	for wait := askCertificateFirst; ctx.Err() == nil; wait = min(2*wait, askCertificateLast) {
		result := make(chan error, 1)
		go func() { // it cannot be hurried, and may outlive the server by minutes
			c, err := config.GetCertificate(hello)
			if err == nil && c != nil && c.Leaf != nil {
				o.inspect(c.Leaf)
			}
			result <- err
		}()
		select {
		case err := <-result:
			if err == nil {
				return
			}
			o.Log.Error("no certificate: is the host ours, and does its port 443 lead here?", "host", o.Host, "error", err, "again in", wait)
		case <-ctx.Done():
			return
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
}

func (o Options) inspect(c *x509.Certificate) {
	o.Log.Info("certificate", "for", strings.Join(c.DNSNames, " "), "by", c.Issuer.CommonName, "until", c.NotAfter)
	if err := c.VerifyHostname(o.Host); err != nil {
		o.Log.Warn("the certificate is not that of the public URL", "host", o.Host, "error", err)
	}
	if time.Now().After(c.NotAfter) {
		o.Log.Warn("the certificate is no longer valid")
	}
}
