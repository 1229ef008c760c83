package postgres_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"database/sql"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/base/postgres"
	"github.com/faxctl/faxctl/pkg/base/postgres/postgrestest"
	"github.com/faxctl/faxctl/pkg/base/problem"
)

var server postgrestest.Server

func open(t *testing.T, address string, o postgres.Options) *sql.DB {
	t.Helper()
	db, err := postgres.Open(t.Context(), address, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func exec(t *testing.T, db *sql.DB, statement string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatal(err)
	}
}

func TestOpen(t *testing.T) {
	db := open(t, server.Database(t), postgres.Options{})
	var name string
	if err := db.QueryRowContext(t.Context(), "SELECT current_setting('application_name')").Scan(&name); err != nil || name != "faxctl" {
		t.Errorf("%q, %v", name, err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := postgres.Open(ended, server.URL(postgrestest.Superuser, "postgres"), postgres.Options{}); !errors.Is(err, context.Canceled) || problem.KindOf(err) != nil {
		t.Errorf("with an ended context: %v", err)
	}
}

func TestOpenRefused(t *testing.T) {
	server.SQL(t, "postgres", "CREATE ROLE "+postgrestest.Locked+" LOGIN PASSWORD '"+postgrestest.Password+"'", "CREATE ROLE stranger LOGIN")
	there := server.Database(t)
	u, _ := url.Parse(there)
	server.SQL(t, "postgres", "REVOKE CONNECT ON DATABASE "+u.Path[1:]+" FROM public")
	locked := server.URL(postgrestest.Locked, "postgres")
	if db, err := postgres.Open(t.Context(), locked, postgres.Options{Password: postgrestest.Password}); err != nil {
		t.Error(err)
	} else {
		_ = db.Close()
	}
	for _, tc := range []struct {
		name, address, password, says, advice string
		kind                                  error
	}{
		{"a wrong password", locked, "hunter2", "is refused", "PGPASSFILE gives is refused", problem.ErrAuth},
		{"no password", locked, "", "is refused: no password is given", "set PGPASSWORD", problem.ErrAuth},
		{"no such user", server.URL("nobody_here", "postgres"), "", `there is no role "nobody_here"`, "createuser nobody_here", problem.ErrAuth},
		{"no such database", server.URL("stranger", "nowhere"), "", `there is no database "nowhere"`, "createdb nowhere", problem.ErrNotFound},
		{"no right to connect", strings.Replace(there, postgrestest.Superuser+"@", "stranger@", 1), "", "permission denied for database", "GRANT CONNECT ON DATABASE", problem.ErrAuth},
		{"no server", "postgres://stranger@127.0.0.1:1/postgres", "", "database at 127.0.0.1:1: no connection", "run it again", problem.ErrUnavailable},
		{"no TLS", server.URL("stranger", "postgres") + "?sslmode=verify-full", "", "it has no TLS", "sslmode=disable", problem.ErrUntrusted},
		{"no TLS, which is only asked for", server.URL("stranger", "nowhere") + "?sslmode=require", "", "it has no TLS", "sslmode=disable", problem.ErrUntrusted},
		{"nobody there who could have TLS", "postgres://stranger@127.0.0.1:1/postgres?sslmode=verify-full", "", "no connection", "run it again", problem.ErrUnavailable},
		// It is no host's name, so that nobody is asked for it, who may take long.
		{"no such host", "postgres://stranger@nowhere-.invalid/postgres", "", "no connection: lookup nowhere-.invalid", "address", problem.ErrUnavailable},
		{"a password in the URL", "postgres://stranger:hunter2@127.0.0.1/postgres", "", "it has a password in it", "leave it out", problem.ErrInvalid},
		{"a setting that is none", server.URL("stranger", "postgres") + "?sslmode=perhaps", "", `invalid sslmode "perhaps"`, "verify-full", problem.ErrInvalid},
	} {
		t.Run(tc.name, func(t *testing.T) {
			db, err := postgres.Open(t.Context(), tc.address, postgres.Options{Password: tc.password})
			if db != nil || !errors.Is(err, tc.kind) || !strings.Contains(err.Error(), tc.says) || !strings.Contains(problem.AdviceOf(err).String(), tc.advice) {
				t.Errorf("%v (%v)", err, problem.AdviceOf(err))
			}
			if errors.Is(err, problem.ErrUntrusted) != (tc.kind == problem.ErrUntrusted) { //nolint:errorlint // it is what is wanted
				t.Errorf("a matter of trust? %v", err)
			}
			if err != nil && (strings.Contains(fmt.Sprintf("%+v", err), "hunter2") || strings.Contains(err.Error(), "\n")) {
				t.Errorf("%+v", err)
			}
		})
	}
}

// A server without TLS that ends in this moment is away, for whoever would have done
// without: it is no wrong server.
func TestEndsWithoutTLS(t *testing.T) {
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if _, err := io.ReadFull(c, make([]byte, 8)); err == nil { // "do you speak TLS?"
				_, _ = c.Write([]byte("N"))
			}
			_ = c.Close()
		}
	}()
	for mode, untrusted := range map[string]bool{"prefer": false, "require": true} {
		_, err := postgres.Open(t.Context(), "postgres://stranger@"+l.Addr().String()+"/postgres?sslmode="+mode, postgres.Options{})
		if !errors.Is(err, problem.ErrUnavailable) || errors.Is(err, problem.ErrUntrusted) != untrusted {
			t.Errorf("%s: %v", mode, err)
		}
	}
}

// A server that is not on this machine has to prove that it is itself.
func TestTLS(t *testing.T) {
	s := postgrestest.New(t)
	crt := identify(t, s, "db.example.com", time.Now().Add(time.Hour))
	ca := filepath.Join(t.TempDir(), "ca.crt")
	if err := os.WriteFile(ca, crt, 0o600); err != nil {
		t.Fatal(err)
	}
	address := s.URL(postgrestest.Superuser, "postgres")
	for setting, says := range map[string]string{
		"":                                     "", // on this machine
		"?sslmode=require":                     "",
		"?sslmode=verify-ca&sslrootcert=" + ca: "",
		"?sslrootcert=" + ca:                   "it is not proven to be itself", // of another name
		"?sslmode=verify-full":                 "it is not proven to be itself",
		"?sslmode=verify-full&sslrootcert=system": "it is not proven to be itself",
		"?sslmode=verify-ca":                      "it is not proven to be itself",
	} {
		db, err := postgres.Open(t.Context(), address+setting, postgres.Options{})
		if says != "" {
			if !errors.Is(err, problem.ErrUntrusted) || !errors.Is(err, problem.ErrUnavailable) || !strings.Contains(err.Error(), says) || !strings.Contains(problem.AdviceOf(err).String(), "sslrootcert") {
				t.Errorf("%s: %v", setting, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", setting, err)
			continue
		}
		var on bool
		if err := db.QueryRowContext(t.Context(), "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").Scan(&on); err != nil || !on {
			t.Errorf("%s: TLS %v, %v", setting, on, err)
		}
		_ = db.Close()
	}
	// A certificate that has ended is renewed by those who have the server, as that is
	// started again by them: neither is a matter of the URL.
	crt = identify(t, s, "db.example.com", time.Now().Add(-time.Minute))
	if err := os.WriteFile(ca, crt, 0o600); err != nil {
		t.Fatal(err)
	}
	s.Kill(t)
	for _, says := range []string{"no connection", "expired"} {
		_, err := postgres.Open(t.Context(), address+"?sslmode=verify-ca&sslrootcert="+ca, postgres.Options{})
		if !errors.Is(err, problem.ErrUnavailable) || errors.Is(err, problem.ErrUntrusted) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", says, err)
		}
		if says == "no connection" {
			s.Start(t)
		}
	}
}

// identify gives a server a certificate of a name, and has it speak TLS from now on.
func identify(t *testing.T, s *postgrestest.Server, name string, until time.Time) (crt []byte) {
	t.Helper()
	key, crt := certificate(t, name, until)
	data := filepath.Join(s.Dir(t), "data")
	for name, content := range map[string][]byte{"server.key": key, "server.crt": crt} {
		path := filepath.Join(data, name)
		info, err := os.Stat(data)
		if err == nil {
			err = os.WriteFile(path, content, 0o600)
		}
		if err == nil {
			err = chownLike(path, info)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	s.SQL(t, "postgres", "ALTER SYSTEM SET ssl = on", "SELECT pg_reload_conf()")
	return crt
}

// certificate is a key, and a certificate of a name that vouches for itself.
func certificate(t *testing.T, name string, until time.Time) (key, crt []byte) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	of := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: until, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, of, of, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func steps(n int) []postgres.Step {
	all := []postgres.Step{
		postgres.SQL("CREATE TABLE faxctl.things (id BIGINT PRIMARY KEY); CREATE INDEX ON faxctl.things (id)"),
		func(ctx context.Context, tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, "INSERT INTO faxctl.things (id) SELECT generate_series(1, 1000)")
			return err
		},
		postgres.SQL("ALTER TABLE faxctl.things ADD COLUMN name TEXT NOT NULL DEFAULT ''"),
	}
	return all[:n]
}

// Of many that start at once on an empty database, one makes the tables, and all find
// them; also by way of a PgBouncer with fewer connections than there are of them.
func TestMigrateAtOnce(t *testing.T) {
	for name, bouncer := range map[string]bool{"straight": false, "by PgBouncer": true} {
		t.Run(name, func(t *testing.T) {
			address := server.Database(t)
			if bouncer {
				u, _ := url.Parse(address)
				address = server.Bouncer(t, 3)(u.Path[1:])
			}
			var all []*sql.DB
			for range 8 {
				all = append(all, open(t, address, postgres.Options{Conns: 2}))
			}
			for n := 1; n <= 3; n++ {
				var wait sync.WaitGroup
				for i, db := range all {
					wait.Go(func() {
						if err := postgres.Migrate(t.Context(), db, "things", steps(n)); err != nil {
							t.Error(err)
						}
						// A second owner, whose tables another connection makes meanwhile.
						err := postgres.Exclusively(t.Context(), db, "others", func(ctx context.Context) error {
							var there bool
							if err := db.QueryRowContext(ctx, "SELECT to_regclass('faxctl.others') IS NOT NULL").Scan(&there); err != nil || there {
								return err
							}
							_, err := db.ExecContext(ctx, "CREATE TABLE faxctl.others (id INT)")
							return err
						})
						if err != nil {
							t.Errorf("%d: %v", i, err)
						}
					})
				}
				wait.Wait()
			}
			var rows int
			if err := all[0].QueryRowContext(t.Context(), "SELECT count(*) FROM faxctl.things WHERE name = ''").Scan(&rows); err != nil || rows != 1000 {
				t.Errorf("%d rows, %v", rows, err)
			}
		})
	}
}

func TestMigrateIsWholeOrNot(t *testing.T) {
	db := open(t, server.Database(t), postgres.Options{})
	broken := append(steps(1), postgres.SQL("CREATE TABLE faxctl.more (id INT); SELECT 1/0"))
	if err := postgres.Migrate(t.Context(), db, "things", broken); err == nil {
		t.Fatal("a step that fails is taken")
	}
	var left int
	if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM pg_tables WHERE schemaname = 'faxctl'").Scan(&left); err != nil || left != 0 {
		t.Errorf("%d tables are left, %v", left, err)
	}
	for _, n := range []int{2, 3, 3} {
		if err := postgres.Migrate(t.Context(), db, "things", steps(n)); err != nil {
			t.Fatal(err)
		}
	}
	err := postgres.Migrate(t.Context(), db, "things", steps(2))
	if !errors.Is(err, problem.ErrUnsupported) || !strings.Contains(err.Error(), "tables of things in the database are of version 3, and this faxctl knows 2") || problem.AdviceOf(err).Empty() {
		t.Errorf("a newer schema: %v", err)
	}
	if err := postgres.Migrate(t.Context(), db, "others", nil); err != nil {
		t.Errorf("tables of another owner: %v", err)
	}
}

// What somebody else has in a schema of this name is left alone, and is said to be another's.
func TestMigrateAmongStrangers(t *testing.T) {
	for _, theirs := range []string{
		"CREATE TABLE faxctl.things (page INT)", "CREATE VIEW faxctl.things AS SELECT 1 AS page", "CREATE TYPE faxctl.things AS ENUM ('page')",
		"CREATE TABLE faxctl.versions (page INT)", "CREATE VIEW faxctl.versions AS SELECT 1 AS page",
	} {
		db := open(t, server.Database(t), postgres.Options{})
		exec(t, db, "CREATE SCHEMA faxctl; "+theirs)
		err := postgres.Migrate(t.Context(), db, "things", steps(1))
		if !errors.Is(err, problem.ErrConflict) || strings.Contains(err.Error(), "SQLSTATE") || !strings.Contains(problem.AdviceOf(err).String(), "name another database") {
			t.Errorf("%s: %v (%v)", theirs, err, problem.AdviceOf(err))
		}
		var n int
		if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM pg_class WHERE relnamespace = 'faxctl'::regnamespace AND relkind IN ('r', 'i')").Scan(&n); err != nil || n > 1 {
			t.Errorf("%s: %d tables, %v", theirs, n, err)
		}
	}
}

// What rights it takes, and which one is named when it is missing.
func TestMigrateRights(t *testing.T) {
	address := server.Database(t)
	u, _ := url.Parse(address)
	database := u.Path[1:]
	as := func(role string) string {
		server.SQL(t, database, "CREATE ROLE "+role+"_"+database+" LOGIN")
		return role + "_" + database
	}
	migrate := func(role string) error {
		db := open(t, strings.Replace(address, postgrestest.Superuser+"@", role+"@", 1), postgres.Options{})
		return postgres.Migrate(t.Context(), db, "things", steps(3))
	}
	denied := func(what string, err error, grant string) {
		t.Helper()
		if !errors.Is(err, problem.ErrAuth) || !strings.Contains(problem.AdviceOf(err).String(), grant) {
			t.Errorf("%s: %v (%v)", what, err, problem.AdviceOf(err))
		}
	}
	stranger, owner, user := as("stranger"), as("owner"), as("app")
	denied("no right to make a schema", migrate(stranger), "CREATE SCHEMA faxctl AUTHORIZATION "+stranger+"; or GRANT CREATE ON DATABASE ")
	server.SQL(t, database, "CREATE SCHEMA faxctl AUTHORIZATION "+owner)
	if err := migrate(owner); err != nil {
		t.Errorf("the owner of a schema who may not make one: %v", err)
	}
	denied("no right to the schema", migrate(stranger), "GRANT USAGE ON SCHEMA faxctl TO")
	server.SQL(t, database, "GRANT USAGE ON SCHEMA faxctl TO "+user)
	denied("no right to the tables", migrate(user), "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA faxctl TO")
	server.SQL(t, database, "GRANT SELECT ON ALL TABLES IN SCHEMA faxctl TO "+user)
	if err := migrate(user); err != nil {
		t.Errorf("somebody who may look, where nothing is missing: %v", err)
	}
}

// Who may make no schema is told of all that are missing, in statements that name the user as
// SQL does; whoever has those made needs nothing more.
func TestSchemasAreToldAtOnce(t *testing.T) {
	address := server.Database(t)
	u, _ := url.Parse(address)
	database, role := u.Path[1:], "Fax-"+strings.ToLower(rand.Text()[:12])
	server.SQL(t, database, `CREATE ROLE "`+role+`" LOGIN`)
	const own = "faxctl_ac2"
	work := func() error {
		db := open(t, strings.Replace(address, postgrestest.Superuser+"@", role+"@", 1), postgres.Options{})
		return postgres.Migrate(t.Context(), db, own, []postgres.Step{func(ctx context.Context, tx *sql.Tx) error { return postgres.MakeSchema(ctx, tx, own) }})
	}
	denied := func(want string) {
		t.Helper()
		err := work()
		if advice := problem.AdviceOf(err).String(); !errors.Is(err, problem.ErrAuth) || !strings.HasPrefix(err.Error(), "database: permission denied") || !strings.Contains(advice, want) {
			t.Errorf("%v (%s)", err, advice)
		}
	}
	both := `CREATE SCHEMA faxctl AUTHORIZATION "` + role + `"; CREATE SCHEMA faxctl_ac2 AUTHORIZATION "` + role + `"`
	denied("as the owner of the database: " + both + "; or GRANT CREATE ON DATABASE ")
	common, its, _ := strings.Cut(both, "; ")
	server.SQL(t, database, common)
	denied("as the owner of the database: " + its + "; or ")
	server.SQL(t, database, its)
	if err := work(); err != nil {
		t.Error(err)
	}
}

// What a hint says is all that is missing: whoever has it done is asked for nothing more,
// in the common schema and in one of an account.
func TestGrantsAreToldAtOnce(t *testing.T) {
	address := server.Database(t)
	u, _ := url.Parse(address)
	database := u.Path[1:]
	const own = "faxctl_ac1"
	tables := []postgres.Step{postgres.SQL("CREATE SCHEMA faxctl_ac1; CREATE TABLE faxctl_ac1.jobs (id BIGSERIAL, fax TEXT)")}
	if err := postgres.Migrate(t.Context(), open(t, address, postgres.Options{}), own, tables); err != nil {
		t.Fatal(err)
	}
	for _, before := range [][]string{nil, {"USAGE ON SCHEMA faxctl"}, {"USAGE ON SCHEMA faxctl", "SELECT ON faxctl.versions"},
		{"USAGE ON SCHEMA faxctl, faxctl_ac1", "SELECT ON faxctl.versions"}, {"USAGE ON SCHEMA faxctl, faxctl_ac1", "SELECT ON faxctl.versions", "INSERT ON faxctl_ac1.jobs"}} {
		role := "role_" + strings.ToLower(rand.Text()[:12])
		server.SQL(t, database, "CREATE ROLE "+role+" LOGIN")
		for _, one := range before {
			server.SQL(t, database, "GRANT "+one+" TO "+role)
		}
		work := func() error {
			db := open(t, strings.Replace(address, postgrestest.Superuser+"@", role+"@", 1), postgres.Options{})
			if err := postgres.Migrate(t.Context(), db, own, tables); err != nil {
				return err
			}
			for _, statement := range []string{"INSERT INTO faxctl_ac1.jobs (fax) VALUES ('FX1')", "UPDATE faxctl_ac1.jobs SET fax = 'FX2' WHERE id = 1", "DELETE FROM faxctl_ac1.jobs WHERE id = 1"} {
				if _, err := db.ExecContext(t.Context(), statement); err != nil {
					return postgres.Explain(err, postgres.Schema, own)
				}
			}
			return nil
		}
		err := work()
		if !errors.Is(err, problem.ErrAuth) {
			t.Fatalf("with %s: %v", before, err)
		}
		advice := problem.AdviceOf(err).String()
		_, statements, _ := strings.Cut(advice, ": ")
		statements, _, _ = strings.Cut(statements, ". ")
		for one := range strings.SplitSeq(statements, "; ") {
			server.SQL(t, database, strings.Replace(one, "TO ROLE", "TO "+role, 1))
		}
		if err := work(); err != nil {
			t.Errorf("with %s, and then %q: %v", before, advice, err)
		}
	}
}

// A server that goes away is unavailable, and the same database goes on when it is back.
func TestOutage(t *testing.T) {
	s := postgrestest.New(t)
	db := open(t, s.Database(t), postgres.Options{})
	exec(t, db, "CREATE SCHEMA faxctl; CREATE TABLE faxctl.things (id INT)")
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.ExecContext(t.Context(), "INSERT INTO faxctl.things VALUES (1)"); err != nil {
		t.Fatal(err)
	}
	s.Kill(t)
	if err := postgres.Explain(tx.Commit()); !errors.Is(err, problem.ErrUnavailable) {
		t.Errorf("commit: %v", err)
	}
	for range 3 {
		_, err := db.ExecContext(t.Context(), "INSERT INTO faxctl.things VALUES (2)")
		if err := postgres.Explain(err); !errors.Is(err, problem.ErrUnavailable) || problem.AdviceOf(err).Empty() {
			t.Errorf("while it is away: %v", err)
		}
	}
	s.Start(t)
	exec(t, db, "INSERT INTO faxctl.things VALUES (3)")
	if got := ints(t, db, "SELECT id FROM faxctl.things"); !slices.Equal(got, []int{3}) {
		t.Errorf("rows %v", got)
	}
}

func ints(t *testing.T, db *sql.DB, query string) (all []int) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var n int
		if err := rows.Scan(&n); err != nil {
			t.Fatal(err)
		}
		all = append(all, n)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// A statement that takes too long ends, here and in the server.
func TestStatementsEnd(t *testing.T) {
	db := open(t, server.Database(t), postgres.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := db.ExecContext(ctx, "SELECT pg_sleep(60)")
	if err := postgres.Explain(err); !errors.Is(err, problem.ErrUnavailable) {
		t.Errorf("%v", err)
	}
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if len(ints(t, db, "SELECT 1 FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND state = 'active' AND pid <> pg_backend_pid()")) == 0 {
			return
		}
	}
	t.Error("the server goes on")
}

// What a transaction does is not lost between connections of PgBouncer, and the same
// statements work again and again.
func TestBouncer(t *testing.T) {
	u, _ := url.Parse(server.Database(t))
	db := open(t, server.Bouncer(t, 2)(u.Path[1:]), postgres.Options{Conns: 8})
	if err := postgres.Migrate(t.Context(), db, "things", steps(3)); err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for i := range 16 {
		wait.Go(func() {
			for range 20 {
				tx, err := db.BeginTx(t.Context(), nil)
				if err != nil {
					t.Error(err)
					return
				}
				var n int
				_, err = tx.ExecContext(t.Context(), "UPDATE faxctl.things SET name = $1 WHERE id = $2", fmt.Sprint(i), i+1)
				if err == nil {
					err = tx.QueryRowContext(t.Context(), "SELECT count(*) FROM faxctl.things WHERE name = $1", fmt.Sprint(i)).Scan(&n)
				}
				if err = errors.Join(err, tx.Commit()); err != nil || n != 1 {
					t.Errorf("%d rows, %v", n, err)
					return
				}
			}
		})
	}
	wait.Wait()
	if _, err := postgres.Open(t.Context(), strings.Replace(u.String(), u.Path, "/nowhere", 1), postgres.Options{}); !errors.Is(err, problem.ErrNotFound) {
		t.Errorf("no such database: %v", err)
	}
}
