package cli

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/cli/show"
	"github.com/faxctl/faxctl/pkg/screen/output"
)

func buildType() output.Type[app.Build] {
	return output.Type[app.Build]{ID: func(b app.Build) string { return b.Version }, Columns: []output.Column[app.Build]{
		{Name: "version", Value: func(b app.Build) string { return b.Version }},
		{Name: "commit", Value: func(b app.Build) string { return b.Commit }},
		show.TimeColumn("date", func(b app.Build) time.Time { return b.Date }),
		{Name: "go", Value: func(b app.Build) string { return b.Go }},
		{Name: "os", Value: func(b app.Build) string { return b.OS }},
		{Name: "arch", Value: func(b app.Build) string { return b.Arch }},
	}}
}

func versionCommand(a *app.App) *cobra.Command {
	var out app.Printing[app.Build]
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Print the version, and the commit it was built from",
		Example: "  faxctl version\n  faxctl version -o json",
		Args:    app.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			b := app.ThisBuild()
			if !a.DataAsked {
				_, err := fmt.Fprintln(&a.Page, b)
				return err
			}
			return out.Single(cmd.Context(), b)
		},
	}
	out.Bind(a, cmd, buildType, nil)
	return cmd
}
