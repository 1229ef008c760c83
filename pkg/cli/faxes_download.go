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

// chosen are faxes that were named, by their ids alone, or selected by filters,
// as full records.
type chosen struct {
	faxes []fax.Fax
	named bool
}

// chosen finds the faxes that arguments or filters mean.
func (a *app) chosen(cmd *cobra.Command, args []string, s *selection) (fax.Faxes, chosen, error) {
	given := s.given(cmd)
	switch {
	case len(args) > 0 && given != "":
		return nil, chosen{}, usageError("%s and ids contradict each other", given)
	case len(args) == 0 && given == "":
		return nil, chosen{}, problem.With(usageError("the faxes to download are needed"), problem.Say("name their ids, or select them, as in %s", problem.Field("since", "24h")))
	}
	c := chosen{named: len(args) > 0}
	ids, err := a.refs(args)
	if err != nil {
		return nil, c, err
	}
	for _, id := range ids {
		c.faxes = append(c.faxes, fax.Fax{ID: id})
	}
	faxes, err := a.faxes(cmd.Context())
	if err != nil || c.named {
		return faxes, c, err
	}
	q, err := s.filter(cmd.Context(), a)
	if err != nil {
		return nil, c, err
	}
	c.faxes, err = fax.Collect(a.everyFax(cmd.Context(), faxes, q))
	return faxes, c, err
}

// record fetches the record of a fax that is known by its id alone.
func (c chosen) record(ctx context.Context, faxes fax.Faxes, f fax.Fax) (fax.Fax, error) {
	if !c.named {
		return f, nil
	}
	got, err := faxes.Get(ctx, f.ID)
	return got, batch.Lasting(err)
}

func (a *app) downloadOne(ctx context.Context, faxes fax.Faxes, work chosen, file string) error {
	if len(work.faxes) != 1 {
		return problem.With(usageError("-O takes one fax, and these are %d", len(work.faxes)), problem.Say("name a folder for them with -d"))
	}
	id := work.faxes[0].ID
	f, err := work.record(ctx, faxes, work.faxes[0])
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
func (a *app) download(ctx context.Context, faxes fax.Faxes, work chosen, d *download) error {
	name, err := fetch.ParseName(d.name)
	if err != nil {
		return err
	}
	faxes, keepers := keepUp(faxes, d.jobs)
	progress := a.term.Progress("downloading", len(work.faxes))
	defer progress.Stop()
	options := fetch.Options{Disk: durable.NewSyncer(durable.OS{}), Progress: func(n int) { progress.Add(0, int64(n)) }}
	save := func(ctx context.Context, f fax.Fax) (downloaded, error) {
		got, err := work.save(ctx, faxes, f, func(f fax.Fax) (fetch.File, error) {
			return fetch.Save(ctx, faxes, f, fetch.Target{Dir: d.dir, Base: name.Base(f)}, options)
		})
		progress.Add(1, 0)
		return downloaded{f.ID, got.Info.Pages, got, got.Info.Uncounted}, err
	}
	t := a.trouble()
	var sum downloads
	results := batch.RunOrdered(ctx, keepers, batch.Until(a.interrupts.gently(), values(work.faxes)), save)
	var end error
	_, printed := d.list.cut(ctx, toTheEnd(sum.counted(batch.Sift(t, results)), &end), nil)
	progress.Stop()
	words := sum.words(t.Tally, len(work.faxes))
	a.say("%s.", words)
	if end != nil && errors.Is(printed, end) { // the list was told of it
		return printed
	}
	return errors.Join(cmp.Or(end, t.Err()), unprinted(printed, words))
}

// keepUp has jobs requests on the line as long as there is work: a document
// that waits for the disk does not hold up the next. So more are kept at once
// than are fetched; but a single job is one after another.
func keepUp(faxes fax.Faxes, jobs int) (line fax.Faxes, keepers int) {
	if jobs == 1 {
		return faxes, 1
	}
	return fetch.AtOnce(faxes, jobs), 3 * jobs
}

// save gets the record, decides whether there is a document, and saves it.
func (c chosen) save(ctx context.Context, faxes fax.Faxes, f fax.Fax, save func(fax.Fax) (fetch.File, error)) (fetch.File, error) {
	id := f.ID
	f, err := c.record(ctx, faxes, f)
	if err != nil {
		return fetch.File{}, namedFax(id, err)
	}
	if !c.named && !f.HasDocument() && (f.Status.Unsuccessful() || !f.Status.Terminal()) {
		return fetch.File{}, batch.Pass()
	}
	got, err := save(f)
	if !c.named && fax.Denied(err) {
		err = denied(ctx, faxes, f, err)
	}
	return got, batch.Local(namedFax(id, err))
}

// denied is what it means that there is no document of a fax that was listed:
// nothing, when the provider's record and its list of documents tell of none, or
// when the fax is gone by now.
func denied(ctx context.Context, faxes fax.Faxes, f fax.Fax, denial error) error {
	switch _, has, err := fax.Look(ctx, faxes, f); {
	case err != nil:
		return err
	case has != fax.WithDocument:
		return batch.Pass()
	case !errors.Is(denial, problem.ErrNotFound):
		return denial
	}
	//nolint:errorlint // its kind is what it must not have
	return fmt.Errorf("%w: the record tells of a document: %v", fax.ErrContradiction, denial)
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
