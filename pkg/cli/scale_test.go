package cli_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/faxctl/faxctl/pkg/archive/s3/s3test"
	"github.com/faxctl/faxctl/pkg/sandbox"
)

var scaleKills = flag.Int("scale-kills", 5, "how often TestScale kills something")

// TestScale lets faxes come to three receivers, which share a database and an archive on
// S3, as fast as they are archived, and all the while kills: every two seconds one of the
// receivers, now and then PostgreSQL or the S3 server. What was acknowledged is kept in the
// end, once and whole, and somebody was told of it; holds are where they were put. The
// script .ci/scale runs it at length.
//
//	go test ./pkg/cli -run '^TestScale$' -scale-kills 1000 -timeout 0 -v
func TestScale(t *testing.T) {
	s := newScale(t, "--store-media=false", "--backfill", "10s")
	var work sync.WaitGroup
	calling, hangUp := context.WithCancel(t.Context())
	defer hangUp()
	for i := range 6 {
		work.Go(func() { s.call(calling, t, i) })
	}
	work.Go(func() { s.hold(calling, t) })
	killed := s.kill(t, *scaleKills)
	hangUp()
	work.Wait()
	s.settle(t)
	s.check(t)
	t.Logf("%d answers, %d news refused, %d repeated, %d late, %d documents came with a callback", s.balancer.answers.Load(), s.balancer.refused.Load(),
		s.balancer.repeats.Load(), s.balancer.late.Load(), s.balancer.answers.Load()/10)
	lost, twice := s.count()
	fmt.Printf("%d acknowledged, %d archived, %d lost, %d twice, %d kills\n", len(s.told), len(s.sidecars), lost, twice, killed)
	if lost+twice > 0 || len(s.told) == 0 {
		t.Error("see the line above")
	}
}

// scale is three receivers, and all that they need.
type scale struct {
	*cloud
	sheets    [][]byte
	balancer  *balancer
	heard     *heard
	receivers []*supervised
	outages   []killable // PostgreSQL, then the S3 server
	bucket    *s3test.Server
	archive   string   // s3://…
	database  string   // postgres://…
	env       []string // of every faxctl

	mu   sync.Mutex
	told map[string]string // sha256 of the document of each fax that was acknowledged
	held map[string]bool

	// What is in the bucket in the end, by fax.
	kept     map[string][]string // sha256 of the documents
	sidecars map[string]int
}

const replicas = 3

// newScale starts three receivers with these flags.
func newScale(t *testing.T, flags ...string) *scale {
	t.Helper()
	s := &scale{
		cloud:  newCloud(t, sandbox.Options{}, sandbox.SeedOptions{}),
		sheets: draw(t), heard: newHeard(t), told: map[string]string{}, held: map[string]bool{},
	}
	database, postgres := scaleDatabase(t)
	direct, env, server := scaleBucket(t)
	s.database, s.bucket, s.archive, s.outages = database, direct, "s3://"+scaleName+"/"+strings.TrimSuffix(scalePrefix, "/"), []killable{postgres, server}
	s.env = append(env, "FAXCTL_DATABASE="+database, "FAXCTL_ARCHIVE="+s.archive, "FAXCTL_FORWARD_KEY=secret-of-forwards")
	var backends []string
	for range replicas {
		backends = append(backends, freeAddress(t))
	}
	s.balancer = newBalancer(t, backends)
	for i, address := range backends {
		s.receivers = append(s.receivers, supervise(t, filepath.Join(s.home, fmt.Sprint("log", i)), func() *exec.Cmd {
			return s.faxctl(context.Background(), append([]string{
				"serve", "--public-url", s.balancer.url, "--listen", address, "--state", filepath.Join(s.home, fmt.Sprint("state", i)),
				"--forward", s.heard.url, "--attempts", "1000", "--drain", "2s",
			}, flags...)...)
		}))
	}
	s.run(t, nil, "faxctl", "numbers", "buy", linePhone, "--fax-url", s.balancer.url+"/fax", "--allow-http", "--yes")
	return s
}

// faxctl is a command of the account, with the database and the archive of all.
func (s *scale) faxctl(ctx context.Context, args ...string) *exec.Cmd {
	cmd := s.command(ctx, "faxctl", args...)
	cmd.Env = append(cmd.Env, s.env...)
	return cmd
}

// call lets faxes come one after the other, no faster than they are archived.
func (s *scale) call(ctx context.Context, t *testing.T, n int) {
	caller := s.NewCaller(s.url)
	defer caller.Close()
	for ; ctx.Err() == nil; n += 6 {
		if s.behind() > 200 {
			time.Sleep(20 * time.Millisecond)
			continue
		}
		sheet := s.sheets[n%len(s.sheets)]
		call, err := caller.Call(ctx, sandbox.Incoming{From: "+14155550199", To: linePhone, Document: sheet, ContentType: "application/pdf"})
		switch {
		case ctx.Err() != nil:
			return // of the last one nobody knows
		case err != nil:
			t.Error(err)
			return
		case call.Told && call.Status == "received":
			sum := sha256.Sum256(sheet)
			s.mu.Lock()
			s.told[call.FaxID] = hex.EncodeToString(sum[:])
			s.mu.Unlock()
		default:
			time.Sleep(50 * time.Millisecond) // nobody is there
		}
	}
}

// behind is about how many faxes were acknowledged of which nobody was told yet.
func (s *scale) behind() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.told) - s.heard.faxes()
}

// hold puts faxes on hold that are archived, one now and then.
func (s *scale) hold(ctx context.Context, t *testing.T) {
	for ctx.Err() == nil {
		time.Sleep(500 * time.Millisecond)
		id := s.heard.any()
		if id == "" || s.held[id] {
			continue
		}
		cmd := s.faxctl(ctx, "archive", "hold", s.archive, id, "--reason", "case "+id, "--retry-for", "1s")
		out, err := cmd.CombinedOutput()
		if err == nil {
			s.held[id] = true
		} else if ctx.Err() == nil && cmd.ProcessState.ExitCode() != 7 { // which is that of an outage
			t.Errorf("hold: %v: %s", err, out)
		}
	}
}

// kill kills something every two seconds, so many times, and has it started again. One
// kill of fifteen is that of a server.
func (s *scale) kill(t *testing.T, kills int) (killed int) {
	for ; killed < kills; killed++ {
		time.Sleep(2 * time.Second)
		if killed%15 != 3 && killed%15 != 10 {
			s.receivers[rand.IntN(replicas)].kill()
			continue
		}
		o := s.outages[killed%2]
		o.kill(t)
		time.Sleep(time.Duration(rand.IntN(2000)) * time.Millisecond)
		o.start(t)
	}
	return killed
}

// settle waits until somebody was told of all that was promised, and no job is under way;
// then it ends the receivers. A fax that nobody acknowledged is found by a backfill, and while
// it is archived that is half done. The document of a call that was cut off never comes: a job
// waits for it.
func (s *scale) settle(t *testing.T) {
	t.Helper()
	for end := time.Now().Add(5 * time.Minute); ; time.Sleep(500 * time.Millisecond) {
		received, err := s.faxctl(t.Context(), "faxes", "list", "--status", "received", "-o", "id").Output()
		jobs, bad := s.faxctl(t.Context(), "serve", "jobs", "list", "-o", "jsonl").Output()
		ids := map[string]string{}
		for id := range strings.FieldsSeq(string(received)) {
			ids[id] = ""
		}
		for line := range strings.Lines(string(jobs)) {
			if job := gjson.Parse(line); job.Get("state").String() == "retrying" {
				delete(ids, job.Get("fax_id").String())
			}
		}
		maps.Copy(ids, s.told)
		left := len(ids) - s.heard.count(ids)
		if left == 0 && err == nil && bad == nil {
			break
		}
		if time.Now().After(end) {
			t.Errorf("of %d faxes nobody was told, %v, %v; the jobs:\n%s", left, err, bad, jobs)
			break
		}
	}
	for i, r := range s.receivers {
		s.until(t, "one that was killed works again", time.Minute, func() bool { return ready(s.balancer.backends[i]) }) // else it would be ended while it starts
		r.stop(t)
	}
}

// ready asks a receiver whether it can take faxes.
func ready(address string) bool {
	resp, err := http.Get("http://" + address + "/readyz")
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// check reads the bucket, and looks whether faxctl finds in it what is there: whole, listed,
// held.
func (s *scale) check(t *testing.T) {
	t.Helper()
	s.kept, s.sidecars = readBucket(t, s.bucket)
	if out, err := s.faxctl(t.Context(), "archive", "verify", s.archive).CombinedOutput(); err != nil {
		t.Errorf("verify: %v\n%s", err, out)
	}
	out, err := s.faxctl(t.Context(), "archive", "list", s.archive, "-o", "jsonl").Output()
	if err != nil {
		t.Fatalf("list: %v", err)
	}
	listed, held := map[string]bool{}, map[string]bool{}
	for line := range strings.Lines(string(out)) {
		e := gjson.Parse(line)
		id := e.Get("fax.id").String()
		listed[id], held[id] = true, e.Get("hold").Exists()
	}
	for id := range s.sidecars {
		if !listed[id] {
			t.Errorf("fax %s is in the bucket, and is not listed", id)
		}
	}
	for id := range s.held {
		if !held[id] {
			t.Errorf("fax %s was held, and is not any more", id)
		}
	}
}

// count is how many of the faxes that were acknowledged are not in the bucket with their
// document, and how many of all are there twice.
func (s *scale) count() (lost, twice int) {
	for id, sum := range s.told {
		if s.sidecars[id] == 0 || !slices.Contains(s.kept[id], sum) {
			lost++
		}
	}
	for id, n := range s.sidecars {
		if n > 1 || len(s.kept[id]) > 1 {
			twice++
		}
	}
	return lost, twice
}

// supervised is a receiver that is started again whenever it has ended.
type supervised struct {
	mu   sync.Mutex
	cmd  *exec.Cmd
	over atomic.Bool
	done chan struct{}
}

// supervise runs a command again and again; all say what they have to say into one log.
func supervise(t *testing.T, log string, command func() *exec.Cmd) *supervised {
	t.Helper()
	s := &supervised{done: make(chan struct{})}
	said, err := os.Create(log)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(s.done)
		for {
			cmd := command()
			s.mu.Lock()
			if s.over.Load() {
				s.mu.Unlock()
				return
			}
			cmd.Stderr = said
			err := cmd.Start()
			s.cmd = cmd
			s.mu.Unlock()
			if err == nil {
				err = cmd.Wait()
			}
			if err != nil && !s.over.Load() {
				time.Sleep(200 * time.Millisecond)
			}
		}
	}()
	t.Cleanup(func() {
		s.over.Store(true)
		s.kill()
		<-s.done
		if text, err := os.ReadFile(log); t.Failed() && err == nil {
			t.Logf("%s ends with\n%s", filepath.Base(log), text[max(0, len(text)-4000):])
		}
		_ = said.Close() // by now it is read
	})
	return s
}

func (s *supervised) kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd != nil && s.cmd.Process != nil {
		_ = s.cmd.Process.Kill()
	}
}

// stop ends the receiver in order.
func (s *supervised) stop(t *testing.T) {
	t.Helper()
	s.mu.Lock()
	s.over.Store(true)
	err := s.cmd.Process.Signal(os.Interrupt)
	s.mu.Unlock()
	<-s.done
	if err != nil || s.cmd.ProcessState.ExitCode() != 0 {
		t.Errorf("a receiver did not end in order: %v, %v", err, s.cmd.ProcessState)
	}
}

// heard is an application that is told of faxes.
type heard struct {
	url string

	mu  sync.Mutex
	ids []string
	set map[string]int // times
}

func newHeard(tb testing.TB) *heard {
	tb.Helper()
	h := &heard{set: map[string]int{}}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		id, status, _ := strings.Cut(r.Header.Get("X-Faxctl-Event"), "/")
		if status != "received" {
			return // of one that failed there is nothing to keep
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.set[id]++; h.set[id] == 1 {
			h.ids = append(h.ids, id)
		}
	}))
	h.url = server.URL
	tb.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return h
}

// faxes is of how many faxes the application was told.
func (h *heard) faxes() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.ids)
}

// count is how many of these it was told of.
func (h *heard) count(ids map[string]string) (n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for id := range ids {
		if h.set[id] > 0 {
			n++
		}
	}
	return n
}

// any is one of them; "": there is none.
func (h *heard) any() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.ids) == 0 {
		return ""
	}
	return h.ids[rand.IntN(len(h.ids))]
}
