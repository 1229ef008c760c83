package sqlite

import (
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	driver "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

func open(t *testing.T, path string, o Options) *sql.DB {
	t.Helper()
	db, err := Open(t.Context(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func run(t *testing.T, db *sql.DB, statement string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func ask(t *testing.T, db *sql.DB, question string) (answer string) {
	t.Helper()
	if err := db.QueryRowContext(t.Context(), question).Scan(&answer); err != nil {
		t.Fatalf("%s: %v", question, err)
	}
	return answer
}

// oddly is a name that means something in a URL.
func oddly(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "50% #1 of 2")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "x+y.db")
}

// Each connection has what was asked for, and not only the first.
func TestOptions(t *testing.T) {
	for name, tt := range map[string]struct {
		options     Options
		synchronous string
		full        string
	}{
		"as usual": {Options{Conns: 3}, "1", "0"},
		"durable":  {Options{Conns: 3, Durable: true}, "2", "1"},
	} {
		t.Run(name, func(t *testing.T) {
			db := open(t, oddly(t), tt.options)
			for range tt.options.Conns {
				c, err := db.Conn(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				for question, want := range map[string]string{
					"journal_mode": "wal", "busy_timeout": "10000", "synchronous": tt.synchronous,
					"fullfsync": tt.full, "checkpoint_fullfsync": "1",
				} {
					var got string
					if err := c.QueryRowContext(t.Context(), "PRAGMA "+question).Scan(&got); err != nil || got != want {
						t.Errorf("%s is %s, %v; want %s", question, got, err, want)
					}
				}
			}
		})
	}
}

// Nobody else reads the files, whatever the umask.
func TestPrivate(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a mode says little there")
	}
	path := oddly(t)
	db := open(t, path, Options{Conns: 1})
	run(t, db, `CREATE TABLE a (x INTEGER)`)
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != 0o600 {
			t.Errorf("%s has mode %v", filepath.Base(path+suffix), got)
		}
	}
}

// Who looks sees what is written, writes nothing, and makes no file.
func TestReadOnly(t *testing.T) {
	path := oddly(t)
	missing, err := Open(t.Context(), path, Options{Conns: 1, ReadOnly: true})
	if err == nil {
		err = errors.Join(missing.PingContext(t.Context()), missing.Close())
	}
	if err == nil {
		t.Error("a file that is not there is opened")
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file was made: %v", err)
	}
	write := open(t, path, Options{Conns: 1})
	read := open(t, path, Options{Conns: 2, ReadOnly: true})
	run(t, write, `CREATE TABLE a (x INTEGER); INSERT INTO a VALUES (7)`)
	if got := ask(t, read, `SELECT x FROM a`); got != "7" {
		t.Errorf("it sees %s", got)
	}
	_, err = read.ExecContext(t.Context(), `INSERT INTO a VALUES (8)`)
	if told := new(driver.Error); !errors.As(err, &told) || told.Code()&0xff != sqlite3.SQLITE_READONLY {
		t.Errorf("it writes: %v", err)
	}
}

// Several begin at once with a file that is not there, and look before they write:
// each waits for the others, and none fails as busy.
func TestAllAtOnce(t *testing.T) {
	path := oddly(t)
	const writers, times = 8, 20
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			db, err := Open(t.Context(), path, Options{Conns: 2})
			if err != nil {
				t.Error(err)
				return
			}
			defer db.Close()
			if _, err := db.ExecContext(t.Context(), `CREATE TABLE IF NOT EXISTS a (x INTEGER)`); err != nil {
				t.Error(err)
				return
			}
			for range times {
				if err := countUp(t, db); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	if got := ask(t, open(t, path, Options{Conns: 1}), `SELECT max(x) FROM a`); got != "160" {
		t.Errorf("counted to %s, want %d", got, writers*times)
	}
}

func countUp(t *testing.T, db *sql.DB) error {
	t.Helper()
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	var n int
	if err := tx.QueryRowContext(t.Context(), `SELECT coalesce(max(x), 0) FROM a`).Scan(&n); err != nil {
		return err
	}
	time.Sleep(time.Millisecond) // somebody else would write here
	if _, err := tx.ExecContext(t.Context(), `INSERT INTO a VALUES (?)`, n+1); err != nil {
		return err
	}
	return tx.Commit()
}

// The write-ahead log is turned on as soon as nobody is in the way: SQLite itself
// does not wait for those who are about to write.
func TestLogAheadWaits(t *testing.T) {
	path := oddly(t)
	other, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	other.SetMaxOpenConns(1)
	// Who tries to turn the log on reads meanwhile, and has the COMMIT wait.
	run(t, other, `PRAGMA busy_timeout = 60000; CREATE TABLE a (x INTEGER); BEGIN IMMEDIATE`)
	opened := make(chan error)
	go func() {
		db, err := Open(t.Context(), path, Options{Conns: 1})
		if err == nil {
			err = db.Close()
		}
		opened <- err
	}()
	select {
	case err := <-opened:
		t.Errorf("it did not wait: %v", err)
	case <-time.After(100 * time.Millisecond):
		run(t, other, `COMMIT`)
		if err := <-opened; err != nil {
			t.Error(err)
		}
	}
}

// What was in the file is gone, and what was beside it does no harm.
func TestCreate(t *testing.T) {
	path := oddly(t)
	old, err := Open(t.Context(), path, Options{Conns: 1})
	if err != nil {
		t.Fatal(err)
	}
	run(t, old, `CREATE TABLE a (x INTEGER)`)
	log, err := os.ReadFile(path + "-wal")
	if err := errors.Join(err, old.Close()); err != nil {
		t.Fatal(err)
	}
	for suffix, content := range map[string][]byte{"": []byte("this is no database, and long enough to be sure of it"), "-wal": log, "-journal": log} {
		if err := os.WriteFile(path+suffix, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	db, err := Create(t.Context(), path, Options{Conns: 1})
	if err != nil {
		t.Fatal(err)
	}
	run(t, db, `CREATE TABLE a (x INTEGER)`)
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}

// The connections of a database in memory share it, and two are two.
func TestInMemory(t *testing.T) {
	memory := func() *sql.DB {
		db, err := InMemory(2)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		return db
	}
	one, other := memory(), memory()
	run(t, one, `CREATE TABLE a (x INTEGER); INSERT INTO a VALUES (7)`)
	first, err := one.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	if got := ask(t, one, `SELECT x FROM a`); got != "7" {
		t.Errorf("another connection sees %s", got)
	}
	if _, err := other.ExecContext(t.Context(), `SELECT x FROM a`); err == nil {
		t.Error("two are one")
	}
}

// A disk that is full is told as by the system, of the file, whatever SQLite was doing.
func TestFull(t *testing.T) {
	path := oddly(t)
	db := open(t, path, Options{Conns: 1})
	run(t, db, `CREATE TABLE a (x BLOB)`)
	run(t, db, `PRAGMA max_page_count = 4`) // to SQLite that is a full disk
	for name, insert := range map[string]func() error{
		"exec": func() error {
			_, err := db.ExecContext(t.Context(), `INSERT INTO a VALUES (zeroblob(100000))`)
			return err
		},
		"query": func() error {
			var n int
			return db.QueryRowContext(t.Context(), `INSERT INTO a VALUES (zeroblob(100000)) RETURNING 1`).Scan(&n)
		},
	} {
		t.Run(name, func(t *testing.T) {
			file := new(fs.PathError)
			if err := insert(); !errors.Is(err, syscall.ENOSPC) || !errors.As(err, &file) || file.Path != path {
				t.Errorf("got %v", err)
			}
		})
	}
}
