package audit_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/numbers/audit"
	"github.com/faxctl/faxctl/pkg/receive/callback"
)

func TestProbeCertificateEnds(t *testing.T) {
	for left, want := range map[time.Duration][]string{
		15 * 24 * time.Hour: nil,
		13 * 24 * time.Hour: {"warning certificate-expires"},
		-time.Hour:          {"problem certificate-expires"},
	} {
		state := &tls.ConnectionState{PeerCertificates: []*x509.Certificate{{NotAfter: time.Now().Add(left)}}}
		got := check(t.Context(), func(r *http.Request) (*http.Response, error) { return response(r, state), nil }, 0)
		if d := cmp.Diff(want, found(got)); d != "" {
			t.Errorf("%s left (-want +got):\n%s", left, d)
		}
	}
}

// The same over a real handshake: an expired certificate is told from one that
// nobody signed.
func TestProbeRealCertificates(t *testing.T) {
	for want, end := range map[string]time.Time{
		"problem certificate-expires": time.Now().Add(-time.Hour),
		"warning certificate-expires": time.Now().Add(24 * time.Hour),
	} {
		s := httptest.NewUnstartedServer(answer("text/xml", yes))
		s.Config.ErrorLog = log.New(io.Discard, "", 0)
		cert, pool := certificate(t, end)
		s.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
		s.StartTLS()
		defer s.Close()
		trusting := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, DisableKeepAlives: true}}
		n := good(func(n *fax.Number) { n.FaxURL = s.URL })
		got := audit.Checker{Probe: &callback.Sender{Client: trusting, Key: key}}.Check(t.Context(), n)
		if d := cmp.Diff([]string{want}, found(got)); d != "" {
			t.Errorf("until %s (-want +got):\n%s", end, d)
		}
		if strings.HasPrefix(want, "problem") {
			continue
		}
		got = audit.Checker{Probe: &callback.Sender{Client: http.DefaultClient, Key: key}}.Check(t.Context(), n)
		if d := cmp.Diff([]string{"problem tls"}, found(got)); d != "" {
			t.Errorf("signed by nobody (-want +got):\n%s", d)
		}
	}
	plain := httptest.NewServer(answer("text/xml", yes))
	defer plain.Close()
	n := good(func(n *fax.Number) { n.FaxURL = strings.Replace(plain.URL, "http:", "https:", 1) })
	got := audit.Checker{Probe: &callback.Sender{Client: plain.Client(), Key: key}}.Check(t.Context(), n)
	if d := cmp.Diff([]string{"problem tls"}, found(got)); d != "" {
		t.Errorf("http behind https (-want +got):\n%s", d)
	}
}

// certificate is one for 127.0.0.1, valid until end, and the pool that trusts it.
func certificate(t *testing.T, end time.Time) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: end.Add(-48 * time.Hour), NotAfter: end,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private}, pool
}
