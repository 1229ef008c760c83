package cli_test

import (
	"context"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/faxctl/faxctl/pkg/base/postgres/postgrestest"
)

// databases are those of the scripts.
var databases postgrestest.Server

// database makes an empty PostgreSQL database, whose URL is $DATABASE. A script that needs
// one is passed over where there is no PostgreSQL: [!postgresql] skip 'no PostgreSQL'.
func database(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: database")
	}
	address, err := databases.Make(context.Background())
	ts.Check(err)
	ts.Setenv("DATABASE", address)
}
