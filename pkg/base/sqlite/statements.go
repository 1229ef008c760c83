package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"io/fs"
	"syscall"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/faxctl/faxctl/pkg/base/problem"
)

// remembering makes connections that read the text of a statement once: for
// SQLite that takes several times as long as carrying it out, and who uses a
// database says the same few things again and again. Without it 10,000 callbacks to
// a receiver take 5.8 s of CPU, with it 4.1 s (BenchmarkCallbacks of the receiver,
// both sides counted).
type remembering struct {
	driver.Connector
	path string // the file; "": there is none
}

// Connect implements driver.Connector.
func (r remembering) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := r.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &statements{sqliteConn: c.(sqliteConn), path: r.path, known: map[string]*statement{}}, nil
}

// sqliteConn is what a connection of the driver can do.
type sqliteConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.SessionResetter
	driver.Validator
}

// statements is a connection. As any, it serves one goroutine at a time.
type statements struct {
	sqliteConn
	path  string
	known map[string]*statement
}

// mostStatements bounds what is remembered; there are some twenty.
const mostStatements = 64

// statement is one that was read.
type statement struct {
	driver.Stmt
	busy bool // somebody still reads its rows
}

// statement finds one that is free; nil means to do without.
func (c *statements) statement(ctx context.Context, query string) (*statement, error) {
	if s := c.known[query]; s != nil {
		if s.busy {
			return nil, nil
		}
		return s, nil
	}
	if len(c.known) >= mostStatements {
		for text, s := range c.known {
			if s.busy {
				continue
			}
			delete(c.known, text)
			if err := s.Close(); err != nil {
				return nil, err
			}
		}
	}
	read, err := c.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	s := &statement{Stmt: read}
	c.known[query] = s
	return s, nil
}

// ExecContext implements driver.ExecerContext.
func (c *statements) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	s, err := c.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	var done driver.Result
	if s == nil {
		done, err = c.sqliteConn.ExecContext(ctx, query, args)
	} else {
		done, err = s.Stmt.(driver.StmtExecContext).ExecContext(ctx, args)
	}
	return done, full(c.path, err)
}

// BeginTx implements driver.ConnBeginTx.
func (c *statements) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	tx, err := c.sqliteConn.BeginTx(ctx, o)
	if err != nil {
		return nil, full(c.path, err)
	}
	return transaction{tx, c.path}, nil
}

// transaction is one whose commit may find no room.
type transaction struct {
	driver.Tx
	path string
}

// Commit implements driver.Tx.
func (t transaction) Commit() error { return full(t.path, t.Tx.Commit()) }

// full is what a full disk means to SQLite in the words of the system, as of any other
// file: who knows what to do about that need not know SQLite.
func full(path string, err error) error {
	if told := new(sqlite.Error); errors.As(err, &told) && told.Code()&0xff == sqlite3.SQLITE_FULL {
		return problem.Of(err, &fs.PathError{Op: "write", Path: path, Err: syscall.ENOSPC})
	}
	return err
}

// QueryContext implements driver.QueryerContext.
func (c *statements) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	s, err := c.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	if s == nil {
		found, err := c.sqliteConn.QueryContext(ctx, query, args)
		return found, full(c.path, err)
	}
	found, err := s.Stmt.(driver.StmtQueryContext).QueryContext(ctx, args)
	if err != nil {
		return nil, full(c.path, err)
	}
	s.busy = true
	return &rows{Rows: found, s: s}, nil
}

// Close forgets the statements.
func (c *statements) Close() error {
	var err error
	for _, s := range c.known {
		err = errors.Join(err, s.Close())
	}
	return errors.Join(err, c.sqliteConn.Close())
}

// rows are those of a remembered statement.
type rows struct {
	driver.Rows
	s *statement
}

// Close lets the statement be used again.
func (r *rows) Close() error {
	r.s.busy = false
	return r.Rows.Close()
}
