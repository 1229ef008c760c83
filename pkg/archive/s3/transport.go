package s3

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/minio/minio-go/v7/pkg/s3utils"

	"github.com/faxctl/faxctl/pkg/base/problem"
)

// network is a transport whose connections are given up when nothing has come or gone for
// the time stall. It has no limit of a whole request: a large document on a slow line is
// not cut.
func network(caBundle string, stall time.Duration) (*http.Transport, error) {
	roots, err := rootsOf(caBundle)
	if err != nil {
		return nil, err
	}
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return lively{conn, stall}, nil
		},
		TLSClientConfig:     &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout: 10 * time.Second,
		MaxIdleConnsPerHost: 64,
		IdleConnTimeout:     stall / 2, // before it seems to have stalled
		DisableCompression:  true,      // documents are kept as they are
	}, nil
}

// rootsOf are the authorities in a file, and no others; nil without one: those of the system.
func rootsOf(caBundle string) (*x509.CertPool, error) {
	if caBundle == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(caBundle)
	if err != nil {
		return nil, problem.With(problem.Of(problem.ErrInvalid, fmt.Errorf("AWS_CA_BUNDLE: %w", err)), problem.Say("it is a file of certificates in PEM"))
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, problem.Invalid(problem.Say("it is a file of certificates in PEM"), "AWS_CA_BUNDLE %s", caBundle)
	}
	return roots, nil
}

// lively is a connection that ends when nothing has come or gone for a time.
type lively struct {
	net.Conn
	stall time.Duration
}

func (c lively) Read(p []byte) (int, error) {
	if err := c.SetDeadline(time.Now().Add(c.stall)); err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}

func (c lively) Write(p []byte) (int, error) {
	if err := c.SetDeadline(time.Now().Add(c.stall)); err != nil { // of the read that waits for an answer too
		return 0, err
	}
	return c.Conn.Write(p)
}

// guard sends requests to the endpoint alone, whatever an answer says of another place.
type guard struct {
	next     http.RoundTripper
	endpoint *url.URL
}

func (g guard) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme != g.endpoint.Scheme || !g.serves(req.URL.Host) {
		return nil, problem.Of(problem.ErrUnsupported, fmt.Errorf("a request to %s is not sent: the endpoint is %s", req.URL.Host, g.endpoint.Host))
	}
	return g.next.RoundTrip(req)
}

// serves reports whether a host is the endpoint, a bucket's there, or one of Amazon's when
// that is.
func (g guard) serves(host string) bool {
	at := func(h string) bool { return host == h || strings.HasSuffix(host, "."+h) }
	if at(g.endpoint.Host) {
		return true
	}
	return s3utils.IsAmazonEndpoint(*g.endpoint) && (at("amazonaws.com") || at("amazonaws.com.cn"))
}

func defaultPort(scheme string) string {
	if scheme == "http" {
		return "80"
	}
	return "443"
}

// errNoS3 is an answer that no S3 server gives: something in between did.
var errNoS3 = errors.New("the answer is none of an S3 server")

// mostList is more than a page of a thousand names can have, in bytes.
const mostList = 32 << 20

// lists reads each page of a listing to its end, and asks again for one that was cut short
// or is none. A list that ends early would say that what is missing from it is gone.
type lists struct {
	next     http.RoundTripper
	patience time.Duration
}

func (l lists) RoundTrip(req *http.Request) (*http.Response, error) {
	q := req.URL.Query()
	if req.Method != http.MethodGet || !q.Has("list-type") && !q.Has("versions") {
		return l.next.RoundTrip(req)
	}
	var res *http.Response
	err := patiently(req.Context(), l.patience, func() (err error) {
		res, err = l.next.RoundTrip(req) //nolint:bodyclose // it is, below
		if err != nil {
			return err
		}
		body, err := io.ReadAll(io.LimitReader(res.Body, mostList))
		_ = res.Body.Close()
		if err != nil {
			return err
		}
		res.Body = io.NopCloser(bytes.NewReader(body))
		root := rootOf(body)
		switch {
		case res.StatusCode == http.StatusOK && !strings.HasPrefix(root, "List"), res.StatusCode == http.StatusNotFound && root != "Error":
			return errNoS3
		case isAway(res.StatusCode):
			return errors.New(res.Status)
		}
		return nil
	})
	if err != nil && res != nil && res.StatusCode >= 400 {
		return res, nil // what it says is for the client to read
	}
	if err != nil {
		return nil, err
	}
	return res, nil
}

// rootOf is what a document of XML is: "ListBucketResult", "ListVersionsResult", "Error".
func rootOf(body []byte) string {
	for d := xml.NewDecoder(bytes.NewReader(body)); ; {
		token, err := d.Token()
		if err != nil {
			return ""
		}
		if root, yes := token.(xml.StartElement); yes {
			return root.Name.Local
		}
	}
}
