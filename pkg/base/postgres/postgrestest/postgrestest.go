// Package postgrestest runs PostgreSQL for tests: a server of their own, which ends
// with them.
//
//	var server postgrestest.Server // one for the tests of a package
//
//	func TestX(t *testing.T) {
//		db, err := postgres.Open(t.Context(), server.Database(t), postgres.Options{})
//
// It starts when the first test needs it, within two seconds, and ends when the process
// does, however that ends. Where PostgreSQL is not installed, tests are skipped.
package postgrestest

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/base/freeport"
)

// Superuser may do everything, and Locked needs the password [Password].
const (
	Superuser = "fax"
	Locked    = "locked"
	Password  = "pass:word/with?all#of@it"
)

// keeper runs a server until its standard input ends, which it does with the process
// that has the other end, and removes its folder then. Meanwhile it does as it is told.
// $1 is the folder, $2 the signal that ends the program at once, the others are the
// program and its arguments.
const keeper = `
dir=$1 signal=$2; shift 2
trap '' INT
echo up
while read -r word; do
	case $word in
	start) "$@" >>"$dir/log" 2>&1 & pid=$! ;;
	kill)  kill -$signal $pid; wait $pid ;;
	esac
	echo "$word"
done
[ -n "$pid" ] && kill -$signal $pid 2>/dev/null && wait $pid
rm -rf "$dir"
`

// Server is a PostgreSQL server; the zero Server starts when it is needed. It is for one
// test binary, and safe for concurrent use.
type Server struct {
	// Durable has every commit be on the disk when it returns, as for those who use it: for
	// measurements. It is set before the server is needed.
	Durable bool

	once   sync.Once
	failed error // why there is none
	run    *program
	port   int
}

// program is what a keeper keeps.
type program struct {
	mu    sync.Mutex
	dir   string
	tell  io.WriteCloser
	hears *bufio.Reader
}

// New is a server that ends with the test, for those that stop it.
func New(t testing.TB) *Server {
	t.Helper()
	s := &Server{}
	s.begin(t)
	t.Cleanup(s.run.end)
	return s
}

// Dir is the folder of the server, where its socket is.
func (s *Server) Dir(t testing.TB) string {
	t.Helper()
	s.begin(t)
	return s.run.dir
}

// Port is where the server listens on 127.0.0.1.
func (s *Server) Port(t testing.TB) int {
	t.Helper()
	s.begin(t)
	return s.port
}

// Database makes an empty database for a test, and is its URL.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	s.begin(t)
	address, err := s.Make(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// Make is [Server.Database] for those who are no test, as a command of a script. The error
// is [ErrAbsent] where there is no PostgreSQL.
func (s *Server) Make(ctx context.Context) (address string, err error) {
	if err := s.ready(); err != nil {
		return "", err
	}
	name := "test_" + strings.ToLower(rand.Text()[:12])
	if out, err := s.psql(ctx, "postgres", "CREATE DATABASE "+name); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return s.URL(Superuser, name), nil
}

// URL is that of a database, for a user.
func (s *Server) URL(user, database string) string {
	return fmt.Sprintf("postgres://%s@127.0.0.1:%d/%s", user, s.port, database)
}

// SQL runs statements as the superuser, each by itself, and is what psql prints.
func (s *Server) SQL(t testing.TB, database string, statements ...string) string {
	t.Helper()
	s.begin(t)
	out, err := s.psql(context.WithoutCancel(t.Context()), database, statements...)
	if err != nil {
		t.Fatalf("%s: %v\n%s", statements, err, out)
	}
	return out
}

func (s *Server) psql(ctx context.Context, database string, statements ...string) (string, error) {
	args := []string{"-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", s.run.dir, "-p", strconv.Itoa(s.port), "-U", Superuser, "-d", database}
	for _, one := range statements {
		args = append(args, "-c", one)
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, tool("psql"), args...).CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// Kill ends the server at once, as a loss of power would.
func (s *Server) Kill(t testing.TB) {
	t.Helper()
	s.begin(t)
	if err := s.run.do("kill"); err != nil {
		t.Fatal(err)
	}
}

// Start starts the server after [Server.Kill], and waits until it answers.
func (s *Server) Start(t testing.TB) {
	t.Helper()
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
}

func (s *Server) begin(t testing.TB) {
	t.Helper()
	switch err := s.ready(); {
	case errors.Is(err, ErrAbsent):
		t.Skip(err)
	case err != nil:
		t.Fatal(err)
	}
}

// ready starts the server when that was not done yet.
func (s *Server) ready() error {
	s.once.Do(func() {
		if s.failed = Absent(); s.failed == nil {
			s.failed = s.make()
		}
	})
	return s.failed
}

// ErrAbsent says that there is no PostgreSQL here that a test can run.
var ErrAbsent = errors.New("no PostgreSQL")

// Absent is why no server can be run here, an [ErrAbsent]; nil: it can.
func Absent() error {
	for _, name := range []string{"initdb", "postgres", "psql"} {
		if tool(name) == "" {
			return fmt.Errorf("%w: %s is not installed, which is of Debian's package postgresql", ErrAbsent, name)
		}
	}
	if os.Geteuid() == 0 && systemUser() == nil {
		return fmt.Errorf("%w: it is not run by root, and there is neither a user postgres nor nobody", ErrAbsent)
	}
	return nil
}

// tool is the path of a program of PostgreSQL; "": it is not there. Debian and its like
// keep those of a server out of PATH.
func tool(name string) string {
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	all, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name) // a pattern that is known to be one
	if len(all) == 0 {
		return ""
	}
	return slices.MaxFunc(all, func(a, b string) int { return len(a)*1000 - len(b)*1000 + strings.Compare(a, b) })
}

func systemUser() *user.User {
	for _, name := range []string{"postgres", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			return u
		}
	}
	return nil
}

// make makes a new server, and starts it.
func (s *Server) make() error {
	dir, err := newDir()
	if err != nil {
		return err
	}
	data := filepath.Join(dir, "data")
	// The disk need not keep a new database, which ends with the test.
	initdb := exec.CommandContext(context.Background(), tool("initdb"), "-D", data, "-U", Superuser, "--auth=trust", "--no-sync", "--no-instructions", "-E", "UTF8", "--locale=C")
	initdb.Dir = dir
	as(initdb)
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	rules := "local all all trust\nhost all " + Locked + " 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust\n"
	if err := os.WriteFile(filepath.Join(data, "pg_hba.conf"), []byte(rules), 0o644); err != nil {
		return err
	}
	s.port, err = freeport.Port()
	if err != nil {
		return err
	}
	command := []string{tool("postgres"), "-D", data, "-p", strconv.Itoa(s.port),
		"-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=" + dir, "-c", "max_connections=200"}
	if !s.Durable {
		command = append(command, "-c", "fsync=off", "-c", "full_page_writes=off")
	}
	s.run, err = keep(dir, "QUIT", command...)
	if err != nil {
		return err
	}
	return s.start()
}

func (s *Server) start() error {
	if err := s.run.do("start"); err != nil {
		return err
	}
	return s.run.answers("127.0.0.1:"+strconv.Itoa(s.port), func(ctx context.Context) error {
		return exec.CommandContext(ctx, tool("psql"), "-X", "-q", "-h", s.run.dir, "-p", strconv.Itoa(s.port), "-U", Superuser, "-d", "postgres", "-c", "SELECT 1").Run()
	})
}

// newDir is a folder that the user of the server can enter.
func newDir() (string, error) {
	dir, err := os.MkdirTemp("", "faxctl-postgres-")
	if err != nil || os.Geteuid() != 0 {
		return dir, err
	}
	u := systemUser()
	uid, _ := strconv.Atoi(u.Uid) // where there is none it is not root who asks
	gid, _ := strconv.Atoi(u.Gid)
	return dir, os.Chown(dir, uid, gid)
}

// keep runs a program, when it is told to, as long as this process lives.
func keep(dir, signal string, command ...string) (*program, error) {
	cmd := exec.CommandContext(context.Background(), "sh", append([]string{"-c", keeper, "sh", dir, signal}, command...)...)
	cmd.Dir = dir
	as(cmd)
	tell, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &program{dir: dir, tell: tell, hears: bufio.NewReader(out)}
	return p, p.heard("up")
}

// do has the keeper do as a word says, and waits until it did.
func (p *program) do(word string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, err := io.WriteString(p.tell, word+"\n"); err != nil {
		return err
	}
	return p.heard(word)
}

func (p *program) heard(word string) error {
	line, err := p.hears.ReadString('\n')
	if err != nil || strings.TrimSpace(line) != word {
		return fmt.Errorf("the keeper of %s said %q: %w", p.dir, line, err)
	}
	return nil
}

// end ends the program, and waits until it is gone.
func (p *program) end() {
	_ = p.tell.Close() // it may have ended by itself
	_, _ = io.Copy(io.Discard, p.hears)
}

// answers waits until a program that was started answers, at most a minute.
func (p *program) answers(address string, ask func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for {
		c, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if err == nil {
			_ = c.Close() // it answered
			if err = ask(ctx); err == nil {
				return nil
			}
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			log, _ := os.ReadFile(filepath.Join(p.dir, "log")) // it may have said nothing
			return fmt.Errorf("%s does not answer: %w\n%s", address, err, log)
		}
	}
}
