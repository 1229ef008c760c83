package cli_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
	"github.com/miekg/dns"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/faxctl/faxctl/pkg/base/freeport"
)

// port finds a port of this machine that nothing listens on: see package freeport.
func port(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: port NAME")
	}
	number, err := freeport.Port()
	ts.Check(err)
	ts.Setenv(args[0], strconv.Itoa(number))
}

// freeAddress is such a port with its host.
func freeAddress(t testing.TB) string {
	t.Helper()
	address, err := freeport.Address()
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// authority serves Pebble, the ACME server that Let's Encrypt tests clients
// with. In its world every host leads to this machine.
func authority(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: authority PORT")
	}
	port, err := strconv.Atoi(args[0])
	ts.Check(err)
	names, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	ts.Check(err)
	resolver := &dns.Server{Listener: names, Handler: dns.HandlerFunc(everyHostHere)}
	go func() { _ = resolver.ActivateAndServe() }() // ends with the script

	ts.Check(os.Setenv("PEBBLE_VA_NOSLEEP", "1"))      // it pretends to be busy otherwise
	ts.Check(os.Setenv("PEBBLE_WFE_NONCEREJECT", "0")) // and to be moody
	silent := log.New(io.Discard, "", 0)
	store := db.NewMemoryStore()
	issuer := ca.New(silent, store, "", "ecdsa", 0, 1, map[string]ca.Profile{"default": {}})
	front := wfe.New(silent, store, va.New(silent, 0, port, true, names.Addr().String(), store), issuer, nil, true, false, 1, 1)

	asked, err := os.Create(ts.MkAbs("asked"))
	ts.Check(err)
	handler := front.Handler()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintln(asked, r.Method, r.URL.Path)
		handler.ServeHTTP(w, r)
	}))
	ts.Defer(func() {
		server.Close()
		ts.Check(resolver.Shutdown())
		ts.Check(asked.Close())
	})
	ts.Check(os.WriteFile(ts.MkAbs("root.pem"), issuer.GetRootCert(0).PEM(), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs("server.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600))
	ts.Setenv("SSL_CERT_FILE", ts.MkAbs("server.pem"))
	ts.Setenv("AUTHORITY", server.URL+wfe.DirectoryPath)
	ts.Setenv("ASKED", asked.Name())
}

func everyHostHere(w dns.ResponseWriter, req *dns.Msg) {
	answer := new(dns.Msg).SetReply(req)
	if q := req.Question[0]; q.Qtype == dns.TypeA {
		answer.Answer = []dns.RR{&dns.A{Hdr: dns.RR_Header{Name: q.Name, Rrtype: dns.TypeA, Class: dns.ClassINET}, A: net.IPv4(127, 0, 0, 1)}}
	}
	_ = w.WriteMsg(answer)
}

// certificate makes one that vouches for itself.
func certificate(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: certificate HOST DAYS")
	}
	days, err := strconv.Atoi(args[1])
	ts.Check(err)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ts.Check(err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), DNSNames: args[:1], IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().AddDate(-1, 0, 0), NotAfter: time.Now().AddDate(0, 0, days),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	ts.Check(err)
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	ts.Check(err)
	for name, block := range map[string]*pem.Block{
		"cert.pem": {Type: "CERTIFICATE", Bytes: der}, "key.pem": {Type: "PRIVATE KEY", Bytes: secret},
		"root.pem": {Type: "CERTIFICATE", Bytes: der},
	} {
		ts.Check(os.WriteFile(ts.MkAbs(name), pem.EncodeToMemory(block), 0o600))
	}
}

// handshake connects as a provider would, which wants a certificate for the
// host, issued by root.pem. It waits until there is one, for a while.
func handshake(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: [!] handshake HOST PORT")
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(ts.ReadFile("root.pem")))
	dialer := &tls.Dialer{Config: &tls.Config{ServerName: args[0], RootCAs: roots}}
	for end := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		conn, err := dialer.DialContext(context.Background(), "tcp", net.JoinHostPort("127.0.0.1", args[1]))
		switch {
		case err == nil && neg:
			ts.Fatalf("there is a certificate for %s", args[0])
		case err == nil:
			leaf := conn.(*tls.Conn).ConnectionState().PeerCertificates[0]
			fmt.Fprintln(ts.Stdout(), "serial", leaf.SerialNumber)
			ts.Check(conn.Close())
			return
		case neg:
			return
		case time.Now().After(end):
			ts.Fatalf("handshake: %v", err)
		}
	}
}
