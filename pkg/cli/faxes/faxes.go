// Package faxes holds the commands about fax records and their documents at the
// provider: faxctl faxes and all below it.
package faxes

import (
	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/cli/app"
)

// Command holds what is done with faxes.
func Command(a *app.App) *cobra.Command {
	g := app.Group("faxes", "List, fetch, archive and delete faxes",
		"  faxctl faxes list --since 24h\n  faxctl faxes download --since 24h -d inbox",
		listCommand(a), getCommand(a),
		statsCommand(a), expiringCommand(a), watchCommand(a),
		downloadCommand(a), mediaCommand(a), deleteCommand(a),
		archiveCommand(a), pruneCommand(a))
	g.GroupID = "work"
	return g
}
