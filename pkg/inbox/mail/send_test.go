package mail_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/inbox/mail"
	"github.com/faxctl/faxctl/pkg/profile"
)

// postOffice is a mail server in this process: what it does at each stage of a
// conversation, and what it has taken.
type postOffice struct {
	mail, rcpt, data, after func(s *session) error // nil: it agrees
	password                string                 // "": nobody logs in
	tls                     *tls.Config            // for STARTTLS, or from the first byte
	implicit                bool
	begun                   func()        // is called after the beginning of a mail, when there is one
	over                    chan struct{} // is closed when a mail has come, or its connection is gone

	mu    sync.Mutex
	taken []taken
}

type taken struct {
	from, to string
	content  []byte
	secure   bool
	user     string
}

type session struct {
	office *postOffice
	conn   *smtp.Conn
	at     taken
	held   bool // a message was taken
}

func (s *session) do(f func(*session) error) error {
	if f == nil {
		return nil
	}
	return f(s)
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.at.from = from
	return s.do(s.office.mail)
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.at.to = to
	return s.do(s.office.rcpt)
}

func (s *session) Data(r io.Reader) error {
	if s.office.over != nil {
		defer close(s.office.over)
	}
	content, err := s.office.read(r)
	if err != nil {
		return err
	}
	if err := s.do(s.office.data); err != nil {
		return err
	}
	s.at.content = content
	_, s.at.secure = s.conn.TLSConnectionState()
	s.office.mu.Lock()
	defer s.office.mu.Unlock()
	s.office.taken = append(s.office.taken, s.at)
	s.held = true
	return nil
}

func (o *postOffice) read(r io.Reader) ([]byte, error) {
	if o.begun == nil {
		return io.ReadAll(r)
	}
	start := make([]byte, 1<<10)
	if _, err := io.ReadFull(r, start); err != nil {
		return nil, err
	}
	o.begun()
	rest, err := io.ReadAll(r)
	return append(start, rest...), err
}

// Reset is called when the answer to a message is on its way.
func (s *session) Reset() {
	if s.held {
		_ = s.do(s.office.after)
	}
}

func (s *session) Logout() error { return nil }

func (s *session) AuthMechanisms() []string {
	if s.office.password == "" {
		return nil
	}
	return []string{sasl.Plain}
}

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if password != s.office.password {
			return &smtp.SMTPError{Code: 535, EnhancedCode: smtp.EnhancedCode{5, 7, 8}, Message: "not with the password " + password + ", sent as " +
				base64.StdEncoding.EncodeToString([]byte("\x00"+user+"\x00"+password)) + " or " + base64.StdEncoding.EncodeToString([]byte(password))}
		}
		s.at.user = user
		return nil
	}), nil
}

// open is the office on this machine, until the test ends.
func (o *postOffice) open(t *testing.T) mail.Server {
	t.Helper()
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		return &session{office: o, conn: c}, nil
	}))
	server.AllowInsecureAuth = true
	server.ErrorLog = quiet{}
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if o.implicit {
		l = tls.NewListener(l, o.tls)
	} else {
		server.TLSConfig = o.tls
	}
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	t.Cleanup(func() {
		_ = server.Close()
		<-done
	})
	return mail.Server{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, Encryption: mail.Plain, Limit: time.Minute}
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

// certified is a certificate for this machine, and who vouches for it.
func certified(t *testing.T) (*tls.Config, *x509.CertPool) {
	t.Helper()
	s := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(s.Close)
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return &tls.Config{Certificates: s.TLS.Certificates, MinVersion: tls.VersionTLS12}, roots
}

func answer(code int, words string) func(*session) error {
	return func(*session) error { return &smtp.SMTPError{Code: code, Message: words} }
}

func drop(s *session) error { return s.conn.Conn().Close() }

func notice(t *testing.T) *mail.Message {
	t.Helper()
	m, err := mail.Letter{From: "faxes@clinic.example", To: "desk@clinic.example"}.Write(t.Context(), mail.News{Fax: received(), When: mail.Received})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestSend(t *testing.T) {
	for name, c := range map[string]struct {
		office *postOffice
		kind   error // nil: it is taken
		words  string
	}{
		"taken":                        {&postOffice{}, nil, ""},
		"later, for the content":       {&postOffice{data: answer(452, "disk full")}, problem.ErrUnavailable, "says: 452"},
		"later, for the recipient":     {&postOffice{rcpt: answer(450, "greylisted")}, problem.ErrUnavailable, "greylisted"},
		"refused sender":               {&postOffice{mail: answer(550, "not from you")}, mail.ErrRefused, "not from you"},
		"refused recipient":            {&postOffice{rcpt: answer(550, "no such user")}, mail.ErrRefused, "refuses the mail: 550"},
		"refused content":              {&postOffice{data: answer(552, "too long")}, mail.ErrRefused, "too long"},
		"login wanted":                 {&postOffice{mail: answer(530, "who are you")}, problem.ErrAuth, "who are you"},
		"words that act on a screen":   {&postOffice{rcpt: answer(550, "no\x1b[2J\u202e user")}, mail.ErrRefused, "no^[[2J"},
		"dropped at the sender":        {&postOffice{mail: drop}, problem.ErrUnavailable, ""},
		"dropped at the recipient":     {&postOffice{rcpt: drop}, problem.ErrUnavailable, ""},
		"dropped at the content":       {&postOffice{data: drop}, problem.ErrUnavailable, ""},
		"dropped when it has it":       {&postOffice{after: drop}, nil, ""},
		"a number that is no answer":   {&postOffice{rcpt: answer(599, "5")}, mail.ErrRefused, "599"},
		"a temporary one out of range": {&postOffice{rcpt: answer(421, "closing")}, problem.ErrUnavailable, "closing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			office := c.office
			m := notice(t)
			_, err := office.open(t).Send(t.Context(), m)
			if !errors.Is(err, c.kind) || c.kind != nil && !strings.Contains(err.Error(), c.words) {
				t.Fatalf("%v, want %v with %q", err, c.kind, c.words)
			}
			if c.kind == nil && (len(office.taken) != 1 || !bytes.Equal(office.taken[0].content, written(m))) {
				t.Errorf("taken: %+v", office.taken)
			}
			if errors.Is(err, mail.ErrRefused) == (errors.Is(err, problem.ErrUnavailable) || errors.Is(err, problem.ErrAuth)) && err != nil {
				t.Errorf("%v is of two kinds", err)
			}
		})
	}
}

// Every line that begins with a dot arrives as it was.
func written(m *mail.Message) []byte {
	var b bytes.Buffer
	_, _ = m.WriteTo(&b)
	return b.Bytes()
}

// A server that does not answer costs no more than the limit, and a person who interrupts
// does not wait for it.
func TestSlow(t *testing.T) {
	release := make(chan struct{})
	office := &postOffice{rcpt: func(*session) error { <-release; return nil }}
	server := office.open(t)
	t.Cleanup(func() { close(release) })
	server.Limit = 300 * time.Millisecond
	if _, err := server.Send(t.Context(), notice(t)); !errors.Is(err, problem.ErrUnavailable) || !strings.Contains(err.Error(), "no answer within 300ms") {
		t.Errorf("%v", err)
	}
	server.Limit = time.Hour
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, cancel)
	if _, err := server.Send(ctx, notice(t)); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}

// A server that says nothing at all.
func TestSilent(t *testing.T) {
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	for _, encryption := range []mail.Encryption{mail.Plain, mail.StartTLS, mail.Implicit} {
		server := mail.Server{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, Encryption: encryption, Limit: 200 * time.Millisecond}
		if _, err := server.Send(t.Context(), notice(t)); !errors.Is(err, problem.ErrUnavailable) || !strings.Contains(err.Error(), "no answer") {
			t.Errorf("%v: %v", encryption, err)
		}
	}
}

func TestEncryption(t *testing.T) {
	config, roots := certified(t)
	for name, c := range map[string]struct {
		offers, implicit bool
		wants            mail.Encryption
		trusts           bool
		secure           bool
		words            string // "": it is taken
	}{
		"STARTTLS":                       {offers: true, wants: mail.StartTLS, trusts: true, secure: true},
		"STARTTLS that somebody took":    {wants: mail.StartTLS, trusts: true, words: "STARTTLS"},
		"STARTTLS of a stranger":         {offers: true, wants: mail.StartTLS, words: "not proven to be itself"},
		"from the first byte":            {offers: true, implicit: true, wants: mail.Implicit, trusts: true, secure: true},
		"from the first byte, stranger":  {offers: true, implicit: true, wants: mail.Implicit, words: "not proven to be itself"},
		"this machine, in the clear":     {offers: true, wants: mail.Plain},
		"not from the first byte at all": {wants: mail.Implicit, trusts: true, words: "cannot be used"},
	} {
		t.Run(name, func(t *testing.T) {
			office := &postOffice{implicit: c.implicit}
			if c.offers {
				office.tls = config
			}
			server := office.open(t)
			server.Encryption = c.wants
			if c.trusts {
				server.Roots = roots
			}
			_, err := server.Send(t.Context(), notice(t))
			if c.words != "" {
				if !errors.Is(err, problem.ErrUnavailable) || !strings.Contains(err.Error(), c.words) || len(office.taken) > 0 {
					t.Errorf("%v, and %d mails", err, len(office.taken))
				}
				return
			}
			if err != nil || len(office.taken) != 1 || office.taken[0].secure != c.secure {
				t.Errorf("%v: %+v", err, office.taken)
			}
		})
	}
}

// Nothing goes in the clear to another machine, whatever its name says.
func TestClearElsewhere(t *testing.T) {
	for raw, want := range map[string]mail.Encryption{
		"smtp://mail.clinic.example": mail.StartTLS, "smtp://192.0.2.1": mail.StartTLS, "smtp://localhost.example": mail.StartTLS,
		"smtp://localhost": mail.Plain, "smtp://127.0.0.1:2525": mail.Plain, "smtp://[::1]": mail.Plain,
		"smtps://localhost": mail.Implicit, "smtps://mail.clinic.example": mail.Implicit,
	} {
		if s, err := mail.ParseServer(raw); err != nil || s.Encryption != want {
			t.Errorf("%s: %v, %v, want %v", raw, s.Encryption, err, want)
		}
	}
}

func TestLogin(t *testing.T) {
	config, roots := certified(t)
	office := &postOffice{password: "hunter2", tls: config}
	server := office.open(t)
	server.Encryption, server.Roots, server.User = mail.StartTLS, roots, "faxes"
	server.Password = profile.NewSecret("hunter2")
	if _, err := server.Send(t.Context(), notice(t)); err != nil || office.taken[0].user != "faxes" {
		t.Fatalf("%v: %+v", err, office.taken)
	}
	server.Password = profile.NewSecret("letmein77")
	_, err := server.Send(t.Context(), notice(t))
	if !errors.Is(err, problem.ErrAuth) || errors.Is(err, mail.ErrRefused) || !strings.Contains(err.Error(), "535") || !strings.HasSuffix(err.Error(), "with the password [secret], sent as [secret] or [secret]") {
		t.Errorf("%v", err)
	}
	office.password = "" // it lets nobody in, then
	if _, err := server.Send(t.Context(), notice(t)); !errors.Is(err, problem.ErrUnavailable) || !strings.Contains(err.Error(), "AUTH") {
		t.Errorf("%v", err)
	}
}

// One address that is refused keeps no other from its mail.
func TestSeveral(t *testing.T) {
	office := &postOffice{rcpt: func(s *session) error {
		if s.at.to == "gone@clinic.example" {
			return &smtp.SMTPError{Code: 550, Message: "gone"}
		}
		return nil
	}}
	server := office.open(t)
	rules := read(t, "from: faxes@clinic.example\nrules:\n- mail: [desk@clinic.example, gone@clinic.example, it@clinic.example]\n")
	n := mail.News{Fax: received(), When: mail.Received}
	var refused []string
	for _, target := range rules.Targets(n, nil) {
		m, err := rules.Message(t.Context(), n, target)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := server.Send(t.Context(), m); err != nil {
			refused = append(refused, target.Address)
		}
	}
	if len(refused) != 1 || refused[0] != "gone@clinic.example" || len(office.taken) != 2 || office.taken[1].to != "it@clinic.example" {
		t.Errorf("refused %q, taken %+v", refused, office.taken)
	}
	for _, m := range office.taken {
		for _, other := range []string{"desk@", "it@"} {
			if bytes.Contains(m.content, []byte(other)) != strings.HasPrefix(m.to, other) {
				t.Errorf("the mail to %s: %s", m.to, m.content)
			}
		}
	}
}

func TestParseServer(t *testing.T) {
	for raw, want := range map[string]mail.Server{
		"smtp://mail.clinic.example":                     {Host: "mail.clinic.example", Port: 25},
		"smtp://faxes@mail.clinic.example":               {Host: "mail.clinic.example", Port: 587, User: "faxes"},
		"smtp://faxes%40clinic.example@mail.example:26/": {Host: "mail.example", Port: 26, User: "faxes@clinic.example"},
		"smtps://mail.clinic.example":                    {Host: "mail.clinic.example", Port: 465, Encryption: mail.Implicit},
		"smtp://[::1]:2525":                              {Host: "::1", Port: 2525, Encryption: mail.Plain},
	} {
		if got, err := mail.ParseServer(raw); err != nil || got.Host != want.Host || got.Port != want.Port || got.User != want.User || got.Encryption != want.Encryption {
			t.Errorf("%s: %+v, %v", raw, got, err)
		}
	}
	for _, raw := range []string{
		"", "mail.clinic.example", "http://mail.clinic.example", "smtp://", "smtp://:25", "smtp://h:0", "smtp://h:99999", "smtp://h:x",
		"smtp://u:hunter2@h", "smtp://u:@h", "smtp://h/path", "smtp://h?starttls=no", "smtp://h#x", "smtp://u:hunter2@h:x", "smtp://%zz",
	} {
		if _, err := mail.ParseServer(raw); !errors.Is(err, problem.ErrInvalid) || strings.Contains(err.Error(), "hunter2") || problem.AdviceOf(err).Empty() {
			t.Errorf("%s: %v", raw, err)
		}
	}
}
