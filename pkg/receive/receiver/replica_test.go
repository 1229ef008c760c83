package receiver_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/archive/dir"
	"github.com/faxctl/faxctl/pkg/base/durable"
	"github.com/faxctl/faxctl/pkg/base/postgres"
	"github.com/faxctl/faxctl/pkg/base/postgres/postgrestest"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/receive/delivery"
	"github.com/faxctl/faxctl/pkg/receive/receiver"
)

// replicaWord is the first argument that makes the test binary one of several receivers
// of an account. A folder, what it is called, the database and how it works follow.
const replicaWord = "replica"

// The ways in which a replica works.
const (
	brisk = "brisk"
	never = "never" // no document is ever kept: its work lasts until it is cut off
)

func replica(root, name, url, how string) int {
	db, err := postgres.Open(context.Background(), url, postgres.Options{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer db.Close()
	return victim(root, func(c *receiver.Config) error {
		c.Database, c.Incoming = db, dir.New(filepath.Join(root, "kept"), durable.OS{})
		c.StateDir, c.Drain = filepath.Join(root, "state-"+name), time.Minute
		if how == never {
			c.Drain = time.Second
		}
		c.Archive = noted{c.Archive.(*folder), root, name, how}
		c.Log = slog.New(slog.NewTextHandler(os.Stderr, nil))
		c.Backfill = time.Hour
		c.Provider.Faxes = asked{c.Provider.Faxes, root, name, how}
		c.Deliveries = []delivery.Delivery{{Name: "exec", Limit: time.Minute, Deliver: func(_ context.Context, n delivery.News, _ delivery.Target) error {
			return note(root, "told", n.FaxID)
		}}}
		return nil
	})
}

// noted is an archive that tells who kept what.
type noted struct {
	*folder
	root, name, how string
}

func (n noted) Save(ctx context.Context, faxes fax.Faxes, f fax.Fax) (receiver.Kept, error) {
	if err := note(n.root, "begun-"+n.name, f.ID); err != nil {
		return receiver.Kept{}, err
	}
	if n.how == never {
		<-ctx.Done()
		return receiver.Kept{}, ctx.Err()
	}
	kept, err := n.folder.Save(ctx, faxes, f)
	if err == nil {
		err = note(n.root, "saved", f.ID)
	}
	return kept, err
}

// asked is a provider that tells who has its faxes listed.
type asked struct {
	fax.Faxes
	root, name, how string
}

func (a asked) Page(ctx context.Context, q fax.Filter, _ int, _ string) (fax.Page[fax.Fax], error) {
	if q.After.IsZero() { // it is asked whether it is there
		return fax.Page[fax.Fax]{}, nil
	}
	if err := note(a.root, "listed", a.name); err != nil || a.how == brisk {
		return fax.Page[fax.Fax]{}, err
	}
	<-ctx.Done()
	return fax.Page[fax.Fax]{}, ctx.Err()
}

// note adds a line to a file that several processes write to.
func note(root, file, line string) error {
	f, err := os.OpenFile(filepath.Join(root, file), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(line + "\n")
	return errors.Join(err, f.Close())
}

func noteLines(t *testing.T, root, file string) []string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, file))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return strings.Fields(string(b))
}

// cluster is several replicas, each in a process of its own.
type cluster struct {
	t    *testing.T
	root string
	url  string
	db   *sql.DB
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{t: t, root: t.TempDir(), url: newDatabaseURL(t)}
	c.db = connect(t, c.url)
	if err := os.Mkdir(filepath.Join(c.root, "kept"), 0o700); err != nil {
		t.Fatal(err)
	}
	return c
}

// member is a replica of a cluster.
type member struct {
	address string
	process *os.Process
	kill    func()
	log     *logBuffer
}

func (c *cluster) start(name, how string) member {
	c.t.Helper()
	cmd := exec.CommandContext(c.t.Context(), os.Args[0], replicaWord, c.root, name, c.url, how)
	m := member{log: new(logBuffer)}
	cmd.Stderr = m.log
	m.address, m.kill = start(c.t, cmd)
	m.process = cmd.Process
	c.t.Cleanup(func() {
		m.kill()
		if c.t.Failed() {
			c.t.Logf("%s:\n%s", name, m.log)
		}
	})
	return m
}

func (c *cluster) count(query string) (n int) {
	c.t.Helper()
	query = strings.ReplaceAll(query, "@", "faxctl_"+strings.ToLower(account)+".")
	if err := c.db.QueryRowContext(c.t.Context(), query).Scan(&n); err != nil {
		c.t.Fatal(err)
	}
	return n
}

func (c *cluster) until(what string, most time.Duration, ok func() bool) {
	c.t.Helper()
	for end := time.Now().Add(most); !ok(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			c.t.Fatalf("%s: not within %s", what, most)
		}
	}
}

// kept checks that documents are in the archive, whole.
func (c *cluster) kept(ids []string) bool {
	for _, id := range ids {
		got, err := os.ReadFile(filepath.Join(c.root, "kept", id+".pdf"))
		if err != nil || string(got) != document(id) {
			return false
		}
	}
	return true
}

// TestReplicas: callbacks to any of three, with and without documents, and repeated to
// another one. Nothing dies: each fax is kept once and told once, what comes back by
// itself runs once at a time, and who ends takes nothing with it.
func TestReplicas(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	all := []member{c.start("a", brisk), c.start("b", brisk), c.start("c", brisk)}
	c.until("all have joined", time.Minute, func() bool { return c.count(`SELECT count(*) FROM @receiver_replica`) == 3 })
	c.until("the provider's list is read", time.Minute, func() bool { return len(noteLines(t, c.root, "listed")) > 0 })
	var ids []string
	var mu sync.Mutex
	var senders sync.WaitGroup
	for s := range 4 {
		senders.Go(func() {
			for i := range 40 {
				id := faxID(1 + s*1000 + i)
				for range 2 {
					if status := tell(http.DefaultClient, all[rand.N(3)].address, id); status != http.StatusNoContent {
						t.Errorf("%s: answered %d", id, status)
					}
				}
				mu.Lock()
				ids = append(ids, id)
				mu.Unlock()
			}
		})
	}
	senders.Wait()
	ended := make(chan struct{})
	go func() { // in the middle of it
		defer close(ended)
		all[2].process.Signal(syscall.SIGTERM)
		all[2].process.Wait()
	}()
	c.until("all are kept and told", time.Minute, func() bool {
		return c.kept(ids) && len(noteLines(t, c.root, "told")) >= len(ids)
	})
	<-ended
	for _, file := range []string{"saved", "told"} {
		got := noteLines(t, c.root, file)
		slices.Sort(got)
		slices.Sort(ids)
		if !slices.Equal(got, ids) {
			t.Errorf("%s: %d lines for %d faxes, %d of them different", file, len(got), len(ids), len(slices.Compact(got)))
		}
	}
	if n := c.count(`SELECT count(*) FROM @receiver_replica`); n != 2 {
		t.Errorf("one has ended, and there are %d", n)
	}
	c.until("no document waits", time.Minute, func() bool {
		left, _ := filepath.Glob(filepath.Join(c.root, "kept", ".incoming", "*", "*"))
		return len(left) == 0
	})
	if parts, _ := filepath.Glob(filepath.Join(c.root, "state-*", "incoming", "*")); len(parts) > 0 {
		t.Errorf("left are %v", parts)
	}
	c.until("nothing is left to do", time.Minute, func() bool { return c.count(`SELECT count(*) FROM @river_job WHERE state <> 'completed'`) == 0 })
	done := c.count(`SELECT count(*) FROM @river_job WHERE kind = 'backfill'`)
	if n := len(noteLines(t, c.root, "listed")); n != done || n > 2 { // once more by who begins to lead, should it be the leader that ended
		t.Errorf("the provider's list is read %d times for %d jobs", n, done)
	}
}

// TestReplicaIsGone: what runs at a replica that was killed, or that is silent, runs at
// another one within a minute, although it may take a quarter of an hour; it counts as a
// kill. Who comes back begins anew, and who is told to end gives back at once.
func TestReplicaIsGone(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	killed, silent := c.start("killed", never), c.start("silent", never)
	var ids []string
	for i := range 40 {
		id := faxID(1 + i)
		if status := tell(http.DefaultClient, []member{killed, silent}[i%2].address, id); status != http.StatusNoContent {
			t.Fatalf("answered %d", status)
		}
		ids = append(ids, id)
	}
	c.until("each works as much as it may", time.Minute, func() bool {
		return len(noteLines(t, c.root, "begun-killed")) == 16 && len(noteLines(t, c.root, "begun-silent")) == 16 &&
			c.count(`SELECT count(*) FROM @river_job WHERE kind = 'fetch' AND state = 'running'`) == 40 // four each are claimed ahead
	})
	c.until("one of them reads the provider's list", time.Minute, func() bool { return len(noteLines(t, c.root, "listed")) == 1 })
	lives := c.start("lives", brisk)
	begun := time.Now()
	killed.kill()
	silent.process.Signal(syscall.SIGSTOP)
	c.until("all is kept", time.Minute, func() bool { return c.kept(ids) })
	t.Logf("after %s", time.Since(begun).Round(time.Second))
	if n := c.count(`SELECT count(*) FROM @river_job WHERE kind = 'fetch' AND (metadata ->> 'kills')::int = 1`); n != 40 {
		t.Errorf("%d jobs were killed", n)
	}
	c.until("the list is read by another one", time.Minute, func() bool { return slices.Contains(noteLines(t, c.root, "listed"), "lives") })
	silent.process.Signal(syscall.SIGCONT)
	c.until("it begins anew", time.Minute, func() bool { return c.count(`SELECT count(*) FROM @receiver_replica`) == 2 })
	c.until("it tells so", time.Minute, func() bool { return strings.Contains(silent.log.String(), "begins anew") })
	lives.process.Signal(syscall.SIGSTOP) // so that the other one takes the next
	id := faxID(100)
	c.until("it works again", time.Minute, func() bool {
		tell(http.DefaultClient, silent.address, id)
		return slices.Contains(noteLines(t, c.root, "begun-silent"), id)
	})
	lives.process.Signal(syscall.SIGCONT)
	silent.process.Signal(syscall.SIGTERM)
	silent.process.Wait()
	if n := c.count(`SELECT count(*) FROM @river_job WHERE state = 'running' AND attempted_by[array_upper(attempted_by, 1)] NOT IN (SELECT id FROM @receiver_replica)`); n != 0 {
		t.Errorf("it has ended, and %d jobs run there", n)
	}
	c.until("it is kept", time.Minute, func() bool { return c.kept([]string{id}) })
	got := noteLines(t, c.root, "saved")
	if slices.Sort(got); len(slices.Compact(slices.Clone(got))) != len(got) {
		t.Errorf("kept twice: %v", got)
	}
}

// TestOldHand: a replica that was taken for gone, and lives, does not touch the job that
// runs elsewhere by now: neither when its own work fails, nor when it succeeds.
func TestOldHand(t *testing.T) {
	t.Parallel()
	for _, outcome := range []error{nil, errors.New("the disk is full"), problem.ErrUnavailable} {
		t.Run(fmt.Sprint(outcome), func(t *testing.T) {
			t.Parallel()
			type run struct {
				at  int // which station
				end chan error
			}
			db, begun, over := newDatabase(t), make(chan run, 8), make(chan struct{})
			var stations [2]*station
			station := func(i int) {
				stations[i] = newStation(t, func(c *receiver.Config) {
					c.Database, c.Deliveries = db, []delivery.Delivery{{Name: "exec", Limit: time.Minute, Deliver: func(ctx context.Context, _ delivery.News, _ delivery.Target) error {
						r := run{i, make(chan error, 1)}
						begun <- r
						select {
						case err := <-r.end:
							return err
						case <-over: // also for what begins anew once the first is noticed to be gone
							return nil
						case <-ctx.Done():
							return ctx.Err()
						}
					}}}
				})
				stations[i].run()
			}
			station(0)
			form := callbackForm(faxID(1))
			form.Set("FaxStatus", "failed")
			stations[0].told(post("/fax/done", form))
			first := <-begun
			if first.at != 0 {
				t.Fatal(first)
			}
			station(1)
			tables := "faxctl_" + strings.ToLower(account) + "."
			alter(t, db, `DELETE FROM `+tables+`receiver_replica WHERE id = $1`, stations[0].Replica())
			if err := stations[1].GiveBack(t.Context()); err != nil {
				t.Fatal(err)
			}
			second := <-begun // the first may be as quick: it does not know
			first.end <- outcome
			state := func() (s string) {
				if err := db.QueryRowContext(t.Context(), `SELECT state || ' after ' || coalesce(array_length(errors, 1), 0) FROM `+tables+`river_job WHERE kind = 'exec'`).Scan(&s); err != nil {
					t.Fatal(err)
				}
				return s
			}
			if second.at == 1 {
				for range 20 {
					if got := state(); got != "running after 0" {
						t.Fatalf("the job is %s, as the first one left it", got)
					}
					time.Sleep(25 * time.Millisecond)
				}
			}
			close(over)
			stations[1].until("done", func() bool { return state() == "completed after 0" })
		})
	}
}

// TestKillsOfReplicas is as TestKills, for jobs that ran at replicas that are gone.
func TestKillsOfReplicas(t *testing.T) {
	t.Parallel()
	db := newDatabase(t)
	s := newStation(t, func(c *receiver.Config) {
		c.Database, c.Attempts = db, 1
		c.Deliveries = running(os.Args[0], programWord, filepath.Join(t.TempDir(), "out"))
	})
	form := callbackForm(faxID(1))
	form.Set("FaxStatus", "failed")
	s.told(post("/fax/done", form))
	jobs := "faxctl_" + strings.ToLower(account) + ".river_job"
	const others, itself = `NULL`, `(coalesce(array_length(errors, 1), 0))::text`
	kills := func(n int, marked string) {
		t.Helper()
		for range n {
			alter(t, db, `UPDATE `+jobs+` SET state = 'running', attempt = attempt + 1, attempted_by = array_append(attempted_by, 'gone'),
				metadata = metadata || jsonb_build_object('marked', `+marked+`)`)
			if err := s.GiveBack(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	job := func() receiver.Job {
		t.Helper()
		all := s.jobs()
		if len(all) != 1 {
			t.Fatal(all)
		}
		return all[0]
	}
	kills(20, others)
	if j := job(); j.Attempts != 0 || j.State != "waiting" {
		t.Errorf("after twenty kills beside others: %+v", j)
	}
	kills(2, itself)
	alter(t, db, `UPDATE `+jobs+` SET errors = ARRAY['{"error":"out of paper"}'::jsonb]`)
	kills(2, others)
	kills(4, itself)
	if j := job(); j.State != "waiting" || j.Error != "out of paper" {
		t.Errorf("after a failure and six kills, four of them its own: %+v", j)
	}
	kills(1, itself)
	j := job()
	if j.State != "parked" || !strings.Contains(j.Error, "killed while it ran, seven times in a row") {
		t.Errorf("after a fifth one: %+v", j)
	}
	if err := s.desk().Retry(t.Context(), j.ID); err != nil {
		t.Fatal(err)
	}
	s.run()
	s.until("the program has run", func() bool { return noJobs(t, s) })
}

// TestSuspectsOfReplicas: of the suspects of all replicas one has its turn.
func TestSuspectsOfReplicas(t *testing.T) {
	t.Parallel()
	db := newDatabase(t)
	var mu sync.Mutex
	var now, most, done int
	config := func(c *receiver.Config) {
		c.Jobs = 2 // so that each has suspects
		c.Database, c.Deliveries = db, []delivery.Delivery{{Name: "exec", Limit: time.Minute, Deliver: func(context.Context, delivery.News, delivery.Target) error {
			mu.Lock()
			now++
			most = max(most, now)
			mu.Unlock()
			time.Sleep(200 * time.Millisecond)
			mu.Lock()
			now, done = now-1, done+1
			mu.Unlock()
			return nil
		}}}
	}
	a, b := newStation(t, config), newStation(t, config)
	for i := range 4 {
		form := callbackForm(faxID(i + 1))
		form.Set("FaxStatus", "failed")
		a.told(post("/fax/done", form))
	}
	for range 2 {
		alter(t, db, `UPDATE faxctl_`+strings.ToLower(account)+`.river_job SET state = 'running', attempt = attempt + 1, attempted_by = '{gone}'`)
		if err := a.GiveBack(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	a.run()
	b.run()
	a.until("all had their turn", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return done == 4
	})
	if most != 1 {
		t.Errorf("%d suspects at once", most)
	}
}

// TestDatabaseIsAway: without its database a receiver says so, takes nothing, keeps
// nobody waiting, and goes on by itself when it is back.
func TestDatabaseIsAway(t *testing.T) {
	t.Parallel()
	own := postgrestest.New(t)
	db := connect(t, own.Database(t))
	s := newStation(t, func(c *receiver.Config) { c.Database, c.Incoming = db, dir.New(t.TempDir(), durable.OS{}) })
	s.cloud.add(faxID(1))
	s.cloud.add(faxID(2))
	question := url.Values{"FaxSid": {faxID(3)}, "AccountSid": {account}, "From": {sender}, "To": {ourNumber}}
	s.run()
	s.told(post("/fax/done", callbackForm(faxID(1))))
	s.until("the first is kept", func() bool { return s.archive.saved(faxID(1)) == 1 })
	own.Kill(t)
	for _, req := range []*http.Request{post("/fax/done", callbackForm(faxID(2))), multi(callbackForm(faxID(2)), part{"Media", "fax.pdf", document(faxID(2))})} {
		begun := time.Now()
		if w := s.do(req); w.Code != http.StatusServiceUnavailable {
			t.Errorf("answered %d", w.Code)
		}
		if took := time.Since(begun); took > time.Minute { // how long exactly: [TestAnswerInTime]
			t.Errorf("answered after %s", took)
		}
	}
	s.until("who calls is sent to the fallback URL", func() bool { return s.do(post("/fax", question)).Code == http.StatusServiceUnavailable })
	s.until("it says so", func() bool {
		is := s.ready()
		return strings.HasPrefix(is, "Service Unavailable") && strings.Contains(is, "database: failed, it is not there")
	})
	own.Start(t)
	s.until("it takes faxes again", func() bool { return s.do(post("/fax/done", callbackForm(faxID(2)))).Code == http.StatusNoContent })
	s.until("the second is kept", func() bool { return s.archive.saved(faxID(2)) == 1 })
	s.until("ready", func() bool { return strings.HasPrefix(s.ready(), "OK") })
	if w := s.do(post("/fax", question)); w.Code != http.StatusOK {
		t.Errorf("answered %d", w.Code)
	}
}

// TestDatabaseIsAwayAtTheStart: a database that is lost in the moment of starting ends no
// receiver, as it ends none later.
func TestDatabaseIsAwayAtTheStart(t *testing.T) {
	t.Parallel()
	own := postgrestest.New(t)
	db := connect(t, own.Database(t))
	s := newStation(t, func(c *receiver.Config) { c.Database, c.ArchiveName = db, "one" })
	s.cloud.add(faxID(1))
	s.told(post("/fax/done", callbackForm(faxID(1))))
	own.Kill(t)
	stop := s.run()
	s.until("it waits", func() bool { return strings.Contains(s.log.String(), "the jobs are not worked off yet") })
	if is := s.ready(); !strings.HasPrefix(is, "Service Unavailable") {
		t.Error(is)
	}
	stop() // which is no failure
	s.run()
	own.Start(t)
	s.until("the fax is kept", func() bool { return s.archive.saved(faxID(1)) == 1 })
}

// TestDatabaseIsSilentAtTheStart: nor does one that takes what it is sent and says nothing,
// as a server whose machine is stopped.
func TestDatabaseIsSilentAtTheStart(t *testing.T) {
	t.Parallel()
	url := newDatabaseURL(t)
	through, silence := relay(t, server.Port(t))
	db := connect(t, strings.Replace(url, fmt.Sprint(":", server.Port(t)), ":"+through, 1))
	s := newStation(t, func(c *receiver.Config) { c.Database, c.ArchiveName = db, "one" })
	s.cloud.add(faxID(1))
	s.told(post("/fax/done", callbackForm(faxID(1))))
	speak := silence()
	stop := s.run()
	s.until("it waits", func() bool { return strings.Contains(s.log.String(), "the jobs are not worked off yet") })
	speak()
	s.until("the fax is kept", func() bool { return s.archive.saved(faxID(1)) == 1 })
	stop()
}

// TestDatabaseIsSilent: a database that takes what it is sent, and says nothing, keeps
// nobody waiting for longer than a provider waits.
func TestDatabaseIsSilent(t *testing.T) {
	t.Parallel()
	url := newDatabaseURL(t)
	through, silence := relay(t, server.Port(t))
	db := connect(t, strings.Replace(url, fmt.Sprint(":", server.Port(t)), ":"+through, 1))
	s := newStation(t, func(c *receiver.Config) { c.Database = db })
	s.told(post("/fax/done", callbackForm(faxID(1))))
	speak := silence()
	begun := time.Now()
	var senders sync.WaitGroup
	for i := range 8 {
		senders.Go(func() {
			if w := s.do(post("/fax/done", callbackForm(faxID(2+i)))); w.Code != http.StatusServiceUnavailable {
				t.Errorf("answered %d", w.Code)
			}
		})
	}
	senders.Wait()
	if took := time.Since(begun); took > time.Minute { // how long exactly: [TestAnswerInTime]
		t.Errorf("answered after %s", took)
	}
	speak()
	s.until("it takes faxes again", func() bool { return s.do(post("/fax/done", callbackForm(faxID(2)))).Code == http.StatusNoContent })
}

// relay passes on what goes to a port of this machine, until it is told to be silent.
func relay(t *testing.T, port int) (at string, silence func() (speak func())) {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var turn sync.RWMutex // held while it is silent
	var conns sync.WaitGroup
	pass := func(to, from net.Conn) {
		defer to.Close()
		b := make([]byte, 16<<10)
		for {
			n, err := from.Read(b)
			turn.RLock()
			if err == nil {
				_, err = to.Write(b[:n])
			}
			turn.RUnlock()
			if err != nil {
				return
			}
		}
	}
	conns.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := new(net.Dialer).DialContext(context.Background(), "tcp", fmt.Sprint("127.0.0.1:", port))
			if err != nil {
				in.Close()
				continue
			}
			conns.Go(func() { pass(in, out) })
			conns.Go(func() { pass(out, in) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		conns.Wait()
	})
	_, at, _ = net.SplitHostPort(l.Addr().String())
	return at, func() func() {
		turn.Lock()
		return turn.Unlock
	}
}

// TestBehindPgBouncer: no more than a transaction is needed of a connection.
func TestBehindPgBouncer(t *testing.T) {
	t.Parallel()
	url := newDatabaseURL(t)
	by := server.Bouncer(t, 3)
	name := url[strings.LastIndexByte(url, '/')+1:]
	var all []*station
	for range 2 {
		s := newStation(t, func(c *receiver.Config) { c.Database = connect(t, by(name)) })
		s.run()
		all = append(all, s)
	}
	for i := range 20 {
		for _, s := range all { // whichever fetches it
			s.cloud.add(faxID(i))
		}
		all[i%2].told(post("/fax/done", callbackForm(faxID(i))))
	}
	all[0].until("all are kept", func() bool {
		for i := range 20 {
			if all[0].archive.saved(faxID(i))+all[1].archive.saved(faxID(i)) != 1 {
				return false
			}
		}
		return true
	})
}

// TestOutageIsNoSilence: when the database comes back after longer than a replica may be
// silent, whichever says first that it lives takes no other for gone.
func TestOutageIsNoSilence(t *testing.T) {
	t.Parallel()
	own := postgrestest.New(t)
	url := own.Database(t)
	var all []*station
	for range 3 {
		s := newStation(t, func(c *receiver.Config) { c.Database = connect(t, url) })
		s.run()
		all = append(all, s)
	}
	time.Sleep(7 * time.Second) // each has said so
	own.Kill(t)
	time.Sleep(22 * time.Second)
	own.Start(t)
	time.Sleep(8 * time.Second) // each has said so again
	for _, s := range all {
		if log := s.log.String(); strings.Contains(log, "is gone") || strings.Contains(log, "begins anew") {
			t.Errorf("taken for gone:\n%s", log)
		}
	}
}

// TestOneSuspectIsMarked: of suspects that run at several replicas one is marked at a time,
// however close together they ask.
func TestOneSuspectIsMarked(t *testing.T) {
	t.Parallel()
	db := newDatabase(t)
	config := func(c *receiver.Config) { c.Database = db }
	a, b := newStation(t, config), newStation(t, config)
	table := "faxctl_" + strings.ToLower(account) + ".river_job"
	for i := range 2 {
		a.told(post("/fax/done", callbackForm(faxID(i+1))))
	}
	var ids []int64
	for _, j := range a.jobs() {
		ids = append(ids, j.ID)
	}
	if len(ids) != 2 {
		t.Fatal(ids)
	}
	for range 30 {
		alter(t, db, `UPDATE `+table+` SET state = 'running', metadata = '{}'`)
		var marked [2]bool
		var both sync.WaitGroup
		for i, s := range []*station{a, b} {
			both.Go(func() {
				var err error
				if marked[i], err = s.Mark(t.Context(), ids[i]); err != nil {
					t.Error(err)
				}
			})
		}
		both.Wait()
		if marked[0] == marked[1] {
			t.Fatalf("marked: %v", marked)
		}
		second := 1
		if marked[1] {
			second = 0
		}
		alter(t, db, fmt.Sprintf(`UPDATE %s SET state = 'completed', finalized_at = now() WHERE id = %d`, table, ids[1-second]))
		if ok, err := []*station{a, b}[second].Mark(t.Context(), ids[second]); err != nil || !ok {
			t.Fatalf("when the first has ended: %v, %v", ok, err)
		}
		alter(t, db, `UPDATE `+table+` SET finalized_at = NULL, state = 'available'`)
	}
}
