package delivery

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/inbox/mail"
)

// Mailing is what mail is sent by. It may be read again while a receiver runs.
type Mailing struct {
	Rules  *mail.Rules
	Server mail.Server
	Names  map[string]string // of the account's numbers, where a rule selects by one

	drawing chan struct{} // as of mail.News
}

// Mail sends each piece of news to the addresses of the rules that match it, by a message
// of its own. What it is sent by is asked for each time, and each mail that a server has
// taken is told to log. ErrRefused: the server says no, and not later; the rules have the
// address no more; the document is not the one that was archived.
func Mail(log *slog.Logger, now func() Mailing) Delivery {
	// Pictures are drawn one at a time, however many faxes come: a stranger's document may
	// be such that one takes all the memory that there is for them.
	drawing := make(chan struct{}, 1)
	return Delivery{
		Name: MailName, Limit: 2 * mail.DefaultLimit, Reads: true,
		Targets: func(n News) []Target {
			var all []Target
			for _, to := range now().Targets(n) {
				all = append(all, Target(to))
			}
			return all
		},
		Deliver: func(ctx context.Context, n News, to Target) error {
			m := now()
			m.drawing = drawing
			sent, err := m.send(ctx, n, to)
			if err == nil {
				log.InfoContext(ctx, "mailed", "fax", n.FaxID, "rule", masked(to.Rule, n.From, n.To), "address", to.Address,
					"message_id", sent.MessageID, "answer", sent.Answer)
			}
			for _, final := range []error{mail.ErrRefused, mail.ErrGone, mail.ErrChanged, problem.ErrInvalid} {
				if errors.Is(err, final) {
					return problem.Of(ErrRefused, err)
				}
			}
			return err
		},
	}
}

// send writes the mail of n to one of them, and hands it in.
func (m Mailing) send(ctx context.Context, n News, to Target) (mail.Sent, error) {
	message, err := m.Message(ctx, n, to)
	if err != nil {
		return mail.Sent{}, err
	}
	return m.Server.Send(ctx, message)
}

// Targets are the addresses that are told.
func (m Mailing) Targets(n News) []mail.Target {
	return m.Rules.Targets(m.news(n), func(phone string) string { return m.Names[phone] })
}

// Message is what one of them is told.
func (m Mailing) Message(ctx context.Context, n News, to Target) (*mail.Message, error) {
	return m.Rules.Message(ctx, m.news(n), mail.Target(to))
}

// news is n as mail tells of it.
func (m Mailing) news(n News) mail.News {
	told := mail.News{Fax: n.Fax(), Station: n.RemoteStation, Received: n.Received, Name: m.Names[n.To], When: mail.Failed, Drawing: m.drawing}
	switch p := n.Parked; {
	case p != nil:
		told.When, told.Problem = mail.Parked, masked(p.String(), n.From, n.To)
	case n.HasDocument():
		told.When = mail.Received
	}
	open := n.Open
	if open == nil && n.Path != "" {
		open = func() (io.ReadCloser, error) { return os.Open(n.Path) }
	}
	if open != nil {
		told.Document = mail.Document{
			Open:        open,
			ContentType: n.ContentType, Size: n.Size, SHA256: n.SHA256, Kept: true,
		}
	}
	return told
}

// String is what was given up, and why.
func (p Parked) String() string {
	what := p.Kind
	if p.Target != nil {
		what += " to " + p.Target.Address + " by the rule " + p.Target.Rule
	}
	return fmt.Sprintf("job %d (%s), given up after %s: %s", p.Job, what, text.Plural(p.Attempt, "attempt", "attempts"), p.Problem)
}
