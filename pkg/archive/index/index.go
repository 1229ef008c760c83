// Package index finds the records of an archive without reading all of its
// files.
//
// Use it through package archive. An index is derived: whatever it holds can be
// read again from the archive's sidecar files, so a lost or damaged index is
// thrown away and built anew. It is an SQLite database (write-ahead log, so
// that readers and the one writer do not wait for each other); the queries keep
// to what PostgreSQL understands as well.
package index

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"modernc.org/sqlite"

	"github.com/faxctl/faxctl/pkg/fax"
)

// ErrDamaged is an index that cannot be used as it is: build it anew.
var ErrDamaged = errors.New("damaged index")

// schemaVersion is raised when the tables change; an index of another version
// is damaged to us.
const schemaVersion = 1

// connections is how many queries may run side by side; one of them may write.
const connections = 4

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
type Index struct{ db *sql.DB }

// Create makes a new index at path in the place of whatever is there.
func Create(ctx context.Context, path string) (*Index, error) {
	for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL, 0o600) // SQLite's own would be readable by others
	if err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	return open(ctx, dsn(path, "rw"), true)
}

// Open opens an existing index, for writing or for reading alone. It fails
// with fs.ErrNotExist or [ErrDamaged].
func Open(ctx context.Context, path string, write bool) (*Index, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	mode := "ro"
	if write {
		mode = "rw"
	}
	return open(ctx, dsn(path, mode), false)
}

func dsn(path, mode string) string {
	if whole, err := filepath.Abs(path); err == nil {
		path = whole // else its first folder would be read as a host
	}
	u := url.URL{Scheme: "file", Path: "/" + strings.TrimPrefix(filepath.ToSlash(path), "/")}
	u.RawQuery = url.Values{
		"mode":    {mode},
		"_txlock": {"immediate"},
		"_pragma": {"busy_timeout(10000)", "synchronous(normal)"},
	}.Encode()
	return u.String()
}

func open(ctx context.Context, name string, create bool) (*Index, error) {
	c, err := sqlite.NewConnector(name)
	if err != nil {
		return nil, err
	}
	x := &Index{sql.OpenDB(c)}
	x.db.SetMaxOpenConns(connections)
	x.db.SetMaxIdleConns(connections) // opening one costs more than most queries
	if create {
		err = x.create(ctx)
	} else {
		err = x.check(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, x.db.Close())
	}
	return x, nil
}

// create makes the tables. Times are whole microseconds since 1970, so that
// they sort and fit both databases; a fax without a date has the lowest.
func (x *Index) create(ctx context.Context) error {
	_, err := x.db.ExecContext(ctx, `
		PRAGMA journal_mode = wal;
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
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if version != schemaVersion {
		return fmt.Errorf("%w: version %d", ErrDamaged, version)
	}
	if _, err := x.Clean(ctx); err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return nil
}

// Intact reads the whole index through and fails with [ErrDamaged] when it is
// not sound.
func (x *Index) Intact(ctx context.Context) error {
	var verdict string
	if err := x.db.QueryRowContext(ctx, `PRAGMA quick_check(1)`).Scan(&verdict); err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if verdict != "ok" {
		return fmt.Errorf("%w: %s", ErrDamaged, verdict)
	}
	return nil
}

// Close closes the index.
func (x *Index) Close() error { return x.db.Close() }

// Clean reports whether the last writer finished in order. If not, rows may be
// missing.
func (x *Index) Clean(ctx context.Context) (bool, error) {
	var value string
	err := x.db.QueryRowContext(ctx, `SELECT value FROM state WHERE name = 'clean'`).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return value == "yes", err
}

// SetClean records that a writer finished in order, or has begun.
func (x *Index) SetClean(ctx context.Context, clean bool) error {
	value := "no"
	if clean {
		value = "yes"
	}
	_, err := x.db.ExecContext(ctx, `INSERT INTO state (name, value) VALUES ('clean', $1)
		ON CONFLICT (name) DO UPDATE SET value = excluded.value`, value)
	return err
}

// Put adds the rows, in one transaction, or replaces those of the same id.
func (x *Index) Put(ctx context.Context, rows []Row) error {
	if len(rows) == 0 {
		return nil
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
// another sidecar since. It looks at Row.Fax.ID and Row.Key alone.
func (x *Index) Remove(ctx context.Context, rows []Row) error {
	if len(rows) == 0 {
		return nil
	}
	return x.transact(ctx, `DELETE FROM faxes WHERE id = $1 AND key = $2`, func(remove *sql.Stmt) error {
		for _, r := range rows {
			if _, err := remove.ExecContext(ctx, r.Fax.ID, r.Key); err != nil {
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
