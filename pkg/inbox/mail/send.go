package mail

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"net"
	"net/textproto"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
)

// ErrRefused is the error of a server that says no to a mail, and will say so again. Any
// other error of [Server.Send] is worth another try later.
var ErrRefused = problem.Of(problem.ErrConflict, errors.New("refused"))

// goodbye is how long a server has to say goodbye, when it has taken a mail.
const goodbye = 2 * time.Second

// Result is what became of a message.
type Result string

// The results.
const (
	Taken   Result = "sent"    // the server has it
	Refused Result = "refused" // for good
	Later   Result = "later"   // it is worth another try
)

// Sent is a message that was handed in, or was not.
type Sent struct {
	Address   string `json:"address"`
	MessageID string `json:"message_id"`
	Result    Result `json:"result"`
	Answer    string `json:"answer"` // of the server, or what is in the way
}

// Send hands a message in, and tells what became of it. Errors: [ErrRefused] when the server refuses it for good (5xx
// to its sender, its recipient or its content); problem.ErrAuth when it refuses who we
// are; the error of ctx when it is canceled; and otherwise problem.ErrUnavailable: the
// server says later (4xx), cannot be reached, is not whom it should be. They have the
// server's words in them. A message is taken when the server says so, whatever becomes of
// the connection then.
func (s Server) Send(ctx context.Context, m *Message) (Sent, error) {
	answer, err := s.send(ctx, m)
	sent := Sent{m.To, m.ID, Taken, answer}
	switch {
	case errors.Is(err, ErrRefused):
		sent.Result, sent.Answer = Refused, err.Error()
	case err != nil:
		sent.Result, sent.Answer = Later, err.Error()
	}
	return sent, err
}

func (s Server) send(ctx context.Context, m *Message) (answer string, err error) {
	ctx, end := s.converse(ctx)
	defer end(nil) // which closes the connection
	client, err := s.connect(ctx, end)
	if err != nil {
		return "", s.later(ctx, err)
	}
	answer, err = m.give(client)
	if err != nil {
		return "", s.failure(ctx, err)
	}
	_ = client.UpdateDeadline(goodbye)
	_ = client.Quit() // it has the message
	return s.safe(answer), nil
}

// Reach greets the server, proves who it is and logs in, and hands nothing in. Errors: as
// of [Server.Send], but for ErrRefused.
func (s Server) Reach(ctx context.Context) error {
	ctx, end := s.converse(ctx)
	defer end(nil)
	client, err := s.connect(ctx, end)
	if err != nil {
		return s.later(ctx, err)
	}
	_ = client.UpdateDeadline(goodbye)
	_ = client.Quit()
	return nil
}

// converse is the time of a conversation, and how it ends, and why.
func (s Server) converse(ctx context.Context) (context.Context, context.CancelCauseFunc) {
	ctx, end := context.WithCancelCause(ctx)
	ctx, cancel := context.WithTimeout(ctx, s.limit())
	return ctx, func(why error) { end(why); cancel() }
}

func (s Server) limit() time.Duration { return cmp.Or(s.Limit, DefaultLimit) }

func (s Server) address() string { return net.JoinHostPort(s.Host, strconv.Itoa(s.Port)) }

// mostSaid is how many bytes a server may say in a conversation, its certificates and the
// cover of TLS with them: some ten times as many as those that talk the most. Whoever is in
// the network may answer for it, until TLS shows who it is; and its lines are kept until
// they end.
const mostSaid = 256 << 10

var errEndless = errors.New("says more than a mail server does")

// patience is a connection on which somebody else may say so many bytes more. Then the
// conversation ends: of an error alone whoever reads lines would take what there is of one
// for the whole.
type patience struct {
	net.Conn
	left int
	end  context.CancelCauseFunc
}

func (p *patience) Read(b []byte) (int, error) {
	if p.left == 0 {
		p.end(errEndless)
		return 0, errEndless
	}
	n, err := p.Conn.Read(b[:min(len(b), p.left)])
	p.left -= n
	return n, err
}

// connect is a connection on which mail may be handed in. It ends with ctx, which end ends.
func (s Server) connect(ctx context.Context, end context.CancelCauseFunc) (*smtp.Client, error) {
	config := &tls.Config{ServerName: s.Host, RootCAs: s.Roots, MinVersion: tls.VersionTLS12}
	dial := func(dialing context.Context, network, _ string) (net.Conn, error) {
		raw, err := (&net.Dialer{}).DialContext(dialing, network, s.address())
		if err != nil {
			return nil, err
		}
		context.AfterFunc(ctx, func() { _ = raw.Close() })
		conn := &patience{raw, mostSaid, end}
		switch s.Encryption {
		case StartTLS:
		case Implicit:
			secure := tls.Client(conn, config)
			return secure, secure.HandshakeContext(dialing)
		case Plain:
			if to, ok := conn.RemoteAddr().(*net.TCPAddr); !ok || !to.IP.IsLoopback() {
				return nil, errors.New("it is not this machine, and nothing is sent in the clear")
			}
		}
		return conn, nil
	}
	policy := gomail.NoTLS // beyond what dial does
	if s.Encryption == StartTLS {
		policy = gomail.TLSMandatory
	}
	options := []gomail.Option{
		gomail.WithDialContextFunc(dial), gomail.WithTimeout(s.limit()), gomail.WithHELO(ourName()),
		gomail.WithTLSConfig(config), gomail.WithTLSPolicy(policy), gomail.WithoutSMTPUTF8(),
	}
	if s.User != "" {
		options = append(options, gomail.WithUsername(s.User), gomail.WithPassword(s.Password.Reveal()), gomail.WithOpportunisticSMTPAuth(
			gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthSCRAMSHA1, gomail.SMTPAuthPlain, gomail.SMTPAuthLogin, gomail.SMTPAuthCramMD5))
	}
	dialer, err := gomail.NewClient(s.Host, options...)
	if err != nil {
		return nil, err
	}
	return dialer.DialToSMTPClientWithContext(ctx)
}

// give hands a message in on a connection, and is the server's answer. Of a message that
// cannot be sent whole no end is sent: go-mail's own way says goodbye then, which ends the
// message for the server, and it would take a part for the whole.
func (m *Message) give(client *smtp.Client) (answer string, err error) {
	if err := client.Mail("<" + addressOf(m.From) + ">"); err != nil {
		return "", err
	}
	if err := client.Rcpt("<" + m.To + ">"); err != nil {
		return "", err
	}
	to, err := client.Data()
	if err != nil {
		return "", err
	}
	if _, err := to.Write(m.content); err != nil {
		return "", err
	}
	if err := to.Close(); err != nil {
		return "", err
	}
	taken := "250"
	if c, ok := to.(*smtp.DataCloser); ok {
		taken += " " + c.ServerResponse()
	}
	return taken, nil
}

// failure is what a server has against a message.
func (s Server) failure(ctx context.Context, err error) error {
	var answer *textproto.Error
	if !errors.As(err, &answer) || answer.Code < 500 || wantsLogin(answer.Code) || errors.Is(context.Cause(ctx), errEndless) {
		return s.later(ctx, err)
	}
	return &problem.Error{Kind: ErrRefused, Text: s.address() + " refuses the mail: " + s.said(answer)}
}

// later is why a message is not handed in now.
func (s Server) later(ctx context.Context, err error) error {
	var answer *textproto.Error
	var unknown *tls.CertificateVerificationError
	switch {
	case errors.Is(context.Cause(ctx), errEndless):
		return s.unavailable(errEndless.Error(), problem.Say("see what listens there, and whether it is a mail server"))
	case ctx.Err() != nil && errors.Is(ctx.Err(), context.Canceled):
		return ctx.Err()
	case ctx.Err() != nil || errors.Is(err, os.ErrDeadlineExceeded):
		return s.unavailable("gives no answer within "+s.limit().String(), problem.Advice{})
	case errors.As(err, &answer) && wantsLogin(answer.Code):
		return &problem.Error{
			Kind: problem.ErrAuth, Text: s.address() + " does not let us in: " + s.said(answer),
			Advice: problem.Say("name the user in the URL of the mail server, and set FAXCTL_SMTP_PASSWORD"),
		}
	case errors.As(err, &answer):
		return s.unavailable("says: "+s.said(answer), problem.Advice{})
	case errors.As(err, &unknown):
		return s.unavailable("is not proven to be itself: "+s.safe(err.Error()), problem.Say("name the server as in its certificate, or set SSL_CERT_FILE to who vouches for it"))
	}
	return s.unavailable("cannot be used: "+s.safe(err.Error()), problem.Advice{})
}

func (s Server) unavailable(why string, advice problem.Advice) error {
	return &problem.Error{Kind: problem.ErrUnavailable, Text: "mail server " + s.address() + " " + why, Advice: advice}
}

// wantsLogin reports whether an answer is about who we are, not about the mail. Source:
// RFC 4954, section 6.
func wantsLogin(code int) bool { return slices.Contains([]int{530, 534, 535, 538}, code) }

// said is an answer of a server as it gave it.
func (s Server) said(e *textproto.Error) string { return s.safe(strconv.Itoa(e.Code) + " " + e.Msg) }

// safe is what a server says, in one line, without the password: it may repeat what it was
// sent.
func (s Server) safe(said string) string {
	if password := s.Password.Reveal(); password != "" {
		for _, secret := range []string{password, "\x00" + s.User + "\x00" + password} {
			said = strings.ReplaceAll(said, base64.StdEncoding.EncodeToString([]byte(secret)), "[secret]")
		}
		said = strings.ReplaceAll(said, password, "[secret]")
	}
	return line(said)
}

// ourName is what we call ourselves to a mail server: the machine's name, where it is one.
func ourName() string {
	name, err := os.Hostname()
	if err != nil || !text.MadeOf(name, text.Digits+text.Lower+text.Upper+"-.") || strings.Trim(name, "-.") != name || name == "" {
		return "localhost"
	}
	return name
}
