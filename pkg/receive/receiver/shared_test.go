package receiver_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"strings"
	"sync"
	"testing"

	"github.com/faxctl/faxctl/pkg/base/postgres"
	"github.com/faxctl/faxctl/pkg/base/postgres/postgrestest"
	"github.com/faxctl/faxctl/pkg/receive/receiver"
	"github.com/faxctl/faxctl/pkg/receive/webhook"
)

// server is the one that has the databases of the tests.
var server postgrestest.Server

// onEach runs a test for each place in which a receiver may have its state: the stations
// that it makes have theirs there.
func onEach(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	t.Parallel()
	for _, place := range []string{"file", inDatabase} {
		t.Run(place, func(t *testing.T) {
			t.Parallel()
			test(t)
		})
	}
}

// inDatabase is the name of the part of a test whose stations share a database.
const inDatabase = "database"

func shares(t testing.TB) bool {
	return strings.Contains(t.Name()+"/", "/"+inDatabase+"/")
}

// newDatabase is a database in which an account's receiver was opened, and knows nothing.
func newDatabase(t testing.TB) *sql.DB {
	t.Helper()
	return connect(t, newDatabaseURL(t))
}

func newDatabaseURL(t testing.TB) string {
	t.Helper()
	empty := emptyDatabase(t)
	name := "receiver_" + strings.ToLower(rand.Text())
	server.SQL(t, "postgres", "CREATE DATABASE "+name+" TEMPLATE "+empty)
	return server.URL(postgrestest.Superuser, name)
}

func connect(t testing.TB, url string) *sql.DB {
	t.Helper()
	db, err := postgres.Open(t.Context(), url, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

var empty struct {
	once sync.Once
	name string
	err  error
}

func emptyDatabase(t testing.TB) string {
	t.Helper()
	server.Port(t) // skips the test where there is none
	empty.once.Do(func() {
		url := server.Database(t)
		empty.name = url[strings.LastIndexByte(url, '/')+1:]
		var db *sql.DB
		if db, empty.err = postgres.Open(context.Background(), url, postgres.Options{}); empty.err != nil {
			return
		}
		defer db.Close()
		var r *receiver.Receiver
		r, empty.err = receiver.Open(context.Background(), receiver.Config{
			PublicURL: publicURL, Keys: []webhook.Key{key}, Account: account, Provider: newCloud().provider(),
			Archive: newFolder(t.TempDir()), StateDir: t.TempDir(), Database: db,
		})
		if empty.err == nil {
			empty.err = r.Close()
		}
		if empty.err == nil {
			_, empty.err = db.Exec(`DELETE FROM faxctl_` + strings.ToLower(account) + `.receiver_note`) // who it is
		}
	})
	if empty.err != nil {
		t.Fatal(empty.err)
	}
	return empty.name
}
