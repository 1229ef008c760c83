// Package postgres opens databases on a PostgreSQL server, each in the same way.
//
// What belongs to faxctl is in the schema [Schema], which statements name:
// faxctl.faxes. Nothing is kept in a session, so that a PgBouncer in transaction mode
// may stand between: no prepared statements (sql.DB.Prepare and sql.Tx.Prepare make
// some), no settings, no locks and no notifications that outlive a transaction.
//
// A statement has a minute, unless its context has a deadline of its own. [Explain]
// gives errors their kind.
package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// Schema is where the tables of faxctl are.
const Schema = "faxctl"

const (
	connectLimit   = 10 * time.Second // where neither the URL nor PGCONNECT_TIMEOUT says
	statementLimit = time.Minute
	lifetime       = 30 * time.Minute // so that a server that was added is used, and a balancer forgets nothing
	idleTime       = 5 * time.Minute
)

// Options is in what two databases may differ.
type Options struct {
	// Password is that of the user; "": PGPASSWORD, or the file that PGPASSFILE names
	// (~/.pgpass), is asked.
	Password string

	// Conns is how many connections there may be at once; 0 is 8.
	Conns int
}

// Open opens the database of a URL, and asks for it once. Errors: those of [Check];
// problem.ErrAuth when the user is refused, problem.ErrNotFound when there is no such
// database, problem.ErrUnavailable when the server does not answer or is not proven to
// be itself.
func Open(ctx context.Context, address string, o Options) (*sql.DB, error) {
	config, err := configure(address, o.Password)
	if err != nil {
		return nil, err
	}
	if o.Conns == 0 {
		o.Conns = 8
	}
	db := sql.OpenDB(explaining{stdlib.GetConnector(*config), config})
	db.SetMaxOpenConns(o.Conns)
	db.SetMaxIdleConns(o.Conns)
	db.SetConnMaxLifetime(lifetime)
	db.SetConnMaxIdleTime(idleTime)
	if err := db.PingContext(ctx); err != nil {
		_ = db.Close() // nothing is open
		return nil, Explain(err)
	}
	return db, nil
}

// configure is what pgx is told: all that matters, so that the environment has no say
// in where it goes and how far it trusts.
func configure(address, password string) (*pgx.ConnConfig, error) {
	whole, err := read(address)
	if err != nil {
		return nil, err
	}
	config, err := whole.parse(password)
	if err != nil {
		return nil, err
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectLimit
	}
	// PgBouncer refuses every other, as in PGOPTIONS and PGTZ.
	name := config.RuntimeParams["application_name"]
	if name == "" {
		name = "faxctl"
	}
	config.RuntimeParams = map[string]string{"application_name": name}
	config.DefaultQueryExecMode = pgx.QueryExecModeExec
	config.StatementCacheCapacity, config.DescriptionCacheCapacity = 0, 0
	config.Tracer = limiter{}
	return config, nil
}

// explaining is a connector whose errors have a kind, and tell nothing but which
// server it was.
type explaining struct {
	driver.Connector
	config *pgx.ConnConfig
}

// Connect implements driver.Connector.
func (e explaining) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := e.Connector.Connect(ctx)
	if err != nil {
		return nil, notConnected(ctx, e.config, err)
	}
	return c, nil
}

// limiter gives each statement its time. A limit in the server would be a setting of
// the session; this one also ends the wait for a server that is gone without a word.
type limiter struct{}

var _ pgx.QueryTracer = limiter{}

// endOf is the key of the function that ends the time of a statement.
type endOf struct{}

// TraceQueryStart implements pgx.QueryTracer.
func (limiter) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	if _, has := ctx.Deadline(); has {
		return ctx
	}
	ctx, end := context.WithTimeout(ctx, statementLimit)
	return context.WithValue(ctx, endOf{}, end)
}

// TraceQueryEnd implements pgx.QueryTracer.
func (limiter) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryEndData) {
	if end, has := ctx.Value(endOf{}).(context.CancelFunc); has {
		end()
	}
}
