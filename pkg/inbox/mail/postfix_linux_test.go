package mail_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/base/freeport"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/inbox/mail"
	"github.com/faxctl/faxctl/pkg/sandbox/paper"
)

// TestPostfix hands mail to a Postfix: what is taken comes into a mailbox as it was
// written, and what it says no to is what we understand of it.
func TestPostfix(t *testing.T) {
	t.Parallel()
	certificate, roots := certified(t)
	dir, port := postfix(t, certificate)
	server := mail.Server{Host: "127.0.0.1", Port: port, Roots: roots, Limit: time.Minute}

	write := func(to string, n mail.News) *mail.Message {
		l := letter()
		l.To, l.Attach = to, true
		if err := l.SetBody(".\n..\n. {{.ID}}\n"); err != nil {
			t.Fatal(err)
		}
		m, err := l.Write(t.Context(), n)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	n := mail.News{Fax: received(), When: mail.Received, Document: sheet(t, paper.PDF)}
	large := n
	large.Document = document(make([]byte, 2*postfixMost), "application/pdf")
	for _, c := range []struct {
		m     *mail.Message
		kind  error
		words string
	}{
		{write("nobody@clinic.example", n), mail.ErrRefused, "550 5.1.1 <nobody@clinic.example>"},
		{write("desk@elsewhere.example", n), mail.ErrRefused, "Relay access denied"},
		{write("later@clinic.example", n), problem.ErrUnavailable, "450 4.7.1 <later@clinic.example>"},
		{write("desk@clinic.example", large), mail.ErrRefused, "552 5.3.4"},
	} {
		_, err := server.Send(t.Context(), c.m)
		if !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.words) || errors.Is(err, mail.ErrRefused) != errors.Is(c.kind, mail.ErrRefused) {
			t.Errorf("to %s: %v, want %v with %q", c.m.To, err, c.kind, c.words)
		}
	}
	stranger := server
	stranger.Roots = nil
	if _, err := stranger.Send(t.Context(), write("desk@clinic.example", n)); !errors.Is(err, problem.ErrUnavailable) || !strings.Contains(err.Error(), "not proven to be itself") {
		t.Errorf("a certificate that nobody vouches for: %v", err)
	}
	open := server
	open.Encryption = mail.Plain
	if _, err := open.Send(t.Context(), write("desk@clinic.example", n)); errors.Is(err, mail.ErrRefused) || err == nil || !strings.Contains(err.Error(), "530 5.7.0 Must issue a STARTTLS") {
		t.Errorf("in the clear: %v", err)
	}

	m := write("desk@clinic.example", n)
	if sent, err := server.Send(t.Context(), m); err != nil || !strings.Contains(sent.Answer, "queued as") {
		t.Fatalf("%+v, %v", sent, err)
	}
	all := arrived(t, filepath.Join(dir, "mail", "desk", "new"))
	want := bytes.ReplaceAll(written(m), []byte("\r\n"), []byte("\n"))
	if len(all) != 1 || !bytes.HasSuffix(all[0], want) || !bytes.Contains(all[0], []byte("Delivered-To: desk@clinic.example\n")) || !bytes.Contains(all[0], []byte("(using TLSv1.3 ")) {
		t.Errorf("%d mails: %s", len(all), bytes.Join(all, []byte("\n====\n")))
	}
}

// postfixMost is the longest message that [postfix] takes, in bytes.
const postfixMost = 256 << 10

// postfix runs a Postfix of its own until the test ends: it has a mailbox
// desk@clinic.example in dir/mail, wants STARTTLS, and says later to later@clinic.example.
func postfix(t *testing.T, certificate *tls.Config) (dir string, port int) {
	t.Helper()
	if _, err := exec.LookPath("postconf"); err != nil {
		t.Skip("Postfix is not installed")
	}
	if os.Geteuid() != 0 {
		t.Skip("Postfix is started by root alone")
	}
	dir = t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o711); err != nil { //nolint:gosec // Postfix gives root up
		t.Fatal(err)
	}
	owner, nobody := numbersOf(t, "postfix"), numbersOf(t, "nobody")
	postdrop, err := user.LookupGroup("postdrop")
	if err != nil {
		t.Fatal(err)
	}
	drop, err := strconv.Atoi(postdrop.Gid)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []struct {
		name     string
		mode     os.FileMode
		uid, gid int
	}{
		{"mail", 0o700, nobody[0], nobody[1]}, {"data", 0o700, owner[0], 0}, {"queue", 0o755, 0, 0}, {"queue/pid", 0o755, 0, 0},
		{"queue/public", 0o710, owner[0], drop}, {"queue/maildrop", 0o730, owner[0], drop}, {"queue/private", 0o700, owner[0], 0},
		{"queue/active", 0o700, owner[0], 0}, {"queue/incoming", 0o700, owner[0], 0}, {"queue/deferred", 0o700, owner[0], 0}, {"queue/defer", 0o700, owner[0], 0},
		{"queue/bounce", 0o700, owner[0], 0}, {"queue/corrupt", 0o700, owner[0], 0}, {"queue/flush", 0o700, owner[0], 0}, {"queue/hold", 0o700, owner[0], 0}, {"queue/trace", 0o700, owner[0], 0},
	} {
		at := filepath.Join(dir, f.name)
		if err := errors.Join(os.Mkdir(at, f.mode), os.Chmod(at, f.mode), os.Chown(at, f.uid, f.gid)); err != nil {
			t.Fatal(err)
		}
	}
	if port, err = freeport.Port(); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"tls.pem": chain(t, certificate.Certificates[0]),
		"main.cf": fmt.Sprintf(postfixMain, dir, nobody[0], nobody[1], postfixMost), "master.cf": fmt.Sprintf(postfixMaster, port),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	startPostfix(t, dir, port)
	return dir, port
}

const postfixMain = `compatibility_level = 3.6
config_directory = %[1]s
queue_directory = %[1]s/queue
data_directory = %[1]s/data
maillog_file = %[1]s/log
maillog_file_prefixes = %[1]s
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mail.clinic.example
mydestination =
mynetworks =
virtual_mailbox_domains = clinic.example
virtual_mailbox_base = %[1]s/mail
virtual_mailbox_maps = inline:{{desk@clinic.example=desk/} {later@clinic.example=later/}}
virtual_uid_maps = static:%[2]d
virtual_gid_maps = static:%[3]d
alias_maps =
local_recipient_maps =
smtpd_recipient_restrictions = check_recipient_access inline:{{later@clinic.example=450 not now}}, permit
smtpd_relay_restrictions = reject_unauth_destination
smtpd_peername_lookup = no
smtpd_error_sleep_time = 0
smtpd_tls_security_level = encrypt
smtpd_tls_chain_files = %[1]s/tls.pem
smtpd_tls_received_header = yes
message_size_limit = %[4]d
mailbox_size_limit = 0
virtual_mailbox_limit = 0
`

// What runs, and nothing of it in a chroot, where it would find no files of the system.
const postfixMaster = `127.0.0.1:%d inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
postlog unix-dgram n - n - 1 postlogd
`

// startPostfix starts the master of what is in dir, and waits until it answers. When the
// test ends nothing of it is left; it ends by itself when there is no end of the test.
func startPostfix(t *testing.T, dir string, port int) {
	t.Helper()
	where, err := exec.CommandContext(t.Context(), "postconf", "-c", dir, "-h", "daemon_directory").Output()
	if err != nil {
		t.Fatal(err)
	}
	master := exec.CommandContext(context.WithoutCancel(t.Context()), filepath.Join(strings.TrimSpace(string(where)), "master"), "-c", dir, "-s", "-e", "180")
	master.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := master.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- master.Wait() }()
	group := -master.Process.Pid
	t.Cleanup(func() {
		_ = syscall.Kill(group, syscall.SIGTERM)
		if !soon(func() bool { return errors.Is(syscall.Kill(group, 0), syscall.ESRCH) }) {
			_ = syscall.Kill(group, syscall.SIGKILL)
			t.Error("something of Postfix was left, and was killed")
		}
		if log, err := os.ReadFile(filepath.Join(dir, "log")); t.Failed() {
			t.Logf("log of Postfix: %s %v", log, err)
		}
	})
	answers := soon(func() bool {
		conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(t.Context(), "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			_ = conn.Close()
		}
		return err == nil || len(ended) > 0
	})
	if !answers || len(ended) > 0 {
		t.Fatal("Postfix does not start")
	}
}

// soon waits until something is so, for a minute at most.
func soon(so func() bool) bool {
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if so() {
			return true
		}
	}
	return so()
}

// arrived are the mails of a Maildir, when there is one.
func arrived(t *testing.T, dir string) (all [][]byte) {
	t.Helper()
	var names []string
	soon(func() bool {
		names, _ = filepath.Glob(filepath.Join(dir, "*"))
		return len(names) > 0
	})
	for _, name := range names {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, content)
	}
	return all
}

// numbersOf are the ids of a user and its group.
func numbersOf(t *testing.T, name string) (ids [2]int) {
	t.Helper()
	u, err := user.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	uid, noUID := strconv.Atoi(u.Uid)
	gid, noGID := strconv.Atoi(u.Gid)
	if err := errors.Join(noUID, noGID); err != nil {
		t.Fatal(err)
	}
	return [2]int{uid, gid}
}

// chain is a key and its certificates, as a server reads them.
func chain(t *testing.T, c tls.Certificate) string {
	t.Helper()
	key, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	all := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}))
	for _, der := range c.Certificate {
		all += string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	}
	return all
}
