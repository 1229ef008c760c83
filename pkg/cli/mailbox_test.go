package cli_test

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/rogpeppe/go-internal/testscript"
)

// mailbox serves a mail server on this machine, and points the environment at it.
func mailbox(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("usage: mailbox [ADDRESS=CODE...] [login=PASSWORD]")
	}
	box := &postBox{dir: ts.MkAbs("mail"), answers: map[string]int{}}
	for _, arg := range args {
		address, code, _ := strings.Cut(arg, "=")
		if address == "login" {
			box.password = code
			continue
		}
		n, err := strconv.Atoi(code)
		ts.Check(err)
		box.answers[address] = n
	}
	ts.Check(os.MkdirAll(box.dir, 0o700))
	address, stop, err := box.open()
	ts.Check(err)
	ts.Defer(stop)
	user := ""
	if box.password != "" {
		user = "faxes@"
	}
	ts.Setenv("FAXCTL_SMTP_URL", "smtp://"+user+address)
	ts.Setenv("FAXCTL_MAIL_FROM", "faxes@clinic.example")
}

// postBox is what a mailbox answers and where its mail goes.
type postBox struct {
	dir      string
	answers  map[string]int // to a recipient
	password string
	taken    atomic.Int32
}

// open is the address of a server that fills the box until stop is called.
func (b *postBox) open() (address string, stop func(), err error) {
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &postBoxSession{postBox: b}, nil }))
	server.AllowInsecureAuth = true
	server.ErrorLog = log.New(io.Discard, "", 0) // of connections that were killed
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	return l.Addr().String(), func() {
		_ = server.Close()
		<-done
	}, nil
}

type postBoxSession struct {
	*postBox
	from, to string
	in       bool
}

func (s *postBoxSession) Mail(from string, _ *smtp.MailOptions) error {
	if s.password != "" && !s.in {
		return &smtp.SMTPError{Code: 530, Message: "log in first"}
	}
	s.from = from
	return nil
}

func (s *postBoxSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	if code := s.answers[to]; code != 0 {
		return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{code / 100, 1, 1}, Message: "no mail for " + to}
	}
	s.to = to
	return nil
}

// Data keeps a mail in the file mail/N-ADDRESS, below the addresses of its envelope. The file
// is there when it is whole: others wait for it.
func (s *postBoxSession) Data(r io.Reader) error {
	content, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	name := fmt.Sprintf("%d-%s", s.taken.Add(1), s.to)
	envelope := fmt.Sprintf("Envelope: %s to %s\n", s.from, s.to)
	f, err := os.CreateTemp("", "")
	if err != nil {
		return err
	}
	_, err = f.Write(append([]byte(envelope), content...))
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), filepath.Join(s.dir, name))
}

func (*postBoxSession) Reset()        {}
func (*postBoxSession) Logout() error { return nil }

func (s *postBoxSession) AuthMechanisms() []string {
	if s.password == "" {
		return nil
	}
	return []string{sasl.Plain}
}

func (s *postBoxSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, _, password string) error {
		if password != s.password {
			return smtp.ErrAuthFailed
		}
		s.in = true
		return nil
	}), nil
}
