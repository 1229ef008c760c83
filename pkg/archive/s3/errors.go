package s3

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"

	"github.com/minio/minio-go/v7"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
)

// right is an action that a policy grants, and on which of its two resources.
type right struct {
	action   string
	ofBucket bool // not of what is in it
}

func (s *Store) resource(r right) string {
	if r.ofBucket {
		return "arn:aws:s3:::" + s.at.Bucket
	}
	return "arn:aws:s3:::" + s.at.Bucket + "/" + s.at.key("*")
}

// tell is what a person reads of a failure: what was asked for, what the server or the
// network said, and what to do. The right is the one that the request takes.
func (s *Store) tell(ctx context.Context, err error, name string, needs right) error {
	what := s.at.String()
	if name != "" {
		what = s.at.of(name)
	}
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if problem.KindOf(err) != nil || errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var said minio.ErrorResponse
	if errors.As(err, &said) {
		return s.tellAnswer(said, what, needs)
	}
	away := &problem.Error{Kind: problem.ErrUnavailable, Text: what, Cause: errors.New(plain(inner(err))), Advice: s.lookAtEndpoint()}
	switch {
	case strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"): // of net/http, which has no value for it
		away.Advice = problem.Say("%s speaks http there, or another port of it is the one: look at %s", problem.Text(s.endpoint.Host), problem.Text(s.from))
	case isExpired(err):
		away.Advice = problem.Say("have the certificate of %s renewed, and look at the clock of this machine", problem.Text(s.endpoint.Host))
		return away
	case errors.As(err, new(x509.HostnameError)):
		away.Advice = problem.Say("name the server as in its certificate: it is of %s", problem.Text(s.from))
	case isUntrusted(err):
		away.Advice = problem.Say("AWS_CA_BUNDLE names a file with the authority that vouches for %s", problem.Text(s.endpoint.Host))
	default:
		return away
	}
	return problem.Of(problem.ErrUntrusted, away)
}

// lookAtEndpoint is what to do where something else than an S3 server answers.
func (s *Store) lookAtEndpoint() problem.Advice {
	scheme := "http"
	if s.endpoint.Scheme == scheme {
		scheme = "https"
	}
	return problem.Say("look whether %s is the address of an S3 server, which may be away or speak %s: it is of %s", problem.Text(s.endpoint.Host), problem.Text(scheme), problem.Text(s.from))
}

// plain is one line without the client's own advice.
func plain(err error) string {
	line := text.Line(err.Error())
	if strings.HasPrefix(line, "Connection closed by foreign host") {
		return "the connection was closed before there was an answer"
	}
	return line
}

func (s *Store) tellAnswer(said minio.ErrorResponse, what string, needs right) error {
	e := &problem.Error{Text: what, Cause: errors.New(answer(said))}
	switch {
	case said.StatusCode == http.StatusNotFound && said.XMLName.Local == "":
		e.Kind, e.Cause = problem.ErrUnavailable, errNoS3
		e.Advice = s.lookAtEndpoint()
	case said.Code == minio.NoSuchBucket:
		e.Kind, e.Text, e.Cause = problem.ErrNotFound, fmt.Sprintf("there is no bucket %s at %s", s.at.Bucket, s.endpoint.Host), nil
		e.Advice = problem.Say("is it spelled right? a new one is made first, with the protection that is meant to last: object lock can be had from the beginning alone")
	case said.Code == minio.NoSuchKey:
		return &fs.PathError{Op: "find", Path: what, Err: fs.ErrNotExist}
	case said.Code == minio.RequestTimeTooSkewed:
		e.Kind, e.Advice = problem.ErrAuth, problem.Say("set this machine's clock")
	case isElsewhere(said) && said.XMLName.Local == "" && said.Region == "": // no S3 server's
		e.Kind, e.Cause, e.Advice = problem.ErrUnavailable, errors.New("the server sends on to another place"), s.lookAtEndpoint()
	case isRegion(said):
		e.Kind, e.Advice = problem.ErrInvalid, problem.Say("AWS_REGION is the region of the bucket")
		if said.Region != "" {
			e.Advice = problem.Say("set AWS_REGION=%s", problem.Text(text.Strip(said.Region, 40)))
		}
	case said.StatusCode == http.StatusUnauthorized, said.StatusCode == http.StatusForbidden, isToken(said.Code):
		e.Kind = problem.ErrAuth
		if said.Code == minio.AccessDenied {
			e.Advice = problem.Say("it takes %s on %s", problem.Text(needs.action), problem.Text(s.resource(needs)))
		} else {
			e.Advice = problem.Say("look at the keys: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_PROFILE")
		}
	case passes(said):
		e.Kind = problem.ErrUnavailable
	case said.StatusCode == http.StatusNotImplemented, said.StatusCode == http.StatusMethodNotAllowed:
		e.Kind = problem.ErrUnsupported
	default:
		return fmt.Errorf("%s: %w", e.Text, e.Cause)
	}
	return e
}

// answer is what the server said, with its own code.
func answer(said minio.ErrorResponse) string {
	line := strings.TrimSuffix(text.Line(text.Strip(said.Error(), 300)), ".")
	if code := text.Strip(said.Code, 60); code != "" && !strings.Contains(line, code) {
		line += " (" + code + ")"
	}
	return line
}

func isRegion(said minio.ErrorResponse) bool {
	switch said.Code {
	case "AuthorizationHeaderMalformed", "InvalidRegion", "PermanentRedirect", "TemporaryRedirect", "IllegalLocationConstraintException":
		return true
	}
	return isElsewhere(said)
}

// isElsewhere reports whether an answer speaks of another place, where nobody is sent.
func isElsewhere(said minio.ErrorResponse) bool { return said.StatusCode/100 == 3 }

func isToken(code string) bool {
	switch code {
	case "ExpiredToken", "InvalidToken", "InvalidAccessKeyId", "SignatureDoesNotMatch", "XAdminUserNotFound": // the last is of versitygw
		return true
	}
	return false
}
