package serve

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/archive/fetch"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/seq"
	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/cli/show"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/inbox/mail"
	"github.com/faxctl/faxctl/pkg/receive/delivery"
	"github.com/faxctl/faxctl/pkg/screen/output"
)

// checkMail is what the flags say that try rules of mail out. Nothing is sent, and no
// state opened.
type checkMail struct {
	rules, fax string
	out        app.Printing[ruled]
}

// ruled is an address of a rule, and the message that would be sent to it.
type ruled struct {
	Rule      string        `json:"rule"`
	Address   string        `json:"address"`
	When      []mail.When   `json:"when"`
	To        string        `json:"to,omitempty"`
	From      string        `json:"from,omitempty"`
	Station   string        `json:"station,omitempty"`
	Attach    bool          `json:"attach"`
	Thumbnail bool          `json:"thumbnail"`
	Full      bool          `json:"full_numbers"`
	Message   *mail.Message `json:"message,omitempty"` // with --for
}

func (c *checkMail) bind(a *app.App, cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&c.rules, "check-mail", "", "read the rules of mail in this `file`, show whom they tell, and end")
	f.StringVar(&c.fax, "for", "", "with --check-mail: show what would be sent of the fax with this `ID`, from --archive, or of the provider")
	app.Must(cmd.RegisterFlagCompletionFunc("check-mail", rulesFiles))
	app.Must(cmd.RegisterFlagCompletionFunc("for", a.CompleteFaxes))
	c.out.Bind(a, cmd, ruledType, func() bool { return c.rules != "" })
}

// run tries the rules out, on a fax of the archive, or of the provider.
func (c *checkMail) run(cmd *cobra.Command, a *app.App, dir string, most int64) error {
	ctx := cmd.Context()
	a.OnlyLooks()
	if cmd.Flags().Changed("mail") {
		return problem.With(app.Misuse("--check-mail and --mail are given, and the one sends nothing"), problem.Say("leave --mail out"))
	}
	if c.rules == "" {
		return problem.With(app.Misuse("--for is for --check-mail"), problem.Say("name the rules: %s", problem.Field("check-mail", "RULES")))
	}
	rules, err := readRules("--check-mail", c.rules)
	if err != nil {
		return err
	}
	m := delivery.Mailing{Rules: rules}
	if m.Names, err = c.names(ctx, a, rules, dir); err != nil {
		return err
	}
	if c.fax == "" {
		return c.out.All(ctx, seq.Of(allRuled(rules)))
	}
	n, err := c.news(ctx, a, dir, most)
	if err != nil {
		return err
	}
	a.Say("What no record tells is left out: what the far end calls itself, and often the pages and the error of one that failed.")
	would, err := wouldSend(ctx, m, n)
	switch {
	case err != nil:
		return err
	case len(would) == 0:
		a.Say("No rule of %s matches fax %s (%s).", c.rules, n.FaxID, n.Status)
		return problem.Of(app.ErrFindings, problem.ErrTold)
	case a.DataAsked:
		return c.out.All(ctx, seq.Of(would))
	}
	for i, r := range would {
		if i > 0 {
			_, _ = fmt.Fprintln(&a.Page, strings.Repeat("-", 40))
		}
		_, _ = fmt.Fprint(&a.Page, r)
	}
	return nil
}

// allRuled are all addresses of all rules.
func allRuled(rules *mail.Rules) []ruled {
	var all []ruled
	for _, rule := range rules.Rules {
		for _, address := range rule.Mail {
			all = append(all, ruledBy(rule, address))
		}
	}
	return all
}

func ruledBy(r mail.Rule, address string) ruled {
	return ruled{
		Rule: r.ID, Address: address, When: r.When, To: r.To, From: r.From, Station: r.Station,
		Attach: r.Letter.Attach, Thumbnail: r.Letter.Thumbnail, Full: r.Letter.Full,
	}
}

// wouldSend are the messages that the rules would have sent.
func wouldSend(ctx context.Context, m delivery.Mailing, n delivery.News) ([]ruled, error) {
	var all []ruled
	for _, to := range m.Targets(n) {
		message, err := m.Message(ctx, n, delivery.Target(to))
		if err != nil {
			return nil, err
		}
		for _, rule := range m.Rules.Rules {
			if rule.ID == to.Rule {
				r := ruledBy(rule, to.Address)
				r.Message = message
				all = append(all, r)
			}
		}
	}
	return all, nil
}

// names are those of the account's numbers, where a rule or a mail has any. A mail of a
// kept fax is without them when the account cannot be asked.
func (c *checkMail) names(ctx context.Context, a *app.App, rules *mail.Rules, dir string) (map[string]string, error) {
	optional := !rules.ByName() && dir != ""
	if !rules.ByName() && c.fax == "" {
		return nil, nil
	}
	if optional {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, reachTime)
		defer cancel()
	}
	p, err := a.Provider(ctx)
	if err != nil && optional {
		a.Warn(noNames, err)
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return namesFor(ctx, a, p, rules)
}

// news is the fax as a receiver would have told of it, but for what is in no record.
func (c *checkMail) news(ctx context.Context, a *app.App, dir string, most int64) (n delivery.News, err error) {
	var f fax.Fax
	if dir == "" {
		f, n.Document, err = c.atProvider(ctx, a, most)
	} else {
		f, n.Document, err = c.kept(ctx, a, dir)
	}
	switch {
	case err != nil:
		return n, err
	case f.Direction == fax.Outbound:
		return n, fmt.Errorf("fax %s was sent from here, and mails tell of what comes in: %w", f.ID, problem.ErrInvalid)
	case !f.Status.Terminal():
		return n, fmt.Errorf("fax %s is %s, and mails tell of what has ended: %w", f.ID, f.Status, problem.ErrConflict)
	}
	n.Event = delivery.EventOf(f)
	return n, nil
}

// atProvider is the fax as the provider has it now. A document that it has no more is none.
func (c *checkMail) atProvider(ctx context.Context, a *app.App, most int64) (f fax.Fax, d delivery.Document, err error) {
	faxes, err := a.Faxes(ctx)
	if err != nil {
		return f, d, err
	}
	ids, err := a.FaxIDs(ctx, faxes, []string{c.fax})
	if err != nil {
		return f, d, err
	}
	f, err = faxes.Get(ctx, ids[0])
	if err != nil || f.Status != fax.Received {
		return f, d, app.NamedFax(ids[0], err)
	}
	var content bytes.Buffer
	got, err := fetch.Copy(ctx, fetch.AtMost(faxes, most), f, &content, fetch.Options{})
	if errors.Is(err, problem.ErrNotFound) {
		return f, d, nil
	}
	d = delivery.Document{ContentType: got.Info.ContentType, SHA256: got.SHA256, Size: got.Size, Open: opening(content.Bytes())}
	return counted(f, got.Info.Pages), d, app.NamedFax(f.ID, err)
}

// kept is the fax of an archive, with its document when that is whole and as it was kept.
func (c *checkMail) kept(ctx context.Context, a *app.App, dir string) (f fax.Fax, d delivery.Document, err error) {
	kept, err := a.ReadArchive(ctx, dir)
	if err != nil {
		return f, d, err
	}
	ids, err := a.KeptIDs(ctx, kept, dir, []string{c.fax})
	if err != nil {
		return f, d, err
	}
	e, err := kept.Get(ctx, ids[0])
	if err != nil || e.Document == nil {
		return e.Fax, d, app.Damaged(err)
	}
	content, err := kept.ReadDocument(ctx, e.Fax.ID)
	if err != nil {
		return e.Fax, d, app.Damaged(err)
	}
	d = delivery.Document{
		Archived: e.ArchivedAt, ContentType: e.Document.ContentType, SHA256: e.Document.SHA256, Size: e.Document.Size, Open: opening(content),
	}
	if d.Path, err = kept.DocumentPath(ctx, e.Fax.ID); err == nil {
		d.Path, err = filepath.Abs(d.Path) // as serve has it
	} else if errors.Is(err, problem.ErrUnsupported) {
		err = nil // serve has a copy of it, somewhere
	}
	return counted(e.Fax, e.Document.Pages), d, err
}

// counted is a fax with the pages of its document, where those could be counted.
func counted(f fax.Fax, pages int) fax.Fax {
	if pages > 0 {
		f.Pages = &pages
	}
	return f
}

func opening(content []byte) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil }
}

// String is the message as people read it, below the rule that has it sent.
func (r ruled) String() string { return fmt.Sprintf("Rule: %s\n%s", r.Rule, r.Message) }

func ruledType() output.Type[ruled] {
	message := func(get func(*mail.Message) string) func(ruled) string {
		return func(r ruled) string {
			if r.Message == nil {
				return ""
			}
			return get(r.Message)
		}
	}
	return output.Type[ruled]{
		ID: func(r ruled) string { return r.Address },
		Columns: []output.Column[ruled]{
			{Name: "rule", Value: func(r ruled) string { return r.Rule }, Style: show.Accent[ruled]},
			{Name: "address", Value: func(r ruled) string { return r.Address }},
			{Name: "when", Value: func(r ruled) string { return seqOf(r.When) }},
			{Name: "to", Value: func(r ruled) string { return r.To }},
			{Name: "from", Value: func(r ruled) string { return r.From }},
			{Name: "station", Value: func(r ruled) string { return r.Station }},
			show.YesColumn("attach", func(r ruled) bool { return r.Attach }),
			{Name: "subject", Value: message(func(l *mail.Message) string { return l.Subject })},
			{Name: "message_id", Value: message(func(l *mail.Message) string { return l.ID }), Wide: true},
			{Name: "attached", Value: message(func(l *mail.Message) string {
				names := make([]string, len(l.Parts))
				for i, p := range l.Parts {
					names[i] = p.Name
				}
				return strings.Join(names, " ")
			})},
		},
	}
}

func seqOf(whens []mail.When) string {
	words := make([]string, len(whens))
	for i, w := range whens {
		words[i] = string(w)
	}
	return strings.Join(words, ",")
}
