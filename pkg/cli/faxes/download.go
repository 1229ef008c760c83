package faxes

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/archive"
	"github.com/faxctl/faxctl/pkg/archive/fetch"
	"github.com/faxctl/faxctl/pkg/base/batch"
	"github.com/faxctl/faxctl/pkg/base/durable"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/seq"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/cli/show"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/screen/output"
	"github.com/faxctl/faxctl/pkg/screen/term"
)

// download is where documents go, and how.
type download struct {
	dir, name string
	file      app.OutputFile
	most      int64 // bytes of a document
	jobs      int
	list      app.Printing[show.Downloaded]
}

func downloadCommand(a *app.App) *cobra.Command {
	var (
		s app.Selection
		d download
	)
	cmd := &cobra.Command{
		Use:   "download {ID...|FILTERS}",
		Short: "Download the documents of faxes",
		Long: `Download the documents of faxes: those named (- reads ids from standard input),
or those that the filters select.

A document gets its name only when it is whole: its length, its kind and its
pages are checked against what the provider tells. What is there already, and
whole, is not fetched again; a large download that was cut off is continued.
Files are for you alone (0600).

--name says how files are named: {date} {time} {from} {to} {id} {direction}
{status} {pages} and text between them; the extension follows the document, with
.{ext} at the end or without. The id is added when it is missing, so that no two
faxes share a name. -O writes a single document to exactly one file, never over
one that is there without --force, or with -O - to standard output.

The list of what was downloaded goes to standard output, in the order of the
faxes.`,
		Example: `  faxctl faxes download FX0123456789abcdef0123456789abcdef
  faxctl faxes download --since 24h --direction inbound -d inbox
  faxctl faxes download --number 'front desk' --name '{date}_{time}_{from}'
  faxctl faxes download FX0123456789abcdef0123456789abcdef -O - | lp`,
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: a.CompleteFaxes,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := d.check(a, cmd); err != nil {
				return err
			}
			faxes, work, err := choose(a, cmd, args, &s)
			if err != nil {
				return err
			}
			faxes = fetch.AtMost(faxes, d.most)
			if d.file.Path != "" {
				return downloadOne(cmd.Context(), a, faxes, work, d.file)
			}
			return downloadAll(cmd.Context(), a, faxes, work, &d)
		},
	}
	s.Bind(a, cmd)
	d.list.Bind(a, cmd, show.DownloadedType, func() bool { return d.file.Path == "" })
	f := cmd.Flags()
	f.StringVarP(&d.dir, "dir", "d", ".", "`folder` for the documents, made if it is not there")
	d.file.Bind(cmd, "output-file", "O", "write the one document to this `file`; - is standard output")
	f.StringVar(&d.name, "name", "{date}_{from}_{id}", "`template` that names the files")
	a.BindMaxDocument(cmd, &d.most)
	a.BindJobs(cmd, &d.jobs, 16, "documents")
	a.CompleteFolders(cmd, "dir")
	a.CompleteNothing(cmd, "name")
	return cmd
}

func (d *download) check(a *app.App, cmd *cobra.Command) error {
	if err := d.file.Check(a); err != nil {
		return err
	}
	if d.file.Path == "" {
		if _, err := fetch.ParseName(d.name); err != nil {
			return fmt.Errorf("--name: %w", err)
		}
		if err := archive.Outside(d.dir); err != nil {
			return fmt.Errorf("--dir: %w", err)
		}
		return nil // the folder is made with the first document: a run in vain leaves none
	}
	for _, other := range []string{"dir", "name"} {
		if cmd.Flags().Changed(other) {
			return app.Misuse("-O names the one file: --%s has nothing to say", other)
		}
	}
	return nil
}

// choose finds the faxes that arguments or filters mean.
func choose(a *app.App, cmd *cobra.Command, args []string, s *app.Selection) (fax.Faxes, []fetch.Wanted, error) {
	given := s.Given(cmd)
	switch {
	case len(args) > 0 && given != "":
		return nil, nil, app.Misuse("%s and ids contradict each other", given)
	case len(args) == 0 && given == "":
		return nil, nil, problem.With(app.Misuse("the faxes to download are needed"), problem.Say("name their ids, or select them, as in %s", problem.Field("since", "24h")))
	}
	ids, err := a.Refs(args)
	if err != nil {
		return nil, nil, err
	}
	faxes, err := a.Faxes(cmd.Context())
	if err != nil {
		return nil, nil, err
	}
	if ids, err = a.FaxIDs(cmd.Context(), faxes, ids); err != nil {
		return nil, nil, err
	}
	var all []fetch.Wanted
	for _, id := range ids {
		all = append(all, fetch.Wanted{Fax: fax.Fax{ID: id}, Named: true})
	}
	if len(args) > 0 {
		return faxes, all, nil
	}
	q, err := s.Filter(cmd.Context(), a)
	if err != nil {
		return nil, nil, err
	}
	err = seq.Each(everyFax(cmd.Context(), a, faxes, q), func(f fax.Fax) { all = append(all, fetch.Wanted{Fax: f}) })
	return faxes, all, err
}

func downloadOne(ctx context.Context, a *app.App, faxes fax.Faxes, work []fetch.Wanted, to app.OutputFile) error {
	if len(work) != 1 {
		return problem.With(app.Misuse("-O takes one fax, and these are %d", len(work)), problem.Say("name a folder for them with -d"))
	}
	id := work[0].Fax.ID
	f, err := work[0].Record(ctx, faxes)
	if err != nil {
		return app.NamedFax(id, err)
	}
	progress := a.Term.Progress("downloading", 1)
	defer progress.Stop()
	options := fetch.Options{Progress: func(n int) { progress.Add(0, int64(n)) }, New: !to.Force}
	if to.Path == "-" {
		_, err = fetch.Copy(ctx, faxes, f, a.Term.Out, options)
		return app.NamedFax(id, output.Unwritten(err))
	}
	got, err := fetch.SaveAs(ctx, faxes, f, to.Path, options)
	if err != nil {
		return app.NamedFax(id, to.Taken(err))
	}
	progress.Stop()
	a.Say("Downloaded %s (%s).", got.Path, term.Bytes(got.Size))
	return nil
}

// downloadAll saves documents, a few at a time.
func downloadAll(ctx context.Context, a *app.App, faxes fax.Faxes, work []fetch.Wanted, d *download) error {
	name, err := fetch.ParseName(d.name)
	if err != nil {
		return err
	}
	faxes, keepers := fetch.SideBySide(faxes, d.jobs)
	progress := a.Term.Progress("downloading", len(work))
	defer progress.Stop()
	options := fetch.Options{Disk: durable.NewSyncer(durable.OS{}), Progress: func(n int) { progress.Add(0, int64(n)) }}
	save := func(ctx context.Context, w fetch.Wanted) (show.Downloaded, error) {
		defer progress.Add(1, 0)
		f, err := w.Record(ctx, faxes)
		if err != nil {
			return show.Downloaded{}, batch.Lasting(app.NamedFax(w.Fax.ID, err))
		}
		got, err := w.Save(ctx, faxes, f, fetch.Target{Dir: d.dir, Base: name.Base(f)}, options)
		switch {
		case errors.Is(err, fetch.ErrNothing):
			return show.Downloaded{}, batch.Pass()
		case err != nil:
			return show.Downloaded{}, batch.Local(app.NamedFax(f.ID, err))
		}
		return show.Downloaded{ID: f.ID, Pages: got.Info.Pages, File: got, Uncounted: got.Info.Uncounted}, nil
	}
	t := a.Trouble()
	var sum downloads
	results := batch.RunOrdered(ctx, keepers, batch.Until(a.Interrupts.Gently(), seq.Of(work)), save)
	var end error
	_, printed := d.list.Cut(ctx, app.ToTheEnd(sum.counted(batch.Sift(t, results)), &end), nil)
	progress.Stop()
	words := sum.words(t.Tally, len(work))
	a.Say("%s.", words)
	if end != nil && errors.Is(printed, end) { // the list was told of it
		return printed
	}
	return errors.Join(cmp.Or(end, t.Err()), app.Unprinted(printed, words))
}

// downloads counts what came.
type downloads struct {
	fresh, existed int
	bytes          int64
}

func (s *downloads) counted(all iter.Seq2[show.Downloaded, error]) iter.Seq2[show.Downloaded, error] {
	return func(yield func(show.Downloaded, error) bool) {
		for d, err := range all {
			switch {
			case err != nil:
			case d.Existed:
				s.existed++
			default:
				s.fresh++
				s.bytes += d.Size
			}
			if !yield(d, err) {
				return
			}
		}
	}
}

func (s *downloads) words(t batch.Tally, all int) string {
	return fmt.Sprintf("Downloaded %s (%s)%s", text.Plural(s.fresh, "document", "documents"), term.Bytes(s.bytes), text.Remarks(
		text.Remark(s.existed, "there already"), text.Remark(t.Skipped, "without a document"), text.Remark(t.Failed, "failed"),
		text.Remark(t.Left(all), "left")))
}
