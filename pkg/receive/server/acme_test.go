package server

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestCertify: a certificate that is refused is asked for again, less and less
// often: an authority locks out who fails too often.
func TestCertify(t *testing.T) {
	other := httptest.NewTLSServer(nil) // for its certificate
	defer other.Close()
	synctest.Test(t, func(t *testing.T) {
		var said bytes.Buffer
		begin := time.Now()
		var asked []time.Duration
		o := Options{Host: "fax.example.com", Log: slog.New(slog.NewTextHandler(&said, nil))}
		o.TLS = &tls.Config{GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			if asked = append(asked, time.Since(begin)); len(asked) < 7 || hello.ServerName != "fax.example.com" {
				return nil, errors.New("not yours")
			}
			leaf, err := x509.ParseCertificate(other.TLS.Certificates[0].Certificate[0])
			return &tls.Certificate{Leaf: leaf}, err
		}}
		o.certify(t.Context())
		const minute = time.Minute
		want := []time.Duration{0, 5 * minute, 15 * minute, 35 * minute, 75 * minute, 135 * minute, 195 * minute}
		if diff := cmp.Diff(want, asked); diff != "" {
			t.Errorf("asked (-want +got):\n%s", diff)
		}
		if log := said.String(); !strings.Contains(log, `no certificate: is the host ours, and does its port 443 lead here?" host=fax.example.com error="not yours" "again in"=1h0m0s`) {
			t.Errorf("the log:\n%s", log)
		}
	})
}
