package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/archive"
	"github.com/faxctl/faxctl/pkg/archive/prune"
	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/profile"
	"github.com/faxctl/faxctl/pkg/provider"
	"github.com/faxctl/faxctl/pkg/sandbox"
)

var everyLie = flag.Bool("lies", false, "TestLies tries every lie with every command, not each eleventh")

// TestLies holds what is promised when a provider, or something before it, says
// that what is there is not there:
//
//   - what was deleted at the provider, with an archive, is kept whole;
//   - what is called gone, in a receipt or by a mark in the archive, is gone;
//   - status 0 means that all of it is done.
//
// Each command meets each lie, always or every other time, in both dialects. For
// all of them, some minutes:
//
//	go test ./pkg/cli -run TestLies -lies
func TestLies(t *testing.T) {
	t.Parallel()
	routes := []string{
		"/", "/Faxes", "GET /Faxes/*$", "DELETE /Faxes/*$", "GET /Faxes/*/Media$", "DELETE /Faxes/*/Media/*",
		"/media-cdn", "DELETE /IncomingPhoneNumbers/*$", "/IncomingPhoneNumbers/*$", "GET /IncomingPhoneNumbers$",
	}
	answers := []string{"404", "410", "404:html", "404:text", "404:empty", "200:html", "200:empty", "503", "lost"}
	var all []*lie
	for _, dialect := range sandbox.Dialects() {
		for command := range commandsLiedTo() {
			for _, route := range routes {
				if strings.Contains(route, "IncomingPhoneNumbers") != (command == "release") && route != "/" {
					continue
				}
				for _, answer := range answers {
					for _, share := range []string{"", "@0.5"} {
						all = append(all, &lie{dialect: dialect, command: command, fault: route + "=" + answer + share})
					}
				}
			}
		}
	}
	slices.SortFunc(all, func(a, b *lie) int { return strings.Compare(a.String(), b.String()) })
	places := make(chan struct{}, 24) // they mostly wait
	var running sync.WaitGroup
	dir := t.TempDir()
	for i, l := range all {
		if !*everyLie && i%11 != 0 {
			continue
		}
		places <- struct{}{}
		running.Go(func() {
			defer func() { <-places }()
			l.dir = filepath.Join(dir, fmt.Sprint(i))
			if err := l.run(t.Context(), uint64(i)); err != nil {
				t.Errorf("%v\n%v\n%s", l, err, l.errs.String())
			}
		})
	}
	running.Wait()
}

// lie is one command that meets one fault.
type lie struct {
	dialect sandbox.Dialect
	command string
	fault   string

	dir    string
	truth  fax.Provider // the same sandbox, without the fault
	faxes  map[string]fax.Fax
	number fax.Number
	errs   bytes.Buffer
	status int
}

func (l *lie) String() string { return fmt.Sprintf("%s, %s, %s", l.command, l.fault, l.dialect) }

// liedTo is a command, and what must hold after it.
type liedTo struct {
	args  []string // ARCHIVE, RECEIPTS, IDS and NUMBER stand for theirs
	check func(*lie, context.Context) error
}

func commandsLiedTo() map[string]liedTo {
	return map[string]liedTo{
		"prune":                {[]string{"faxes", "prune", "--older-than", "1d", "--receipts", "RECEIPTS", "--yes"}, (*lie).checkDeleted},
		"prune --archive":      {[]string{"faxes", "prune", "--older-than", "1d", "--archive", "ARCHIVE", "--receipts", "RECEIPTS", "--yes"}, (*lie).checkDeleted},
		"media-only --archive": {[]string{"faxes", "prune", "--older-than", "1d", "--media-only", "--archive", "ARCHIVE", "--receipts", "RECEIPTS", "--yes"}, (*lie).checkDeleted},
		"media-only":           {[]string{"faxes", "prune", "--older-than", "1d", "--media-only", "--receipts", "RECEIPTS", "--yes"}, (*lie).checkDeleted},
		"delete":               {[]string{"faxes", "delete", "IDS", "--yes"}, (*lie).checkNamed},
		"archive":              {[]string{"faxes", "archive", "--to", "ARCHIVE"}, (*lie).checkKept},
		"download":             {[]string{"faxes", "download", "--since", "30d", "-d", "ARCHIVE", "--name", "{id}"}, (*lie).checkDownloaded},
		"release":              {[]string{"numbers", "release", "NUMBER", "--yes"}, (*lie).checkReleased},
	}
}

// run plays one lie.
func (l *lie) run(ctx context.Context, seed uint64) error {
	if err := os.MkdirAll(l.dir, 0o700); err != nil {
		return err
	}
	fault, err := sandbox.ParseFault(l.fault)
	if err != nil {
		return err
	}
	state := filepath.Join(l.dir, "faxctl", "sandbox.db")
	honest, err := sandbox.Open(ctx, sandbox.Options{Dialect: l.dialect, Path: state})
	if err != nil {
		return err
	}
	defer honest.Close()
	liar, err := sandbox.Open(ctx, sandbox.Options{Dialect: l.dialect, Path: state, Faults: []sandbox.Fault{fault}, Seed: seed})
	if err != nil {
		return err
	}
	defer liar.Close()
	told, lied := httptest.NewServer(honest.Handler()), httptest.NewServer(liar.Handler())
	defer told.Close()
	defer lied.Close()
	if err := l.open(honest, told.URL); err != nil {
		return err
	}
	if err := l.fill(ctx, honest); err != nil {
		return err
	}
	env := map[string]string{
		"HOME": l.dir, "XDG_CONFIG_HOME": l.dir, "XDG_STATE_HOME": l.dir, "XDG_CACHE_HOME": l.dir, "FAXCTL_API_URL": lied.URL,
	}
	account := honest.Account()
	if l.dialect == sandbox.Twilio {
		env["TWILIO_ACCOUNT_SID"], env["TWILIO_AUTH_TOKEN"] = account.Account, account.Token
	} else {
		env["SIGNALWIRE_SPACE_URL"], env["SIGNALWIRE_PROJECT_ID"], env["SIGNALWIRE_API_TOKEN"] = "sandbox", account.Account, account.Token
	}
	c := commandsLiedTo()[l.command]
	if slices.Contains(c.args, "--archive") { // which has to be there
		kept, err := archive.Open(ctx, filepath.Join(l.dir, "ARCHIVE"))
		if err == nil {
			err = kept.Close(ctx)
		}
		if err != nil {
			return err
		}
	}
	var args []string
	for _, arg := range c.args {
		switch arg {
		case "ARCHIVE", "RECEIPTS":
			args = append(args, filepath.Join(l.dir, arg))
		case "IDS":
			args = append(args, slices.Sorted(maps.Keys(l.faxes))...)
		case "NUMBER":
			args = append(args, l.number.Phone)
		default:
			args = append(args, arg)
		}
	}
	var out bytes.Buffer
	a := app.New(strings.NewReader(""), &out, &l.errs, func(name string) string { return env[name] })
	l.status = run(ctx, a, append(args, "--retry-for", "0s"))
	return c.check(l, ctx)
}

func (l *lie) open(box *sandbox.Sandbox, url string) (err error) {
	account := box.Account()
	p := profile.Profile{Provider: profile.Provider(l.dialect), AccountID: account.Account, APIURL: url}
	if l.dialect == sandbox.SignalWire {
		p.Space = "sandbox.signalwire.com"
	}
	l.truth, err = provider.Open(p, profile.NewSecret(account.Token), provider.Options{Jobs: 4, Timeout: time.Minute, Base: http.DefaultTransport})
	return err
}

// fill makes four faxes: two with a document, one whose document was deleted, and
// one that failed and had none; and a number.
func (l *lie) fill(ctx context.Context, box *sandbox.Sandbox) error {
	l.faxes = map[string]fax.Fax{}
	for i, f := range []sandbox.Fax{{Pages: 1}, {Pages: 2}, {Pages: 1, NoMedia: true}, {Status: "failed", NoMedia: true}} {
		f.From, f.To, f.Created = "+14155550199", "+14155550100", time.Now().Add(-time.Duration(48+i)*time.Hour)
		f, err := box.AddFax(ctx, f)
		if err != nil {
			return err
		}
		if l.faxes[f.ID], err = l.truth.Faxes.Get(ctx, f.ID); err != nil {
			return err
		}
	}
	if l.command != "release" {
		return nil
	}
	for offer, err := range l.truth.Numbers.Search(ctx, fax.Query{Country: "US", Type: fax.Local}) {
		if err != nil {
			return err
		}
		l.number, err = l.truth.Numbers.Buy(ctx, fax.Order{Phone: offer.Phone})
		return err
	}
	return fmt.Errorf("no number for sale")
}

// has is what the provider really has of a fax.
func (l *lie) has(ctx context.Context, id string) (fax.Presence, error) {
	_, has, err := fax.Look(ctx, l.truth.Faxes, fax.Fax{ID: id})
	return has, err
}

func (l *lie) checkDeleted(ctx context.Context) error {
	mediaOnly := strings.HasPrefix(l.command, "media-only")
	most := fax.Gone // that may be left of what is done
	if mediaOnly {
		most = fax.RecordAlone
	}
	receipts, err := os.ReadFile(filepath.Join(l.dir, "RECEIPTS"))
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	for line := range strings.Lines(string(receipts)) {
		var r prune.Receipt
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			return err
		}
		has, err := l.has(ctx, r.ID)
		if err != nil {
			return err
		}
		if (r.Result == prune.Deleted || r.Result == prune.AlreadyGone) && has > most {
			return fmt.Errorf("%s is called %s, and is there", r.ID, r.Result)
		}
	}
	for id, f := range l.faxes {
		has, err := l.has(ctx, id)
		if err != nil {
			return err
		}
		if l.status == app.StatusDone && has > most && (f.HasDocument() || !mediaOnly) {
			return fmt.Errorf("status 0, and %s is there", id)
		}
		if f.HasDocument() && has < fax.WithDocument && strings.HasSuffix(l.command, "--archive") {
			if err := l.isKept(ctx, id); err != nil {
				return fmt.Errorf("%s was deleted: %w", id, err)
			}
		}
	}
	return l.checkMarks(ctx)
}

// isKept is nil when the archive has a whole copy.
func (l *lie) isKept(ctx context.Context, id string) error {
	kept, err := archive.Read(ctx, filepath.Join(l.dir, "ARCHIVE"))
	if err != nil {
		return err
	}
	defer kept.Close(ctx)
	e, err := kept.Get(ctx, id)
	if err != nil {
		return err
	}
	if document, err := kept.ReadDocument(ctx, id); err != nil || !bytes.HasPrefix(document, []byte("%PDF")) || e.Document.Pages != *l.faxes[id].Pages {
		return fmt.Errorf("no whole copy: %+v, %w", e.Document, err)
	}
	return nil
}

// checkMarks: what is marked as gone is gone, and verify finds nothing.
func (l *lie) checkMarks(ctx context.Context) error {
	kept, err := archive.Read(ctx, filepath.Join(l.dir, "ARCHIVE"))
	if err != nil {
		return nil // there is none
	}
	defer kept.Close(ctx)
	for e, err := range kept.List(ctx, fax.Filter{}) {
		if err != nil {
			return err
		}
		has, err := l.has(ctx, e.Fax.ID)
		if err != nil {
			return err
		}
		if !e.Gone.IsZero() && has > fax.Gone || !e.MediaGone.IsZero() && has == fax.WithDocument {
			return fmt.Errorf("%s is marked as gone, and is there", e.Fax.ID)
		}
	}
	report, err := kept.Verify(ctx, 1)
	if err == nil && len(report.Findings) > 0 {
		err = fmt.Errorf("verify: %+v", report.Findings)
	}
	return err
}

// checkNamed: no list has shown what was named, so the provider's own word is
// believed, when it says it twice.
func (l *lie) checkNamed(ctx context.Context) error {
	for id := range l.faxes {
		has, err := l.has(ctx, id)
		if err != nil {
			return err
		}
		if l.status == app.StatusDone && has > fax.Gone && !strings.Contains(l.errs.String(), "not found at the provider") {
			return fmt.Errorf("status 0, and %s is there", id)
		}
	}
	return nil
}

func (l *lie) checkKept(ctx context.Context) error {
	for id, f := range l.faxes {
		if l.status != app.StatusDone || !f.HasDocument() {
			continue
		}
		if err := l.isKept(ctx, id); err != nil {
			return fmt.Errorf("status 0: %w", err)
		}
	}
	return l.checkMarks(ctx)
}

func (l *lie) checkDownloaded(context.Context) error {
	for id, f := range l.faxes {
		_, err := os.Stat(filepath.Join(l.dir, "ARCHIVE", id+".pdf"))
		if l.status == app.StatusDone && f.HasDocument() && err != nil {
			return fmt.Errorf("status 0: %w", err)
		}
	}
	return nil
}

func (l *lie) checkReleased(ctx context.Context) error {
	owned, err := fax.Collect(l.truth.Numbers.List(ctx, fax.NumberFilter{Phone: l.number.Phone}))
	if err != nil {
		return err
	}
	said := l.errs.String()
	claims := l.status == app.StatusDone || strings.Contains(said, "gone already") || strings.Contains(said, "Released")
	if claims && len(owned) > 0 {
		return fmt.Errorf("status %d, and the number is there", l.status)
	}
	return nil
}
