package sqlite

import (
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	sqlitedriver "modernc.org/sqlite"
)

// Statements are remembered, and nobody notices: not one that is asked again
// while its rows are still read, nor when the table changes, nor when there are
// more than are remembered.
func TestStatementsAreRemembered(t *testing.T) {
	connector, err := sqlitedriver.NewConnector("file:" + filepath.Join(t.TempDir(), "test.db"))
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(remembering{Connector: connector})
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = db.Close() })
	ctx := t.Context()
	conn, err := db.Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	run := func(statement string, args ...any) {
		t.Helper()
		if _, err := conn.ExecContext(ctx, statement, args...); err != nil {
			t.Fatal(err)
		}
	}
	// A script of two; then the same statement with other values.
	run(`CREATE TABLE a (x INTEGER); CREATE TABLE b (x INTEGER)`)
	for x := range 3 {
		run(`INSERT INTO a (x) VALUES (?)`, x)
	}
	const all = `SELECT x FROM a ORDER BY x`
	sum := func() (n, sum int) {
		t.Helper()
		rows, err := conn.QueryContext(ctx, all)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for n < 10 && rows.Next() {
			var x int
			if err := rows.Scan(&x); err != nil {
				t.Fatal(err)
			}
			n, sum = n+1, sum+x
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		return n, sum
	}
	outer, err := conn.QueryContext(ctx, all)
	if err != nil {
		t.Fatal(err)
	}
	for want := 0; want < 10 && outer.Next(); want++ {
		var x int
		if err := outer.Scan(&x); err != nil || x != want {
			t.Errorf("%d, %v; want %d", x, err, want)
		}
		if n, total := sum(); n != 3 || total != 3 {
			t.Errorf("in the middle of the same: %d rows, sum %d", n, total)
		}
	}
	if err := errors.Join(outer.Err(), outer.Close()); err != nil { //nolint:sqlclosecheck // the table changes next
		t.Fatal(err)
	}
	run(`ALTER TABLE a ADD COLUMN y INTEGER`)
	for i := range 2 * mostStatements {
		run(fmt.Sprintf(`INSERT INTO b (x) VALUES (%d)`, i))
	}
	run(`INSERT INTO a (x, y) VALUES (?, ?)`, 7, 8)
	if n, total := sum(); n != 4 || total != 10 {
		t.Errorf("after the table changed: %d rows, sum %d", n, total)
	}
	err = conn.Raw(func(c any) error {
		if known := c.(*statements).known; len(known) == 0 || len(known) > mostStatements {
			return fmt.Errorf("%d statements are remembered", len(known))
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if _, err := conn.ExecContext(ctx, `INSERT INTO nowhere VALUES (1)`); err == nil {
		t.Error("a wrong statement is no error")
	}
}
