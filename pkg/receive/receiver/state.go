package receiver

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/rivermigrate"

	"github.com/faxctl/faxctl/pkg/base/problem"
)

// state is where a receiver keeps what it was told and has not done yet: a file, for one
// process, or a database that replicas share. What both are told in the same words is a
// constant where it is used, with the tables' plain names; the rest is their dialect.
type state struct {
	write *sql.DB
	read  *sql.DB // to look without waiting for who writes; of a shared database the same
	dialect
	driver   riverdriver.Driver[*sql.Tx] // what River works with
	names    *strings.Replacer           // qualifies the tables' names; nil: they are plain
	schema   string                      // that the tables are in; "" in a file
	atOnce   int                         // transactions that are worth having under way
	cooldown time.Duration               // between two looks for jobs, while there are more than slots
	limit    time.Duration               // for a transaction or a question; 0: it takes as long as it takes
	close    func() error

	explain func(error) error // gives an error of the database its kind
}

// dialect is what the two databases call by different names.
type dialect struct {
	// found is what is done first about jobs whose process was killed, and givenBack what
	// last. Between them those are parked of which hopeless, a condition, is true.
	found, givenBack []string
	hopeless, park   string
	turn             []string // before a suspect is marked, so that one is at a time
	mark             string   // it, unless another one has its turn
}

// shared reports whether other processes work on the same jobs.
func (s *state) shared() bool { return s.schema != "" }

// sql is a statement as the database knows its tables.
func (s *state) sql(statement string) string {
	if s.names == nil {
		return statement
	}
	return s.names.Replace(statement)
}

// migrate makes River's tables, or brings them up to date.
func (s *state) migrate(ctx context.Context) error {
	migrator, err := rivermigrate.New(s.driver, &rivermigrate.Config{Logger: silent(), Schema: s.schema})
	if err == nil {
		_, err = migrator.Migrate(ctx, rivermigrate.DirectionUp, nil)
	}
	if err != nil {
		return fmt.Errorf("migrate the job tables: %w", err)
	}
	return nil
}

// errAway is a database with which nothing can be begun now.
var errAway = fmt.Errorf("the database does not answer: %w", problem.ErrUnavailable)

// inTx commits what f did, or rolls it back when f fails.
func (s *state) inTx(ctx context.Context, f func(ctx context.Context, tx *sql.Tx) error) error {
	ctx, cancel := s.limited(ctx)
	defer cancel()
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("%w: %w", errAway, s.explain(err))
	}
	if err = f(ctx, tx); err != nil {
		err = errors.Join(err, tx.Rollback())
	} else {
		err = tx.Commit()
	}
	if err != nil && ctx.Err() != nil {
		err = fmt.Errorf("%w: %w", errAway, err)
	}
	return s.explain(err)
}

// limited is for a transaction or a question: a provider that waits for an answer does
// not wait for a server that is gone.
func (s *state) limited(ctx context.Context) (context.Context, context.CancelFunc) {
	if s.limit == 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, s.limit)
}

// exec runs a statement and tells how many rows it changed.
func (s *state) exec(ctx context.Context, tx *sql.Tx, statement string, args ...any) (int64, error) {
	res, err := tx.ExecContext(ctx, s.sql(statement), args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// execAll runs statements one after the other.
func (s *state) execAll(ctx context.Context, tx *sql.Tx, statements []string) error {
	for _, statement := range statements {
		if _, err := s.exec(ctx, tx, statement); err != nil {
			return err
		}
	}
	return nil
}

// one reads the row that a query finds. sql.ErrNoRows: it finds none.
func (s *state) one(ctx context.Context, query string, args []any, into ...any) error {
	ctx, cancel := s.limited(ctx)
	defer cancel()
	return s.explain(s.read.QueryRowContext(ctx, s.sql(query), args...).Scan(into...))
}

// each reads the rows that a query finds.
func (s *state) each(ctx context.Context, query string, args []any, row func(scan func(into ...any) error) error) error {
	ctx, cancel := s.limited(ctx)
	defer cancel()
	rows, err := s.read.QueryContext(ctx, s.sql(query), args...)
	if err != nil {
		return s.explain(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	return s.explain(rows.Err())
}

// Close closes what was opened here.
func (s *state) Close() error { return s.close() }
