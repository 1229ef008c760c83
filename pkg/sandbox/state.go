package sandbox

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// state is the SQLite file: one writer and a few readers per process, any
// number of processes (WAL).
type state struct {
	read, write *sql.DB
}

// busyTimeout is how long one process waits for another's transaction.
const busyTimeout = 10 * time.Second

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
	st, err := connect(path)
	if err != nil {
		return nil, err
	}
	if err := st.prepare(ctx, now); err != nil {
		return nil, errors.Join(err, st.close())
	}
	return st, nil
}

func connect(path string) (*state, error) {
	if path == "" {
		db, err := database(":memory:", url.Values{}, 1)
		if err != nil {
			return nil, err
		}
		return &state{read: db, write: db}, nil
	}
	if err := private(path); err != nil {
		return nil, err
	}
	query := url.Values{"_pragma": {
		fmt.Sprintf("busy_timeout(%d)", busyTimeout.Milliseconds()),
		"synchronous(normal)",
	}}
	read, err := database(path, query, max(2, runtime.GOMAXPROCS(0)))
	if err != nil {
		return nil, err
	}
	query.Set("_txlock", "immediate")
	write, err := database(path, query, 1)
	if err != nil {
		return nil, errors.Join(err, read.Close())
	}
	return &state{read: read, write: write}, nil
}

// private makes the file before SQLite does, so that nobody else ever reads it.
// The files SQLite puts next to it take its mode.
func private(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

func database(path string, query url.Values, connections int) (*sql.DB, error) {
	name := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: query.Encode()}
	c, err := sqlite.NewConnector(name.String())
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(c)
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
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
	if err := st.logAhead(ctx); err != nil {
		return err
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

// logAhead turns the write-ahead log on. SQLite does not wait for others while
// it changes the journal, so several first runs at once need patience here.
func (st *state) logAhead(ctx context.Context) error {
	for end := time.Now().Add(busyTimeout); ; {
		var mode string
		err := st.write.QueryRowContext(ctx, "PRAGMA journal_mode = WAL").Scan(&mode)
		var busy *sqlite.Error
		if err == nil || !errors.As(err, &busy) || busy.Code()&0xff != sqlite3.SQLITE_BUSY || time.Now().After(end) {
			return err
		}
		if err := sleep(ctx, 5*time.Millisecond); err != nil {
			return err
		}
	}
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
