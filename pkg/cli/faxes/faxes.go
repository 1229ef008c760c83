// Package faxes holds the commands about fax records and their documents at the
// provider: faxctl faxes and all below it.
package faxes

import (
	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/cli/app"
)

// Command holds what is done with faxes.
func Command(a *app.App) *cobra.Command {
	g := a.Group("faxes", "List, fetch, archive and delete faxes",
		"  faxctl faxes list --since 24h\n  faxctl faxes download --since 24h -d inbox", func() [][]*cobra.Command { return commands(a) })
	g.GroupID = "work"
	return g
}

func commands(a *app.App) [][]*cobra.Command {
	download, view := problem.Command("faxes", "download").Arg("ID"), problem.Command("faxes", "view").Arg("ID")
	return [][]*cobra.Command{
		app.Reads(listCommand(a), getCommand(a), viewCommand(a), statsCommand(a), expiringCommand(a), watchCommand(a),
			downloadCommand(a), mediaCommand(a), archiveCommand(a)),
		app.Changes(mailCommand(a)),
		app.Destroys(deleteCommand(a), pruneCommand(a)),
		app.Elsewhere(problem.Say("its pages: %s; in the system's viewer: %s; the document as a file: %s; the record: %s", view, view.Switch("open"), download,
			problem.Command("faxes", "get").Arg("ID")), "open", "read", "show"),
		app.Elsewhere(problem.Say("on paper: %s", view.Switch("print")), "print"),
		app.Elsewhere(problem.Say("filters select faxes: %s", problem.Command("faxes", "list").Set("from", "+14155550123").Set("since", "7d")), "search", "find"),
		app.Elsewhere(problem.Say("faxctl sends no faxes; a sandbox can let one arrive: %s", problem.Command("sandbox", "call")), "send", "resend"),
		app.Elsewhere(problem.Say("documents as files: %s; records as a table: %s; copies with both: %s", download, problem.Command("faxes", "list").Set("o", "csv"), problem.Command("faxes", "archive").Set("to", "DIR")), "save", "cat", "export", "fetch"),
		app.Elsewhere(problem.Say("faxes are deleted for good with faxes delete, which asks first"), "rm", "remove"),
		app.Elsewhere(problem.Say("by mail: %s; to a program of yours, as each comes: %s", problem.Command("faxes", "mail").Arg("ID").Set("to", "ADDRESS"), problem.Command("faxes", "watch").Set("forward-to", "URL")), "forward"),
	}
}
