package cli

import (
	"context"
	"errors"
	"iter"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/base/batch"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/fax/listing"
)

func (a *app) faxesList() *cobra.Command {
	var l listFlags
	var out printing[fax.Fax]
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List faxes, the newest first",
		Long: `List faxes, the newest first.

A list with a --limit of 1000 or less asks for no more than it prints. A longer
one is cut into ranges of dates that are asked for side by side; its order is
the same. What the provider cannot select by is selected here: nothing is left
out silently.`,
		Example: `  faxctl faxes list --since 24h
  faxctl faxes list --number 'front desk' --direction inbound --min-pages 5
  faxctl faxes list --failed --since 2026-01-01 -o csv=id,created,to,status
  faxctl faxes list --since 7d -o id | faxctl faxes download - -d inbox`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			q, most, err := l.query(a, cmd)
			if err != nil {
				return err
			}
			seq, cut, err := a.listFaxes(cmd.Context(), q, most)
			if err != nil {
				return err
			}
			return printFound(cmd, &out, &l, seq, cut)
		},
	}
	l.bind(a, cmd)
	out.bind(a, cmd, faxType, nil)
	return cmd
}

// listFlags are the flags of a list of faxes: which ones, and how many.
type listFlags struct {
	selection
	limits
}

func (l *listFlags) bind(a *app, cmd *cobra.Command) {
	l.selection.bind(a, cmd)
	l.limits.bind(a, cmd)
}

// query is what the flags come to; a most of 0 is all.
func (l *listFlags) query(a *app, cmd *cobra.Command) (q fax.Filter, most int, err error) {
	if most, err = l.most(a, cmd); err == nil {
		q, err = l.filter(cmd.Context(), a)
	}
	return q, most, err
}

// printFound prints a list of faxes, and says so when there are none.
func printFound[T any](cmd *cobra.Command, p *printing[T], l *listFlags, found iter.Seq2[T, error], cut *bool) error {
	shown, err := p.cut(cmd.Context(), found, cut)
	switch {
	case err != nil || shown > 0:
		return err
	case l.given(cmd) != "":
		p.a.say("no fax matches")
	default:
		p.a.say("no fax%s", p.a.seeding())
	}
	return nil
}

// seeding says how to get faxes where they can be made up.
func (a *app) seeding() string {
	if a.account.resolved.IsBuiltIn() {
		return "; faxctl sandbox seed --faxes 100 makes some up"
	}
	return ""
}

// firstPage is the longest list that is worth asking for page by page.
const firstPage = 1000

// listFaxes lists the faxes that q selects, at most most of them (0: all); cut
// tells, once they were read, whether there are more.
func (a *app) listFaxes(ctx context.Context, q fax.Filter, most int) (seq iter.Seq2[fax.Fax, error], cut *bool, err error) {
	faxes, err := a.faxes(ctx)
	if err != nil {
		return nil, nil, err
	}
	q.WithoutLinks = true
	if most == 0 || most > firstPage {
		seq, cut = head(a.everyFax(ctx, faxes, q), most)
		return seq, cut, nil
	}
	faxes, tell := a.withDates(faxes, q)
	cut = new(bool)
	return func(yield func(fax.Fax, error) bool) {
		defer tell()
		var found []fax.Fax
		if found, *cut, err = listing.First(ctx, faxes, q, most); err != nil {
			yield(fax.Fax{}, err)
			return
		}
		values(found)(yield)
	}, cut, nil
}

// everyFax lists all faxes that q selects, the newest first.
func (a *app) everyFax(ctx context.Context, faxes fax.Faxes, q fax.Filter) iter.Seq2[fax.Fax, error] {
	faxes, tell := a.withDates(faxes, q)
	return func(yield func(fax.Fax, error) bool) {
		defer tell()
		listing.List(ctx, faxes, q, listing.Options{Retention: a.account.provider.Retention})(yield)
	}
}

// withDates are the faxes among which a q with dates is to look. Those without a
// date are not what it asks for, unless it says so; tell says how many there were.
func (a *app) withDates(faxes fax.Faxes, q fax.Filter) (dated fax.Faxes, tell func()) {
	if !q.Dates() || q.Undated {
		return faxes, func() {}
	}
	counted := listing.CountUndated(faxes, q)
	return counted, func() {
		if n := counted.Count(); n > 0 {
			a.say("%s without a date: left out, since nobody knows when they were made", plural(n, "fax", "faxes"))
		}
	}
}

func (a *app) faxesGet() *cobra.Command {
	var jobs int
	var out printing[record]
	cmd := &cobra.Command{
		Use:   "get ID...",
		Short: "Show faxes, every field, with their documents",
		Long: `Show faxes, every field, with what is known of their documents; - reads the ids
from standard input. Ids that cannot be found are named, the others shown.`,
		Example: `  faxctl faxes get FX0123456789abcdef0123456789abcdef
  faxctl faxes list --failed -o id | faxctl faxes get - -o jsonl`,
		Args:              needArgs("a fax id", "faxctl faxes get FX0123456789abcdef0123456789abcdef"),
		ValidArgsFunction: a.completeFaxes,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			ids, err := a.refs(args)
			if err != nil {
				return err
			}
			faxes, err := a.faxes(ctx)
			if err != nil {
				return err
			}
			get := func(ctx context.Context, id string) (record, error) { return getRecord(ctx, faxes, id) }
			if namesOne(args) {
				r, err := get(ctx, ids[0])
				if err != nil {
					return err
				}
				return out.one(ctx, r)
			}
			t := a.trouble()
			found := batch.Sift(t, batch.RunOrdered(ctx, jobs, values(ids), get))
			if err := out.all(ctx, found); err != nil {
				return err
			}
			return t.Err()
		},
	}
	a.bindJobs(cmd, &jobs, 8, "records")
	out.bind(a, cmd, recordType, nil)
	return cmd
}

// record is a fax with its documents.
type record struct {
	fax.Fax
	Media []fax.Media `json:"media"`
}

func getRecord(ctx context.Context, faxes fax.Faxes, id string) (record, error) {
	f, err := faxes.Get(ctx, id)
	if err != nil {
		return record{}, batch.Lasting(namedFax(id, err))
	}
	media, err := fax.Collect(faxes.Media(ctx, id))
	if errors.Is(err, problem.ErrNotFound) {
		err = nil // none is kept
	}
	if media == nil {
		media = []fax.Media{}
	}
	return record{f, media}, namedFax(id, err)
}
