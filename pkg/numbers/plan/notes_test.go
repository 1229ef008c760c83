package plan_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/base/postgres"
	"github.com/faxctl/faxctl/pkg/base/postgres/postgrestest"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/numbers/plan"
	"github.com/faxctl/faxctl/pkg/sandbox"
)

var server postgrestest.Server

// eachNotes runs a test with notes in files and in a database: in either case keep makes
// those of an account that has none.
func eachNotes(t *testing.T, test func(t *testing.T, keep func(*testing.T) plan.Notes)) {
	t.Helper()
	t.Run("files", func(t *testing.T) {
		test(t, func(t *testing.T) plan.Notes { return plan.NotesIn(t.TempDir(), "AC1") })
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		test(t, func(t *testing.T) plan.Notes { n, _ := notesAt(t, server.Database(t), "AC1"); return n })
	})
}

func notesAt(t *testing.T, address, account string) (plan.Notes, *sql.DB) {
	t.Helper()
	db, err := postgres.Open(t.Context(), address, postgres.Options{Conns: 4})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	notes, err := plan.NotesAt(t.Context(), db, account)
	if err != nil {
		t.Fatal(err)
	}
	return notes, db
}

// sharing are machines of one account whose notes are in one database, to which each has
// connections of its own.
func sharing(t *testing.T, n int, o sandbox.Options) (all []machine, dbs []*sql.DB) {
	t.Helper()
	all = machines(t, n, o)
	address := server.Database(t)
	for i := range all {
		notes, db := notesAt(t, address, "AC1")
		all[i].care.Notes = notes
		dbs = append(dbs, db)
	}
	return all, dbs
}

// One of many has the lock, and it is free again when that one ends.
func TestOneHasTheLock(t *testing.T) {
	eachNotes(t, func(t *testing.T, keep func(*testing.T) plan.Notes) {
		notes := keep(t)
		for range 3 {
			var mu sync.Mutex
			var ends []func()
			var wait sync.WaitGroup
			for range 16 {
				wait.Go(func() {
					end, err := plan.LockNotes(t.Context(), notes)
					mu.Lock()
					defer mu.Unlock()
					switch {
					case err == nil:
						ends = append(ends, end)
					case !errors.Is(err, problem.ErrConflict) || !strings.Contains(err.Error(), "another faxctl is buying numbers for account AC1"):
						t.Error(err)
					}
				})
			}
			wait.Wait()
			if len(ends) != 1 {
				t.Fatalf("%d have the lock", len(ends))
			}
			ends[0]()
		}
		interrupted, stop := context.WithCancel(t.Context())
		end, err := plan.LockNotes(interrupted, notes)
		if err != nil {
			t.Fatal(err)
		}
		stop()
		time.Sleep(50 * time.Millisecond) // what would end with the context has ended
		if _, err := plan.LockNotes(t.Context(), notes); !errors.Is(err, problem.ErrConflict) {
			t.Errorf("while somebody who was interrupted looks after an order: %v", err)
		}
		end()
	})
}

// Many machines buy for one name at once: one buys, and no other does.
func TestOneNameOnManyMachines(t *testing.T) {
	all, _ := sharing(t, 16, sandbox.Options{})
	var wait sync.WaitGroup
	results, errs := make([]plan.Result, len(all)), make([]error, len(all))
	for i, m := range all {
		wait.Go(func() { results[i], errs[i] = m.buy(t, "front desk") })
	}
	wait.Wait()
	bought := 0
	for i, err := range errs {
		switch {
		case err == nil && results[i].Outcome == plan.OutcomeBought:
			bought++
		case err == nil: // it chose the number that another one bought before it looked again
		case !errors.Is(err, problem.ErrConflict):
			t.Error(err)
		}
	}
	if n := owns(t, all[0].numbers); n != 1 || bought != 1 {
		t.Errorf("the account has %d numbers, and %d machines say that they bought one: %v", n, bought, errs)
	}
	if _, err := all[3].buy(t, "front desk"); !errors.Is(err, problem.ErrConflict) || owns(t, all[0].numbers) != 1 {
		t.Errorf("later: %v", err)
	}
	if _, err := all[3].buy(t, "back office"); err != nil {
		t.Errorf("for another name: %v", err)
	}
}

// Whoever lost its connection, and the lock with it, does not order while another machine
// does: neither before that one has bought, nor after.
func TestWhoLostTheLockBuysNothing(t *testing.T) {
	for name, between := range map[string]func(t *testing.T, other machine){
		"the other has bought":  func(t *testing.T, other machine) { mustBuy(t, other, "front desk") },
		"the other is about to": func(t *testing.T, other machine) { t.Cleanup(other.hold(t)) },
	} {
		t.Run(name, func(t *testing.T) {
			all, dbs := sharing(t, 2, sandbox.Options{})
			first, now := all[0], all[0].care.Now
			once := sync.OnceFunc(func() { cut(t, dbs[0]); between(t, all[1]) })
			first.care.Now = func(ctx context.Context) (time.Time, error) { once(); return now(ctx) } // asked right before the order
			_, err := first.buy(t, "front desk")
			if !errors.Is(err, problem.ErrConflict) || !strings.Contains(err.Error(), "another faxctl is buying") {
				t.Errorf("%v", err)
			}
			if n := owns(t, first.numbers); n > 1 || n == 1 && name == "the other is about to" {
				t.Errorf("the account has %d numbers", n)
			}
		})
	}
}

// A lock that is lost while nobody else takes it is no reason not to buy.
func TestTheLockIsLostToNobody(t *testing.T) {
	all, dbs := sharing(t, 1, sandbox.Options{})
	now := all[0].care.Now
	once := sync.OnceFunc(func() { cut(t, dbs[0]) })
	all[0].care.Now = func(ctx context.Context) (time.Time, error) { once(); return now(ctx) }
	mustBuy(t, all[0], "front desk")
}

func mustBuy(t *testing.T, m machine, name string) {
	t.Helper()
	if _, err := m.buy(t, name); err != nil {
		t.Fatal(err)
	}
}

// cut ends the connection that has the lock, as a firewall or the restart of a balancer
// would.
func cut(t *testing.T, db *sql.DB) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "SELECT 1 FROM pg_locks l, pg_terminate_backend(l.pid) WHERE l.locktype = 'advisory' AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	ended := 0
	for rows.Next() {
		ended++
	}
	if err := rows.Err(); err != nil || ended != 1 {
		t.Fatalf("%d connections with the lock, %v", ended, err)
	}
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		var left int
		if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())").Scan(&left); err != nil {
			t.Fatal(err)
		}
		if left == 0 {
			return
		}
	}
	t.Fatal("the lock is still there")
}

// A machine that ends between its order and the note of what it bought leaves the order
// noted: no other machine buys for the name, and the lock is free.
func TestKilledBetweenOrderAndNote(t *testing.T) {
	all, dbs := sharing(t, 3, sandbox.Options{})
	victim := all[0]
	ended := make(chan struct{})
	victim.numbers = dying{victim.numbers, func() { _ = dbs[0].Close() }}
	go func() {
		defer close(ended)
		_, _ = victim.buy(t, "front desk") // it does not come back
	}()
	<-ended
	if n := owns(t, all[1].numbers); n != 1 {
		t.Fatalf("the order bought %d numbers", n)
	}
	for _, m := range all[1:] {
		if _, err := m.buy(t, "front desk"); !errors.Is(err, problem.ErrConflict) || owns(t, m.numbers) != 1 {
			t.Errorf("another machine: %v; %d numbers", err, owns(t, m.numbers))
		}
	}
	mustBuy(t, all[1], "back office")
}

// dying is an account of a machine that ends as soon as its order is carried out.
type dying struct {
	fax.Numbers
	end func()
}

func (d dying) Buy(ctx context.Context, o fax.Order) (fax.Number, error) {
	_, _ = d.Numbers.Buy(ctx, o)
	d.end()
	runtime.Goexit()
	return fax.Number{}, nil
}

// The notes of accounts are apart, and those of one can be forgotten.
func TestNotesOfAccountsAreApart(t *testing.T) {
	address := server.Database(t)
	a, _ := notesAt(t, address, "AC1")
	b, db := notesAt(t, address, "AC2")
	end, err := plan.LockNotes(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	endB, err := plan.LockNotes(t.Context(), b)
	if err != nil {
		t.Fatal("the lock of another account:", err)
	}
	end()
	endB()
	for i, notes := range []plan.Notes{a, b} {
		m := one(t, sandbox.Options{})
		m.care.Notes = notes
		mustBuy(t, m, fmt.Sprint("desk ", i))
	}
	if err := a.Forget(t.Context()); err != nil {
		t.Fatal(err)
	}
	left := []string{}
	rows, err := db.QueryContext(t.Context(), "SELECT account FROM faxctl.purchases")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var account string
		if err := rows.Scan(&account); err != nil {
			t.Fatal(err)
		}
		left = append(left, account)
	}
	if err := rows.Err(); err != nil || !slices.Equal(left, []string{"AC2"}) {
		t.Errorf("left are %v, %v", left, err)
	}
}

// What cannot be noted is not bought, wherever notes are.
func TestDatabaseAwayNothingBought(t *testing.T) {
	s := postgrestest.New(t)
	m := one(t, sandbox.Options{})
	m.care.Notes, _ = notesAt(t, s.Database(t), "AC1")
	now := m.care.Now
	kill := sync.OnceFunc(func() { s.Kill(t) })
	m.care.Now = func(ctx context.Context) (time.Time, error) { kill(); return now(ctx) }
	for _, when := range []string{"right before the order", "before"} {
		_, err := m.buy(t, "front desk")
		if !errors.Is(err, problem.ErrUnavailable) || !strings.Contains(err.Error(), "nothing was bought") || owns(t, m.numbers) != 0 {
			t.Errorf("%s: %v; %d numbers", when, err, owns(t, m.numbers))
		}
	}
	s.Start(t)
	mustBuy(t, m, "front desk")
}

// The lock also works by way of a PgBouncer in transaction mode.
func TestLockByPgBouncer(t *testing.T) {
	u, err := url.Parse(server.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	by := server.Bouncer(t, 4)(u.Path[1:])
	m := machines(t, 2, sandbox.Options{})
	for i := range m {
		m[i].care.Notes, _ = notesAt(t, by, "AC1")
	}
	end := m[0].hold(t)
	if _, err := m[1].buy(t, "front desk"); !errors.Is(err, problem.ErrConflict) {
		t.Errorf("beside another: %v", err)
	}
	end()
	mustBuy(t, m[1], "front desk")
}
