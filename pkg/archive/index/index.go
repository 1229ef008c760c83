// Package index finds the records of an archive without reading all of its
// files.
//
// Use it through package archive. An index is derived: whatever it holds can be
// read again from the archive's sidecar files, so a lost or damaged index is
// thrown away and built anew. It is an SQLite database of its own, or its rows are
// among those of other archives in a PostgreSQL database that several machines share:
// see [Shared]. Both pass one contract.
package index

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	driver "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/faxctl/faxctl/pkg/base/sqlite"
	"github.com/faxctl/faxctl/pkg/fax"
)

// ErrDamaged is an index that cannot be used as it is: build it anew.
var ErrDamaged = errors.New("damaged index")

// schemaVersion is raised when the tables change; an index of another version
// is damaged to us.
const schemaVersion = 1

// connections is how many queries may run side by side; one of them may write.
const connections = 4

// cache is KiB of each connection. What is looked up lies all over the index, which is
// larger than any cache; the upper pages of its trees fit, and the system has the others.
const cache = 128

// Row is one record. Key and Stamp tell which sidecar it was made from, and
// which version of that.
type Row struct {
	Fax   fax.Fax         // what List selects by; Raw is not kept
	Key   string          // the sidecar, as in "2026/11/23/FX….json"
	Stamp string          // changes when the sidecar does
	Held  bool            // a person asked to keep it
	Entry json.RawMessage // the whole record of the archive
}

// Index is an open index. Safe for concurrent use.
type Index struct {
	db *sql.DB
	dialect
	archive string // which one, where there are several
}

// dialect is in what the databases differ when they are read.
type dialect struct {
	table        string
	since, until string // of a time
	order        string // newest first, then by id
	shared       bool   // by several archives and machines
}

func inSQLite() dialect {
	return dialect{table: "faxes", since: "created >= ?", until: "created <= ?", order: "created DESC, id"}
}

// Create makes a new index at path in the place of whatever is there.
func Create(ctx context.Context, path string) (*Index, error) {
	db, err := sqlite.Create(ctx, path, sqlite.Options{Conns: connections, Cache: cache})
	if err != nil {
		return nil, err
	}
	return ready(db, func(x *Index) error { return x.create(ctx) })
}

// InMemory makes a new index that ends with Close. No disk is needed for it.
func InMemory(ctx context.Context) (*Index, error) {
	db, err := sqlite.InMemory(connections)
	if err != nil {
		return nil, err
	}
	return ready(db, func(x *Index) error { return x.create(ctx) })
}

// Open opens an existing index, for writing or for reading alone. It fails
// with fs.ErrNotExist or [ErrDamaged].
func Open(ctx context.Context, path string, write bool) (*Index, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	db, err := sqlite.Open(ctx, path, sqlite.Options{Conns: connections, Cache: cache, ReadOnly: !write})
	if err != nil {
		return nil, broken(err)
	}
	return ready(db, func(x *Index) error { return x.check(ctx) })
}

// ready is an index that has been prepared, or closed again.
func ready(db *sql.DB, prepare func(*Index) error) (*Index, error) {
	x := &Index{db: db, dialect: inSQLite()}
	if err := prepare(x); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return x, nil
}

// create makes the tables. Times are whole microseconds since 1970, so that
// they sort; a fax without a date has the lowest.
func (x *Index) create(ctx context.Context) error {
	_, err := x.db.ExecContext(ctx, `
		CREATE TABLE faxes (
			id          TEXT PRIMARY KEY,
			created     BIGINT NOT NULL,
			from_number TEXT NOT NULL,
			to_number   TEXT NOT NULL,
			held        BOOLEAN NOT NULL,
			key         TEXT NOT NULL,
			stamp       TEXT NOT NULL,
			entry       TEXT NOT NULL
		);
		CREATE INDEX faxes_by_date ON faxes (created, id);
		CREATE TABLE state (name TEXT PRIMARY KEY, value TEXT NOT NULL);
		PRAGMA user_version = `+fmt.Sprint(schemaVersion))
	return err
}

func (x *Index) check(ctx context.Context) error {
	var version int
	if err := x.db.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&version); err != nil {
		return broken(err)
	}
	if version != schemaVersion {
		return fmt.Errorf("%w: version %d", ErrDamaged, version)
	}
	if _, err := x.State(ctx); err != nil {
		return broken(err)
	}
	return nil
}

// broken tells an index that is damaged from one that cannot be read now, as on a
// disk that is full.
func broken(err error) error {
	var told *driver.Error
	if !errors.As(err, &told) {
		return err
	}
	switch told.Code() & 0xff { // without its extension
	case sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB: // the first: tables are missing
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return err
}

// Intact reads the whole index through and fails with [ErrDamaged] when it is
// not sound.
func (x *Index) Intact(ctx context.Context) error {
	if x.shared { // the server looks after its files
		_, err := x.State(ctx)
		return err
	}
	var verdict string
	if err := x.db.QueryRowContext(ctx, `PRAGMA quick_check(1)`).Scan(&verdict); err != nil {
		return broken(err)
	}
	if verdict != "ok" {
		return fmt.Errorf("%w: %s", ErrDamaged, verdict)
	}
	return nil
}

// Close closes the index; not a database that is shared.
func (x *Index) Close() error {
	if x.shared {
		return nil
	}
	return x.db.Close()
}

// State is what an index says of its rows: [Whole], [Torn], or [Growing].
type State string

// The states of an index that nobody writes to.
const (
	Whole State = "yes" // all rows are there, on the disk
	Torn  State = "no"  // rows may be missing
)

// Growing is the state while a writer adds rows, and what that writer goes by: all
// are there but those of the last moments, as long as it lives.
func Growing(writer string) State { return State("open: " + writer) }

// State is what the index says of its rows.
func (x *Index) State(ctx context.Context) (State, error) {
	if x.shared {
		return x.sharedState(ctx)
	}
	var s State
	err := x.db.QueryRowContext(ctx, `SELECT value FROM state WHERE name = 'clean'`).Scan(&s)
	if errors.Is(err, sql.ErrNoRows) {
		return Torn, nil
	}
	return s, err
}

// SetState has the index say so. Whole is said when all rows are in the database
// itself, on the disk, since a write-ahead log may be lost; where that cannot be, as
// somebody reads what was there before, it is not said, which false tells. Of another
// state false tells that it may be lost.
func (x *Index) SetState(ctx context.Context, s State) (lasts bool, err error) {
	if x.shared {
		return x.setSharedState(ctx, s)
	}
	if s == Whole {
		if lasts, err = x.checkpoint(ctx); err != nil || !lasts {
			return false, err
		}
	}
	if _, err := x.db.ExecContext(ctx, `INSERT INTO state (name, value) VALUES ('clean', $1)
		ON CONFLICT (name) DO UPDATE SET value = excluded.value`, string(s)); err != nil || s == Whole {
		return err == nil, err
	}
	return x.checkpoint(ctx)
}

// checkpoint brings the write-ahead log into the database, and both to the disk, as
// far as nobody who reads is in the way; it waits for none.
func (x *Index) checkpoint(ctx context.Context) (all bool, err error) {
	var busy, logged, moved int
	err = x.db.QueryRowContext(ctx, `PRAGMA wal_checkpoint(PASSIVE)`).Scan(&busy, &logged, &moved)
	return busy == 0 && logged == moved, err
}

// Put adds the rows, in one transaction, or replaces those of the same id: of several
// rows of one id the last counts.
func (x *Index) Put(ctx context.Context, rows []Row) error {
	switch {
	case len(rows) == 0:
		return nil
	case x.shared:
		return x.putShared(ctx, rows)
	}
	return x.transact(ctx, `INSERT INTO faxes (id, created, from_number, to_number, held, key, stamp, entry)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (id) DO UPDATE SET created = excluded.created, from_number = excluded.from_number, to_number = excluded.to_number,
			held = excluded.held, key = excluded.key, stamp = excluded.stamp, entry = excluded.entry`,
		func(put *sql.Stmt) error {
			for _, r := range rows {
				if _, err := put.ExecContext(ctx, r.Fax.ID, micros(r.Fax.Created), r.Fax.From, r.Fax.To, r.Held, r.Key, r.Stamp, string(r.Entry)); err != nil {
					return err
				}
			}
			return nil
		})
}

// Remove forgets the rows, in one transaction; not those that were made from
// another sidecar since, or from a later version of it. It looks at Row.Fax.ID,
// Row.Key and Row.Stamp alone.
func (x *Index) Remove(ctx context.Context, rows []Row) error {
	switch {
	case len(rows) == 0:
		return nil
	case x.shared:
		return x.removeShared(ctx, rows)
	}
	return x.transact(ctx, `DELETE FROM faxes WHERE id = $1 AND key = $2 AND stamp = $3`, func(remove *sql.Stmt) error {
		for _, r := range rows {
			if _, err := remove.ExecContext(ctx, r.Fax.ID, r.Key, r.Stamp); err != nil {
				return err
			}
		}
		return nil
	})
}

func (x *Index) transact(ctx context.Context, query string, do func(*sql.Stmt) error) error {
	tx, err := x.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after Commit there is nothing to roll back
	stmt, err := tx.PrepareContext(ctx, query)
	if err != nil {
		return err
	}
	defer stmt.Close() //nolint:errcheck // ends with the transaction
	if err := do(stmt); err != nil {
		return err
	}
	return tx.Commit()
}
