package sandbox

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/faxctl/faxctl/pkg/base/sqlite"
)

// state is the SQLite file: one writer and a few readers per process, any
// number of processes (WAL).
type state struct {
	read, write *sql.DB
}

// schema is the sequence of statements that make the newest file out of an
// empty one; the file's user_version counts those it has. Only ever append.
func schema() []string {
	return append([]string{
		`CREATE TABLE setting (
			key   TEXT PRIMARY KEY,
			value TEXT NOT NULL
		) STRICT, WITHOUT ROWID`,
		`CREATE TABLE number (
			seq   INTEGER PRIMARY KEY AUTOINCREMENT,
			id    TEXT NOT NULL UNIQUE,
			phone TEXT NOT NULL UNIQUE,
			name  TEXT NOT NULL,
			type  TEXT NOT NULL,
			beta  INTEGER NOT NULL,
			doc   TEXT NOT NULL
		) STRICT`,
	}, faxSchema()...)
}

func openState(ctx context.Context, path string, now time.Time) (*state, error) {
	st, err := connect(ctx, path)
	if err != nil {
		return nil, err
	}
	if err := st.prepare(ctx, now); err != nil {
		return nil, errors.Join(err, st.close())
	}
	return st, nil
}

func connect(ctx context.Context, path string) (*state, error) {
	if path == "" {
		db, err := sqlite.InMemory(1)
		if err != nil {
			return nil, err
		}
		return &state{read: db, write: db}, nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	write, err := sqlite.Open(ctx, path, sqlite.Options{Conns: 1})
	if err != nil {
		return nil, err
	}
	read, err := sqlite.Open(ctx, path, sqlite.Options{Conns: max(2, runtime.GOMAXPROCS(0)), ReadOnly: true})
	if err != nil {
		return nil, errors.Join(err, write.Close())
	}
	return &state{read: read, write: write}, nil
}

func (st *state) close() error {
	if st.read == st.write {
		return st.write.Close()
	}
	return errors.Join(st.read.Close(), st.write.Close())
}

func (st *state) prepare(ctx context.Context, now time.Time) error {
	version, err := st.version(ctx)
	if err != nil {
		return err
	}
	if version > len(schema()) {
		return fmt.Errorf("state is of a newer faxctl (version %d, this one knows %d)", version, len(schema()))
	}
	if version == len(schema()) {
		return nil
	}
	return st.inTx(ctx, func(tx *sql.Tx) error {
		// Another process may have done it while this one waited.
		if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
			return err
		}
		for ; version < len(schema()); version++ {
			if _, err := tx.ExecContext(ctx, schema()[version]); err != nil {
				return err
			}
		}
		if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", version)); err != nil {
			return err
		}
		return opened(ctx, tx, now)
	})
}

func (st *state) version(ctx context.Context) (n int, err error) {
	err = st.write.QueryRowContext(ctx, "PRAGMA user_version").Scan(&n)
	return n, err
}

// inTx runs f in one write transaction.
func (st *state) inTx(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := st.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := f(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// opened notes when the account began.
func opened(ctx context.Context, tx *sql.Tx, now time.Time) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO setting (key, value) VALUES ('created', ?) ON CONFLICT DO NOTHING`,
		now.UTC().Format(time.RFC3339))
	return err
}

func (st *state) created(ctx context.Context) (time.Time, error) {
	var text string
	err := st.read.QueryRowContext(ctx, `SELECT value FROM setting WHERE key = 'created'`).Scan(&text)
	if err != nil {
		return time.Time{}, err
	}
	return time.Parse(time.RFC3339, text)
}

// reset empties every table.
func (st *state) reset(ctx context.Context, now time.Time) error {
	return st.inTx(ctx, func(tx *sql.Tx) error {
		tables, err := tableNames(ctx, tx)
		if err != nil {
			return err
		}
		for _, table := range tables {
			if _, err := tx.ExecContext(ctx, `DELETE FROM "`+table+`"`); err != nil {
				return err
			}
		}
		return opened(ctx, tx, now)
	})
}

func tableNames(ctx context.Context, tx *sql.Tx) (names []string, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, rows.Err()
}
