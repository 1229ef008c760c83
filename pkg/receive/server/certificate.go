package server

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/acme"
)

const (
	lookAgain = time.Second // at the files

	// changing is how long files may not fit each other before it is told: they are
	// replaced one after the other.
	changing = 5 * time.Second
)

// CertificateFiles is a TLS configuration of a certificate and its key in PEM
// files. They are read again when they change, as they do every few months. Files
// that cannot be used then are told to log, which may be nil, and the certificate
// from before stays.
func CertificateFiles(certFile, keyFile string, log *slog.Logger) (*tls.Config, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	c := &certificate{cert: certFile, key: keyFile, log: log}
	if _, err := c.load(); err != nil {
		return nil, fmt.Errorf("the certificate: %w", err)
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: c.get}, nil
}

// tellServed is o.TLS which tells Served of the certificates of Host. Whoever names
// another host, or none, may get one as well, and an authority one that proves
// something to it: of these nothing is said.
func (o Options) tellServed() *tls.Config {
	if o.TLS == nil || o.TLS.GetCertificate == nil || o.Served == nil {
		return o.TLS
	}
	config := o.TLS.Clone()
	config.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		c, err := o.TLS.GetCertificate(hello)
		if err == nil && c != nil && c.Leaf != nil && strings.EqualFold(hello.ServerName, o.Host) && !slices.Contains(hello.SupportedProtos, acme.ALPNProto) {
			o.Served(c.Leaf)
		}
		return c, err
	}
	return config
}

type certificate struct {
	cert, key string
	log       *slog.Logger

	mu      sync.Mutex
	loaded  *tls.Certificate
	from    string    // the times and sizes of the files it was loaded from
	looked  time.Time // at them
	failing time.Time // since when they cannot be loaded; zero: they can
	told    string    // why
}

func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.looked) < lookAgain {
		return c.loaded, nil
	}
	c.looked = time.Now()
	fresh, err := c.load()
	c.tell(fresh, err)
	return c.loaded, nil // an old certificate is better than none
}

// load reads the files if they are not those that were loaded.
func (c *certificate) load() (fresh bool, err error) {
	var now strings.Builder
	for _, name := range []string{c.cert, c.key} {
		info, err := os.Stat(name)
		if err != nil {
			return false, err
		}
		fmt.Fprintln(&now, info.ModTime(), info.Size())
	}
	if now.String() == c.from {
		return false, nil
	}
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		return false, err
	}
	c.loaded, c.from = &pair, now.String()
	return true, nil
}

// tell logs what came of looking at the files, when it is something new.
func (c *certificate) tell(fresh bool, err error) {
	if err == nil {
		if fresh || c.told != "" {
			leaf := c.loaded.Leaf
			c.log.Info("certificate read again", "for", strings.Join(leaf.DNSNames, " "), "by", leaf.Issuer.CommonName, "until", leaf.NotAfter)
		}
		c.failing, c.told = time.Time{}, ""
		return
	}
	if c.failing.IsZero() {
		c.failing = time.Now()
	}
	if why := err.Error(); time.Since(c.failing) >= changing && why != c.told {
		c.told = why
		c.log.Warn("the certificate's files cannot be used, and the one from before is served", "error", err, "until", c.loaded.Leaf.NotAfter)
	}
}
