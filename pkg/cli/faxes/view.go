package faxes

import (
	"bytes"
	"cmp"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/archive/fetch"
	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/cli/show"
	"github.com/faxctl/faxctl/pkg/inbox/pages"
)

func viewCommand(a *app.App) *cobra.Command {
	var to app.Pictures
	var most int64
	var out app.Printing[pages.File]
	cmd := &cobra.Command{
		Use:   "view ID",
		Short: "Draw the pages of a fax as pictures",
		Long: `Draw the pages of a fax as pictures, from the document that the provider has.

` + app.PicturesHelp,
		Example: `  faxctl faxes view FX0123456789abcdef0123456789abcdef --png pages
  faxctl faxes view FX0123456789abcdef0123456789abcdef --png pages --page 2`,
		Args:              app.OneArg("a fax id", "faxctl faxes view FX0123456789abcdef0123456789abcdef --png pages"),
		ValidArgsFunction: app.UpTo(1, a.CompleteFaxes),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			if err := to.Check(); err != nil {
				return err
			}
			faxes, err := a.Faxes(ctx)
			if err != nil {
				return err
			}
			ids, err := a.FaxIDs(ctx, faxes, args)
			if err != nil {
				return err
			}
			f, err := faxes.Get(ctx, ids[0])
			if err != nil {
				return app.NamedFax(ids[0], err)
			}
			var content bytes.Buffer
			if _, err := fetch.Copy(ctx, fetch.AtMost(faxes, most), f, &content, fetch.Options{}); err != nil {
				return app.NamedFax(f.ID, err)
			}
			return cmp.Or(out.All(ctx, to.Draw(ctx, a, f.ID, content.Bytes())), to.End())
		},
	}
	out.Bind(a, cmd, show.PictureType, nil)
	to.Bind(a, cmd)
	a.BindMaxDocument(cmd, &most)
	return cmd
}
