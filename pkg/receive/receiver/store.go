package receiver

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/riverqueue/river/riverdriver/riversqlite"

	"github.com/faxctl/faxctl/pkg/base/sqlite"
)

// store is the database in a file, for one process that writes.
type store struct {
	write *sql.DB // one connection: SQLite has one writer anyway
	read  *sql.DB // to look without waiting for it
}

func databasePath(stateDir string) string { return filepath.Join(stateDir, "receiver.db") }

// openStore opens the file, and makes it when there is none. Every commit is
// on disk when it returns: the provider is told so.
func openStore(ctx context.Context, path string) (*store, error) {
	write, err := sqlite.Open(ctx, path, sqlite.Options{Conns: 1, Durable: true})
	if err != nil {
		return nil, fmt.Errorf("the database %s: %w", path, err)
	}
	s := &store{write: write}
	if _, err := write.ExecContext(ctx, schema); err != nil {
		return nil, errors.Join(fmt.Errorf("the database %s: %w", path, err), s.Close())
	}
	if s.read, err = sqlite.Open(ctx, path, sqlite.Options{Conns: 2, ReadOnly: true}); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// schema holds one row for each status a fax has reached, and one for each document
// kept aside. The keys are what makes a repeated callback harmless.
const schema = `
CREATE TABLE IF NOT EXISTS receiver_event (
	fax_id      TEXT NOT NULL,
	status      TEXT NOT NULL,
	event       TEXT NOT NULL,               -- Event as JSON
	upload      TEXT NOT NULL DEFAULT '',    -- file of the document, until it is archived
	PRIMARY KEY (fax_id, status)
);
CREATE INDEX IF NOT EXISTS receiver_event_status ON receiver_event (status);
CREATE INDEX IF NOT EXISTS receiver_event_upload ON receiver_event (upload) WHERE upload <> '';
CREATE TABLE IF NOT EXISTS receiver_aside (     -- documents that are not simply that of their fax
	fax_id  TEXT NOT NULL,                   -- empty: it was none
	status  TEXT NOT NULL,
	sha256  TEXT NOT NULL,                   -- of the file
	file    TEXT NOT NULL,
	size    INTEGER NOT NULL,                -- bytes
	event   TEXT NOT NULL,                   -- Event as JSON
	outcome TEXT NOT NULL,                   -- why, in a word
	reason  TEXT NOT NULL,                   -- and for people
	PRIMARY KEY (fax_id, status, sha256)
);
CREATE TABLE IF NOT EXISTS receiver_note (
	name  TEXT NOT NULL PRIMARY KEY,
	value TEXT NOT NULL
);`

// driver is what River works with.
func (s *store) driver() *riversqlite.Driver { return riversqlite.New(s.write) }

// inTx commits what f did, or rolls it back when f fails.
func (s *store) inTx(ctx context.Context, f func(tx *sql.Tx) error) error {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := f(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// exec runs a statement and tells how many rows it changed.
func exec(ctx context.Context, tx *sql.Tx, statement string, args ...any) (int64, error) {
	res, err := tx.ExecContext(ctx, statement, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// Close closes the file.
func (s *store) Close() error {
	var err error
	if s.read != nil {
		err = s.read.Close()
	}
	return errors.Join(err, s.write.Close())
}
