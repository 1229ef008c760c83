package s3

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io/fs"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/faxctl/faxctl/pkg/base/problem"
)

// The pause after a first failure, and the longest.
const (
	firstPause = 50 * time.Millisecond
	mostPause  = 3 * time.Second
)

// patiently does something until it succeeds, fails for good, or has been failing for the
// time patience. The client's own repetitions are off: it would not know whether what it
// sends again has been done already.
func patiently(ctx context.Context, patience time.Duration, do func() error) error {
	end := time.Now().Add(patience)
	for pause := firstPause; ; pause = min(2*pause, mostPause) {
		err := do()
		if err == nil || !passes(err) || ctx.Err() != nil || time.Now().Add(pause).After(end) {
			return err
		}
		wait := time.NewTimer(pause/2 + rand.N(pause))
		select {
		case <-ctx.Done():
			wait.Stop()
			return err
		case <-wait.C:
		}
	}
}

// errAgain is an answer that is refuted by the next one, or was true for a moment.
var errAgain = errors.New("the server contradicts itself")

// passes reports whether a failure may be over by the next attempt.
func passes(err error) bool {
	if errors.Is(err, errAgain) || errors.Is(err, errNoS3) || errors.Is(err, errDamaged) || isContended(err) {
		return true
	}
	var said minio.ErrorResponse
	if errors.As(err, &said) {
		switch said.Code {
		case "RequestTimeout", "SlowDown", "InternalError", "Throttling", "BadDigest", "XAmzContentSHA256Mismatch", "IncompleteBody":
			return true
		}
		return isAway(said.StatusCode) || said.StatusCode == http.StatusNotFound && said.XMLName.Local == ""
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, fs.ErrNotExist) || isUntrusted(err) {
		return false
	}
	if kind := problem.KindOf(err); kind != nil {
		return errors.Is(kind, problem.ErrUnavailable)
	}
	return true // of the connection
}

// isContended reports whether a server refused because another request for the same name
// was at work. It did nothing, and asks to be asked again.
func isContended(err error) bool {
	var said minio.ErrorResponse
	if !errors.As(err, &said) || said.StatusCode != http.StatusConflict {
		return false
	}
	return said.Code == "ConditionalRequestConflict" || said.Code == "OperationAborted" || said.Code == minio.Conflict
}

// isAway reports whether a status says that there is no answer now.
func isAway(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, 499: // nginx: the client went away
		return true
	}
	return status >= 500 && status != http.StatusNotImplemented && status != http.StatusInsufficientStorage
}

// isUntrusted reports whether a server's certificate is none that is trusted, or there is
// none: another attempt ends in the same way.
func isUntrusted(err error) bool {
	var verify *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var authority x509.UnknownAuthorityError
	return errors.As(err, &verify) || errors.As(err, &record) || errors.As(err, &authority)
}

// isExpired reports whether a server's certificate is one that has ended, or has not begun,
// by this machine's clock: those who have the server, or the clock, mend that.
func isExpired(err error) bool {
	var invalid x509.CertificateInvalidError
	return errors.As(err, &invalid) && invalid.Reason == x509.Expired
}

// neverSent reports whether a request surely did not reach the server.
func neverSent(err error) bool {
	var dial *net.OpError
	return errors.As(err, &dial) && dial.Op == "dial" || isUntrusted(err)
}

// inner is what went wrong, without the URL that was asked.
func inner(err error) error {
	var asked *url.Error
	if errors.As(err, &asked) {
		return asked.Err
	}
	return err
}
