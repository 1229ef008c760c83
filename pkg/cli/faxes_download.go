package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"os"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/archive/fetch"
	"github.com/faxctl/faxctl/pkg/base/batch"
	"github.com/faxctl/faxctl/pkg/base/durable"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/screen/term"
)

// download is where documents go, and how.
type download struct {
	dir, file, name string
	most            int64 // bytes of a document
	jobs            int
	list            printing[downloaded]
}

func (a *app) faxesDownload() *cobra.Command {
	var (
		s selection
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
faxes share a name. -O writes a single document to exactly one file, or with
-O - to standard output.

The list of what was downloaded goes to standard output, in the order of the
faxes.`,
		Example: `  faxctl faxes download FX0123456789abcdef0123456789abcdef
  faxctl faxes download --since 24h --direction inbound -d inbox
  faxctl faxes download --number 'front desk' --name '{date}_{time}_{from}'
  faxctl faxes download FX0123456789abcdef0123456789abcdef -O - | lp`,
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: a.completeFaxes,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := d.check(a, cmd); err != nil {
				return err
			}
			faxes, work, err := a.chosen(cmd, args, &s)
			if err != nil {
				return err
			}
			faxes = fetch.AtMost(faxes, d.most)
			if d.file != "" {
				return a.downloadOne(cmd.Context(), faxes, work, d.file)
			}
			return a.download(cmd.Context(), faxes, work, &d)
		},
	}
	s.bind(a, cmd)
	d.list.bind(a, cmd, downloadedType, func() bool { return d.file == "" })
	f := cmd.Flags()
	f.StringVarP(&d.dir, "dir", "d", ".", "`folder` for the documents, made if it is not there")
	f.StringVarP(&d.file, "output-file", "O", "", "write the one document to this `file`; - is standard output")
	f.StringVar(&d.name, "name", "{date}_{from}_{id}", "`template` that names the files")
	a.bindMaxDocument(cmd, &d.most)
	a.bindJobs(cmd, &d.jobs, 16, "documents")
	a.completeFolders(cmd, "dir")
	a.completeNothing(cmd, "name")
	must(cmd.RegisterFlagCompletionFunc("output-file", cobra.FixedCompletions(nil, cobra.ShellCompDirectiveDefault)))
	return cmd
}

func (d *download) check(a *app, cmd *cobra.Command) error {
	if d.file == "" {
		if _, err := fetch.ParseName(d.name); err != nil {
			return fmt.Errorf("--name: %w", err)
		}
		return nil // the folder is made with the first document: a run in vain leaves none
	}
	for _, other := range []string{"dir", "name"} {
		if cmd.Flags().Changed(other) {
			return usageError("-O names the one file: --%s has nothing to say", other)
		}
	}
	return a.checkOutputFile(d.file)
}

// checkOutputFile keeps documents away from terminals, which would obey them, and
// from what is there and is no file: it would be replaced, /dev/stdout by a file.
func (a *app) checkOutputFile(file string) error {
	if file == "-" && a.term.Out.Terminal {
		return problem.With(usageError("-O - would write a document to the terminal"), problem.Say("name a file, or pipe it into a program"))
	}
	if info, err := os.Stat(file); err == nil && !info.Mode().IsRegular() {
		return problem.With(usageError("-O %s: it is there, and is no file", file), problem.Say("name a file; - is standard output"))
	}
	return nil
}

// chosen finds the faxes that arguments or filters mean.
func (a *app) chosen(cmd *cobra.Command, args []string, s *selection) (fax.Faxes, []fetch.Wanted, error) {
	given := s.given(cmd)
	switch {
	case len(args) > 0 && given != "":
		return nil, nil, usageError("%s and ids contradict each other", given)
	case len(args) == 0 && given == "":
		return nil, nil, problem.With(usageError("the faxes to download are needed"), problem.Say("name their ids, or select them, as in %s", problem.Field("since", "24h")))
	}
	ids, err := a.refs(args)
	if err != nil {
		return nil, nil, err
	}
	faxes, err := a.faxes(cmd.Context())
	if err != nil {
		return nil, nil, err
	}
	var all []fetch.Wanted
	for _, id := range ids {
		all = append(all, fetch.Wanted{Fax: fax.Fax{ID: id}, Named: true})
	}
	if len(args) > 0 {
		return faxes, all, nil
	}
	q, err := s.filter(cmd.Context(), a)
	if err != nil {
		return nil, nil, err
	}
	err = each(a.everyFax(cmd.Context(), faxes, q), func(f fax.Fax) { all = append(all, fetch.Wanted{Fax: f}) })
	return faxes, all, err
}

func (a *app) downloadOne(ctx context.Context, faxes fax.Faxes, work []fetch.Wanted, file string) error {
	if len(work) != 1 {
		return problem.With(usageError("-O takes one fax, and these are %d", len(work)), problem.Say("name a folder for them with -d"))
	}
	id := work[0].Fax.ID
	f, err := work[0].Record(ctx, faxes)
	if err != nil {
		return namedFax(id, err)
	}
	progress := a.term.Progress("downloading", 1)
	defer progress.Stop()
	options := fetch.Options{Progress: func(n int) { progress.Add(0, int64(n)) }}
	if file == "-" {
		_, err = fetch.Copy(ctx, faxes, f, a.term.Out, options)
		return namedFax(id, err)
	}
	got, err := fetch.SaveAs(ctx, faxes, f, file, options)
	if err != nil {
		return namedFax(id, err)
	}
	progress.Stop()
	a.say("Downloaded %s (%s).", got.Path, term.Bytes(got.Size))
	return nil
}

// downloaded is a document in a file.
type downloaded struct {
	ID    string `json:"id"`
	Pages int    `json:"pages"` // counted in the document; 0: it has none, or they could not be
	fetch.File
	Uncounted string `json:"uncounted,omitempty"` // why the pages could not be counted
}

// download saves documents, a few at a time.
func (a *app) download(ctx context.Context, faxes fax.Faxes, work []fetch.Wanted, d *download) error {
	name, err := fetch.ParseName(d.name)
	if err != nil {
		return err
	}
	faxes, keepers := fetch.SideBySide(faxes, d.jobs)
	progress := a.term.Progress("downloading", len(work))
	defer progress.Stop()
	options := fetch.Options{Disk: durable.NewSyncer(durable.OS{}), Progress: func(n int) { progress.Add(0, int64(n)) }}
	save := func(ctx context.Context, w fetch.Wanted) (downloaded, error) {
		defer progress.Add(1, 0)
		f, err := w.Record(ctx, faxes)
		if err != nil {
			return downloaded{}, batch.Lasting(namedFax(w.Fax.ID, err))
		}
		got, err := w.Save(ctx, faxes, f, fetch.Target{Dir: d.dir, Base: name.Base(f)}, options)
		switch {
		case errors.Is(err, fetch.ErrNothing):
			return downloaded{}, batch.Pass()
		case err != nil:
			return downloaded{}, batch.Local(namedFax(f.ID, err))
		}
		return downloaded{f.ID, got.Info.Pages, got, got.Info.Uncounted}, nil
	}
	t := a.trouble()
	var sum downloads
	results := batch.RunOrdered(ctx, keepers, batch.Until(a.interrupts.gently(), values(work)), save)
	var end error
	_, printed := d.list.cut(ctx, toTheEnd(sum.counted(batch.Sift(t, results)), &end), nil)
	progress.Stop()
	words := sum.words(t.Tally, len(work))
	a.say("%s.", words)
	if end != nil && errors.Is(printed, end) { // the list was told of it
		return printed
	}
	return errors.Join(cmp.Or(end, t.Err()), unprinted(printed, words))
}

// downloads counts what came.
type downloads struct {
	fresh, existed int
	bytes          int64
}

func (s *downloads) counted(all iter.Seq2[downloaded, error]) iter.Seq2[downloaded, error] {
	return func(yield func(downloaded, error) bool) {
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
	return fmt.Sprintf("Downloaded %s (%s)%s", plural(s.fresh, "document", "documents"), term.Bytes(s.bytes), remarks(
		remark(s.existed, "there already"), remark(t.Skipped, "without a document"), remark(t.Failed, "failed"),
		remark(t.Left(all), "left")))
}
