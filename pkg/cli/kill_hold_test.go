package cli_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/tidwall/gjson"

	"github.com/faxctl/faxctl/pkg/archive/s3/s3test"
	"github.com/faxctl/faxctl/pkg/sandbox"
)

// TestKilledHolding lets several machines delete the faxes of one archive on S3, by a policy
// and by their ids, while others hold them and let them go again, and kills some at any
// moment. They meet: whoever is about to write a sidecar waits a moment for another one.
//
// When a DELETE comes to the provider, the fax is whole in the bucket, and its sidecar says
// that it is being deleted, and not that it is held. A hold that was acknowledged keeps its
// fax at the provider, unless it was told that it has that no more; one that came too late
// ends with 6. In the end the sidecars tell what became of each fax.
func TestKilledHolding(t *testing.T) {
	const seed = 34008
	t.Logf("seed %d, %d kills", seed, *kills)
	dice := rand.New(rand.NewPCG(seed, 0))
	w := newHoldings(t)
	sheets := draw(t)[2:] // small ones
	killed := 0
	met := func() bool { return w.deletes.Load() > 0 && w.acknowledged > 0 && w.meeting.met.Load() > 0 }
	rounds := max(*kills/2, 1)
	for round := 0; (round < rounds || !met() && round < 10*rounds) && !t.Failed(); round++ { // on a slow machine they meet more rarely
		killed += w.round(t, dice, sheets)
	}
	w.settle(t)
	t.Logf("%d killed; %d DELETEs; %d holds were acknowledged, %d came too late; %d wrote a sidecar at once", killed, w.deletes.Load(), w.acknowledged, w.late, w.meeting.met.Load())
	if !met() {
		t.Error("nothing met")
	}
}

// holdings are several machines, one bucket, and the faxes of one account.
type holdings struct {
	*cloud
	provider string // URL of the cloud, behind what looks at each DELETE
	bucket   *minio.Client
	archive  string // s3://…
	machines [][]string
	meeting  meeting
	deletes  atomic.Int64

	mu    sync.Mutex
	names map[string]string // of each fax in the bucket, without extension
	sums  map[string]string // sha256 of its document
	held  map[string]bool   // an acknowledged hold keeps it

	acknowledged, late int
}

func newHoldings(t *testing.T) *holdings {
	t.Helper()
	w := &holdings{
		cloud:   newCloud(t, sandbox.Options{Latency: time.Millisecond}, sandbox.SeedOptions{Numbers: 1}),
		archive: "s3://" + scaleName + "/" + strings.TrimSuffix(scalePrefix, "/"),
		meeting: meeting{waiting: map[string]chan struct{}{}},
		names:   map[string]string{}, sums: map[string]string{}, held: map[string]bool{},
	}
	if err := w.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	direct, _, _ := scaleBucket(t)
	w.bucket = direct.Client(t)
	front := direct.Proxy(t, w.meeting.choose)
	for i := range 3 {
		home := filepath.Join(w.home, fmt.Sprint("machine", i))
		w.machines = append(w.machines, append(front.Environ(), "HOME="+home, "XDG_CONFIG_HOME="+home, "XDG_STATE_HOME="+home, "XDG_CACHE_HOME="+home))
	}
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodDelete {
			w.deletes.Add(1)
			w.lookAt(t, path.Base(r.URL.Path))
		}
		w.Handler().ServeHTTP(rw, r)
	}))
	w.provider = server.URL
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return w
}

// add lets faxes be at the provider that are old enough to be pruned.
func (w *holdings) add(t *testing.T, sheets [][]byte) (ids []string) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, sheet := range sheets {
		f, err := w.AddFax(t.Context(), sandbox.Fax{From: "+14155550199", To: "+14155550100", Pages: 1, Document: sheet, Created: time.Now().Add(-48 * time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(sheet)
		w.sums[f.ID] = hex.EncodeToString(sum[:])
		w.names[f.ID] = scalePrefix + path.Join(f.Created.UTC().Format("2006/01/02"), f.ID)
		ids = append(ids, f.ID)
	}
	return ids
}

// round lets all begin at once: a prune, a deletion of some, a hold of each of others, and
// one that is let go. Either of the first two is killed, and one that holds.
func (w *holdings) round(t *testing.T, dice *rand.Rand, sheets [][]byte) (killed int) {
	t.Helper()
	kept := w.add(t, sheets[:6])
	w.good(t, 0, "faxes", "archive", "--to", w.archive)
	let := kept[5]
	w.good(t, 1, "archive", "hold", w.archive, let, "--reason", "case 0")
	w.add(t, sheets[6:8]) // are kept by the prune
	w.meeting.opens.Store(true)
	defer w.meeting.opens.Store(false)

	prune := w.begin(t, 0, "faxes", "prune", "--older-than", "1d", "--archive", w.archive, "-j", "8", "--yes")
	named := w.begin(t, 1, append([]string{"faxes", "delete", "--archive", w.archive, "-j", "8", "--yes"}, kept[:3]...)...)
	var holds []*begun
	for _, id := range kept[:5] {
		holds = append(holds, w.begin(t, 2, "archive", "hold", w.archive, id, "--reason", "case "+id))
	}
	unhold := w.begin(t, 1, "archive", "unhold", w.archive, let)
	victims := []*begun{holds[dice.IntN(len(holds))], []*begun{prune, named}[dice.IntN(2)]}
	for _, v := range victims {
		moment := time.Duration(dice.IntN(1500)) * time.Millisecond
		time.AfterFunc(moment, v.kill)
	}
	for i, h := range holds {
		w.holdEnded(t, kept[i], h)
	}
	for _, b := range []*begun{prune, named, unhold} {
		// 3 and 6: a hold came first.
		if status := b.wait(); !slices.Contains([]int{0, 3, 6, -1}, status) {
			t.Errorf("%v ended with %d: %s", b.cmd.Args, status, b.said.String())
		}
	}
	for _, v := range victims {
		if v.wait() == -1 {
			killed++
		}
	}
	w.check(t)
	return killed
}

// holdEnded looks at how a hold came out.
func (w *holdings) holdEnded(t *testing.T, id string, h *begun) {
	t.Helper()
	switch status := h.wait(); {
	case status == 0:
		w.acknowledged++
		if !strings.Contains(h.said.String(), "the provider has it no more") {
			w.held[id] = true
		}
	case status == 6 && strings.Contains(h.said.String(), "is being deleted at the provider"):
		w.late++
	case status != -1:
		t.Errorf("hold of %s ended with %d: %s", id, status, h.said.String())
	}
}

// lookAt is called when the DELETE of a fax comes.
func (w *holdings) lookAt(t *testing.T, id string) {
	sidecar, document := w.read(t, id)
	gone := sidecar.Get("gone").Exists() // by another one, who may have been faster
	switch {
	case document != w.sums[id]:
		t.Errorf("fax %s is being deleted, and its document is %q in the bucket, want %q", id, document, w.sums[id])
	case !gone && len(sidecar.Get("deleting").Array()) == 0:
		t.Errorf("fax %s is being deleted, and its sidecar does not say so: %s", id, sidecar.Raw)
	case !gone && sidecar.Get("hold").Exists():
		t.Errorf("fax %s is being deleted, and is held: %s", id, sidecar.Raw)
	}
}

// read is what the bucket has of a fax, by eyes of its own; "" of what is not there.
func (w *holdings) read(t *testing.T, id string) (sidecar gjson.Result, sum string) {
	w.mu.Lock()
	name := w.names[id]
	w.mu.Unlock()
	get := func(name string) []byte {
		r, err := w.bucket.GetObject(context.Background(), scaleName, name, minio.GetObjectOptions{})
		if err != nil {
			t.Error(err)
			return nil
		}
		defer r.Close()
		data, err := io.ReadAll(r)
		if err != nil && minio.ToErrorResponse(err).Code != minio.NoSuchKey {
			t.Error(name, err)
		}
		return data
	}
	if document := get(name + ".pdf"); len(document) > 0 {
		hash := sha256.Sum256(document)
		sum = hex.EncodeToString(hash[:])
	}
	return gjson.ParseBytes(get(name + ".json")), sum
}

// check holds the bucket against what is left at the provider.
func (w *holdings) check(t *testing.T) (left map[string]bool) {
	t.Helper()
	left = map[string]bool{}
	for _, page := range w.pages(t) {
		for _, id := range gjson.GetBytes(page, "faxes.#.sid").Array() {
			left[id.Str] = true
		}
	}
	for id, sum := range w.sums {
		sidecar, document := w.read(t, id)
		gone, deleting := sidecar.Get("gone").Exists(), len(sidecar.Get("deleting").Array()) > 0
		switch {
		case w.held[id] && (!left[id] || !sidecar.Get("hold").Exists()):
			t.Errorf("the hold of fax %s was acknowledged; it is at the provider: %t; its sidecar is %s", id, left[id], sidecar.Raw)
		case !left[id] && document != sum:
			t.Errorf("fax %s is deleted, and its document is %q in the bucket, want %q", id, document, sum)
		case !left[id] && !gone && !deleting:
			t.Errorf("fax %s is deleted, and its sidecar does not say so: %s", id, sidecar.Raw)
		case left[id] && gone:
			t.Errorf("fax %s is at the provider, and its sidecar says that it is gone: %s", id, sidecar.Raw)
		}
	}
	return left
}

// settle brings all to an end that nobody interrupts: only what is held is left, and each
// sidecar says what became of its fax.
func (w *holdings) settle(t *testing.T) {
	t.Helper()
	w.good(t, 2, "faxes", "prune", "--older-than", "1d", "--archive", w.archive, "--yes")
	w.good(t, 1, "archive", "reindex", w.archive, "--ask")
	w.good(t, 0, "archive", "verify", w.archive)
	for id, left := range w.check(t) {
		if sidecar, _ := w.read(t, id); left && !sidecar.Get("hold").Exists() {
			t.Errorf("fax %s is left at the provider, and nobody holds it: %s", id, sidecar.Raw)
		}
	}
	for id := range w.sums {
		if sidecar, _ := w.read(t, id); len(sidecar.Get("deleting").Array()) > 0 {
			t.Errorf("fax %s: nobody has noted what became of it: %s", id, sidecar.Raw)
		}
	}
}

// begun is a command of one of the machines.
type begun struct {
	cmd   *exec.Cmd
	said  bytes.Buffer
	ended chan struct{}
	err   error
}

func (w *holdings) begin(t *testing.T, machine int, args ...string) *begun {
	t.Helper()
	b := &begun{cmd: w.command(t.Context(), "faxctl", args...), ended: make(chan struct{})}
	b.cmd.Env = append(append(b.cmd.Env, w.machines[machine]...), "FAXCTL_API_URL="+w.provider)
	b.cmd.Stderr = &b.said
	if err := b.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		b.err = b.cmd.Wait()
		close(b.ended)
	}()
	return b
}

func (b *begun) kill() { _ = b.cmd.Process.Kill() }

// wait is the exit status; -1: it was killed.
func (b *begun) wait() int {
	<-b.ended
	exit := new(exec.ExitError)
	if b.err == nil || errors.As(b.err, &exit) {
		return b.cmd.ProcessState.ExitCode()
	}
	return 1
}

// good runs a command to its good end.
func (w *holdings) good(t *testing.T, machine int, args ...string) {
	t.Helper()
	if b := w.begin(t, machine, args...); b.wait() != 0 {
		t.Fatalf("%v: %v\n%s", args, b.err, b.said.String())
	}
}

// meeting lets those who are about to write a sidecar wait a moment for another who is
// about to write the same.
type meeting struct {
	opens atomic.Bool
	met   atomic.Int64

	mu      sync.Mutex
	waiting map[string]chan struct{}
}

// longestWait is how long one of them waits.
const longestWait = 400 * time.Millisecond

func (m *meeting) choose(r *http.Request) s3test.Fault {
	name := r.URL.Path
	if !m.opens.Load() || r.Method != http.MethodPut || path.Ext(name) != ".json" {
		return s3test.None
	}
	m.mu.Lock()
	other, found := m.waiting[name]
	mine := make(chan struct{})
	if found {
		delete(m.waiting, name)
		close(other)
	} else {
		m.waiting[name] = mine
	}
	m.mu.Unlock()
	if found {
		m.met.Add(1)
		return s3test.None
	}
	select {
	case <-mine:
	case <-time.After(longestWait):
		m.mu.Lock()
		if m.waiting[name] == mine {
			delete(m.waiting, name)
		}
		m.mu.Unlock()
	}
	return s3test.None
}
