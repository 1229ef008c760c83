package server_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/faxctl/faxctl/pkg/receive/server"
)

// newCertificate is one that vouches for itself, and its key, in PEM.
func newCertificate(t *testing.T, serial int64) (cert, secret []byte) {
	t.Helper()
	pair, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), DNSNames: []string{"fax.example.com"}, NotAfter: time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, pair.Public(), pair)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(pair)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})
}

// Of the certificates that connections get, those of the host are told, the first one
// before anybody comes.
func TestServed(t *testing.T) {
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	cert, secret := newCertificate(t, 7)
	if err := errors.Join(os.WriteFile(certFile, cert, 0o600), os.WriteFile(keyFile, secret, 0o600)); err != nil {
		t.Fatal(err)
	}
	config, err := server.CertificateFiles(certFile, keyFile, nil)
	if err != nil {
		t.Fatal(err)
	}
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	told := make(chan *x509.Certificate, 10)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- server.Serve(ctx, l, server.Options{
			Handler: http.NotFoundHandler(), TLS: config, Host: "Fax.example.com", Conns: 8, Drain: time.Second,
			Log: slog.New(slog.DiscardHandler), PutOut: func() {}, Served: func(c *x509.Certificate) { told <- c },
		})
	}()
	if c := <-told; c.SerialNumber.Int64() != 7 {
		t.Errorf("told of %s", c.SerialNumber)
	}
	shake := func(name string) {
		t.Helper()
		conn, err := (&tls.Dialer{Config: &tls.Config{ServerName: name, InsecureSkipVerify: true}}).DialContext(t.Context(), "tcp", l.Addr().String()) //nolint:gosec // it vouches for itself
		if err != nil {
			t.Fatal(err)
		}
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	}
	shake("other.example.com")
	shake("fax.example.com")
	<-told
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if n := len(told); n != 0 {
		t.Errorf("told of another host's, %d times", n)
	}
}

// TestCertificateFiles: files that cannot be used any more are told once for each
// reason, and not while they are being replaced; the certificate from before stays.
func TestCertificateFiles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		certFile, keyFile := filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
		changes := int64(0)
		write := func(name string, content []byte) {
			t.Helper()
			changes++
			at := time.Unix(changes, 0) // files have the time of the system, which may stand still
			if err := os.WriteFile(name, content, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chtimes(name, at, at); err != nil {
				t.Fatal(err)
			}
		}
		cert1, key1 := newCertificate(t, 1)
		cert2, key2 := newCertificate(t, 2)
		write(certFile, cert1)
		write(keyFile, key1)
		var log bytes.Buffer
		config, err := server.CertificateFiles(certFile, keyFile, slog.New(slog.NewTextHandler(&log, nil)))
		if err != nil {
			t.Fatal(err)
		}
		// serves has the certificate asked for each second of a minute.
		serves := func(what string, serial int64, want ...string) {
			t.Helper()
			log.Reset()
			for range 60 {
				time.Sleep(time.Second)
				if c, err := config.GetCertificate(nil); err != nil || c.Leaf.SerialNumber.Int64() != serial {
					t.Fatalf("%s: serves %v, %v", what, c, err)
				}
			}
			lines := strings.Split(strings.TrimSuffix(log.String(), "\n"), "\n")
			if len(want) == 0 && log.Len() > 0 || len(want) > 0 && len(lines) != len(want) {
				t.Errorf("%s: the log is\n%s", what, log.String())
			}
			for i, w := range want {
				if !strings.Contains(lines[min(i, len(lines)-1)], w) {
					t.Errorf("%s: the log lacks %q:\n%s", what, w, log.String())
				}
			}
		}
		serves("nothing changes", 1)
		write(certFile, []byte("junk"))
		serves("junk", 1, `level=WARN msg="the certificate's files cannot be used, and the one from before is served" error="tls: failed to find any PEM data in certificate input" until=2001-02-03T04:05:06`)
		if err := os.Remove(certFile); err != nil {
			t.Fatal(err)
		}
		serves("removed", 1, "level=WARN")
		serves("still removed", 1)
		write(certFile, cert2)
		serves("of another key", 1, "private key does not match public key")
		write(keyFile, key2)
		serves("a new one", 2, "level=INFO msg=\"certificate read again\" for=fax.example.com")
		log.Reset()
		write(certFile, cert1)
		for range 3 { // seconds in which they do not fit
			time.Sleep(time.Second)
			if c, err := config.GetCertificate(nil); err != nil || c.Leaf.SerialNumber.Int64() != 2 || log.Len() > 0 {
				t.Fatalf("half replaced: serves %v, %v, and the log is\n%s", c.Leaf.SerialNumber, err, log.String())
			}
		}
		write(keyFile, key1)
		serves("replaced one after the other", 1, "level=INFO")
		write(keyFile, []byte("junk"))
		serves("a key of junk", 1, "in key input")
	})
}
