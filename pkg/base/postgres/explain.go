package postgres

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
)

// Codes of errors. Source: PostgreSQL 17, appendix A; those of PgBouncer 1.18 to 1.24,
// which has 08P01 for what it says itself.
const (
	invalidPassword     = "28P01"
	invalidUser         = "28000"
	noDatabase          = "3D000"
	noRight             = "42501"
	noTable             = "42P01"
	noSchema            = "3F000"
	noColumn            = "42703"
	otherKind           = "42809" // a view, say, where a table should be
	tableThere          = "42P07" // or an index, a view, a sequence
	objectThere         = "42710" // as a type
	readOnlyTransaction = "25006"
	queryCanceled       = "57014"
	serialization       = "40001"
	deadlock            = "40P01"
	lockNotAvailable    = "55P03"
	protocolViolation   = "08P01"
)

// Explain gives an error of a database its kind, and says what to do about it. What is
// of no kind, or has one already, comes back as it is. The schemas are where the tables in
// question are, for advice on rights; none: [Schema].
func Explain(err error, schemas ...string) error {
	var answer *pgconn.PgError
	var network net.Error
	switch {
	case err == nil || problem.KindOf(err) != nil || errors.Is(err, context.Canceled):
		return err
	case errors.As(err, &answer):
		return answered(answer, err, schemas)
	case errors.Is(err, context.DeadlineExceeded):
		return unavailable("does not answer in time", err)
	case errors.Is(err, driver.ErrBadConn), errors.Is(err, pgconn.ErrConnClosed), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		errors.As(err, &network), errors.Is(err, net.ErrClosed):
		return unavailable("the connection is lost", err)
	}
	return err
}

// unavailable is what is worth trying again.
func unavailable(what string, err error) error {
	return &problem.Error{Kind: problem.ErrUnavailable, Text: "database: " + what, Cause: err, Advice: problem.Say("run it again when the server is back")}
}

// answered is what a server said.
func answered(a *pgconn.PgError, err error, schemas []string) error {
	told := func(kind error, advice string) error {
		return &problem.Error{Kind: kind, Text: "database: " + text.Line(a.Message), Cause: nil, Advice: problem.Say(text.Line(advice))}
	}
	switch a.Code {
	case noRight:
		return told(problem.ErrAuth, grant(a, schemas))
	case noTable, noSchema:
		return told(problem.ErrConflict, "somebody removed the tables of faxctl; put back a backup")
	case noColumn, otherKind, tableThere, objectThere:
		return told(problem.ErrConflict, "something of that name in a schema of faxctl's is not faxctl's: name another database, or rename that schema")
	case readOnlyTransaction:
		return told(problem.ErrUnavailable, "this server only follows another one: name that, or several and target_session_attrs=read-write")
	case queryCanceled, serialization, deadlock, lockNotAvailable:
		return told(problem.ErrUnavailable, "run it again")
	}
	switch a.Code[:min(2, len(a.Code))] {
	case "08", "53", "57": // connections, resources, an operator who stops it
		return told(problem.ErrUnavailable, "run it again when the server is back")
	}
	return err
}

// grant is the right that is missing, and all others that are missing with it as a rule, so
// that nobody learns of them one by one. Source: PostgreSQL, aclcheck_error: "permission
// denied for table faxes".
func grant(a *pgconn.PgError, schemas []string) string {
	if strings.HasPrefix(a.Message, "must be owner of") {
		return "run it once as the owner of the tables: this version of faxctl changes them"
	}
	words := strings.Fields(a.Message)
	at := slices.Index(words, "for")
	if at < 0 || at+2 >= len(words) {
		return "see GRANT in the manual of PostgreSQL"
	}
	switch kind, name := words[at+1], strings.Trim(words[at+2], `"`); kind {
	case "schema":
		if !slices.Contains(schemas, name) && name != Schema {
			schemas = append(slices.Clone(schemas), name)
		}
		return grantsIn(schemas)
	case "table", "sequence", "view":
		return grantsIn(schemas)
	case "database":
		if strings.Contains(a.Detail, "CONNECT") {
			return "GRANT CONNECT ON DATABASE " + name + " TO ROLE, the user of the URL"
		}
		return "GRANT CREATE ON DATABASE " + name + " TO ROLE, the user of the URL"
	}
	return "see GRANT in the manual of PostgreSQL"
}

// grantsIn are all rights that it takes to work in schemas where nothing is to be made.
func grantsIn(schemas []string) string {
	if len(schemas) == 0 {
		schemas = []string{Schema}
	}
	in := strings.Join(schemas, ", ")
	return "as the owner, with the user of the URL for ROLE: GRANT USAGE ON SCHEMA " + in + " TO ROLE; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA " + in +
		" TO ROLE; GRANT USAGE ON ALL SEQUENCES IN SCHEMA " + in + " TO ROLE. Where tables are missing, the owner runs it first; see docs/database.md"
}

// notConnected is why there is no connection to the servers of config.
func notConnected(ctx context.Context, config *pgx.ConnConfig, err error) error {
	if ctx.Err() != nil && errors.Is(ctx.Err(), context.Canceled) {
		return ctx.Err()
	}
	who, what := text.Quote(config.User), text.Quote(config.Database)
	failed := func(kind error, advice, format string, args ...any) error {
		return &problem.Error{Kind: kind, Text: "database at " + serverOf(config) + ": " + text.Line(fmt.Sprintf(format, args...)), Advice: problem.Say(text.Line(advice))}
	}
	var a *pgconn.PgError
	if errors.As(err, &a) {
		said := a.Message
		switch a.Code {
		case invalidUser:
			if strings.HasPrefix(said, "role ") && strings.HasSuffix(said, "does not exist") {
				return failed(problem.ErrAuth, "make it, as a superuser: createuser "+text.ShellWord(config.User)+", or write another user into the URL", "there is no role %s", who)
			}
			fallthrough
		case invalidPassword:
			if a.Code == invalidPassword && config.Password == "" {
				said = "no password is given"
			}
			return failed(problem.ErrAuth, passwordOf(config)+"; see also pg_hba.conf on the server", "user %s is refused: %s", who, said)
		case noDatabase:
			return failed(problem.ErrNotFound, "make it: createdb "+text.ShellWord(config.Database), "there is no database %s", what)
		case noRight:
			return failed(problem.ErrAuth, grant(a, nil), "%s", said)
		case protocolViolation:
			return fromBouncer(failed, config, said)
		}
		return failed(problem.ErrUnavailable, "run it again when the server is back", "%s", said)
	}
	if expired := new(x509.CertificateInvalidError); errors.As(err, expired) && expired.Reason == x509.Expired {
		return failed(problem.ErrUnavailable, "have its certificate renewed, and look at the clock of this machine", "it is not proven to be itself: %v", cause(err))
	}
	if tlsTrouble(err) {
		return problem.Of(problem.ErrUntrusted, failed(problem.ErrUnavailable, "name the server as in its certificate, and who vouches for it in sslrootcert=FILE or PGSSLROOTCERT", "it is not proven to be itself: %v", cause(err)))
	}
	if strings.Contains(err.Error(), "server refused TLS connection") && !mayBePlain(config) { // of pgconn, which has no value for it
		return problem.Of(problem.ErrUntrusted, failed(problem.ErrUnavailable, "turn TLS on there (ssl = on); where nobody else is on the wire, write sslmode=disable into the URL", "it has no TLS"))
	}
	if unknown := new(net.DNSError); errors.As(err, &unknown) {
		return failed(problem.ErrUnavailable, "is the address right? otherwise run it again when the name is known", "no connection: %v", unknown)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return failed(problem.ErrUnavailable, "run it again when the server is back; is the address right?", "it does not answer within %s", config.ConnectTimeout)
	}
	return failed(problem.ErrUnavailable, "run it again when the server is back; is the address right?", "no connection: %v", cause(err))
}

// passwordOf is what to do about the password of a user who is refused.
func passwordOf(config *pgx.ConnConfig) string {
	if config.Password == "" {
		return "set PGPASSWORD, PGPASSWORD_FILE or PGPASSFILE"
	}
	return "the password that PGPASSWORD, PGPASSWORD_FILE or PGPASSFILE gives is refused: correct it"
}

// fromBouncer is what PgBouncer says for itself.
func fromBouncer(failed func(kind error, advice, format string, args ...any) error, config *pgx.ConnConfig, said string) error {
	switch {
	case strings.HasPrefix(said, "no such database"):
		return failed(problem.ErrNotFound, "name it in [databases] of PgBouncer", "%s", said)
	case strings.Contains(said, "no such user"), strings.Contains(said, "authentication failed"), strings.Contains(said, "not allowed"):
		return failed(problem.ErrAuth, passwordOf(config)+"; see also auth_file of PgBouncer", "%s", said)
	}
	return failed(problem.ErrUnavailable, "run it again when the server is back", "%s", said)
}

// mayBePlain reports whether TLS is spoken only where the server can.
func mayBePlain(config *pgx.ConnConfig) bool {
	return config.TLSConfig == nil || slices.ContainsFunc(config.Fallbacks, func(f *pgconn.FallbackConfig) bool { return f.TLSConfig == nil })
}

func tlsTrouble(err error) bool {
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var verification *tls.CertificateVerificationError
	return errors.As(err, &unknown) || errors.As(err, &name) || errors.As(err, &invalid) || errors.As(err, &verification)
}

// cause is the innermost of an error that has several around it: what the system said.
func cause(err error) error {
	var op *net.OpError
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns):
		return dns
	case errors.As(err, &op):
		return op.Err
	}
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}

// serverOf is where a database is, without its user.
func serverOf(config *pgx.ConnConfig) string {
	one := func(host string, port uint16) string {
		if strings.HasPrefix(host, "/") {
			return host
		}
		return net.JoinHostPort(host, strconv.Itoa(int(port)))
	}
	all := []string{one(config.Host, config.Port)}
	for _, f := range config.Fallbacks {
		if next := one(f.Host, f.Port); !slices.Contains(all, next) {
			all = append(all, next)
		}
	}
	return strings.Join(all, ", ")
}
