package s3

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/profile"
)

// credentials is where keys come from: the first of the usual places that has any. Which
// one it is, is decided once. None of them is nobody's: without keys a request is not sent.
func (s settings) credentials(network http.RoundTripper) (*credentials.Credentials, error) {
	id, secret := s.getenv("AWS_ACCESS_KEY_ID"), s.getenv("AWS_SECRET_ACCESS_KEY")
	switch {
	case id != "" && secret != "":
		return credentials.NewStaticV4(id, secret, s.getenv("AWS_SESSION_TOKEN")), nil
	case id != "":
		return nil, halfPair("", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
	case secret != "":
		return nil, halfPair("", "AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID")
	}
	client := &http.Client{Transport: network, Timeout: 10 * time.Second}
	if file, role := s.getenv("AWS_WEB_IDENTITY_TOKEN_FILE"), s.getenv("AWS_ROLE_ARN"); file != "" && role != "" {
		return s.webIdentity(client, file, role, s.getenv("AWS_ROLE_SESSION_NAME")), nil
	}
	if c, err := s.profileCredentials(client); c != nil || err != nil {
		return c, err
	}
	near := &http.Client{Transport: &http.Transport{}, Timeout: 10 * time.Second} // never through a proxy
	if full := s.getenv("AWS_CONTAINER_CREDENTIALS_FULL_URI"); full != "" || s.getenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") != "" {
		if full != "" && !mayHearToken(full) {
			return nil, problem.Invalid(problem.Say("it is https, or an address of this machine"), "AWS_CONTAINER_CREDENTIALS_FULL_URI")
		}
		return credentials.New(source{&credentials.IAM{Client: near}, "the container's role"}), nil
	}
	off, err := s.is("AWS_EC2_METADATA_DISABLED", "ec2_metadata_disabled")
	if err != nil {
		return nil, err
	}
	if off {
		return nil, noCredentials(nil)
	}
	near.Timeout = 2 * time.Second // where there is no role, nobody answers
	return credentials.New(instance{&credentials.IAM{Client: near, Endpoint: s.getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT")}}), nil
}

func noCredentials(cause error) error {
	return &problem.Error{Kind: problem.ErrAuth, Text: "no credentials for the archive's bucket were found", Cause: cause,
		Advice: problem.Say("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or give the machine a role")}
}

// halfPair is that of two settings which belong together one is there alone. The place is
// where, as an error begins.
func halfPair(place, there, missing string) error {
	return problem.With(problem.Of(problem.ErrInvalid, fmt.Errorf("%s%s is not set, and %s is", place, missing, there)), problem.Say("set both, or neither"))
}

// webIdentity exchanges the token in a file for keys, as in a pod of Kubernetes.
func (s settings) webIdentity(client *http.Client, file, role, session string) *credentials.Credentials {
	iam := &credentials.IAM{Client: client, Region: s.region, Endpoint: s.getenv("AWS_ENDPOINT_URL_STS")}
	iam.EKSIdentity.TokenFile, iam.EKSIdentity.RoleARN, iam.EKSIdentity.RoleSessionName = file, role, session
	return credentials.New(source{iam, "the web identity " + text.Quote(role)})
}

// profileCredentials are those that the profile names; nil: it names none.
func (s settings) profileCredentials(client *http.Client) (*credentials.Credentials, error) {
	of := "profile " + text.Quote(s.profile)
	id, secret := s.keys["aws_access_key_id"], s.keys["aws_secret_access_key"]
	switch {
	case id != "" && secret != "":
		return credentials.NewStaticV4(id, secret, s.keys["aws_session_token"]), nil
	case id != "":
		return nil, halfPair(of+": ", "aws_access_key_id", "aws_secret_access_key")
	case secret != "":
		return nil, halfPair(of+": ", "aws_secret_access_key", "aws_access_key_id")
	case s.keys["web_identity_token_file"] != "" && s.keys["role_arn"] != "":
		return s.webIdentity(client, s.keys["web_identity_token_file"], s.keys["role_arn"], s.keys["role_session_name"]), nil
	case s.keys["sso_role_name"] != "", s.keys["credential_process"] != "":
		return credentials.New(source{&credentials.FileAWSCredentials{Profile: s.profile}, of}), nil
	case s.keys["role_arn"] != "":
		return nil, problem.Invalid(problem.Say("have AWS's own command line assume it: export-credentials of aws configure, as the credential_process of a profile"), "%s: a role that another profile is to assume", of)
	}
	return nil, nil
}

// mayHearToken reports whether a container's token may be sent to a URL. The addresses are
// those of ECS and EKS. Source: AWS SDKs and Tools Reference Guide, container credentials.
func mayHearToken(full string) bool {
	u, err := url.Parse(full)
	if err != nil || u.Hostname() == "" {
		return false
	}
	switch u.Hostname() {
	case "169.254.170.2", "169.254.170.23", "fd00:ec2::23":
		return true
	}
	return u.Scheme == "https" || profile.IsLoopback(u.Hostname())
}

// source says of keys that cannot be had where they were to come from.
type source struct {
	credentials.Provider
	what string
}

func (s source) RetrieveWithCredContext(cc *credentials.CredContext) (credentials.Value, error) {
	v, err := s.Provider.RetrieveWithCredContext(cc)
	if err == nil && (v.AccessKeyID == "" || v.SecretAccessKey == "") {
		err = errors.New("they are empty")
	}
	if err == nil {
		return v, nil
	}
	kind := problem.ErrAuth
	var net *url.Error
	if errors.As(err, &net) {
		kind, err = problem.ErrUnavailable, net.Err // without what was asked: it may hold a token
	}
	return credentials.Value{}, &problem.Error{Kind: kind, Text: "no keys from " + s.what, Cause: errors.New(text.Line(err.Error()))}
}

// instance is the role of a machine, which is asked when nothing else is given. A machine
// without one has nobody who answers.
type instance struct{ credentials.Provider }

func (i instance) RetrieveWithCredContext(cc *credentials.CredContext) (credentials.Value, error) {
	v, err := i.Provider.RetrieveWithCredContext(cc)
	if err == nil && v.AccessKeyID != "" && v.SecretAccessKey != "" {
		return v, nil
	}
	if net := (*url.Error)(nil); errors.As(err, &net) {
		err = nil // nobody is there
	} else if err != nil {
		err = errors.New("the machine's role: " + strings.TrimSpace(text.Line(err.Error())))
	}
	return credentials.Value{}, noCredentials(err)
}
