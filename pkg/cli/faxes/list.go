package faxes

import (
	"context"
	"errors"
	"iter"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/base/batch"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/seq"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/cli/show"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/fax/listing"
	"github.com/faxctl/faxctl/pkg/screen/output"
)

func listCommand(a *app.App) *cobra.Command {
	var l app.ListFlags
	var out app.Printing[fax.Fax]
	var names app.Names
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List faxes, the newest first",
		Long: `List faxes, the newest first.

A list with a --limit of 1000 or less asks for no more than it prints. A longer
one is cut into ranges of dates that are asked for side by side; its order is
the same. What the provider cannot select by is selected here: nothing is left
out silently.

--from and --to take what a list shows: a phone number, 611, anonymous or
sip:desk@example.com in any case, +1-800-FLOWERS, none for nobody at that end;
or a pattern, in which * stands for any characters and ? for one.`,
		Example: `  faxctl faxes list --since 24h
  faxctl faxes list --from '+1415*'
  faxctl faxes list --number 'front desk' --direction inbound --min-pages 5
  faxctl faxes list --failed --since 2026-01-01 -o csv=id,created,to,status
  faxctl faxes list --since 7d -o id | faxctl faxes download - -d inbox`,
		Args: app.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			q, most, err := l.Query(a, cmd)
			if err != nil {
				return err
			}
			out.AskNames(cmd.Context(), &names)
			seq, cut, err := listFaxes(cmd.Context(), a, q, most)
			if err != nil {
				return err
			}
			return app.PrintFound(cmd, &out, &l, seq, cut)
		},
	}
	l.Bind(a, cmd)
	out.Bind(a, cmd, func() output.Type[fax.Fax] { return show.FaxType(names.Of) }, nil)
	return cmd
}

// firstPage is the longest list that is worth asking for page by page.
const firstPage = 1000

// listFaxes lists the faxes that q selects, at most most of them (0: all); cut
// tells, once they were read, whether there are more.
func listFaxes(ctx context.Context, a *app.App, q fax.Filter, most int) (found iter.Seq2[fax.Fax, error], cut *bool, err error) {
	faxes, err := a.Faxes(ctx)
	if err != nil {
		return nil, nil, err
	}
	q.WithoutLinks = true
	if most == 0 || most > firstPage {
		found, cut = seq.Head(everyFax(ctx, a, faxes, q), most)
		return found, cut, nil
	}
	faxes, tell := withDates(a, faxes, q)
	cut = new(bool)
	return func(yield func(fax.Fax, error) bool) {
		defer tell()
		var first []fax.Fax
		if first, *cut, err = listing.First(ctx, faxes, q, most); err != nil {
			yield(fax.Fax{}, err)
			return
		}
		seq.Of(first)(yield)
	}, cut, nil
}

// everyFax lists all faxes that q selects, the newest first.
func everyFax(ctx context.Context, a *app.App, faxes fax.Faxes, q fax.Filter) iter.Seq2[fax.Fax, error] {
	return listed(ctx, a, faxes, q, listing.Options{})
}

// listed is everyFax, listed so; Retention is that of the account.
func listed(ctx context.Context, a *app.App, faxes fax.Faxes, q fax.Filter, o listing.Options) iter.Seq2[fax.Fax, error] {
	faxes, tell := withDates(a, faxes, q)
	o.Retention = a.Account.Provider.Retention
	return func(yield func(fax.Fax, error) bool) {
		defer tell()
		listing.List(ctx, faxes, q, o)(yield)
	}
}

// withDates are the faxes among which a q with dates is to look. Those without a
// date are not what it asks for, unless it says so; tell says how many there were.
func withDates(a *app.App, faxes fax.Faxes, q fax.Filter) (dated fax.Faxes, tell func()) {
	if !q.Dates() || q.Undated {
		return faxes, func() {}
	}
	counted := listing.CountUndated(faxes, q)
	return counted, func() {
		if n := counted.Count(); n > 0 {
			a.Say("%s without a date: left out, since nobody knows when they were made", text.Plural(n, "fax", "faxes"))
		}
	}
}

func getCommand(a *app.App) *cobra.Command {
	var jobs int
	var out app.Printing[show.Record]
	cmd := &cobra.Command{
		Use:   "get ID...",
		Short: "Show faxes, every field, with their documents",
		Long: `Show faxes, every field, with what is known of their documents; - reads the ids
from standard input. Ids that cannot be found are named, the others shown. The
beginning of an id is enough where no other one begins so, six characters at
least, in any case; for it all faxes are listed.`,
		Example: `  faxctl faxes get FX0123456789abcdef0123456789abcdef
  faxctl faxes list --failed -o id | faxctl faxes get - -o jsonl`,
		Args:              app.NeedArgs("a fax id", "faxctl faxes get FX0123456789abcdef0123456789abcdef"),
		ValidArgsFunction: a.CompleteFaxes,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			ids, err := a.Refs(args)
			if err != nil {
				return err
			}
			faxes, err := a.Faxes(ctx)
			if err != nil {
				return err
			}
			if ids, err = a.FaxIDs(ctx, faxes, ids); err != nil {
				return err
			}
			get := func(ctx context.Context, id string) (show.Record, error) { return getRecord(ctx, faxes, id) }
			if app.NamesOne(args) {
				r, err := get(ctx, ids[0])
				if err != nil {
					return err
				}
				return out.Single(ctx, r)
			}
			t := a.Trouble()
			found := batch.Sift(t, batch.RunOrdered(ctx, jobs, seq.Of(ids), get))
			if err := out.All(ctx, found); err != nil {
				return err
			}
			return t.Err()
		},
	}
	a.BindJobs(cmd, &jobs, 8, "records")
	out.Bind(a, cmd, show.RecordType, nil)
	return cmd
}

func getRecord(ctx context.Context, faxes fax.Faxes, id string) (show.Record, error) {
	f, err := faxes.Get(ctx, id)
	if err != nil {
		return show.Record{}, batch.Lasting(app.NamedFax(id, err))
	}
	media, err := fax.Collect(faxes.Media(ctx, id))
	if errors.Is(err, problem.ErrNotFound) {
		err = nil // none is kept
	}
	if media == nil {
		media = []fax.Media{}
	}
	return show.Record{Fax: f, Media: media}, app.NamedFax(id, err)
}
