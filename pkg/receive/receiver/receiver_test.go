package receiver_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/archive/dir"
	"github.com/faxctl/faxctl/pkg/base/durable"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/receive/delivery"
	"github.com/faxctl/faxctl/pkg/receive/receiver"
	"github.com/faxctl/faxctl/pkg/receive/webhook"
)

const (
	publicURL = "https://fax.example.com"
	account   = "AC00000000000000000000000000000001"
	key       = webhook.Key("12345")
	ourNumber = "+14155550199"
	sender    = "+14155550100"
)

// cloud is a provider of one number and of whatever faxes a test gives it.
type cloud struct {
	fax.Faxes

	mu     sync.Mutex
	faxes  map[string]fax.Fax
	opened map[string]int
	broken error
}

func newCloud() *cloud { return &cloud{faxes: map[string]fax.Fax{}, opened: map[string]int{}} }

func (c *cloud) provider() fax.Provider {
	return fax.Provider{Name: "test", Faxes: c, Numbers: numbers{}}
}

// clock is a provider's that is so far from ours.
type clock time.Duration

func (c clock) Now(context.Context) (time.Time, error) { return time.Now().Add(time.Duration(c)), nil }

func (c *cloud) add(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faxes[id] = fax.Fax{ID: id, From: sender, To: ourNumber, Direction: fax.Inbound, Status: fax.Received, MediaID: "ME", Created: time.Now()}
}

func (c *cloud) change(id string, how func(*fax.Fax)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := c.faxes[id]
	how(&f)
	c.faxes[id] = f
}

func (c *cloud) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.broken = err
}

func (c *cloud) Get(_ context.Context, id string) (fax.Fax, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f, ok := c.faxes[id]
	switch {
	case c.broken != nil:
		return fax.Fax{}, c.broken
	case !ok:
		return fax.Fax{}, &fax.APIError{Kind: problem.ErrNotFound, Status: 404}
	}
	return f, nil
}

func (c *cloud) Open(_ context.Context, f fax.Fax, _ int64) (fax.Document, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.opened[f.ID]++
	if f.MediaID == "" {
		return fax.Document{}, &fax.APIError{Kind: problem.ErrNotFound, Status: 404}
	}
	return fax.Document{Body: io.NopCloser(strings.NewReader(document(f.ID))), ContentType: "application/pdf", Size: -1}, nil
}

func (c *cloud) Page(_ context.Context, q fax.Filter, _ int, _ string) (fax.Page[fax.Fax], error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var p fax.Page[fax.Fax]
	for _, f := range c.faxes {
		if q.Match(f) {
			p.Items = append(p.Items, f)
		}
	}
	return p, c.broken
}

// numbers are those of the account.
type numbers struct{ fax.Numbers }

func (numbers) List(context.Context, fax.NumberFilter) iter.Seq2[fax.Number, error] {
	return func(yield func(fax.Number, error) bool) { yield(fax.Number{Phone: ourNumber}, nil) }
}

// document is what the fax with this id looks like.
func document(id string) string {
	s := "%PDF-1.7\n%the fax " + id + "\n"
	var at []int
	for _, object := range []string{
		"1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n",
		"2 0 obj\n<</Type/Pages/Kids[3 0 R]/Count 1>>\nendobj\n",
		"3 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]>>\nendobj\n",
	} {
		at = append(at, len(s))
		s += object
	}
	table := len(s)
	s += "xref\n0 4\n0000000000 65535 f \n"
	for _, offset := range at {
		s += fmt.Sprintf("%010d 00000 n \n", offset)
	}
	return s + fmt.Sprintf("trailer\n<</Size 4/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", table)
}

// folder is an archive of one file a fax.
type folder struct {
	dir   string
	ready func(context.Context) error
	room  uint64 // bytes that are free

	mu    sync.Mutex
	saves map[string]int
	as    map[string]fax.Status
}

func newFolder(dir string) *folder {
	return &folder{
		dir: dir, ready: func(context.Context) error { return nil }, room: 1 << 40,
		saves: map[string]int{}, as: map[string]fax.Status{},
	}
}

func (a *folder) Save(ctx context.Context, faxes fax.Faxes, f fax.Fax) (receiver.Kept, error) {
	d, err := faxes.Open(ctx, f, 0)
	if errors.Is(err, problem.ErrNotFound) { // all that there is to keep is the record
		return receiver.Kept{}, nil
	}
	if err != nil {
		return receiver.Kept{}, err
	}
	defer d.Body.Close()
	b, err := io.ReadAll(d.Body)
	if err != nil {
		return receiver.Kept{}, err
	}
	path := filepath.Join(a.dir, f.ID+".pdf")
	if err := os.WriteFile(path+".part", b, 0o600); err != nil {
		return receiver.Kept{}, err
	}
	if err := os.Rename(path+".part", path); err != nil {
		return receiver.Kept{}, err
	}
	a.mu.Lock()
	a.saves[f.ID]++
	a.as[f.ID] = f.Status
	a.mu.Unlock()
	sum := sha256.Sum256(b)
	return receiver.Kept{Path: path, Size: int64(len(b)), SHA256: hex.EncodeToString(sum[:]), ContentType: "application/pdf"}, nil
}

func (a *folder) Has(_ context.Context, id, want string) (bool, error) {
	b, err := os.ReadFile(filepath.Join(a.dir, id+".pdf"))
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]) == want, err
}

func (a *folder) Ready(ctx context.Context) error { return a.ready(ctx) }

func (a *folder) Free() (uint64, error) { return a.room, nil }

func (a *folder) Size(context.Context) (int64, error) { return 1, nil }

func (a *folder) saved(id string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.saves[id]
}

// station is a receiver under test.
type station struct {
	*receiver.Receiver
	t       testing.TB
	cloud   *cloud
	archive *folder
	log     *logBuffer
	state   string
	config  receiver.Config
}

type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// newState is the database of a receiver that was opened and knows nothing: to make
// one takes a commit for each migration of the jobs, which every test would wait for.
var newState = sync.OnceValues(func() (_ []byte, err error) {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	r, err := receiver.Open(context.Background(), receiver.Config{
		PublicURL: publicURL, Keys: []webhook.Key{key}, Provider: newCloud().provider(), Archive: newFolder(dir), StateDir: dir,
	})
	if err != nil {
		return nil, err
	}
	if err := r.Close(); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "receiver.db")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		return nil, err
	}
	_, err = db.Exec(`DELETE FROM receiver_note`) // who it is
	if err := errors.Join(err, db.Close()); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// newStation opens a receiver. Its jobs run only after [station.run].
func newStation(t testing.TB, change func(*receiver.Config)) *station {
	t.Helper()
	s := &station{t: t, cloud: newCloud(), archive: newFolder(t.TempDir()), log: new(logBuffer), state: t.TempDir()}
	cfg := receiver.Config{
		PublicURL: publicURL, Keys: []webhook.Key{key}, Account: account,
		Provider: s.cloud.provider(), Archive: s.archive, StateDir: s.state,
		Answer: receiver.Answer{StoreMedia: new(false)}, // so that documents may come along
		Log:    slog.New(slog.NewTextHandler(s.log, nil)),
	}
	if shares(t) {
		cfg.Database, cfg.Incoming = newDatabase(t), dir.New(s.archive.dir, durable.OS{})
	}
	if change != nil {
		change(&cfg)
	}
	s.config = cfg
	_, folder := os.Stat(cfg.StateDir) // where there is none, the receiver makes it
	if _, err := os.Stat(filepath.Join(cfg.StateDir, "receiver.db")); cfg.Database == nil && folder == nil && errors.Is(err, os.ErrNotExist) {
		empty, err := newState()
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(cfg.StateDir, "receiver.db"), empty, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r, err := receiver.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Log(s.log.String())
		}
	})
	s.Receiver = r
	s.watch()
	return s
}

// run works off the jobs until the test ends, or stop is called.
func (s *station) run() (stop func()) {
	s.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- s.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			s.t.Error(err)
		}
	})
	s.t.Cleanup(stop)
	return stop
}

// reopen starts the receiver again, after something was done to its state.
func (s *station) reopen(between func(db *sql.DB)) {
	s.t.Helper()
	if err := s.Close(); err != nil {
		s.t.Fatal(err)
	}
	if s.config.Database != nil {
		if between != nil {
			between(s.config.Database)
		}
	} else {
		db, err := sql.Open("sqlite", filepath.Join(s.state, "receiver.db"))
		if err != nil {
			s.t.Fatal(err)
		}
		if between != nil {
			between(db)
		}
		if err := db.Close(); err != nil {
			s.t.Fatal(err)
		}
	}
	r, err := receiver.Open(s.t.Context(), s.config)
	if err != nil {
		s.t.Fatal(err)
	}
	s.Receiver = r
}

// openDesk looks at the state of the receiver.
func (s *station) openDesk() (*receiver.Desk, error) {
	if s.config.Database != nil {
		return receiver.OpenSharedDesk(s.t.Context(), s.config.Database, account)
	}
	return receiver.OpenDesk(s.t.Context(), s.state)
}

// until waits for something the jobs do.
func (s *station) until(what string, ok func() bool) {
	s.t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if ok() {
			return
		}
	}
	s.t.Fatalf("%s: not within a minute", what)
}

func (s *station) do(req *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, req)
	return w
}

// callbackForm is the news that a fax has arrived.
func callbackForm(id string) url.Values {
	return url.Values{
		"FaxSid": {id}, "AccountSid": {account}, "From": {sender}, "To": {ourNumber}, "ApiVersion": {"v1"},
		"FaxStatus": {"received"}, "NumPages": {"2"}, "RemoteStationId": {"THEIR FAX"}, "ErrorCode": {"0"},
		"MediaUrl": {"http://169.254.169.254/latest/meta-data"},
	}
}

// post is a signed form for a path below the public URL.
func post(path string, form url.Values) *http.Request {
	req := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set(webhook.Twilio.Header(), webhook.Sign(key, publicURL+path, form))
	return req
}

func faxID(n int) string { return fmt.Sprintf("FX%032x", n) }

func TestReceive(t *testing.T) { onEach(t, testReceive) }

func testReceive(t *testing.T) {
	s := newStation(t, nil)
	s.run()
	id := faxID(1)
	s.cloud.add(id)

	w := s.do(post("/fax", url.Values{"FaxSid": {id}, "AccountSid": {account}, "From": {sender}, "To": {ourNumber}}))
	if w.Code != 200 || !strings.Contains(w.Body.String(), `<Receive action="https://fax.example.com/fax/done"`) {
		t.Fatalf("the answer is %d %s", w.Code, w.Body)
	}
	for range 3 { // a provider may repeat itself
		if w := s.do(post("/fax/done", callbackForm(id))); w.Code != http.StatusNoContent {
			t.Fatalf("the callback was answered %d", w.Code)
		}
	}
	s.until("the fax is archived", func() bool { return s.archive.saved(id) == 1 })
	got, err := os.ReadFile(filepath.Join(s.archive.dir, id+".pdf"))
	if err != nil || string(got) != document(id) {
		t.Errorf("archived: %q, %v", got, err)
	}
	if log := s.log.String(); strings.Contains(log, ourNumber) || strings.Contains(log, sender) {
		t.Errorf("the log shows numbers:\n%s", log)
	}
}

// running is a program that is run for each fax.
func running(argv ...string) []delivery.Delivery { return []delivery.Delivery{delivery.Exec(argv)} }

// forwarding is a server that is told of each fax.
func forwarding(t testing.TB, url string) []delivery.Delivery {
	t.Helper()
	d, err := delivery.Forward(url, "forward key")
	if err != nil {
		t.Fatal(err)
	}
	return []delivery.Delivery{d}
}

// every is a provider that has whatever fax it is asked for.
type every struct{ *cloud }

func (e every) Get(_ context.Context, id string) (fax.Fax, error) {
	return fax.Fax{ID: id, From: sender, To: ourNumber, Direction: fax.Inbound, Status: fax.Received, MediaID: "ME", Created: time.Now()}, nil
}
