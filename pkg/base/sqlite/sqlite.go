// Package sqlite opens databases that are files, each in the same way.
//
// They are private to their owner, wait for each other instead of failing, and
// keep a write-ahead log, so that those who read and the one who writes do not
// wait for each other. The text of a statement, and what its tables are, is the
// caller's.
package sqlite

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Options is in what two databases may differ.
type Options struct {
	// Conns is how many connections there may be at once. They stay open: opening
	// one costs more than most queries. However many there are, one writes at a time.
	Conns int

	// Cache is how many KiB of the file each connection keeps; 0: what SQLite takes, 2,000.
	// The system keeps them as well.
	Cache int

	// ReadOnly is for a file that is there, and is only looked at.
	ReadOnly bool

	// Durable has every commit be on the disk when it returns, for what somebody is
	// told of. Without it a loss of power may undo the last ones, and leaves the
	// database whole.
	Durable bool
}

// patience is how long one waits for the transaction of another, in this process
// or in another one, before it fails as busy.
const patience = 10 * time.Second

// Open opens the database in a file, which is made when it is not there.
func Open(ctx context.Context, path string, o Options) (*sql.DB, error) {
	if !o.ReadOnly {
		if err := private(path); err != nil {
			return nil, err
		}
	}
	name, err := address(path, o)
	if err != nil {
		return nil, err
	}
	db, err := connect(name, path, o.Conns)
	if err != nil || o.ReadOnly {
		return db, err
	}
	if err := logAhead(ctx, db); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// Create makes a new database in the place of whatever is in the file.
func Create(ctx context.Context, path string, o Options) (*sql.DB, error) {
	for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	return Open(ctx, path, o)
}

// InMemory makes a database that ends with its last connection, and needs no disk.
func InMemory(conns int) (*sql.DB, error) {
	name := url.URL{Scheme: "file", Path: "/" + rand.Text()} // its connections find it by that
	name.RawQuery = url.Values{"vfs": {"memdb"}, "_txlock": {"immediate"}}.Encode()
	return connect(name.String(), "", conns)
}

// private makes the file before SQLite does, which would have it readable by
// others. The files next to it take its mode.
func private(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// address is the file as SQLite is told it, with what every connection begins with.
// Source: sqlite.org/uri.html; sqlite.org/pragma.html.
func address(path string, o Options) (string, error) {
	whole, err := filepath.Abs(path) // else its first folder would be read as a host
	if err != nil {
		return "", err
	}
	settings := []string{
		"busy_timeout(10000)", // patience; else who comes second fails at once
		// A Mac takes a file for written while its disk has it in a cache: this
		// empties it before the write-ahead log is begun anew.
		"checkpoint_fullfsync(1)",
	}
	if o.Durable {
		settings = append(settings, "synchronous(full)", "fullfsync(1)") // the log too, at each commit
	} else {
		settings = append(settings, "synchronous(normal)") // the log only before it is begun anew
	}
	if o.Cache > 0 {
		settings = append(settings, fmt.Sprintf("cache_size(-%d)", o.Cache)) // below zero: not pages
	}
	q := url.Values{"mode": {"rw"}, "_pragma": settings}
	if o.ReadOnly {
		q.Set("mode", "ro")
	} else {
		// Who looks first and writes then is told that it is busy as soon as somebody
		// else wrote in between, without waiting; who says at once that it will write
		// waits for its turn.
		q.Set("_txlock", "immediate")
	}
	u := url.URL{Scheme: "file", Path: "/" + strings.TrimPrefix(filepath.ToSlash(whole), "/"), RawQuery: q.Encode()}
	return u.String(), nil
}

func connect(name, path string, conns int) (*sql.DB, error) {
	c, err := sqlite.NewConnector(name)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(remembering{c, path})
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	return db, nil
}

// logAhead turns the write-ahead log on, which a file remembers. SQLite does not
// wait for others while it changes that, so several first ones at once need
// patience here.
func logAhead(ctx context.Context, db *sql.DB) error {
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for end := time.Now().Add(patience); ; {
		var mode string
		err := db.QueryRowContext(ctx, "PRAGMA journal_mode = WAL").Scan(&mode)
		var busy *sqlite.Error
		if err == nil || !errors.As(err, &busy) || busy.Code()&0xff != sqlite3.SQLITE_BUSY || time.Now().After(end) {
			return err
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
