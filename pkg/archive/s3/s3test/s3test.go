// Package s3test has servers that speak S3, for tests: one in the process, and one that is
// a program of its own.
//
// [Fake] is always there, knows conditions and versions, and believes everybody: it checks
// no signature, and its object lock keeps nothing. [Versity] is a server that is in use,
// over TLS, with object lock, policies and users; tests of it are skipped where it is not
// installed.
package s3test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/faxctl/faxctl/pkg/base/freeport"
)

// The keys of whoever owns everything.
const (
	access = "root-of-tests"
	secret = "secret-of-tests"
)

// Server is a running one.
type Server struct {
	Endpoint string // its URL
	CA       string // the file of the authority that vouches for it; "" where it has no TLS
	Access   string // keys of its owner
	Secret   string

	admin string // the URL of where users are made
	state string // its folder

	process *exec.Cmd // of [Versity]
	ended   chan error
	said    *strings.Builder
}

// Fake runs in the process until the test ends.
func Fake(t testing.TB) *Server {
	t.Helper()
	srv := httptest.NewServer(gofakes3.New(s3mem.New()).Server())
	t.Cleanup(srv.Close)
	return &Server{Endpoint: srv.URL, Access: access, Secret: secret}
}

// Program is where versitygw is installed, "" when it is not.
func Program() string {
	if path, err := exec.LookPath("versitygw"); err == nil {
		return path
	}
	home, _ := os.UserHomeDir()
	for _, dir := range []string{os.Getenv("GOBIN"), filepath.Join(os.Getenv("GOPATH"), "bin"), filepath.Join(home, "go", "bin")} {
		if path, err := exec.LookPath(filepath.Join(dir, "versitygw")); err == nil && filepath.IsAbs(path) {
			return path
		}
	}
	return ""
}

// Versity runs versitygw until the test ends.
func Versity(t testing.TB) *Server {
	t.Helper()
	if Program() == "" {
		t.Skip("versitygw is not installed: CGO_ENABLED=0 go install github.com/versity/versitygw/cmd/versitygw@v1.8.0")
	}
	s := &Server{Access: access, Secret: secret, state: t.TempDir(), said: &strings.Builder{}}
	for _, dir := range []string{"data", "versions", "users"} {
		if err := os.Mkdir(filepath.Join(s.state, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	s.CA = filepath.Join(s.state, "cert.pem")
	certify(t, s.CA, s.key())
	s.Endpoint, s.admin = "https://"+freeAddress(t), "http://"+freeAddress(t)
	t.Cleanup(func() {
		s.Kill(t)
		if t.Failed() {
			t.Logf("versitygw said: %s", s.said)
		}
	})
	s.Start(t)
	return s
}

func (s *Server) key() string { return filepath.Join(s.state, "key.pem") }

// Start starts a server of [Versity] again that was killed, with what it had.
func (s *Server) Start(t testing.TB) {
	t.Helper()
	at, admin := strings.TrimPrefix(s.Endpoint, "https://"), strings.TrimPrefix(s.admin, "http://")
	cmd := exec.Command(Program(), "--quiet", "--port", at, "--admin-port", admin, "--cert", s.CA, "--key", s.key(), "--iam-dir", filepath.Join(s.state, "users"), "--iam-cache-disable", //nolint:noctx // Kill ends it
		"posix", "--versioning-dir", filepath.Join(s.state, "versions"), filepath.Join(s.state, "data"))
	cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+access, "ROOT_SECRET_KEY="+secret)
	cmd.Stdout, cmd.Stderr = s.said, s.said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	s.process, s.ended = cmd, ended
	s.await(t, ended, at, admin)
}

// Kill kills a server of [Versity].
func (s *Server) Kill(t testing.TB) {
	t.Helper()
	if s.process == nil {
		return
	}
	_ = s.process.Process.Kill()
	if err := <-s.ended; err == nil {
		t.Error("versitygw had ended by itself")
	}
	s.process = nil
}

// await waits until it answers.
func (s *Server) await(t testing.TB, ended chan error, addresses ...string) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		var failed error
		for _, a := range addresses {
			conn, err := net.Dial("tcp", a) //nolint:noctx // of this machine
			if err != nil {
				failed = err
				break
			}
			_ = conn.Close()
		}
		if failed == nil {
			return
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("versitygw ended: %v", err)
		default:
		}
		if time.Now().After(end) {
			t.Fatalf("versitygw does not answer: %v", failed)
		}
	}
}

// Getenv is an environment in which the server is the one to ask, as its owner.
func (s *Server) Getenv(name string) string { return s.environment()[name] }

// Environ is the same, for a process.
func (s *Server) Environ() []string {
	var all []string
	for name, value := range s.environment() {
		all = append(all, name+"="+value)
	}
	return all
}

func (s *Server) environment() map[string]string {
	return map[string]string{
		"AWS_ENDPOINT_URL_S3": s.Endpoint, "AWS_CA_BUNDLE": s.CA, "AWS_REGION": "us-east-1",
		"AWS_ACCESS_KEY_ID": s.Access, "AWS_SECRET_ACCESS_KEY": s.Secret,
	}
}

// Client speaks to it directly.
func (s *Server) Client(t testing.TB) *minio.Client {
	t.Helper()
	u, err := url.Parse(s.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 32}
	if s.CA != "" {
		pool := x509.NewCertPool()
		data, err := os.ReadFile(s.CA)
		if err != nil || !pool.AppendCertsFromPEM(data) {
			t.Fatalf("%s: %v", s.CA, err)
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	t.Cleanup(transport.CloseIdleConnections)
	c, err := minio.New(u.Host, &minio.Options{Creds: credentials.NewStaticV4(s.Access, s.Secret, ""), Secure: u.Scheme == "https", Transport: transport, Region: "us-east-1"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Protection is what a bucket can do beside keeping files.
type Protection int

// Each of these includes those before it.
const (
	Plain     Protection = iota
	Versioned            // earlier versions are kept
	Locked               // versions can be kept from being removed
)

// Bucket makes a bucket.
func (s *Server) Bucket(t testing.TB, name string, p Protection) {
	t.Helper()
	c := s.Client(t)
	ctx := context.Background()
	if err := c.MakeBucket(ctx, name, minio.MakeBucketOptions{ObjectLocking: p == Locked}); err != nil {
		t.Fatal(err)
	}
	if p == Versioned {
		if err := c.EnableVersioning(ctx, name); err != nil {
			t.Fatal(err)
		}
	}
}

// User makes a user of the server, who may do what policies say, and returns the server as
// that user sees it.
func (s *Server) User(t testing.TB, name string) *Server {
	t.Helper()
	user := *s
	user.Access, user.Secret = name, "secret-of-"+name
	out, err := exec.Command(Program(), "admin", "--access", s.Access, "--secret", s.Secret, "--endpoint-url", s.admin, //nolint:noctx // it ends by itself
		"create-user", "--access", user.Access, "--secret", user.Secret, "--role", "user").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return &user
}

func freeAddress(t testing.TB) string {
	t.Helper()
	at, err := freeport.Address()
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// certify writes a certificate for this machine that vouches for itself, and its key.
func certify(t testing.TB, certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: cert}, keyFile: {Type: "PRIVATE KEY", Bytes: pkcs8}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
