package webhook

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/cli/flag"
	"github.com/faxctl/faxctl/pkg/cli/show"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/receive/callback"
	"github.com/faxctl/faxctl/pkg/receive/webhook"
	"github.com/faxctl/faxctl/pkg/sandbox/paper"
	"github.com/faxctl/faxctl/pkg/screen/output"
)

// The events that can be made up.
const (
	eventIncoming = "incoming"
	eventReceived = "received"
	eventFailed   = "failed"
)

func events() []string { return []string{eventIncoming, eventReceived, eventFailed} }

// synthetic is an event to be made up.
type synthetic struct {
	target, event, method string
	from, number, faxID   string
	pages                 int
	mediaURL              string
	multipart, allowHTTP  bool
	file                  string
	out                   app.Printing[sent]
}

func sendCommand(a *app.App) *cobra.Command {
	var s synthetic
	cmd := &cobra.Command{
		Use:   "send --to URL --event EVENT",
		Short: "Send a made-up, correctly signed event to an application",
		Long: `Send a made-up, correctly signed event to an application, and judge its answer.

incoming is the question what to do with a fax, received and failed are the news
of what became of one. It is signed as the provider of the profile in force
signs, for the URL given; the fax does not exist, and neither does what the link
to its document leads to, unless --media-url names one. With --multipart the
document travels with the news, as when Twilio is told not to store it.

Exit status: 0 when the application answered well, 4 when it did not accept the
signature, 7 when it did not answer, 8 when the provider could not use the
answer.`,
		Example: `  faxctl -p sandbox webhook send --to http://localhost:8080/fax --event incoming
  faxctl webhook send --to https://fax.example.com/done --event received \
    --multipart --pages 3
  faxctl webhook send --to https://fax.example.com/done --event received \
    --file letter.pdf`,
		Args:              app.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := s.check(cmd.Flags().Changed("pages")); err != nil {
				return err
			}
			return sendEvent(cmd.Context(), a, &s)
		},
	}
	s.out.Bind(a, cmd, sentType, nil)
	f := cmd.Flags()
	s.method, s.pages = http.MethodPost, 1
	f.StringVar(&s.target, "to", "", "`URL` of the application")
	f.Var(flag.OneOf(&s.event, events()...), "event", "`event` to send: incoming, received or failed")
	f.Var(flag.OneOf(&s.method, app.Methods()...), "method", "`method` of the request: POST or GET")
	f.StringVar(&s.from, "from", app.MadeUpSender, "`number` the fax comes from, or what is shown for one: 611, anonymous, sip:desk@example.com; none: nobody")
	f.StringVar(&s.number, "to-number", app.MadeUpRecipient, "`number` the fax goes to")
	f.StringVar(&s.faxID, "fax-id", "", "`id` of the fax (default: a new one each time)")
	f.Var(flag.NumberUpTo(&s.pages, 0, paper.MaxPages), "pages", "how many pages the fax has: `N`")
	f.StringVar(&s.mediaURL, "media-url", "", "`link` to the document, for received")
	f.BoolVar(&s.multipart, "multipart", false, "send a document along, for received")
	f.StringVar(&s.file, "file", "", "send this `document`, a PDF or TIFF, along")
	f.BoolVar(&s.allowHTTP, "allow-http", false, "send to http on another machine too")
	a.CompleteValues(cmd, "event", events()...)
	a.CompleteValues(cmd, "method", app.Methods()...)
	a.CompleteNothing(cmd, "to", "from", "to-number", "fax-id", "pages", "media-url")
	app.Must(cmd.RegisterFlagCompletionFunc("file", app.CompleteDocuments))
	return cmd
}

// check refuses what no provider would send.
func (s *synthetic) check(pagesGiven bool) (err error) {
	if s.target == "" || s.event == "" {
		return problem.With(app.Misuse("--to and --event are needed"), problem.Say("as in %s %s", problem.Field("to", "http://localhost:8080/fax"), problem.Field("event", "incoming")))
	}
	if s.allowHTTP {
		err = app.WebAddress("--to", s.target)
	} else if err = app.Callable("--to", s.target); err != nil && app.WebAddress("--to", s.target) == nil {
		err = problem.With(err, problem.Say("use https, or %s", problem.On("allow-http")))
	}
	if err != nil {
		return err
	}
	if s.from, err = fax.ParseCaller(s.from); err != nil {
		return fmt.Errorf("--from: %w", err)
	}
	if s.number, err = fax.ParsePhone(s.number); err != nil {
		return fmt.Errorf("--to-number: %w", err)
	}
	s.multipart = s.multipart || s.file != ""
	switch {
	case s.multipart && s.event != eventReceived:
		return app.Misuse("a document comes with --event received only")
	case s.multipart && s.method != "POST":
		return app.Misuse("a document comes with --method POST only")
	case s.multipart && s.mediaURL != "":
		return app.Misuse("--media-url is the link to a stored document, and one that comes along is not stored")
	case s.file != "" && pagesGiven:
		return app.Misuse("--file has its own number of pages: leave --pages out")
	}
	return nil
}

func sendEvent(ctx context.Context, a *app.App, s *synthetic) error {
	sender, err := a.Sender(ctx)
	if err != nil {
		return err
	}
	if s.multipart && !sender.Dialect.Info().SendsDocument {
		return problem.With(app.Misuse("%s stores every document: it never comes along", sender.Dialect.Info().Title), problem.Say("leave %s and %s out", problem.Field("multipart"), problem.Field("file")))
	}
	e, doc, err := s.made(sender.Dialect)
	if err != nil {
		return err
	}
	do := func() (callback.Answer, error) { return sender.Tell(ctx, s.method, s.target, e, doc) }
	if s.event == eventIncoming {
		do = func() (callback.Answer, error) { return sender.Ask(ctx, s.method, s.target, e) }
	}
	answer, bad := do()
	if errors.Is(bad, context.Canceled) {
		return bad
	}
	report := sent{Event: s.event, FaxID: e.FaxID, URL: answer.URL, Status: answer.Status, Answer: answer.Verb, Took: answer.Took, Receiver: answer.Ours}
	if bad != nil {
		report.Problem = bad.Error()
	}
	if err := app.Unprinted(s.out.Single(ctx, report), fmt.Sprintf("the event %s was sent to %s", s.event, s.target)); err != nil {
		return err
	}
	if errors.Is(bad, problem.ErrAuth) && s.number == app.MadeUpRecipient {
		return problem.With(app.Judged(bad), problem.Say("it may not know the number %s: name one of yours with %s; or %s", problem.Text(s.number), problem.Field("to-number"), problem.AdviceOf(app.Judged(bad))))
	}
	return app.Judged(bad)
}

// made makes the event up, and the document when it comes along.
func (s synthetic) made(d webhook.Dialect) (webhook.Event, *webhook.Document, error) {
	e := webhook.Event{FaxID: s.faxID, From: s.from, To: s.number, Station: "FAXCTL", MediaURL: s.mediaURL, Time: time.Now()}
	if e.FaxID == "" {
		e.FaxID = madeUpID(d, "FX")
	}
	switch s.event {
	case eventIncoming:
		return e, nil, nil
	case eventFailed:
		e.Status, e.Pages, e.MediaURL = "failed", new(0), ""
		e.ErrorCode, e.ErrorMessage = "34004", "Fax transmission error"
		return e, nil, nil
	}
	e.Status, e.Pages = "received", &s.pages
	if s.multipart {
		doc, pages, err := s.document()
		e.Pages = &pages
		return e, doc, err
	}
	e.MediaID = madeUpID(d, "ME")
	if e.MediaURL == "" {
		e.MediaURL = "https://media.invalid/" + e.FaxID + "/" + e.MediaID + ".pdf"
	}
	return e, nil, nil
}

func (s synthetic) document() (*webhook.Document, int, error) {
	if s.file != "" {
		content, info, err := app.ReadDocument(s.file)
		return &webhook.Document{Name: filepath.Base(s.file), ContentType: info.ContentType, Content: content}, info.Pages, err
	}
	var b bytes.Buffer
	pages := max(s.pages, 1)
	err := paper.Write(&b, paper.PDF, paper.Sheet{Station: "FAXCTL", From: s.from, To: s.number, Time: time.Now(), Pages: pages})
	return &webhook.Document{Name: "fax.pdf", ContentType: string(paper.PDF), Content: b.Bytes()}, pages, err
}

// madeUpID is an id as the provider would give it.
func madeUpID(d webhook.Dialect, prefix string) string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	text := hex.EncodeToString(b[:])
	if d.Info().UUIDs {
		return strings.Join([]string{text[:8], text[8:12], text[12:16], text[16:20], text[20:]}, "-")
	}
	return prefix + text
}

// sent is what came of a made-up event.
type sent struct {
	Event    string        `json:"event"`
	FaxID    string        `json:"fax_id"`
	URL      string        `json:"url"`              // that answered
	Status   int           `json:"status,omitempty"` // HTTP
	Answer   string        `json:"answer,omitempty"` // receive or reject
	Took     time.Duration `json:"took_ns"`
	Receiver bool          `json:"receiver"` // a faxctl receiver answered
	Problem  string        `json:"problem,omitempty"`
}

func sentType() output.Type[sent] {
	return output.Type[sent]{
		ID: func(s sent) string { return s.FaxID },
		Columns: []output.Column[sent]{
			{Name: "event", Value: func(s sent) string { return s.Event }, Style: show.Accent[sent]},
			{Name: "status", Value: func(s sent) string {
				if s.Status == 0 {
					return ""
				}
				return strconv.Itoa(s.Status)
			}},
			{Name: "answer", Value: func(s sent) string { return s.Answer }},
			{Name: "problem", Value: func(s sent) string { return s.Problem }, Style: func(sent) output.Style { return output.Bad }},
			{Name: "took", Value: func(s sent) string { return app.Milliseconds(s.Took) }},
			{Name: "fax_id", Value: func(s sent) string { return s.FaxID }, Whole: true},
			{Name: "url", Value: func(s sent) string { return s.URL }, Wide: true},
			show.Wide(show.YesColumn("receiver", func(s sent) bool { return s.Receiver })),
		},
	}
}
