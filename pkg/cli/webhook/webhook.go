// Package webhook holds the commands about callbacks and their answers: faxctl
// webhook, faxctl twiml and all below them.
package webhook

import (
	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/cli/app"
)

// Command is faxctl webhook, and all below it.
func Command(a *app.App) *cobra.Command {
	g := a.Group("webhook", "Try out and explain a provider's callbacks",
		"  faxctl webhook send --to http://localhost:8080/fax --event incoming\n  faxctl webhook verify --url https://fax.example.com/in \\\n    --signature RSOYDt4T1cUTdK1PDd93/VVr8B8= --body request.txt",
		func() [][]*cobra.Command {
			return [][]*cobra.Command{app.Reads(sendCommand(a), verifyCommand(a))}
		})
	g.GroupID = "receive"
	return g
}
