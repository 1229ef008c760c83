package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
)

// migrationLimit is how long making tables, or waiting for another one that makes
// them, may take.
const migrationLimit = 10 * time.Minute

// Step brings the tables of an owner from one version to the next.
type Step func(ctx context.Context, tx *sql.Tx) error

// SQL is a step of statements that are all there is to it.
func SQL(statements string) Step {
	return func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, statements)
		return err
	}
}

// Migrate brings the tables of an owner, as in "archive" or the name of a schema that is its
// own and begins with "faxctl_", to the version of the last step: all that is missing, in
// one transaction. Steps are never changed, only added. Any number of programs may do so at
// once, and where nothing is missing no more than SELECT is needed. Errors: problem.ErrUnsupported when a newer faxctl has changed the
// tables; those of [Explain].
func Migrate(ctx context.Context, db *sql.DB, owner string, steps []Step) error {
	ctx, end := context.WithTimeout(ctx, migrationLimit)
	defer end()
	if now, err := version(ctx, db, owner); err != nil || now >= len(steps) {
		return errors.Join(Explain(err, schemasOf(owner)...), tooNew(owner, now, steps))
	}
	return Explain(locked(ctx, db, owner, func(tx *sql.Tx) error { return migrate(ctx, tx, owner, steps) }), schemasOf(owner)...)
}

// schemasOf are where the tables of an owner are, and their version.
func schemasOf(owner string) []string {
	if strings.HasPrefix(owner, Schema+"_") {
		return []string{Schema, owner}
	}
	return []string{Schema}
}

// Known fails with problem.ErrUnsupported when a newer faxctl has changed the tables of an
// owner beyond the steps. It changes nothing; that some are missing is not its business.
func Known(ctx context.Context, db *sql.DB, owner string, steps []Step) error {
	now, err := version(ctx, db, owner)
	return errors.Join(Explain(err, schemasOf(owner)...), tooNew(owner, now, steps))
}

func migrate(ctx context.Context, tx *sql.Tx, owner string, steps []Step) error {
	if err := prepare(ctx, tx, schemasOf(owner)...); err != nil {
		return err
	}
	now, err := version(ctx, tx, owner) // somebody may have been quicker
	if err != nil || now >= len(steps) {
		return errors.Join(err, tooNew(owner, now, steps))
	}
	for i, step := range steps[now:] {
		if err := step(ctx, tx); problem.KindOf(err) != nil {
			return err // it says what it is about
		} else if err != nil {
			return fmt.Errorf("tables of %s, version %d: %w", owner, now+i+1, err)
		}
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO faxctl.versions (owner, version) VALUES ($1, $2)
		ON CONFLICT (owner) DO UPDATE SET version = excluded.version, since = now()`, owner, len(steps))
	return err
}

// Exclusively does what no two programs may do at once, and what is not one
// transaction, such as to have another library make its tables. name says what.
func Exclusively(ctx context.Context, db *sql.DB, name string, do func(ctx context.Context) error) error {
	ctx, end := context.WithTimeout(ctx, migrationLimit)
	defer end()
	return Explain(locked(ctx, db, name, func(tx *sql.Tx) error {
		if err := prepare(ctx, tx, Schema); err != nil {
			return err
		}
		return do(ctx)
	}))
}

// locked runs do in a transaction that has the lock of the schema; name says for what.
// Who waits holds no connection meanwhile, since whoever has the lock may need one
// more, and a PgBouncer has only so many.
func locked(ctx context.Context, db *sql.DB, name string, do func(*sql.Tx) error) error {
	for {
		has, err := tryLocked(ctx, db, do)
		if err != nil || has {
			return err
		}
		select {
		case <-time.After(50*time.Millisecond + rand.N(100*time.Millisecond)):
		case <-ctx.Done():
			return fmt.Errorf("wait for another faxctl that makes its tables (%s): %w", name, ctx.Err())
		}
	}
}

func tryLocked(ctx context.Context, db *sql.DB, do func(*sql.Tx) error) (has bool, err error) {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return false, err
	}
	defer tx.Rollback() //nolint:errcheck // after Commit there is nothing to roll back
	if err := tx.QueryRowContext(ctx, `SELECT pg_try_advisory_xact_lock(hashtextextended('faxctl.versions', 0))`).Scan(&has); err != nil || !has {
		return false, err
	}
	if err := do(tx); err != nil {
		return true, err
	}
	return true, tx.Commit()
}

// MakeSchema makes the first of schemas unless it is there: its owner may not have the right
// to make one, which IF NOT EXISTS asks for all the same. Where the user has not, the advice
// is for all of the schemas that are missing. Names need no quotes.
func MakeSchema(ctx context.Context, tx *sql.Tx, schemas ...string) error {
	var missing []string
	for _, name := range schemas {
		var there bool
		if err := tx.QueryRowContext(ctx, `SELECT to_regnamespace($1) IS NOT NULL`, name).Scan(&there); err != nil {
			return err
		}
		if !there {
			missing = append(missing, name)
		}
	}
	if !slices.Contains(missing, schemas[0]) {
		return nil
	}
	var user, database string // asked before: a transaction that has failed answers nothing
	if err := tx.QueryRowContext(ctx, `SELECT quote_ident(current_user), quote_ident(current_database())`).Scan(&user, &database); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `CREATE SCHEMA `+schemas[0])
	var answer *pgconn.PgError
	if !errors.As(err, &answer) || answer.Code != noRight {
		return err
	}
	var statements strings.Builder
	for _, name := range missing {
		statements.WriteString("CREATE SCHEMA " + name + " AUTHORIZATION " + user + "; ")
	}
	return problem.With(Explain(err), problem.Say("as the owner of the database: %sor GRANT CREATE ON DATABASE %s TO %s", problem.Text(statements.String()), problem.Text(text.Line(database)), problem.Text(user)))
}

// prepare makes the common schema and the table of versions, whatever of them is missing;
// schemas are that one, and what else is needed.
func prepare(ctx context.Context, tx *sql.Tx, schemas ...string) error {
	err := MakeSchema(ctx, tx, schemas...)
	var table bool
	if err == nil {
		err = tx.QueryRowContext(ctx, `SELECT to_regclass('faxctl.versions') IS NOT NULL`).Scan(&table)
	}
	if err == nil && !table {
		_, err = tx.ExecContext(ctx, `CREATE TABLE faxctl.versions (
			owner   TEXT PRIMARY KEY,
			version INTEGER NOT NULL,
			since   TIMESTAMPTZ NOT NULL DEFAULT now()
		)`)
	}
	return err
}

// asker is a database, or a transaction in it.
type asker interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// version is that of the tables of an owner; 0: there are none.
func version(ctx context.Context, db asker, owner string) (int, error) {
	var there bool
	if err := db.QueryRowContext(ctx, `SELECT to_regclass('faxctl.versions') IS NOT NULL`).Scan(&there); err != nil || !there {
		return 0, err
	}
	var now int
	err := db.QueryRowContext(ctx, `SELECT version FROM faxctl.versions WHERE owner = $1`, owner).Scan(&now)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return now, err
}

func tooNew(owner string, now int, steps []Step) error {
	if now <= len(steps) {
		return nil
	}
	return problem.With(fmt.Errorf("%w: the tables of %s in the database are of version %d, and this faxctl knows %d", problem.ErrUnsupported, text.Line(owner), now, len(steps)),
		problem.Say("use the version of faxctl that made them, or a newer one"))
}
