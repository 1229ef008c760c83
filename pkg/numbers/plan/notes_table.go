package plan

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/faxctl/faxctl/pkg/base/postgres"
	"github.com/faxctl/faxctl/pkg/base/problem"
)

// NotesAt are the notes of an account in a PostgreSQL database, which stays open: those
// of all machines that buy for the account with it. The errors are those of
// [postgres.Migrate].
func NotesAt(ctx context.Context, db *sql.DB, account string) (Notes, error) {
	if err := postgres.Migrate(ctx, db, "purchases", noteSteps()); err != nil {
		return Notes{}, err
	}
	return Notes{Account: account, kept: noteTable{db: db, account: account}}, nil
}

// noteSteps are the versions of the tables. A new one is added at the end.
func noteSteps() []postgres.Step {
	return []postgres.Step{postgres.SQL(`
		CREATE TABLE faxctl.buyers (
			account TEXT COLLATE "C" PRIMARY KEY,
			turn    BIGINT NOT NULL -- of the run that had the lock last
		);
		CREATE TABLE faxctl.purchases (
			number   BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
			account  TEXT COLLATE "C" NOT NULL,
			purchase TEXT COLLATE "C" NOT NULL UNIQUE,
			note     TEXT NOT NULL -- JSON
		);
		CREATE INDEX purchases_of ON faxctl.purchases (account, number)`)}
}

// noteTable is the notes of an account among those of others.
//
// Its lock is one of a transaction that stays open. A connection may be lost and the lock
// with it, while whoever had it still buys: therefore each that gets it also gets a turn,
// a number that only goes up, and a note is begun only by who has the last one. What an
// earlier turn noted, the next one reads; what it did not note, it cannot buy any more.
// No clock has a part in it.
type noteTable struct {
	db      *sql.DB
	account string
	turn    int64 // 0: without the lock
}

var _ ledger = noteTable{}

func (s noteTable) lock(ctx context.Context) (mine ledger, done func(), err error) {
	free, err := s.hold(ctx)
	if err != nil {
		return s, nil, notDone(err)
	}
	err = s.db.QueryRowContext(ctx, `INSERT INTO faxctl.buyers (account, turn) VALUES ($1, 1)
		ON CONFLICT (account) DO UPDATE SET turn = buyers.turn + 1 RETURNING turn`, s.account).Scan(&s.turn)
	if err != nil {
		free()
		return s, nil, notDone(err)
	}
	return s, free, nil
}

// hold takes the lock, or fails with ErrConflict. A transaction that does nothing for long
// is not ended for that, and one whose machine is gone ends within half a minute, since
// the server looks whether anybody is there.
func (s noteTable) hold(ctx context.Context) (free func(), err error) {
	tx, err := s.db.BeginTx(context.WithoutCancel(ctx), nil) // after an interrupt, an order is still looked after
	if err != nil {
		return nil, err
	}
	free = func() { _ = tx.Rollback() } // a connection that is lost has freed it
	var has bool
	err = tx.QueryRowContext(ctx, `SELECT pg_try_advisory_xact_lock(hashtextextended('faxctl.buyers ' || $1, 0)) FROM (SELECT
		set_config('idle_in_transaction_session_timeout', '0', true), set_config('tcp_keepalives_idle', '10', true),
		set_config('tcp_keepalives_interval', '5', true), set_config('tcp_keepalives_count', '3', true)) AS settings`, s.account).Scan(&has)
	if err == nil && !has {
		err = buying(s.account)
	}
	if err != nil {
		free()
		return nil, err
	}
	return free, nil
}

func (s noteTable) begin(ctx context.Context, n note) error {
	text, err := json.Marshal(n)
	if err != nil {
		return err
	}
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return notDone(err)
	}
	defer tx.Rollback() //nolint:errcheck // after Commit there is nothing to roll back
	if s.turn != 0 {
		var last int64 // locked until the note is there: who gets the next turn reads it
		if err := tx.QueryRowContext(ctx, `SELECT turn FROM faxctl.buyers WHERE account = $1 FOR UPDATE`, s.account).Scan(&last); err != nil {
			return notDone(err)
		}
		if last != s.turn {
			return buying(s.account)
		}
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO faxctl.purchases (account, purchase, note) VALUES ($1, $2, $3)`, s.account, n.Order, string(text)); err != nil {
		return notDone(err)
	}
	return notDone(tx.Commit())
}

func (s noteTable) write(ctx context.Context, n note) error {
	text, err := json.Marshal(n)
	if err != nil {
		return err
	}
	_, err = s.db.ExecContext(ctx, `INSERT INTO faxctl.purchases (account, purchase, note) VALUES ($1, $2, $3)
		ON CONFLICT (purchase) DO UPDATE SET note = excluded.note`, s.account, n.Order, string(text))
	return postgres.Explain(err)
}

func (s noteTable) read(ctx context.Context) ([]note, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT note FROM faxctl.purchases WHERE account = $1 ORDER BY number`, s.account)
	if err != nil {
		return nil, notDone(err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	var all []note
	for rows.Next() {
		var text []byte
		var n note
		if err := rows.Scan(&text); err != nil {
			return nil, notDone(err)
		}
		if err := json.Unmarshal(text, &n); err != nil {
			return nil, notDone(fmt.Errorf("a note in the database: %w", err))
		}
		all = append(all, n)
	}
	return all, notDone(rows.Err())
}

// now is by the server, so that all machines go by one clock.
func (s noteTable) now(ctx context.Context) (now time.Time, err error) {
	var micros int64
	err = s.db.QueryRowContext(ctx, `SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint`).Scan(&micros)
	return time.UnixMicro(micros).UTC(), notDone(err)
}

func (s noteTable) forget(ctx context.Context) error {
	_, err := s.db.ExecContext(ctx, `DELETE FROM faxctl.purchases WHERE account = $1`, s.account)
	return postgres.Explain(err)
}

// notDone says of an error of the database that no money was spent.
func notDone(err error) error {
	err = postgres.Explain(err)
	if err == nil || errors.Is(err, problem.ErrConflict) {
		return err
	}
	return fmt.Errorf("notes of purchases: %w; nothing was bought", err)
}
