package prune

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/archive"
	"github.com/faxctl/faxctl/pkg/archive/fetch"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/profile"
	"github.com/faxctl/faxctl/pkg/provider"
	"github.com/faxctl/faxctl/pkg/sandbox"
)

// A world is a sandbox with faxes, an archive, and a run that is to delete them.
type world struct {
	run      Run // at the provider with its faults
	truth    fax.Provider
	box      *sandbox.Sandbox // behind truth
	dir      string           // of the archive
	receipts []Receipt
	told     []string // why faxes were left alone, and what failed

	documents map[string][]byte // those that the provider had, by the id of the fax

	mu sync.Mutex
}

// newWorld is a world without faxes. What is told of faults and quirks, the truth is
// without.
func newWorld(t testing.TB, options sandbox.Options) *world {
	t.Helper()
	dir := t.TempDir()
	options.Path = filepath.Join(dir, "sandbox.db")
	w := &world{dir: filepath.Join(dir, "kept"), documents: map[string][]byte{}}
	open := func(o sandbox.Options) (*sandbox.Sandbox, fax.Provider) {
		box, err := sandbox.Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := box.Close(); err != nil {
				t.Error(err)
			}
		})
		account := box.Account()
		p := profile.Profile{Provider: profile.Provider(o.Dialect), AccountID: account.Account, APIURL: "http://localhost"}
		if o.Dialect == sandbox.SignalWire {
			p.Space = "sandbox.signalwire.com"
		}
		opened, err := provider.Open(p, profile.NewSecret(account.Token), provider.Options{Jobs: 4, Timeout: time.Minute, Base: box.Transport()})
		if err != nil {
			t.Fatal(err)
		}
		return box, opened
	}
	w.box, w.truth = open(sandbox.Options{Dialect: options.Dialect, Path: options.Path})
	lying := w.truth
	if len(options.Faults) > 0 || options.Quirks != (sandbox.Quirks{}) {
		_, lying = open(options)
	}
	w.run = Run{
		Policy: Policy{OlderThan: 24 * time.Hour}, Ages: []time.Duration{24 * time.Hour}, Provider: lying, Begun: time.Now(),
		MaxDocument: fetch.MaxDocument, Jobs: 4, Receipt: w.take,
	}
	return w
}

func (w *world) take(r Receipt) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.receipts = append(w.receipts, r)
	return nil
}

func (w *world) tell(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.told = append(w.told, err.Error())
}

// add makes a fax of so many days, and returns its record.
func (w *world) add(t testing.TB, days int, f sandbox.Fax) fax.Fax {
	t.Helper()
	f.From, f.To = "+14155550199", "+14155550100"
	if f.Created.IsZero() {
		f.Created = time.Now().Add(-time.Duration(days) * 24 * time.Hour)
	}
	f, err := w.box.AddFax(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	got, err := w.truth.Faxes.Get(t.Context(), f.ID)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// keep has the run keep copies, until the test ends or release is called.
func (w *world) keep(t testing.TB) (release func()) {
	t.Helper()
	kept, err := archive.Open(t.Context(), w.dir)
	if err != nil {
		t.Fatal(err)
	}
	w.run.Archive = kept
	release = sync.OnceFunc(func() {
		w.run.Archive = nil
		if err := kept.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(release)
	return release
}

// do plans and deletes.
func (w *world) do(t testing.TB) (Outcome, error) {
	t.Helper()
	plan, err := w.run.Plan(t.Context())
	if err != nil {
		return Outcome{}, err
	}
	return w.run.Delete(t.Context(), t.Context(), plan.Delete, w.tell, w.tell)
}

// has is what the provider really has of a fax.
func (w *world) has(t testing.TB, f fax.Fax) fax.Presence {
	t.Helper()
	_, has, err := fax.Look(t.Context(), w.truth.Faxes, fax.Fax{ID: f.ID})
	if err != nil {
		t.Fatal(err)
	}
	return has
}

// results are those of the receipts of a fax, in their order.
func (w *world) results(f fax.Fax) []Result {
	var all []Result
	for _, r := range w.receipts {
		if r.ID == f.ID {
			all = append(all, r.Result)
		}
	}
	return all
}

// fault reads one, as on the command line.
func fault(t testing.TB, text string) sandbox.Fault {
	t.Helper()
	f, err := sandbox.ParseFault(text)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// What becomes of one fax, with a copy and without.
func TestDelete(t *testing.T) {
	for _, tc := range []struct {
		name    string
		fault   string
		fax     sandbox.Fax
		without bool // no archive
		media   bool
		prepare func(t *testing.T, w *world, f fax.Fax)
		want    []Result
		left    fax.Presence
		is      error
	}{
		{name: "kept and deleted", want: []Result{Deleting, Deleted}},
		{name: "deleted", without: true, want: []Result{Deleting, Deleted}},
		{name: "the document only", media: true, want: []Result{Deleting, Deleted}, left: fax.RecordAlone},
		{name: "a failed fax has only a record", fax: sandbox.Fax{Status: "failed", NoMedia: true}, want: []Result{Deleting, Deleted}},
		{name: "gone between the plan and its turn", prepare: gone, want: []Result{AlreadyGone}},
		{name: "gone between, without a copy", without: true, prepare: gone, want: []Result{Deleting, AlreadyGone}},
		{name: "the document is gone between", media: true, want: []Result{AlreadyGone}, left: fax.RecordAlone, prepare: func(t *testing.T, w *world, f fax.Fax) {
			if err := w.truth.Faxes.DeleteMedia(t.Context(), f.ID, f.MediaID); err != nil {
				t.Fatal(err)
			}
		}},
		{name: "in progress, the provider says", fault: "DELETE /Faxes=409/20009", want: []Result{Deleting, Skipped}, left: fax.WithDocument},
		{name: "held between the plan and its turn", want: []Result{Skipped}, left: fax.WithDocument, prepare: func(t *testing.T, w *world, f fax.Fax) {
			if _, _, err := w.run.Archive.Save(t.Context(), w.truth.Faxes, f); err != nil {
				t.Fatal(err)
			}
			if _, err := w.run.Archive.Hold(t.Context(), f.ID, "lawsuit"); err != nil {
				t.Fatal(err)
			}
		}},
		{name: "not a document", fax: sandbox.Fax{Document: []byte("<html>")}, want: []Result{Failed}, left: fax.WithDocument, is: errAny},
		{name: "longer than is taken", prepare: func(_ *testing.T, w *world, _ fax.Fax) { w.run.MaxDocument = 100 }, want: []Result{Failed}, left: fax.WithDocument, is: new(fetch.TooLargeError)},
		{name: "carried out, and its answer lost", fault: "DELETE /Faxes=lost#1", want: []Result{Deleting, Deleted}},
		{name: "never carried out", fault: "DELETE /Faxes=503", want: []Result{Deleting, Failed}, left: fax.WithDocument, is: errAny},
		{name: "nobody knows", without: true, fault: "/Faxes/*=503", want: []Result{Deleting, Unknown}, left: fax.WithDocument, is: errAny},
		{name: "not authorized", fault: "DELETE /Faxes=401", want: []Result{Deleting, Failed}, left: fax.WithDocument, is: errAny},
	} {
		t.Run(tc.name, func(t *testing.T) {
			options := sandbox.Options{Dialect: sandbox.Twilio}
			if tc.fault != "" {
				options.Faults = []sandbox.Fault{fault(t, tc.fault)}
			}
			w := newWorld(t, options)
			f := w.add(t, 2, tc.fax)
			if !tc.without {
				w.keep(t)
			}
			w.run.Policy.MediaOnly = tc.media
			plan, err := w.run.Plan(t.Context())
			if err != nil || plan.Delete.Len() != 1 {
				t.Fatalf("%+v, %v", plan, err)
			}
			if tc.prepare != nil {
				tc.prepare(t, w, f)
			}
			out, err := w.run.Delete(t.Context(), t.Context(), plan.Delete, w.tell, w.tell)
			if (err != nil) != (tc.is != nil) || out.Deleted+out.Gone+out.Skipped+out.Failed != 1 {
				t.Errorf("%+v, %v; want %v", out, err, tc.is)
			}
			if got := w.results(f); !slices.Equal(got, tc.want) {
				t.Errorf("receipts %v, want %v", got, tc.want)
			}
			if has := w.has(t, f); has != tc.left {
				t.Errorf("the provider has %v, want %v", has, tc.left)
			}
			w.checkReceipts(t, f, err)
		})
	}
}

func (w *world) checkReceipts(t *testing.T, f fax.Fax, err error) {
	t.Helper()
	for _, r := range w.receipts {
		if r.NumberTail != "0100" || r.At.IsZero() || !r.Created.Equal(f.Created) || (r.Result == Failed || r.Result == Unknown) != (r.Error != "" && err != nil) {
			t.Errorf("receipt %+v of %v", r, err)
		}
		if w.run.Archive == nil || r.Result != Deleted && r.Result != Deleting {
			continue
		}
		e, err := w.run.Archive.Get(t.Context(), f.ID)
		if err != nil || r.Result == Deleted && e.Gone.IsZero() == !w.run.Policy.MediaOnly || (e.Document == nil) != r.NoDocument || e.Document != nil && e.Document.SHA256 != r.SHA256 {
			t.Errorf("%+v of %+v, %v", r, e, err)
		}
	}
}

// errAny is for a failure whose kind is not the question.
var errAny = errors.New("any")

func gone(t *testing.T, w *world, f fax.Fax) {
	if err := w.truth.Faxes.Delete(t.Context(), f.ID); err != nil {
		t.Fatal(err)
	}
}

// Without a line that says so first nothing is deleted, and no more is begun.
func TestNoReceiptNoDeletion(t *testing.T) {
	w := newWorld(t, sandbox.Options{Dialect: sandbox.Twilio})
	var all []fax.Fax
	for range 5 {
		all = append(all, w.add(t, 2, sandbox.Fax{}))
	}
	full, written := errors.New("disk full"), 0
	w.run.Jobs, w.run.Receipt = 1, func(r Receipt) error {
		if written++; written > 2 {
			return full
		}
		return w.take(r)
	}
	out, err := w.do(t)
	if !errors.Is(err, full) || out.Deleted != 1 || out.Failed != 1 || out.Left != 3 || len(w.told) != 1 || !strings.Contains(w.told[0], "for want of a receipt") {
		t.Errorf("%+v, %v, %q", out, err, w.told)
	}
	there := 0
	for _, f := range all {
		if w.has(t, f) == fax.WithDocument {
			there++
		}
	}
	if there != 4 {
		t.Errorf("the provider has %d", there)
	}
}

// What is deleted and has no receipt that says so is told, and ends the run.
func TestDeletedWithoutAReceipt(t *testing.T) {
	w := newWorld(t, sandbox.Options{Dialect: sandbox.Twilio})
	for range 5 {
		w.add(t, 2, sandbox.Fax{})
	}
	full := errors.New("disk full")
	w.run.Jobs, w.run.Receipt = 1, func(r Receipt) error {
		if r.Result == Deleted {
			return full
		}
		return nil
	}
	out, err := w.do(t)
	if !errors.Is(err, full) || out.Deleted != 1 || out.Left != 4 || len(w.told) != 1 || !strings.Contains(w.told[0], "is deleted, and has no receipt that says so: disk full") {
		t.Errorf("%+v, %v, %q", out, err, w.told)
	}
}

// An interrupt lets what is under way end, and begins no more.
func TestDeleteEndsGently(t *testing.T) {
	w := newWorld(t, sandbox.Options{Dialect: sandbox.Twilio})
	for range 5 {
		w.add(t, 2, sandbox.Fax{})
	}
	plan, err := w.run.Plan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	going, interrupt := context.WithCancel(t.Context())
	w.run.Jobs, w.run.Receipt = 1, func(r Receipt) error {
		interrupt()
		return w.take(r)
	}
	out, err := w.run.Delete(t.Context(), going, plan.Delete, w.tell, w.tell)
	if !errors.Is(err, context.Canceled) || out.Deleted != 1 || out.Left != 4 || len(w.receipts) != 2 {
		t.Errorf("%+v, %v, %+v", out, err, w.receipts)
	}
}

// A DELETE whose answer an interrupt cuts off is looked after.
func TestInterruptedDeletionIsLookedAfter(t *testing.T) {
	w := newWorld(t, sandbox.Options{Dialect: sandbox.Twilio, Faults: []sandbox.Fault{fault(t, "DELETE /Faxes=hang")}})
	f := w.add(t, 2, sandbox.Fax{})
	plan, err := w.run.Plan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, interrupt := context.WithCancel(t.Context())
	w.run.Receipt = func(r Receipt) error {
		time.AfterFunc(50*time.Millisecond, interrupt)
		return w.take(r)
	}
	out, err := w.run.Delete(ctx, ctx, plan.Delete, w.tell, w.tell)
	if !errors.Is(err, context.Canceled) || out.Failed != 1 || !slices.Equal(w.results(f), []Result{Deleting, Failed}) || w.receipts[1].Error != "interrupted" {
		t.Errorf("%+v, %v, %+v", out, err, w.receipts)
	}
}

// A day deletes no more than a day has, and says what it holds back; by a clock that
// is not the provider's it deletes nothing.
func TestDaily(t *testing.T) {
	for _, tc := range []struct {
		name   string
		quirks sandbox.Quirks
		most   string
		want   Day
	}{
		{name: "a day's worth", most: "2", want: Day{Outcome: Outcome{Deleted: 2}, Undated: 1}},
		{name: "more than a day has", most: "1", want: Day{HeldBack: 2, Undated: 1, Refused: ByLimit}},
		{name: "another clock", quirks: sandbox.Quirks{ClockBehind: 91 * 24 * time.Hour}, most: "2", want: Day{Refused: ByClock}},
		{name: "no clock", quirks: sandbox.Quirks{Date: "none"}, most: "2", want: Day{Refused: ByClock}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.quirks.Dates = "failed"
			w := newWorld(t, sandbox.Options{Dialect: sandbox.SignalWire, Quirks: tc.quirks})
			old := []fax.Fax{w.add(t, 3, sandbox.Fax{}), w.add(t, 2, sandbox.Fax{})}
			young := w.add(t, 0, sandbox.Fax{})
			w.add(t, 2, sandbox.Fax{Status: "failed", NoMedia: true})
			w.keep(t)
			w.run.Begun = time.Time{} // each day begins anew
			var err error
			if w.run.Policy.MaxDelete, err = ParseLimit(tc.most); err != nil {
				t.Fatal(err)
			}
			var log strings.Builder
			day, err := w.run.Daily(t.Context(), t.Context(), slog.New(slog.NewTextHandler(&log, nil)))
			if day != tc.want || (err != nil) != (tc.want.Refused != "") {
				t.Errorf("%+v, %v", day, err)
			}
			for _, f := range old {
				if w.has(t, f) == fax.Gone != (tc.want.Deleted > 0) {
					t.Errorf("%s: the provider has %v", f.ID, w.has(t, f))
				}
			}
			if w.has(t, young) != fax.WithDocument {
				t.Error("the young one is gone")
			}
			if said := log.String(); tc.want.Refused == "" && !strings.Contains(said, `msg="pruned at the provider" deleted="2 faxes" left_alone=1 undated=1`) {
				t.Errorf("the log says %q", said)
			}
		})
	}
}

// A PDF of no pages, and one whose pages cannot be counted.
const (
	noPages = "%PDF-1.4\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n2 0 obj\n<</Type/Pages/Kids[]/Count 0>>\nendobj\n" +
		"xref\n0 3\n0000000000 65535 f \n0000000009 00000 n \n0000000054 00000 n \ntrailer\n<</Size 3/Root 1 0 R>>\nstartxref\n100\n%%EOF\n"
	notCounted = "%PDF-1.4\nhello\nstartxref\n9\n%%EOF\n"
)

// A plan leaves alone what a deletion would refuse, as far as the archive knows, and
// a day names it.
func TestPlanTellsWhatIsRefused(t *testing.T) {
	w := newWorld(t, sandbox.Options{Dialect: sandbox.Twilio})
	w.keep(t)
	short, odd := w.add(t, 2, sandbox.Fax{Document: []byte(noPages)}), w.add(t, 3, sandbox.Fax{Document: []byte(notCounted)})
	early := short
	early.Pages = nil // it was kept before its record told of any
	for _, f := range []fax.Fax{early, odd} {
		if _, _, err := w.run.Archive.Save(t.Context(), w.truth.Faxes, f); err != nil {
			t.Fatal(err)
		}
	}
	plan, err := w.run.Plan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range plan.Skipped {
		if want := map[string]Reason{short.ID: Incomplete, odd.ID: Uncounted}[s.ID]; s.Reason != want || s.Detail == "" || s.Odd() != (want == Incomplete) {
			t.Errorf("%+v, want %s", s, want)
		}
		if out, err := w.run.Delete(t.Context(), t.Context(), fax.Pack(map[string]fax.Fax{short.ID: short, odd.ID: odd}[s.ID]), w.tell, w.tell); out.Failed != 1 || err == nil {
			t.Errorf("%s, which the plan leaves alone, is deleted: %+v, %v", s.ID, out, err)
		}
	}
	if plan.Delete.Len() > 0 || len(plan.Skipped) != 2 || plan.Summary.Archived > 0 {
		t.Errorf("%+v", plan)
	}
	var log strings.Builder
	if day, err := w.run.Daily(t.Context(), t.Context(), slog.New(slog.NewTextHandler(&log, nil))); err != nil || day.Deleted+day.Failed > 0 {
		t.Errorf("%+v, %v", day, err)
	}
	for _, line := range []string{
		`msg="left alone" error="fax ` + short.ID + `: the kept copy is not whole: incomplete document: 0 of 1 pages"`,
		`msg="left alone, uncounted" fax=` + odd.ID + ` error="the pages of its copy cannot be counted: `,
		`hint="look at it, then faxctl faxes prune --allow-uncounted deletes such faxes too"`,
	} {
		if !strings.Contains(log.String(), line) {
			t.Errorf("the log lacks %s:\n%s", line, log.String())
		}
	}
	w.run.AllowUncounted = true
	if plan, err := w.run.Plan(t.Context()); err != nil || plan.Delete.Len() != 1 || plan.Delete.At(0).ID != odd.ID {
		t.Errorf("%+v, %v", plan, err)
	}
}

// A file of receipts takes what a run writes, also when the run is Daily.
func TestDailyWritesReceipts(t *testing.T) {
	w := newWorld(t, sandbox.Options{Dialect: sandbox.Twilio})
	f := w.add(t, 2, sandbox.Fax{})
	w.keep(t)
	name := filepath.Join(t.TempDir(), "receipts")
	receipts, err := OpenReceipts(name)
	if err != nil {
		t.Fatal(err)
	}
	w.run.Receipt = receipts.Write
	if _, err := w.run.Daily(t.Context(), t.Context(), slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	if err := receipts.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(name)
	if err != nil || strings.Count(string(data), f.ID) != 2 || !strings.HasSuffix(string(data), `"result":"deleted"}`+"\n") {
		t.Errorf("%s, %v", data, err)
	}
}

// What a plan counts as kept has its document where it is kept, as a file.
func TestPlanCountsWhatIsThere(t *testing.T) {
	w := newWorld(t, sandbox.Options{Dialect: sandbox.Twilio})
	f := w.add(t, 100, sandbox.Fax{Pages: 1})
	w.keep(t)
	if _, _, err := w.run.Archive.Save(t.Context(), w.truth.Faxes, f); err != nil {
		t.Fatal(err)
	}
	archived := func() int {
		t.Helper()
		plan, err := w.run.Plan(t.Context())
		if err != nil || plan.Summary.Count != 1 {
			t.Fatalf("%+v, %v", plan, err)
		}
		return plan.Summary.Archived
	}
	if n := archived(); n != 1 {
		t.Errorf("%d are kept, of one", n)
	}
	document, err := w.run.Archive.DocumentPath(t.Context(), f.ID)
	if err == nil {
		err = os.Remove(document)
	}
	if err != nil {
		t.Fatal(err)
	}
	if n := archived(); n != 0 {
		t.Errorf("%d are kept, and the document is gone", n)
	}
	if err := os.Mkdir(document, 0o700); err != nil {
		t.Fatal(err)
	}
	if n := archived(); n != 0 {
		t.Errorf("%d are kept, and in the place of the document is a folder", n)
	}
}

// oddly lists one fax under another id.
type oddly struct {
	fax.Faxes
	id, as string
}

func (o oddly) Page(ctx context.Context, q fax.Filter, size int, cursor string) (fax.Page[fax.Fax], error) {
	page, err := o.Faxes.Page(ctx, q, size, cursor)
	for i := range page.Items {
		if page.Items[i].ID == o.id {
			page.Items[i].ID = o.as
		}
	}
	return page, err
}

// A fax whose id is no name of a file is left alone and named; the others go.
func TestAnOddIDStopsNothing(t *testing.T) {
	w := newWorld(t, sandbox.Options{Dialect: sandbox.Twilio})
	f, odd := w.add(t, 100, sandbox.Fax{Pages: 1}), w.add(t, 100, sandbox.Fax{Pages: 1})
	w.run.Provider.Faxes = oddly{w.run.Provider.Faxes, odd.ID, "FX odd"}
	w.keep(t)
	plan, err := w.run.Plan(t.Context())
	if err != nil || plan.Summary.Count != 1 || plan.Delete.At(0).ID != f.ID || len(plan.Skipped) != 1 || plan.Skipped[0].ID != "FX odd" || !plan.Skipped[0].Odd() {
		t.Errorf("%+v, %v", plan, err)
	}
}
