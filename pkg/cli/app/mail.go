package app

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/archive/document"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/seq"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/cli/flag"
	"github.com/faxctl/faxctl/pkg/inbox/mail"
	"github.com/faxctl/faxctl/pkg/profile"
	"github.com/faxctl/faxctl/pkg/screen/output"
)

// MailServer is where mail is handed in: the server that the variable names or the profile
// in force, with the password of its user. Errors: [problem.ErrInvalid] when none is named
// or what is said of it is wrong, and those of looking up a secret.
func (a *App) MailServer(ctx context.Context) (mail.Server, error) {
	raw, from := a.standIns()(profile.SMTPURLVariable)
	if raw == "" {
		if _, unreadable := a.Config(); unreadable != nil { // it may say which
			return mail.Server{}, unreadable
		}
		return mail.Server{}, problem.With(Misuse("no mail server is named"),
			problem.Say("set "+profile.SMTPURLVariable+", as in smtp://faxes@mail.clinic.example:587, or smtp-url of the profile"))
	}
	server, err := mail.ParseServer(raw)
	if err != nil {
		return mail.Server{}, fmt.Errorf("%s: %w", from, err)
	}
	server.Password, err = a.Secrets().SMTPPassword(ctx, a.InForce().Profile)
	switch {
	case err != nil:
		return mail.Server{}, lacking(err)
	case server.User == "" && !server.Password.IsZero():
		return mail.Server{}, problem.With(Misuse("%s names no user, and there is a password", from), problem.Say("name the user, as in smtp://faxes@mail.clinic.example"))
	case server.User != "" && server.Password.IsZero():
		return mail.Server{}, problem.With(Misuse("%s names a user, and there is no password", from),
			problem.Say("set "+profile.SMTPPasswordVariable+" or "+profile.FileVariable(profile.SMTPPasswordVariable)+", or smtp-password of the profile"))
	}
	return server, nil
}

// MailingHelp is what is said of mails by hand, on every page of help about them.
const MailingHelp = `Each --to is a mail of its own, whose reader sees no other address. The
document is attached, unless --notice says not to; one that is too large is
refused before anything is sent. The mail shows at most the last four digits of
numbers, without --numbers full.

The mail server is that of FAXCTL_SMTP_URL, or of smtp-url in the profile, with
the password of FAXCTL_SMTP_PASSWORD. Nothing is sent without TLS, unless the
server is on this machine. A mail is handed in once: sent means that the server
has taken it, not that anybody has read it. When all are refused for good the
exit status is 6, when it says later 7, and 3 when it takes some. Sent once more
in the same words it has the same Message-ID.

In --subject and --body, {{.From}}, {{.To}}, {{.Pages}}, {{.Length}},
{{.Status}}, {{.Received}} and {{.ID}} are the fax's; in --body {{.Error}} and
{{.Document}} as well. --dry-run shows the mails, and needs no mail server.`

// Mailing is a fax that is passed on by mail, by hand.
type Mailing struct {
	letter  mail.Letter
	to      []string
	notice  bool
	numbers numbersShown
	dryRun  bool
	sent    Printing[mail.Sent]
	drafts  Printing[mail.Message]
}

type numbersShown string

const (
	masked numbersShown = "masked"
	full   numbersShown = "full"
)

// Bind declares the flags of a mail by hand. sent and drafts are what is printed of mails
// that were handed in, and of those that would be.
func (m *Mailing) Bind(a *App, cmd *cobra.Command, sent func() output.Type[mail.Sent], drafts func() output.Type[mail.Message]) {
	m.numbers, m.letter.MaxSize, m.letter.ByHand = masked, mail.DefaultMaxSize, true
	f := cmd.Flags()
	f.Var(flag.Each(&m.to, readRecipient), "to", "mail it to this `ADDRESS`; may be repeated")
	f.Var(flag.Of(&m.letter.From, mail.ParseFrom), "from", "the `ADDRESS` that the mail is from")
	f.Var(flag.Of(new(string), func(s string) (string, error) { return s, m.letter.SetSubject(s) }), "subject", "the subject, a `TEXT` with fields in it")
	f.Var(flag.Of(new(string), func(s string) (string, error) { return s, m.letter.SetBody(s) }), "body", "the body, a `TEXT` with fields in it")
	f.BoolVar(&m.notice, "notice", false, "tell of the fax, without its document")
	f.BoolVar(&m.letter.Thumbnail, "thumbnail", false, "attach a small picture of page one")
	f.Var(flag.OneOf(&m.numbers, masked, full), "numbers", "show phone numbers `masked` or full")
	f.Var(flag.SizeOf(&m.letter.MaxSize, mail.ParseMaxSize), "max-size", "the most that a whole mail may have")
	f.BoolVar(&m.dryRun, "dry-run", false, "show the mails, and send none")
	flag.From(f, "from", profile.MailFromVariable)
	a.CompleteNothing(cmd, "to", "from", "subject", "body", "max-size")
	a.CompleteValues(cmd, "numbers", string(masked), string(full))
	m.sent.Bind(a, cmd, sent, func() bool { return !m.dryRun })
	m.drafts.Bind(a, cmd, drafts, func() bool { return m.dryRun })
}

// readRecipient reads the address of --to, which is repeated for another one.
func readRecipient(s string) (string, error) {
	address, err := mail.ParseAddress(s)
	if err != nil && strings.ContainsAny(s, ",;") {
		err = problem.With(err, problem.Say("repeat %s for another address", problem.On("to")))
	}
	return address, err
}

// recipients are those who are mailed, each once.
func (m *Mailing) recipients() []string {
	var all []string
	for _, address := range m.to {
		if !slices.ContainsFunc(all, func(a string) bool { return mail.SameMailbox(a, address) }) {
			all = append(all, address)
		}
	}
	return all
}

// WantsDocument reports whether the document of the fax is needed.
func (m *Mailing) WantsDocument() bool { return !m.notice || m.letter.Thumbnail }

// NoDocument is the error of the document of a fax with what to do when there is none.
func (m *Mailing) NoDocument(err error) error {
	switch {
	case !errors.Is(err, problem.ErrNotFound):
		return err
	case m.notice:
		return problem.With(err, problem.Say("leave %s out", problem.On("thumbnail")))
	}
	return problem.With(err, problem.Say("tell of the fax with %s", problem.On("notice")))
}

// Check fails when it is not said whom to mail, as whom, or by which server, which it
// returns. A dry run needs none.
func (m *Mailing) Check(ctx context.Context, a *App) (mail.Server, error) {
	switch {
	case len(m.to) == 0:
		return mail.Server{}, problem.With(Misuse("it is not said whom to mail"), problem.Say("as in %s", problem.Field("to", "desk@clinic.example")))
	case m.letter.From == "":
		return mail.Server{}, problem.With(Misuse("it is not said who the mail is from"),
			problem.Say("as in %s, or set %s, or mail-from of the profile", problem.Field("from", "faxes@clinic.example"), problem.Text(profile.MailFromVariable)))
	}
	if m.dryRun {
		return mail.Server{}, nil
	}
	return a.MailServer(ctx)
}

// Document is the document of a fax in memory, for a mail.
func (*Mailing) Document(content []byte) mail.Document {
	d := mail.Document{
		Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil },
		Size: int64(len(content)),
	}
	if info, err := document.Inspect(bytes.NewReader(content), d.Size); err == nil {
		d.ContentType = info.ContentType
	}
	return d
}

// Send mails a fax, or shows what would be.
func (m *Mailing) Send(ctx context.Context, a *App, server mail.Server, n mail.News) error {
	m.letter.Attach, m.letter.Full = !m.notice, m.numbers == full
	if m.dryRun {
		return m.show(ctx, a, n)
	}
	t := a.Trouble()
	all := m.recipients()
	err := m.sent.All(ctx, func(yield func(mail.Sent, error) bool) {
		for i, address := range all {
			d, err := m.draft(ctx, n, address)
			if i == 0 {
				m.warn(a, n, d)
			}
			if err == nil {
				err = a.Interrupts.Gently().Err()
			}
			if err != nil {
				yield(mail.Sent{}, err)
				return
			}
			sent, err := server.Send(ctx, d)
			end := t.Add(err)
			if !yield(sent, nil) {
				return
			}
			if end != nil {
				yield(mail.Sent{}, end)
				return
			}
		}
	})
	a.Say("Handed in %s%s.", text.Plural(t.Tally.Done, "mail", "mails"), text.Remarks(text.Remark(t.Tally.Failed, "failed"), text.Remark(t.Tally.Left(len(all)), "left")))
	return cmp.Or(err, t.Err())
}

// show shows the mails that would be sent.
func (m *Mailing) show(ctx context.Context, a *App, n mail.News) error {
	var drafts []mail.Message
	for _, address := range m.recipients() {
		d, err := m.draft(ctx, n, address)
		if err != nil {
			return err
		}
		drafts = append(drafts, *d)
	}
	m.warn(a, n, &drafts[0])
	a.Say("Dry run: these mails would be sent.")
	if a.DataAsked {
		return m.drafts.All(ctx, seq.Of(drafts))
	}
	for i := range drafts {
		if i > 0 {
			_, _ = fmt.Fprintln(&a.Page, strings.Repeat("-", 40))
		}
		_, _ = fmt.Fprint(&a.Page, &drafts[i])
	}
	return nil
}

// warn tells of the picture that was asked for and is not in the mail.
func (m *Mailing) warn(a *App, n mail.News, d *mail.Message) {
	if d != nil && m.letter.Thumbnail && !slices.ContainsFunc(d.Parts, func(p mail.Part) bool { return p.ContentType == "image/png" }) {
		a.Warn("fax %s: the mail has no picture of page one, which cannot be drawn or is too large", n.Fax.ID)
	}
}

// draft is the mail to an address. By hand it has the document, or is not sent.
func (m *Mailing) draft(ctx context.Context, n mail.News, address string) (*mail.Message, error) {
	l := m.letter
	l.To = address
	d, err := l.Write(ctx, n)
	if err != nil {
		return nil, NamedFax(n.Fax.ID, err)
	}
	if l.Attach && !d.Attached {
		return nil, problem.With(Misuse("fax %s: its document, of %d bytes, makes the mail longer than %s", n.Fax.ID, n.Document.Size, text.Size(l.MaxSize)),
			problem.Say("tell of it with %s, or raise %s", problem.On("notice"), problem.Field("max-size")))
	}
	return d, nil
}
