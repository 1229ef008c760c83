package receiver_test

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/receive/receiver"
	"github.com/faxctl/faxctl/pkg/receive/webhook"
)

// victimWord is the first argument that makes the test binary a receiver which
// is going to be killed. Its folder is the second one.
const victimWord = "victim"

// victim is a receiver whose provider has every fax with an odd number; the
// others come with their callback. It appends the id of each fax that it was
// told to deliver to a file.
func victim(dir string, change func(*receiver.Config) error) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	cfg := receiver.Config{
		PublicURL: publicURL, Keys: []webhook.Key{key}, Account: account,
		Provider: fax.Provider{Name: "test", Faxes: stored{every{newCloud()}}},
		Archive:  newFolder(filepath.Join(dir, "kept")), StateDir: filepath.Join(dir, "state"), Retry: 10 * time.Millisecond,
		Answer: receiver.Answer{StoreMedia: new(false)},
	}
	if err := change(&cfg); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	r, err := receiver.Open(ctx, cfg)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println(l.Addr())
	if err := errors.Join(r.Serve(ctx, l, nil), r.Close()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// stored is a provider that keeps only the faxes with an odd number.
type stored struct{ every }

func (s stored) Get(ctx context.Context, id string) (fax.Fax, error) {
	if odd(id) {
		return s.every.Get(ctx, id)
	}
	return fax.Fax{}, &fax.APIError{Kind: problem.ErrNotFound, Status: 404}
}

func odd(id string) bool { return strings.ContainsAny(id[len(id)-1:], "13579bdf") }

// TestKilled kills a receiver with SIGKILL at random moments while callbacks
// come in, and starts it again: each callback that was answered 2xx is in the
// archive in the end, whole, and nothing else is. FAXCTL_TEST_KILLS says how
// often; the default is quick.
func TestKilled(t *testing.T) {
	kills := 6
	if n, err := strconv.Atoi(os.Getenv("FAXCTL_TEST_KILLS")); err == nil {
		kills = n
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "kept"), 0o700); err != nil {
		t.Fatal(err)
	}
	var next int
	acknowledged := map[string]bool{}
	sent := map[string]bool{}
	for range kills {
		address, kill := startVictim(t, dir)
		var mu sync.Mutex
		var senders sync.WaitGroup
		ctx, stop := context.WithCancel(t.Context())
		client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 8}}
		for range 8 {
			senders.Go(func() {
				for ctx.Err() == nil {
					mu.Lock()
					next++
					id := faxID(next)
					sent[id] = true
					mu.Unlock()
					status := tell(client, address, id)
					if status == 0 {
						return // it is dead
					}
					mu.Lock()
					if status/100 == 2 {
						acknowledged[id] = true
					}
					mu.Unlock()
				}
			})
		}
		time.Sleep(rand.N(300 * time.Millisecond))
		kill()
		senders.Wait()
		stop()
		client.CloseIdleConnections()
	}
	_, kill := startVictim(t, dir)
	defer kill()
	desk, err := receiver.OpenDesk(t.Context(), filepath.Join(dir, "state"))
	if err != nil {
		t.Fatal(err)
	}
	defer desk.Close()
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(50 * time.Millisecond) {
		jobs, err := desk.Jobs(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(jobs) == 0 {
			break
		}
		for _, j := range jobs { // on a slow machine a job may be killed as often as it takes to be parked
			if j.State == receiver.Parked && strings.Contains(j.Error, "killed while it ran") {
				if err := desk.Retry(t.Context(), j.ID); err != nil {
					t.Fatal(err)
				}
			}
		}
		if time.Now().After(end) {
			t.Fatalf("%d jobs are not done, the first is %+v", len(jobs), jobs[0])
		}
	}
	for id := range acknowledged {
		if got, err := os.ReadFile(filepath.Join(dir, "kept", id+".pdf")); err != nil || string(got) != document(id) {
			t.Errorf("acknowledged fax %s: %q, %v", id, got, err)
		}
	}
	kept, err := filepath.Glob(filepath.Join(dir, "kept", "*.pdf"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range kept {
		if id := strings.TrimSuffix(filepath.Base(path), ".pdf"); !sent[id] {
			t.Errorf("%s was never sent", id)
		}
	}
	stats, err := desk.Stats(t.Context())
	if err != nil || stats.Faxes[fax.Received] != len(kept) {
		t.Errorf("%d events for %d documents, %v", stats.Faxes[fax.Received], len(kept), err)
	}
	if waiting, _ := filepath.Glob(filepath.Join(dir, "state", "incoming", "*")); len(waiting) > len(sent)-len(acknowledged) {
		t.Errorf("%d documents wait though nothing is to do", len(waiting))
	}
	t.Logf("%d kills, %d sent, %d acknowledged, %d archived", kills, len(sent), len(acknowledged), len(kept))
}

// startVictim starts a receiver in a process of its own.
func startVictim(t *testing.T, dir string) (address string, kill func()) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], victimWord, dir)
	cmd.Stderr = os.Stderr
	return start(t, cmd)
}

// start starts a receiver in a process of its own, and waits until it listens.
func start(t *testing.T, cmd *exec.Cmd) (address string, kill func()) {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the receiver did not start: %v", errors.Join(err, cmd.Wait()))
	}
	return strings.TrimSpace(line), sync.OnceFunc(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
}

// tell sends a callback and returns the status of the answer, 0 without one.
func tell(client *http.Client, address, id string) int {
	req := post("/fax/done", callbackForm(id))
	if !odd(id) {
		req = multi(callbackForm(id), part{"Media", "fax.pdf", document(id)})
	}
	req.RequestURI = ""
	req.URL.Scheme, req.URL.Host = "http", address
	resp, err := client.Do(req)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

// TestKills: a job that was interrupted by a kill has not failed, not even its last
// attempt. One that was killed seven times in a row, five of them while it alone was
// suspected, is parked; how often it happened to run beside another does not count.
func TestKills(t *testing.T) {
	s := newStation(t, func(c *receiver.Config) {
		c.Deliveries, c.Attempts = running(os.Args[0], programWord, filepath.Join(t.TempDir(), "out")), 1
	})
	form := callbackForm(faxID(1))
	form.Set("FaxStatus", "failed")
	s.told(post("/fax/done", form))
	job := func() receiver.Job {
		desk, err := s.openDesk()
		if err != nil {
			t.Fatal(err)
		}
		defer desk.Close()
		jobs, err := desk.Jobs(t.Context())
		if err != nil || len(jobs) != 1 {
			t.Fatalf("%v, %v", jobs, err)
		}
		return jobs[0]
	}
	kills := func(n int, marked string) {
		for range n {
			s.reopen(func(db *sql.DB) {
				alter(t, db, `UPDATE river_job SET state = 'running', attempt = attempt + 1, metadata = jsonb_set(metadata, '$.marked', `+marked+`)`)
			})
		}
	}
	const others, itself, before = `NULL`, `coalesce(json_array_length(errors), 0)`, `coalesce(json_array_length(errors), 0) - 1`
	kills(20, others)
	if j := job(); j.Attempts != 0 || j.State != "waiting" {
		t.Errorf("after twenty kills beside others: %+v", j)
	}
	kills(2, itself)
	s.reopen(func(db *sql.DB) { alter(t, db, `UPDATE river_job SET errors = jsonb('[{"error":"out of paper"}]')`) })
	kills(2, before)
	kills(4, itself)
	if j := job(); j.State != "waiting" || j.Error != "out of paper" {
		t.Errorf("after a failure and six kills, four of them its own: %+v", j)
	}
	kills(1, itself)
	j := job()
	if j.State != "parked" || !strings.Contains(j.Error, "killed while it ran, seven times in a row") {
		t.Errorf("after a fifth one: %+v", j)
	}
	desk, err := s.openDesk()
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(desk.Retry(t.Context(), j.ID), desk.Close()); err != nil {
		t.Fatal(err)
	}
	kills(2, others)
	kills(4, itself)
	if j := job(); j.State != "waiting" {
		t.Errorf("tried again, and killed six times: %+v", j)
	}
	s.run()
	s.until("the program has run", func() bool { return noJobs(t, s) })
}

// noJobs tells whether nothing is left to do.
func noJobs(t *testing.T, s *station) bool {
	t.Helper()
	desk, err := s.openDesk()
	if err != nil {
		t.Fatal(err)
	}
	defer desk.Close()
	jobs, err := desk.Jobs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, j := range jobs {
		if j.Kind == "exec" {
			return false
		}
	}
	return true
}
