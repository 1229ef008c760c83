package receiver_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/inbox/mail"
	"github.com/faxctl/faxctl/pkg/receive/delivery"
	"github.com/faxctl/faxctl/pkg/receive/receiver"
)

// mailServer is one in this process, which does with each recipient what the test says.
type mailServer struct {
	rcpt, data func(to string, conn net.Conn) error

	mu    sync.Mutex
	taken []*netmail.Message
	bodys []string
}

type mailSession struct {
	s    *mailServer
	conn net.Conn
	to   string
}

func (s *mailSession) Mail(string, *smtp.MailOptions) error { return nil }
func (s *mailSession) Reset()                               {}
func (s *mailSession) Logout() error                        { return nil }

func (s *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = to
	return s.s.rcpt(to, s.conn)
}

func (s *mailSession) Data(r io.Reader) error {
	content, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if err := s.s.data(s.to, s.conn); err != nil {
		return err
	}
	m, err := netmail.ReadMessage(strings.NewReader(string(content)))
	if err != nil {
		return err
	}
	body, err := io.ReadAll(m.Body)
	s.s.mu.Lock()
	defer s.s.mu.Unlock()
	s.s.taken, s.s.bodys = append(s.s.taken, m), append(s.s.bodys, string(body))
	return err
}

// agree is a server without objections.
func agree(string, net.Conn) error { return nil }

func (s *mailServer) open(t *testing.T) mail.Server {
	t.Helper()
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		return &mailSession{s: s, conn: c.Conn()}, nil
	}))
	server.ErrorLog = silent{}
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	t.Cleanup(func() {
		_ = server.Close()
		<-done
	})
	return mail.Server{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, Encryption: mail.Plain, Limit: time.Minute}
}

type silent struct{}

func (silent) Printf(string, ...any) {}
func (silent) Println(...any)        {}

// to are the recipients of what was taken, sorted.
func (s *mailServer) to() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for _, m := range s.taken {
		all = append(all, strings.Trim(m.Header.Get("To"), "<>"))
	}
	slices.Sort(all)
	return all
}

// mailing are rules and a server.
func mailing(t *testing.T, s *mailServer, rules string) *delivery.Mailing {
	t.Helper()
	r, err := mail.ReadRules([]byte("from: faxes@clinic.example\nrules:\n"+rules), "rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return &delivery.Mailing{Rules: r, Server: s.open(t)}
}

func mailed(m *delivery.Mailing) func(*receiver.Config) {
	return func(c *receiver.Config) {
		c.Deliveries = []delivery.Delivery{delivery.Mail(c.Log, func() delivery.Mailing { return *m })}
		c.Attempts, c.Retry = 1, 10*time.Millisecond
	}
}

// A server that says later, drops the connection, or is slow, gets each mail in the end;
// what it refuses for good is parked with its words, and the other address of the rule
// has its mail; the document is in it, as it was archived.
func TestMail(t *testing.T) {
	var mu sync.Mutex
	tries := map[string]int{}
	once := func(what string) bool { // the first time
		mu.Lock()
		defer mu.Unlock()
		tries[what]++
		return tries[what] == 1
	}
	s := &mailServer{data: func(to string, conn net.Conn) error {
		switch {
		case strings.HasPrefix(to, "full@") && once(to):
			return &smtp.SMTPError{Code: 452, Message: "the disk is full"}
		case strings.HasPrefix(to, "drop@") && once(to):
			return conn.Close()
		case strings.HasPrefix(to, "slow@") && once(to):
			time.Sleep(1500 * time.Millisecond)
		}
		return nil
	}, rcpt: func(to string, _ net.Conn) error {
		if strings.HasPrefix(to, "gone@") {
			return &smtp.SMTPError{Code: 550, Message: "no such user\r\n550 here"}
		}
		return nil
	}}
	m := mailing(t, s, `  - mail: [full@clinic.example, drop@clinic.example, slow@clinic.example, gone@clinic.example, desk@clinic.example]
    attach: true
`)
	m.Server.Limit = time.Second // so that one is too slow
	st := newStation(t, mailed(m))
	st.run()
	id := faxID(1)
	st.cloud.add(id)
	st.do(post("/fax/done", callbackForm(id)))
	d := st.desk()
	st.until("all but one are mailed", func() bool { jobs := jobsOf(t, d); return len(jobs) == 1 && jobs[0].State == receiver.Parked })
	to := s.to()
	for _, want := range []string{"desk", "drop", "full", "slow"} { // what was slow may have been taken twice
		if !slices.Contains(to, want+"@clinic.example") {
			t.Errorf("no mail for %s: %q", want, to)
		}
	}
	if slices.Contains(to, "gone@clinic.example") {
		t.Errorf("what was refused was sent: %q", to)
	}
	if j := jobsOf(t, d)[0]; j.Address != "gone@clinic.example" || !strings.Contains(j.Error, "refuses the mail: 550 ") || !strings.Contains(j.Error, "no such user") || strings.Contains(j.Error, "\n") {
		t.Errorf("parked: %+v", j)
	}
	if got := attached(t, s, 0); got != document(id) {
		t.Errorf("attached: %q", got)
	}
}

// attached is the document in a mail.
func attached(t *testing.T, s *mailServer, i int) string {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	_, params, err := mime.ParseMediaType(s.taken[i].Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	for r := multipart.NewReader(strings.NewReader(s.bodys[i]), params["boundary"]); ; {
		p, err := r.NextPart()
		if err != nil {
			t.Fatalf("no document: %v", err)
		}
		if p.FileName() == "" {
			continue
		}
		b, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, p))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
}

// A rule that is edited stays its own, and an address that is taken out of the rules is
// told nothing more: what was to be sent to it is parked, in these words.
func TestMailByEditedRules(t *testing.T) {
	s := &mailServer{rcpt: agree, data: agree}
	m := mailing(t, s, "  - mail: [desk@clinic.example, former@clinic.example]\n")
	st := newStation(t, mailed(m))
	id := faxID(1)
	if _, err := st.Record(delivery.Event{FaxID: id, From: sender, To: ourNumber, Status: "received", Received: time.Now()}, ""); err != nil {
		t.Fatal(err)
	}
	if err := st.Archived(delivery.Event{FaxID: id, From: sender, To: ourNumber, Status: "received", Received: time.Now()}, delivery.Document{}); err != nil {
		t.Fatal(err)
	}
	edited := mailing(t, s, "  - subject: A fax\n    mail: [new@clinic.example, desk@clinic.example]\n")
	m.Rules = edited.Rules
	st.run()
	d := st.desk()
	st.until("one is mailed, and its job done, and one parked", func() bool {
		mails := slices.DeleteFunc(jobsOf(t, d), func(j receiver.Job) bool { return j.Kind != "mail" })
		return len(s.to()) == 1 && len(mails) == 1 && mails[0].State == receiver.Parked
	})
	if to := s.to(); to[0] != desk {
		t.Errorf("mailed: %q", to)
	}
	for _, j := range jobsOf(t, d) {
		if j.Kind == "mail" && (j.Address != "former@clinic.example" || !strings.Contains(j.Error, "it is not among the rules any more")) {
			t.Errorf("%+v", j)
		}
	}
}

// A document that is not the one that was archived is not sent.
func TestMailOfChangedDocument(t *testing.T) {
	s := &mailServer{rcpt: agree, data: agree}
	m := mailing(t, s, "  - mail: [desk@clinic.example]\n    attach: true\n")
	st := newStation(t, mailed(m))
	path := t.TempDir() + "/fax.pdf"
	if err := os.WriteFile(path, []byte("another one"), 0o600); err != nil {
		t.Fatal(err)
	}
	e := delivery.Event{FaxID: faxID(1), From: sender, To: ourNumber, Status: "received", Received: time.Now()}
	_, err := st.Record(e, "")
	err = errors.Join(err, st.Archived(e, delivery.Document{Path: path, SHA256: strings.Repeat("0", 64), Size: 11}))
	if err != nil {
		t.Fatal(err)
	}
	st.run()
	d := st.desk()
	st.until("it is parked", func() bool {
		return slices.ContainsFunc(jobsOf(t, d), func(j receiver.Job) bool {
			return j.Kind == "mail" && j.State == receiver.Parked && strings.Contains(j.Error, "not the one that was kept")
		})
	})
	if len(s.to()) > 0 {
		t.Error("it was sent")
	}
}

// What is parked is told to those whose rules say so, with what was to be done and why,
// and without the document.
func TestMailOfParked(t *testing.T) {
	s := &mailServer{rcpt: agree, data: agree}
	m := mailing(t, s, "  - {mail: it@clinic.example, when: parked}\n")
	st := newStation(t, func(c *receiver.Config) {
		mailed(m)(c)
		c.Deliveries = append(c.Deliveries, running("/nonexistent")...)
	})
	st.run()
	form := callbackForm(faxID(1))
	form.Set("FaxStatus", "failed")
	st.do(post("/fax/done", form))
	st.until("it is mailed", func() bool { return len(s.to()) == 1 })
	s.mu.Lock()
	defer s.mu.Unlock()
	if body := s.bodys[0]; !strings.Contains(body, "job ") || !strings.Contains(body, " (exec), given up after 1 attempt: ") || !strings.Contains(body, "/nonexistent") {
		t.Errorf("mailed:\n%s", body)
	}
	if subject := s.taken[0].Header.Get("Subject"); strings.Contains(subject, sender) || strings.Contains(s.bodys[0], sender) {
		t.Errorf("the mail shows a number: %s", fmt.Sprint(subject, s.bodys[0]))
	}
}

// A mail that is refused is told to those whose rules say so, by its rule, its address and
// the server's words, but not to its own address; a mail that tells of that and is refused
// itself tells nobody. Each mail that a server took is in the log.
func TestMailOfRefused(t *testing.T) {
	s := &mailServer{data: agree, rcpt: func(to string, _ net.Conn) error {
		if to == desk || to == help {
			return nil
		}
		return &smtp.SMTPError{Code: 550, Message: "no such user"}
	}}
	m := mailing(t, s, `  - {from: "`+sender+`", mail: [gone@clinic.example, `+desk+`]}
  - {name: parked, when: parked, mail: [Gone@clinic.example, `+help+`, away@clinic.example]}
`)
	st := newStation(t, mailed(m))
	st.run()
	id := faxID(1)
	st.cloud.add(id)
	st.do(post("/fax/done", callbackForm(id)))
	d := st.desk()
	st.until("what is refused is left", func() bool {
		return len(jobsOf(t, d)) == 2 && len(s.to()) == 2 && !slices.ContainsFunc(jobsOf(t, d), func(j receiver.Job) bool { return j.State != receiver.Parked })
	})
	if got := []string{jobsOf(t, d)[0].Address, jobsOf(t, d)[1].Address}; !slices.Equal(got, []string{"gone@clinic.example", "away@clinic.example"}) {
		t.Errorf("parked: %q", got)
	}
	if got := s.to(); !slices.Equal(got, []string{desk, help}) {
		t.Errorf("mailed: %q", got)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.taken, func(m *netmail.Message) bool { return strings.Contains(m.Header.Get("To"), help) })
	body, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(s.bodys[i])))
	if want := "(mail to gone@clinic.example by the rule from=" + fax.MaskPhone(sender) + " received), given up after 1 attempt: "; err != nil ||
		!strings.Contains(string(body), want) || !strings.Contains(string(body), "refuses the mail: 550 5.0.0 no such user") || strings.Contains(string(body), sender) {
		t.Errorf("mailed: %v\n%s", err, body)
	}
	for _, to := range []string{desk, help} {
		i := slices.IndexFunc(s.taken, func(m *netmail.Message) bool { return strings.Contains(m.Header.Get("To"), to) })
		if line := "address=" + to + " message_id=" + strings.Trim(s.taken[i].Header.Get("Message-ID"), "<>") + " answer=\"250 "; !strings.Contains(st.log.String(), line) {
			t.Errorf("not in the log: %s", line)
		}
	}
	if n := strings.Count(st.log.String(), "level=INFO msg=mailed fax="+id+" rule="); n != 2 || strings.Contains(st.log.String(), sender) {
		t.Errorf("%d mails in the log:\n%s", n, st.log.String())
	}
}
