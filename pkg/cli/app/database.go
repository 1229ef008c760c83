package app

import (
	"context"
	"database/sql"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/base/postgres"
	"github.com/faxctl/faxctl/pkg/cli/flag"
	"github.com/faxctl/faxctl/pkg/profile"
)

// BindDatabase adds the flag of commands that share something with other machines.
func (a *App) BindDatabase(cmd *cobra.Command) {
	read := func(text string) (string, error) { return text, postgres.Check(text) }
	cmd.Flags().Var(flag.Of(&a.Flags.Database, read), "database", "PostgreSQL `database` shared with other machines, as in postgres://faxctl@db.example.com/faxctl")
	flag.From(cmd.Flags(), "database", profile.DatabaseVariable)
	a.CompleteNothing(cmd, "database")
}

// Database is the database that --database names, open until the command ends; nil where
// none is named. Errors: those of [postgres.Open], and of the secret that is its password.
func (a *App) Database(ctx context.Context) (*sql.DB, error) {
	if a.Flags.Database == "" || a.database != nil {
		return a.database, nil
	}
	password, err := a.Secrets().Named(ctx, profile.DatabasePasswordVariable)
	if err != nil {
		return nil, err
	}
	a.database, err = postgres.Open(ctx, a.Flags.Database, postgres.Options{Password: password.Reveal()})
	if err == nil {
		a.OnClose(a.database.Close)
	}
	return a.database, err
}
