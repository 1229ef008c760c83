package postgrestest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/faxctl/faxctl/pkg/base/freeport"
)

// Bouncer puts a PgBouncer in transaction mode before the server, for one test; the
// function is the URL of a database by way of it, as the superuser. conns is how many
// connections it has to each database.
func (s *Server) Bouncer(t testing.TB, conns int) (by func(database string) string) {
	t.Helper()
	s.begin(t)
	path, err := exec.LookPath("pgbouncer")
	if err != nil {
		path = "/usr/sbin/pgbouncer" // not in the PATH of everybody
	}
	if _, err := os.Stat(path); err != nil {
		t.Skip("PgBouncer is not installed: Debian's package is pgbouncer")
	}
	dir, err := newDir()
	if err != nil {
		t.Fatal(err)
	}
	port, err := freeport.Port()
	if err != nil {
		t.Fatal(err)
	}
	settings := fmt.Sprintf(`[databases]
* = host=127.0.0.1 port=%d user=%s
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = %d
logfile = %s
`, s.port, Superuser, port, conns, filepath.Join(dir, "log"))
	ini := filepath.Join(dir, "pgbouncer.ini")
	if err := os.WriteFile(ini, []byte(settings), 0o644); err != nil {
		t.Fatal(err)
	}
	run, err := keep(dir, "KILL", path, "-q", ini)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(run.end)
	if err := run.do("start"); err != nil {
		t.Fatal(err)
	}
	if err := run.answers("127.0.0.1:"+strconv.Itoa(port), func(context.Context) error { return nil }); err != nil {
		t.Fatal(err)
	}
	return func(database string) string {
		return fmt.Sprintf("postgres://%s@127.0.0.1:%d/%s", Superuser, port, database)
	}
}
