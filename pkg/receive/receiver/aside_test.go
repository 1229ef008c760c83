package receiver_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/faxctl/faxctl/pkg/base/durable/durabletest"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/receive/receiver"
	"github.com/faxctl/faxctl/pkg/receive/webhook"
)

// desk looks at the state until the test ends.
func (s *station) desk() *receiver.Desk {
	s.t.Helper()
	d, err := s.openDesk()
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		if err := d.Close(); err != nil {
			s.t.Error(err)
		}
	})
	return d
}

// jobs are those that are not done, without what comes back by itself.
func (s *station) jobs() []receiver.Job {
	s.t.Helper()
	all, err := s.desk().Jobs(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	for i, j := range all {
		if s.config.Incoming != nil && j.File != "" { // it tells where in the archive
			all[i].File = filepath.Join(s.archive.dir, j.File)
		}
	}
	return slices.DeleteFunc(all, func(j receiver.Job) bool { return j.FaxID == "" && j.Kind != "aside" })
}

// asides are the jobs about documents that are kept aside.
func (s *station) asides() []receiver.Job {
	return slices.DeleteFunc(s.jobs(), func(j receiver.Job) bool { return j.Kind != "aside" })
}

// parkedAside waits for the only document that is kept aside to be parked.
func (s *station) parkedAside() (j receiver.Job) {
	s.t.Helper()
	s.until("parked", func() bool {
		all := s.asides()
		if len(all) == 1 {
			j = all[0]
		}
		return j.State == receiver.Parked
	})
	return j
}

// holds checks that a file has this content, and is the owner's alone.
func holds(t *testing.T, path, want string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil || string(got) != want {
		t.Errorf("%s holds %q, %v", path, got, err)
	}
	if info, err := os.Stat(path); err == nil && info.Mode().Perm() != 0o600 {
		t.Errorf("%s: %v", path, info.Mode())
	}
}

const nobody = "+14155550000" // not a number of the account

// with is a form with a field changed.
func with(form url.Values, field, value string) url.Values {
	form.Set(field, value)
	return form
}

// TestKeptAside: a rightly signed callback costs no document, whatever else is wrong:
// it is kept, once, and parked with the reason.
func TestKeptAside(t *testing.T) { onEach(t, testKeptAside) }

func testKeptAside(t *testing.T) {
	id := faxID(1)
	asked := func(c *receiver.Config) { soon(c) }
	unasked := func(c *receiver.Config) { soon(c); c.Answer.StoreMedia = nil }
	whole := document(id)
	for name, tc := range map[string]struct {
		config   func(*receiver.Config)
		form     url.Values
		document string
		reason   string
		outcome  string
		news     bool // the event itself counts
		waits    bool // for the account's list, before it is parked
	}{
		"a page of a gateway":       {asked, callbackForm(id), "<html>502</html>", "not a fax document: it looks like an HTML page", "no document", true, false},
		"nothing":                   {asked, callbackForm(id), "", "it is empty", "no document", true, false},
		"half a document":           {asked, callbackForm(id), whole[:len(whole)/2], "document is cut short", "no document", true, false},
		"a fax that failed":         {asked, with(callbackForm(id), "FaxStatus", "failed"), whole, "it came with a fax that is failed", "no fax", true, false},
		"half of a fax that failed": {asked, with(callbackForm(id), "FaxStatus", "failed"), whole[:99], "it came with a fax that is failed", "no fax", true, false},
		"not asked for":             {unasked, callbackForm(id), whole, "was not asked for", "not asked for", true, false},
		"no id":                     {asked, with(callbackForm(id), "FaxSid", "../../etc/passwd"), whole, "invalid FaxSid", "malformed", false, false},
		"no status":                 {asked, with(callbackForm(id), "FaxStatus", "<b>"), whole, "invalid FaxStatus", "malformed", false, false},
		"a number of nobody":        {asked, with(callbackForm(id), "To", nobody), whole, "it is for +1415•••0000, which is not in the list", "not ours", false, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStation(t, tc.config)
			for range 3 { // the provider may repeat itself
				s.told(multi(tc.form, part{"Media", "../../fax.pdf", tc.document}))
			}
			if files := s.incoming(); len(files) != 1 {
				t.Fatalf("on disk: %v", files)
			}
			if want := `faxctl_requests_total{outcome="` + tc.outcome + `",request="callback"} 3`; !strings.Contains(s.metric(), want) {
				t.Errorf("no %s in\n%s", want, s.metric())
			}
			if !tc.waits {
				s.run()
				s.parkedAside()
			}
			jobs := s.asides()
			if len(jobs) != 1 {
				t.Fatalf("%+v", jobs)
			}
			if j := jobs[0]; !strings.Contains(j.Error, tc.reason) || filepath.Dir(j.File) != s.waits() {
				t.Errorf("%+v", j)
			}
			holds(t, jobs[0].File, tc.document)
			stats, err := s.desk().Stats(t.Context())
			if err != nil || (len(stats.Faxes) == 1) != tc.news {
				t.Errorf("recorded: %v, %v", stats.Faxes, err)
			}
			if n := s.archive.saved(id); n != 0 {
				t.Errorf("archived %d times", n)
			}
			if strings.Contains(s.log.String(), ourNumber) || strings.Contains(s.log.String(), nobody) {
				t.Errorf("the log shows numbers:\n%s", s.log.String())
			}
		})
	}
}

// Of one callback the first document is that of the fax; the others are kept too.
func TestTwoDocuments(t *testing.T) {
	s := newStation(t, soon)
	id := faxID(1)
	s.told(multi(callbackForm(id), part{"Media", "1.pdf", document(id)}, part{"Media", "2.pdf", document("two")}, part{"More", "3.pdf", document("two")}))
	s.run()
	s.until("the first is archived", func() bool { return s.archive.saved(id) == 1 })
	j := s.parkedAside()
	if !strings.Contains(j.Error, "document 2 of 3 of one callback") {
		t.Errorf("%+v", j)
	}
	holds(t, j.File, document("two"))
	holds(t, filepath.Join(s.archive.dir, id+".pdf"), document(id))
}

// Fields beside the document that cannot be read are left out, however many.
func TestFieldsBeside(t *testing.T) {
	s := newStation(t, soon)
	s.run()
	for i, change := range []func(url.Values){
		func(f url.Values) { f.Set("NumPages", "null") },
		func(f url.Values) { f.Set("NumPages", "-1") },
		func(f url.Values) { f.Set("NumPages", "99999999999999999999") },
		func(f url.Values) {
			for i := range 300 {
				f.Set("Parameter"+faxID(i), "")
			}
		},
	} {
		id := faxID(i)
		form := callbackForm(id)
		change(form)
		req := multi(form, part{"Media", "fax.pdf", document(id)})
		req.Header.Set("Content-Encoding", "identity")
		s.told(req)
		s.until("archived", func() bool { return s.archive.saved(id) == 1 })
	}
	if jobs := s.asides(); len(jobs) > 0 {
		t.Errorf("kept aside: %+v", jobs)
	}
}

// What readers of PDF take is taken: a printer's commands may stand before it.
func TestWhatIsADocument(t *testing.T) {
	s := newStation(t, soon)
	s.run()
	for i, before := range []string{"", "\x1b%-12345X@PJL JOB\r\n", "\xef\xbb\xbf", strings.Repeat("\n", 900)} {
		id := faxID(i)
		s.told(multi(callbackForm(id), part{"Media", "fax.pdf", before + document(id)}))
		s.until("archived", func() bool { return s.archive.saved(id) == 1 })
		holds(t, filepath.Join(s.archive.dir, id+".pdf"), before+document(id))
	}
	if jobs := s.asides(); len(jobs) > 0 {
		t.Errorf("kept aside: %+v", jobs)
	}
}

// Other bytes for news that is known replace nothing, before it is archived and
// after, and are kept once.
func TestOtherBytes(t *testing.T) { onEach(t, testOtherBytes) }

func testOtherBytes(t *testing.T) {
	for name, late := range map[string]bool{"before it is archived": false, "after": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStation(t, soon)
			id := faxID(1)
			s.told(multi(callbackForm(id), part{"Media", "fax.pdf", document(id)}))
			if late {
				s.run()
				s.until("archived", func() bool { return s.archive.saved(id) == 1 && len(s.incoming()) == 0 })
			}
			for range 3 {
				s.told(multi(callbackForm(id), part{"Media", "fax.pdf", document("another")}))
			}
			if !late {
				s.run()
				s.until("archived", func() bool { return s.archive.saved(id) == 1 })
			}
			j := s.parkedAside()
			if !strings.Contains(j.Error, "another document than the one that came first") {
				t.Errorf("%+v", j)
			}
			holds(t, j.File, document("another"))
			holds(t, filepath.Join(s.archive.dir, id+".pdf"), document(id))

			if err := s.desk().Retry(t.Context(), j.ID); err != nil { // it says why not
				t.Fatal(err)
			}
			s.until("parked again", func() bool { return s.parkedAside().Attempts == 2 })
			holds(t, filepath.Join(s.archive.dir, id+".pdf"), document(id))
			holds(t, j.File, document("another"))
		})
	}
}

// A document that came along stays when the archive has another one of the fax.
func TestArchiveHasAnother(t *testing.T) { onEach(t, testArchiveHasAnother) }

func testArchiveHasAnother(t *testing.T) {
	s := newStation(t, func(c *receiver.Config) { soon(c); c.Archive = keeps{c.Archive} })
	s.run()
	id := faxID(1)
	s.told(multi(callbackForm(id), part{"Media", "fax.pdf", document(id)}))
	j := s.parkedAside()
	if !strings.Contains(j.Error, "another document than the one in the archive") {
		t.Errorf("%+v", j)
	}
	holds(t, j.File, document(id))
	s.reopen(func(*sql.DB) {})
	holds(t, j.File, document(id))
}

// keeps is an archive that has a document of every fax already.
type keeps struct{ receiver.Archive }

func (keeps) Save(context.Context, fax.Faxes, fax.Fax) (receiver.Kept, error) {
	return receiver.Kept{SHA256: strings.Repeat("0", 64), Size: 1}, nil
}

// A number that the provider's list left out is looked for again: then its document
// is archived, and told of, by itself.
func TestListLeftOutANumber(t *testing.T) {
	lists := &late{after: 3} // a callback asks twice
	s := newStation(t, func(c *receiver.Config) { c.Retry = 500 * time.Millisecond; c.Provider.Numbers = lists })
	s.run()
	id := faxID(1)
	s.told(multi(callbackForm(id), part{"Media", "fax.pdf", document(id)}))
	if !strings.Contains(s.log.String(), "not in the list of the account's numbers") {
		t.Error("it was not missing")
	}
	s.until("archived", func() bool { return s.archive.saved(id) == 1 && len(s.incoming()) == 0 && len(s.jobs()) == 0 })
}

// A document for a number of somebody else's is not taken in because the list cannot
// be had: it stays aside, and is looked for again.
func TestListIsAwayForANumber(t *testing.T) {
	lists := &broken{}
	s := newStation(t, func(c *receiver.Config) { c.Retry = 300 * time.Millisecond; c.Provider.Numbers = lists })
	id := faxID(1)
	s.told(multi(with(callbackForm(id), "To", nobody), part{"Media", "fax.pdf", document(id)}))
	lists.away.Store(true)
	s.run()
	s.until("asked while the list is away", func() bool { return strings.Contains(s.log.String(), "the list cannot be had") })
	lists.away.Store(false)
	s.until("asked again", func() bool { return strings.Count(s.log.String(), "which is not in the list of the account's") > 1 })
	jobs := s.jobs()
	if n := s.archive.saved(id); n > 0 || len(jobs) != 1 || jobs[0].Kind != "aside" {
		t.Fatalf("archived %d times: %+v", n, jobs)
	}
	holds(t, jobs[0].File, document(id))
}

// broken is an account whose list cannot be had at times.
type broken struct {
	numbers
	away atomic.Bool
}

func (b *broken) List(ctx context.Context, f fax.NumberFilter) iter.Seq2[fax.Number, error] {
	if b.away.Load() {
		return func(yield func(fax.Number, error) bool) { yield(fax.Number{}, errors.New("away")) }
	}
	return b.numbers.List(ctx, f)
}

// late is an account whose list has the number after it was asked so often.
type late struct {
	numbers
	after int
	mu    sync.Mutex
	asked int
}

func (l *late) List(ctx context.Context, f fax.NumberFilter) iter.Seq2[fax.Number, error] {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.asked++; l.asked < l.after {
		return func(func(fax.Number, error) bool) {}
	}
	return l.numbers.List(ctx, f)
}

// A person has a document taken in that was not asked for, and the fax has none.
func TestRetryTakesItIn(t *testing.T) { onEach(t, testRetryTakesItIn) }

func testRetryTakesItIn(t *testing.T) {
	s := newStation(t, func(c *receiver.Config) { soon(c); c.Answer.StoreMedia = nil })
	s.run()
	id := faxID(1)
	s.cloud.add(id)
	s.cloud.change(id, func(f *fax.Fax) { f.MediaID = "" })
	s.told(multi(callbackForm(id), part{"Media", "fax.pdf", document(id)}))
	j := s.parkedAside()
	s.until("archived without", func() bool { return strings.Contains(s.log.String(), "msg=archived") })
	if err := s.desk().Retry(t.Context(), j.ID); err != nil {
		t.Fatal(err)
	}
	s.until("archived", func() bool { return s.archive.saved(id) == 1 && len(s.jobs()) == 0 && len(s.incoming()) == 0 })
	holds(t, filepath.Join(s.archive.dir, id+".pdf"), document(id))
}

// Of a document that was not asked for and is the very one in the archive, a person's
// retry leaves nothing.
func TestRetryOfTheSame(t *testing.T) {
	s := newStation(t, func(c *receiver.Config) { soon(c); c.Answer.StoreMedia = nil })
	s.run()
	id := faxID(1)
	s.cloud.add(id)
	s.told(multi(callbackForm(id), part{"Media", "fax.pdf", document(id)}))
	j := s.parkedAside()
	s.until("archived", func() bool { return s.archive.saved(id) == 1 })
	if err := s.desk().Retry(t.Context(), j.ID); err != nil {
		t.Fatal(err)
	}
	s.until("done", func() bool { return len(s.jobs()) == 0 && len(s.incoming()) == 0 })
	if n := s.archive.saved(id); n != 1 {
		t.Errorf("archived %d times", n)
	}
}

// What is discarded is deleted, and comes in again when the provider repeats it.
func TestDiscardDeletes(t *testing.T) {
	s := newStation(t, soon)
	s.run()
	id := faxID(1)
	again := func() receiver.Job {
		s.told(multi(with(callbackForm(id), "FaxStatus", "failed"), part{"Media", "fax.pdf", document(id)}))
		return s.parkedAside()
	}
	j := again()
	may, err := s.desk().MayDiscard(t.Context(), j.ID)
	if err != nil || may.File != j.File {
		t.Errorf("%+v, %v", may, err)
	}
	holds(t, j.File, document(id))
	gone, err := s.desk().Discard(t.Context(), j.ID)
	if err != nil || gone.File != j.File || len(s.incoming()) > 0 || len(s.jobs()) > 0 {
		t.Errorf("%+v, %v; left are %v", gone, err, s.incoming())
	}
	holds(t, again().File, document(id))
}

// A document that waits for a fetch is named with its job, and goes with it.
func TestDiscardAFetch(t *testing.T) {
	s := newStation(t, func(c *receiver.Config) { c.Retry = time.Hour })
	id := faxID(1)
	s.cloud.fail(errors.New("away"))
	s.told(multi(callbackForm(id), part{"Media", "fax.pdf", document(id)}))
	s.reopen(func(db *sql.DB) {
		alter(t, db, `UPDATE river_job SET state = 'cancelled', finalized_at = datetime('now')`)
	})
	jobs := s.jobs()
	if len(jobs) != 1 || jobs[0].Kind != "fetch" {
		t.Fatalf("%+v", jobs)
	}
	holds(t, jobs[0].File, document(id))
	if j, err := s.desk().Discard(t.Context(), jobs[0].ID); err != nil || j.File != jobs[0].File || len(s.incoming()) > 0 {
		t.Errorf("%+v, %v; left are %v", j, err, s.incoming())
	}
}

// Whoever has the key can fill so much of the disk and no more; what is known is
// kept, and a restart keeps it.
func TestAsideIsBounded(t *testing.T) { onEach(t, testAsideIsBounded) }

func testAsideIsBounded(t *testing.T) {
	page := strings.Repeat("<p>", 1000)
	s := newStation(t, func(c *receiver.Config) { c.MaxDocument = int64(len(page)) })
	send := func(n int) int {
		return s.do(multi(callbackForm(faxID(n)), part{"Media", "fax.pdf", page})).Code
	}
	for n := range 16 {
		if status := send(n); status != http.StatusNoContent {
			t.Fatalf("document %d: answered %d", n, status)
		}
	}
	for range 3 {
		if status := send(16); status != http.StatusServiceUnavailable {
			t.Errorf("one too many: answered %d", status)
		}
	}
	if status := send(0); status != http.StatusNoContent {
		t.Errorf("a repetition: answered %d", status)
	}
	s.reopen(func(*sql.DB) {})
	if files := s.incoming(); len(files) != 16 {
		t.Errorf("%d files", len(files))
	}
	if !strings.Contains(s.log.String(), "look at it with faxctl serve jobs list --parked") {
		t.Error("nobody is told")
	}
}

// Nothing is kept of what a stranger sends.
func TestStrangersKeepNothing(t *testing.T) {
	s := newStation(t, nil)
	req := multi(with(callbackForm(faxID(1)), "To", nobody), part{"Media", "a.pdf", document("1")}, part{"Media", "b.pdf", "none"})
	req.Header.Set(webhook.Twilio.Header(), strings.Repeat("A", 27)+"=")
	if w := s.do(req); w.Code != http.StatusForbidden {
		t.Errorf("answered %d", w.Code)
	}
	s.nothingStored()
}

// A document over the limit is refused, also as the second one; the first is kept.
func TestLongestDocument(t *testing.T) {
	long := document("1")
	s := newStation(t, func(c *receiver.Config) { c.MaxDocument = int64(len(long)) })
	s.told(multi(callbackForm(faxID(1)), part{"Media", "fax.pdf", long}))
	for _, parts := range [][]part{{{"Media", "fax.pdf", long + "\n"}}, {{"Media", "1.pdf", long}, {"Media", "2.pdf", "x"}}} {
		if w := s.do(multi(callbackForm(faxID(2)), parts...)); w.Code != http.StatusRequestEntityTooLarge {
			t.Errorf("answered %d", w.Code)
		}
	}
	if files := s.incoming(); len(files) != 2 {
		t.Errorf("on disk: %v", files)
	}
}

// Of a callback that does not come whole the documents that did are kept, if the
// provider signed it, and nothing of a stranger's. Whoever sends it is told that it was
// not taken, and may send it again.
func TestWholeDocumentsOfHalfACallback(t *testing.T) {
	first, second := document("first"), document("second")
	for name, tt := range map[string]struct {
		parts []part
		cut   int // bytes at the end that do not come
		want  int
		kept  int // documents
		fax   bool
	}{
		"the second is too long": {[]part{{"Media", "1.pdf", first}, {"Media", "2.pdf", strings.Repeat("x", 4000)}}, 0, 413, 1, true},
		"the third is too long":  {[]part{{"Media", "1.pdf", first}, {"Media", "2.pdf", second}, {"Media", "3.pdf", strings.Repeat("x", 4000)}}, 0, 413, 2, true},
		"the second is cut off":  {[]part{{"Media", "1.pdf", first}, {"Media", "2.pdf", second}}, 200, 400, 1, true},
		"the end is cut off":     {[]part{{"Media", "1.pdf", first}}, 4, 400, 1, true},
		"the only one is":        {[]part{{"Media", "1.pdf", first}}, 200, 400, 0, false},
		"no document is first":   {[]part{{"Media", "1.pdf", "no document"}, {"Media", "2.pdf", strings.Repeat("x", 4000)}}, 0, 413, 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStation(t, func(c *receiver.Config) { c.MaxDocument = 2000 })
			send := func(signature string) {
				req := multi(callbackForm(faxID(1)), tt.parts...)
				body, err := io.ReadAll(req.Body)
				if err != nil {
					t.Fatal(err)
				}
				req.Body = io.NopCloser(bytes.NewReader(body[:len(body)-tt.cut]))
				if signature != "" {
					req.Header.Set(webhook.Twilio.Header(), signature)
				}
				if w := s.do(req); w.Code != tt.want {
					t.Errorf("answered %d, want %d", w.Code, tt.want)
				}
			}
			send(strings.Repeat("A", 27) + "=")
			s.nothingStored()
			if metrics := s.metric(); !strings.Contains(metrics, `faxctl_signature_failures_total{reason="wrong"} 0`) {
				t.Error("what did not come whole is taken for a forgery")
			}
			for range 2 { // it may be sent again
				send("")
			}
			if files := s.incoming(); len(files) != tt.kept {
				t.Errorf("on disk: %v, want %d", files, tt.kept)
			}
			s.run()
			if tt.fax {
				s.until("the fax is archived", func() bool { return s.archive.saved(faxID(1)) == 1 })
				if got, err := os.ReadFile(filepath.Join(s.archive.dir, faxID(1)+".pdf")); err != nil || string(got) != first {
					t.Errorf("archived %q, %v", got, err)
				}
			}
			s.told(multi(callbackForm(faxID(1)), part{"Media", "1.pdf", first})) // and whole in the end
			s.until("the fax is archived", func() bool { return s.archive.saved(faxID(1)) >= 1 })
		})
	}
}

// Of a fax whose document is too long the record is kept, if the provider signed the
// news: it is asked for its own copy. Of a stranger's nothing is.
func TestRecordOfTooLongDocument(t *testing.T) {
	long := document(faxID(1))
	s := newStation(t, func(c *receiver.Config) { c.MaxDocument = int64(len(long)) })
	s.run()
	s.cloud.add(faxID(1))
	forged := multi(callbackForm(faxID(2)), part{"Media", "fax.pdf", long + "\n"})
	forged.Header.Set(webhook.Twilio.Header(), strings.Repeat("A", 27)+"=")
	for _, req := range []*http.Request{multi(callbackForm(faxID(1)), part{"Media", "fax.pdf", long + "\n"}), forged} {
		if w := s.do(req); w.Code != http.StatusRequestEntityTooLarge {
			t.Errorf("answered %d", w.Code)
		}
	}
	s.until("the fax is archived", func() bool { return s.archive.saved(faxID(1)) == 1 })
	s.until("nothing is left to do", func() bool { return len(s.jobs()) == 0 })
	if s.archive.saved(faxID(2)) != 0 || strings.Count(s.log.String(), "its record is kept") != 1 {
		t.Errorf("a stranger's fax is taken for news: %s", s.log)
	}
}

// Whenever the power fails, a document that was answered for and is kept aside is
// there whole.
func TestPowerLossAfterKeptAside(t *testing.T) {
	root := t.TempDir()
	disk := durabletest.NewRecorder(root)
	s := newStation(t, func(c *receiver.Config) { c.StateDir, c.Disk = root, disk })
	w := answered{httptest.NewRecorder(), disk}
	s.Handler().ServeHTTP(w, multi(callbackForm(faxID(1)), part{"Media", "fax.pdf", "no document"}))
	if w.Code != http.StatusNoContent {
		t.Fatalf("answered %d", w.Code)
	}
	steps := disk.Steps()
	told := slices.IndexFunc(steps, func(s durabletest.Step) bool { return s.String() == http.StatusText(http.StatusNoContent) })
	if told < 0 {
		t.Fatalf("no answer among %v", steps)
	}
	for n := told; n <= len(steps); n++ {
		least, most := disk.PowerLoss(n)
		for _, left := range []fstest.MapFS{least, most} {
			kept := 0
			for name, file := range left {
				if strings.HasPrefix(name, "incoming/") && string(file.Data) == "no document" {
					kept++
				}
			}
			if kept != 1 {
				t.Errorf("after %v there are %d documents", steps[:n], kept)
			}
		}
	}
}

// A job says what it is about in JSON as well.
func TestJobNamesItsFile(t *testing.T) {
	s := newStation(t, nil)
	s.told(multi(callbackForm(faxID(1)), part{"Media", "fax.pdf", "no document"}))
	b, err := json.Marshal(s.asides())
	if err != nil || !strings.Contains(string(b), `"file":"`+filepath.Join(s.state, "incoming")) {
		t.Errorf("%s, %v", b, err)
	}
}
