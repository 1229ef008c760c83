package mail

import (
	"crypto/x509"
	"net/url"
	"strconv"
	"time"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/profile"
)

// Encryption is how a connection to a mail server is kept from others.
type Encryption int

// The ways there are. Certificates are always verified.
const (
	StartTLS Encryption = iota // by STARTTLS (RFC 3207), without which nothing is sent
	Implicit                   // from the first byte (RFC 8314)
	Plain                      // not at all, to this machine alone
)

// Server is where mail is handed in.
type Server struct {
	Host       string
	Port       int
	Encryption Encryption
	User       string // "": nobody logs in
	Password   profile.Secret

	Roots *x509.CertPool // who may vouch for the server; nil: those of the system
	Limit time.Duration  // of a whole conversation; 0: [DefaultLimit]
}

// DefaultLimit is how long a conversation may take: a long document over a slow line, and
// a server that looks at it.
const DefaultLimit = 5 * time.Minute

// ParseServer reads smtp://[USER@]HOST[:PORT], which is by STARTTLS unless HOST is this
// machine, or smtps://[USER@]HOST[:PORT]. The port is 587 for a user and 25 for none, and
// 465 of smtps. ErrInvalid, without the URL, which may hold a password: one is refused.
func ParseServer(raw string) (Server, error) {
	u, err := url.Parse(raw)
	bad := func(why string) (Server, error) {
		return Server{}, problem.Invalid(problem.Say("as in smtp://faxes@mail.clinic.example:587, or smtps://…"), "URL of the mail server: %s", why)
	}
	switch {
	case err != nil:
		return bad("it is none")
	case u.Scheme != "smtp" && u.Scheme != "smtps":
		return bad("it begins with neither smtp:// nor smtps://")
	case u.Hostname() == "":
		return bad("it has no host")
	case u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "":
		return bad("there is more behind the host than a port")
	}
	if _, has := u.User.Password(); has {
		return Server{}, problem.Invalid(problem.Say("leave it out, and set FAXCTL_SMTP_PASSWORD or FAXCTL_SMTP_PASSWORD_FILE"), "URL of the mail server: it has a password in it")
	}
	s := Server{Host: u.Hostname(), User: u.User.Username()}
	switch {
	case u.Scheme == "smtps":
		s.Port, s.Encryption = 465, Implicit
	case s.User != "":
		s.Port = 587
	default:
		s.Port = 25
	}
	if u.Scheme == "smtp" && profile.IsLoopback(s.Host) {
		s.Encryption = Plain
	}
	if p := u.Port(); p != "" {
		if s.Port, err = strconv.Atoi(p); err != nil || s.Port < 1 || s.Port > 65535 {
			return bad("there is no port " + p)
		}
	}
	return s, nil
}
