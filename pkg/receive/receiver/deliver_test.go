package receiver_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/faxctl/faxctl/pkg/receive/delivery"
	"github.com/faxctl/faxctl/pkg/receive/receiver"
)

// office is a delivery by rules: what came is noted, and answered as the test says.
type office struct {
	targets func(delivery.News) []delivery.Target
	answer  func(delivery.News, delivery.Target) error

	mu  sync.Mutex
	got []string
}

const (
	desk = "desk@clinic.example"
	help = "it@clinic.example"
)

// newOffice tells the desk and a second address of what is received, and help of what is
// parked; of a fax that failed nobody is told.
func newOffice() *office {
	return &office{
		targets: func(n delivery.News) []delivery.Target {
			switch {
			case n.Parked != nil:
				return []delivery.Target{{Rule: "parked", Address: help}}
			case n.HasDocument():
				return []delivery.Target{{Rule: "desk", Address: desk}, {Rule: "desk", Address: "b@clinic.example"}}
			}
			return nil
		},
		answer: func(delivery.News, delivery.Target) error { return nil },
	}
}

func (o *office) delivery() delivery.Delivery {
	return delivery.Delivery{
		Name: delivery.MailName, Limit: time.Minute,
		Targets: func(n delivery.News) []delivery.Target { return o.targets(n) },
		Deliver: func(_ context.Context, n delivery.News, to delivery.Target) error {
			o.mu.Lock()
			defer o.mu.Unlock()
			line := fmt.Sprint(n.FaxID, " ", n.Status, " to ", to.Address)
			if p := n.Parked; p != nil {
				line += fmt.Sprintf(" %s %d", p.Kind, p.Attempt)
				if p.Target != nil {
					line += " for " + p.Target.Address
				}
				line += ": " + p.Problem
			} else if n.HasDocument() && n.Path == "" {
				line += " before it was archived"
			}
			err := o.answer(n, to)
			if err != nil {
				line += " " + err.Error()
			}
			o.got = append(o.got, line)
			return err
		},
	}
}

// takes has the office answer that all is well.
func (o *office) takes() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.answer = func(delivery.News, delivery.Target) error { return nil }
}

func (o *office) mails() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Sorted(slices.Values(o.got))
}

// byMail is a receiver whose news go to the office, beside what else it tells.
func (o *office) byMail(more ...delivery.Delivery) func(*receiver.Config) {
	return func(c *receiver.Config) {
		c.Deliveries, c.Attempts, c.Retry = append(more, o.delivery()), 2, time.Millisecond
	}
}

func jobsOf(t *testing.T, d *receiver.Desk) []receiver.Job {
	t.Helper()
	jobs, err := d.Jobs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(jobs, func(j receiver.Job) bool { return j.Kind == "forget" }) // which comes by itself
}

// Each address has a job of its own, once the document is archived: one that is refused
// is parked at once and keeps nothing from the other, and one that is to come again
// later is tried more often than --attempts says.
func TestTargets(t *testing.T) { onEach(t, testTargets) }

func testTargets(t *testing.T) {
	o := newOffice()
	tries := 0
	o.answer = func(_ delivery.News, to delivery.Target) error {
		switch to.Address {
		case desk:
			return fmt.Errorf("550 no such user: %w", delivery.ErrRefused)
		case help:
			return nil
		}
		if tries++; tries < 5 {
			return errors.New("452 later")
		}
		return nil
	}
	s := newStation(t, o.byMail())
	s.run()
	id := faxID(1)
	s.cloud.add(id)
	for range 3 {
		s.do(post("/fax/done", callbackForm(id)))
	}
	refused := id + " received to " + desk + " 550 no such user: refused"
	later := id + " received to b@clinic.example"
	told := id + " received to " + help + " mail 1 for " + desk + ": 550 no such user: refused"
	want := []string{later, later + " 452 later", later + " 452 later", later + " 452 later", later + " 452 later", refused, told}
	s.until("all are told", func() bool { return len(o.mails()) == len(want) })
	d := s.desk()
	s.until("only what is refused is left", func() bool {
		jobs := jobsOf(t, d)
		return len(jobs) == 1 && jobs[0].State == receiver.Parked
	})
	if diff := cmp.Diff(want, o.mails()); diff != "" {
		t.Error(diff)
	}
	if j := jobsOf(t, d)[0]; j.Kind != "mail" || j.Rule != "desk" || j.Address != desk || j.Attempts != 1 || j.Error != "550 no such user: refused" {
		t.Errorf("parked: %+v", j)
	}
	for _, line := range []string{
		`faxctl_requests_total{outcome="sent",request="mail"} 2`, `faxctl_requests_total{outcome="retried",request="mail"} 4`,
		`faxctl_requests_total{outcome="refused",request="mail"} 1`, `faxctl_mail_unmatched_total 0`,
	} {
		if !strings.Contains(s.metric(), "\n"+line+"\n") {
			t.Errorf("no %s", line)
		}
	}
}

// A fax of which nobody is told is counted for good, and once, and the log names it.
func TestUnmatched(t *testing.T) { onEach(t, testUnmatched) }

func testUnmatched(t *testing.T) {
	s := newStation(t, newOffice().byMail())
	form := callbackForm(faxID(1))
	form.Set("FaxStatus", "busy")
	for range 2 {
		s.do(post("/fax/done", form))
	}
	form.Set("FaxSid", faxID(2))
	s.do(post("/fax/done", form))
	s.reopen(nil)
	if stats, err := s.desk().Stats(t.Context()); err != nil || stats.Unmatched != 2 || len(stats.Jobs) != 0 {
		t.Errorf("%+v, %v", stats, err)
	}
	if !strings.Contains(s.metric(), "\nfaxctl_mail_unmatched_total 2\n") {
		t.Error("not among the metrics")
	}
	for i := range 2 {
		line := `msg="no rule matches" kind=mail fax=` + faxID(i+1) + ` status=busy from=`
		if n := strings.Count(s.log.String(), line); n != 1 {
			t.Errorf("%d times in the log: %s", n, line)
		}
	}
}

// Mail that takes long keeps neither documents nor programs waiting.
func TestMailHoldsNothingUp(t *testing.T) {
	o := newOffice()
	release := make(chan struct{})
	o.answer = func(delivery.News, delivery.Target) error { <-release; return nil }
	out := filepath.Join(t.TempDir(), "out")
	s := newStation(t, func(c *receiver.Config) {
		o.byMail(running(os.Args[0], programWord, out)...)(c)
		c.Jobs = 1
	})
	s.run()
	defer close(release)
	const faxes = 6
	for i := range faxes {
		s.cloud.add(faxID(i))
		s.do(post("/fax/done", callbackForm(faxID(i))))
	}
	d := s.desk()
	s.until("all but the mail is done", func() bool {
		jobs := jobsOf(t, d)
		return len(jobs) == 2*faxes && !slices.ContainsFunc(jobs, func(j receiver.Job) bool { return j.Kind != "mail" })
	})
}

// A job that is parked is told of, in its words, and again when it is parked again; so is
// a mail.
func TestParkedIsTold(t *testing.T) { onEach(t, testParkedIsTold) }

func testParkedIsTold(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	if err := os.WriteFile(out+".fail", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	o := newOffice()
	o.answer = func(n delivery.News, _ delivery.Target) error {
		if n.Parked == nil {
			return delivery.ErrRefused
		}
		return nil
	}
	s := newStation(t, o.byMail(running(os.Args[0], programWord, out)...))
	s.run()
	id := faxID(1)
	s.cloud.add(id)
	s.do(post("/fax/done", callbackForm(id)))
	line := func(attempt int) string {
		return fmt.Sprintf("%s received to %s exec %d: %s: exit status 1: the printer[2J is out of paper for +1415•••0100", id, help, attempt, os.Args[0])
	}
	refused := func(address string) string {
		return id + " received to " + help + " mail 1 for " + address + ": refused"
	}
	want := []string{id + " received to b@clinic.example refused", id + " received to " + desk + " refused", line(2), refused("b@clinic.example"), refused(desk)}
	d := s.desk()
	s.until("it is told", func() bool { return len(o.mails()) == 5 && len(jobsOf(t, d)) == 3 })
	i := slices.IndexFunc(jobsOf(t, d), func(j receiver.Job) bool { return j.Kind == "exec" })
	if err := d.Retry(t.Context(), jobsOf(t, d)[i].ID); err != nil {
		t.Fatal(err)
	}
	want = slices.Insert(want, 3, line(3))
	s.until("it is told again", func() bool { return len(o.mails()) == 6 && len(jobsOf(t, d)) == 3 })
	if diff := cmp.Diff(want, o.mails()); diff != "" {
		t.Error(diff)
	}
}

// What is parked at once is told as well: a document that is for a person to decide
// about, also of no fax that we know.
func TestAsideIsTold(t *testing.T) {
	o := newOffice()
	s := newStation(t, o.byMail())
	s.run()
	s.do(multi(callbackForm(faxID(1)), part{"Media", "fax.pdf", "no document"}))
	d := s.desk()
	s.until("it is told", func() bool { return len(o.mails()) == 1 })
	if got := o.mails()[0]; !strings.Contains(got, "received to "+help+" aside 1: ") {
		t.Errorf("told: %s", got)
	}
	s.until("the rest is parked", func() bool { jobs := jobsOf(t, d); return len(jobs) > 0 && jobs[0].Kind == "aside" })
}

// A mail that a server puts off for two days is told of as well, but not to the address
// that it is for; the mail that tells so is parked in silence.
func TestMailPutOffIsTold(t *testing.T) {
	o := newOffice()
	o.targets = func(n delivery.News) []delivery.Target {
		if n.Parked == nil {
			return []delivery.Target{{Rule: "desk", Address: desk}}
		}
		return []delivery.Target{{Rule: "parked", Address: "DESK@clinic.example"}, {Rule: "parked", Address: help}}
	}
	o.answer = func(delivery.News, delivery.Target) error { return errors.New("452 later") }
	s := newStation(t, o.byMail())
	form := callbackForm(faxID(1))
	form.Set("FaxStatus", "failed")
	s.do(post("/fax/done", form))
	atLast := `UPDATE river_job SET attempt = max_attempts - 1, state = 'available', scheduled_at = datetime('now', 'subsec')
		WHERE kind = 'mail' AND state IN ('available', 'retryable')`
	s.reopen(func(db *sql.DB) { alter(t, db, atLast) })
	stop := s.run()
	first := faxID(1) + " failed to " + desk + " 452 later"
	told := faxID(1) + " failed to " + help + " mail 60 for " + desk + ": 452 later 452 later"
	s.until("it is told", func() bool { return slices.Contains(o.mails(), told) })
	stop()
	s.reopen(func(db *sql.DB) { alter(t, db, atLast) })
	s.run()
	d := s.desk()
	s.until("both are parked", func() bool {
		jobs := jobsOf(t, d)
		return len(jobs) == 2 && jobs[0].State == receiver.Parked && jobs[1].State == receiver.Parked
	})
	if got := slices.Compact(o.mails()); !slices.Equal(got, []string{first, told}) {
		t.Errorf("told: %q", got)
	}
}

// Whoever is to be told of a job that was parked is not when somebody had it run again
// with success, or gave it up, before the mail could go.
func TestParkedIsOver(t *testing.T) { onEach(t, testParkedIsOver) }

func testParkedIsOver(t *testing.T) {
	for how, decide := range map[string]func(*receiver.Desk, int64) error{
		"retried": func(d *receiver.Desk, id int64) error { return d.Retry(t.Context(), id) },
		"discarded": func(d *receiver.Desk, id int64) error {
			_, err := d.Discard(t.Context(), id)
			return err
		},
	} {
		t.Run(how, func(t *testing.T) {
			p := newParked(t)
			p.mend()
			jobs := jobsOf(t, p.desk)
			if err := decide(p.desk, jobs[0].ID); err != nil {
				t.Fatal(err)
			}
			p.until("the mail is left", func() bool { return len(jobsOf(t, p.desk)) == 1 })
			p.takes()
			if err := p.desk.Retry(t.Context(), jobs[1].ID); err != nil {
				t.Fatal(err)
			}
			p.until("all is done", func() bool { return len(jobsOf(t, p.desk)) == 0 })
			if got := p.mails(); len(got) != 1 || !strings.HasSuffix(got[0], "the server is away") {
				t.Errorf("told: %q", got)
			}
		})
	}
}

// A kill may come between the two: then whoever is to be told waits until the job is
// parked, and is told once.
func TestKilledBeforeItIsParked(t *testing.T) {
	p := newParked(t)
	p.stop()
	p.reopen(func(db *sql.DB) {
		alter(t, db, `UPDATE river_job SET state = 'running', errors = NULL, finalized_at = NULL WHERE kind = 'exec'`)
	})
	p.desk = p.station.desk()
	p.takes()
	if err := p.desk.Retry(t.Context(), jobsOf(t, p.desk)[1].ID); err != nil {
		t.Fatal(err)
	}
	p.run()
	p.until("it is told", func() bool { return len(jobsOf(t, p.desk)) == 1 })
	if j := jobsOf(t, p.desk)[0]; j.Kind != "exec" || j.State != receiver.Parked || j.Attempts != 1 {
		t.Errorf("left: %+v", j)
	}
	if got := p.mails(); len(got) != 2 || !strings.Contains(strings.Join(got, "\n"), "exec 1: "+os.Args[0]+": exit status 1") {
		t.Errorf("told: %q", got)
	}
}

// A job that is parked at the start, since it does not survive, is told of.
func TestKilledIsTold(t *testing.T) {
	o := newOffice()
	s := newStation(t, o.byMail(running(os.Args[0], programWord, filepath.Join(t.TempDir(), "out"))...))
	form := callbackForm(faxID(1))
	form.Set("FaxStatus", "failed")
	s.do(post("/fax/done", form))
	for range 5 {
		s.reopen(func(db *sql.DB) {
			alter(t, db, `UPDATE river_job SET state = 'running', attempt = attempt + 1, metadata = jsonb_set(metadata, '$.marked', 0)`)
		})
	}
	s.run()
	s.until("it is told", func() bool { return len(o.mails()) == 1 })
	if got := o.mails()[0]; got != faxID(1)+" failed to "+help+" exec 1: the receiver was killed while it ran, seven times in a row" {
		t.Errorf("told: %s", got)
	}
}

// parked is a receiver whose program has failed for good, which nobody could be told of
// yet: the first job is the program's, the other one the mail's.
type parked struct {
	*station
	*office
	desk *receiver.Desk
	stop func()
	out  string // of the program
}

// mend lets the program succeed from now on.
func (p *parked) mend() {
	p.t.Helper()
	if err := os.Remove(p.out + ".fail"); err != nil {
		p.t.Fatal(err)
	}
}

func newParked(t *testing.T) *parked {
	t.Helper()
	p := &parked{out: filepath.Join(t.TempDir(), "out"), office: newOffice()}
	if err := os.WriteFile(p.out+".fail", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	p.answer = func(delivery.News, delivery.Target) error { return errors.New("the server is away") }
	p.station = newStation(t, func(c *receiver.Config) {
		p.byMail(running(os.Args[0], programWord, p.out)...)(c)
		c.Attempts, c.Retry = 1, time.Hour
	})
	p.targets = func(n delivery.News) []delivery.Target {
		if n.Parked == nil {
			return nil
		}
		return []delivery.Target{{Rule: "parked", Address: help}}
	}
	p.stop = p.run()
	form := callbackForm(faxID(1))
	form.Set("FaxStatus", "failed")
	p.do(post("/fax/done", form))
	p.desk = p.station.desk()
	p.until("the program is parked, and the mail tried", func() bool {
		jobs := jobsOf(t, p.desk)
		return len(jobs) == 2 && jobs[0].Kind == "exec" && jobs[0].State == receiver.Parked && jobs[1].State == receiver.Retrying
	})
	return p
}
