// Package archive holds the commands about kept copies: faxctl archive and all below
// it.
package archive

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/archive"
	"github.com/faxctl/faxctl/pkg/base/batch"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/seq"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/cli/show"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/screen/output"
	"github.com/faxctl/faxctl/pkg/screen/term"
)

// Command holds what is done with kept copies.
func Command(a *app.App) *cobra.Command {
	g := a.Group("archive", "Look into kept copies; verify, hold, copy and remove them",
		"  faxctl archive list /srv/faxes --since 30d\n  faxctl archive verify /srv/faxes", func() [][]*cobra.Command { return commands(a) })
	g.Long = `Look into kept copies; verify, hold, copy and remove them. faxctl faxes archive
makes them; of the commands here only archive reindex --ask asks a provider.`
	g.GroupID = "work"
	return g
}

func commands(a *app.App) [][]*cobra.Command {
	copied, view := problem.Command("archive", "get").Arg("ARCHIVE").Arg("ID"), problem.Command("archive", "view").Arg("ARCHIVE").Arg("ID")
	all := [][]*cobra.Command{
		app.Reads(listCommand(a), getCommand(a), viewCommand(a), verifyCommand(a), reindexCommand(a)),
		app.Changes(holdCommand(a), unholdCommand(a), copyCommand(a), mailCommand(a)),
		app.Destroys(removeCommand(a)),
		app.Elsewhere(problem.Say("copies that have served their time go with archive remove, which asks first; faxes at the provider, with faxes prune"), "delete", "rm", "prune", "purge"),
		app.Elsewhere(problem.Say("its pages: %s; in the system's viewer: %s; the document as a file: %s; the record: %s", view, view.Switch("open"), copied.Set("O", "FILE"), copied), "open", "read", "show"),
		app.Elsewhere(problem.Say("a hold is let go: %s", problem.Command("archive", "unhold").Arg("ARCHIVE").Arg("ID")), "release", "unlock"),
		app.Elsewhere(problem.Say("on paper: %s", view.Switch("print")), "print"),
		app.Elsewhere(problem.Say("by mail: %s", problem.Command("archive", "mail").Arg("ARCHIVE").Arg("ID").Set("to", "ADDRESS")), "send", "forward"),
		app.Elsewhere(problem.Say("filters select faxes: %s", problem.Command("archive", "list").Arg("ARCHIVE").Set("from", "+14155550123")), "search", "find"),
		app.Elsewhere(problem.Say("a document: %s; records as a table: %s", copied.Set("O", "FILE"), problem.Command("archive", "list").Arg("ARCHIVE").Set("o", "csv")), "export", "save", "cat", "download"),
	}
	for _, cmd := range slices.Concat(all...) {
		a.BindDatabase(cmd)
	}
	return all
}

func listCommand(a *app.App) *cobra.Command {
	var l app.ListFlags
	var held bool
	var all, onlyHeld app.Printing[archive.Entry]
	cmd := &cobra.Command{
		Use:     "list [ARCHIVE]",
		Aliases: []string{"ls"},
		Short:   "List kept faxes, the newest first",
		Long: `List kept faxes, the newest first. In JSON each is what its sidecar says: the
fax, as faxes list has it, is in "fax", beside what is kept of it.`,
		Example: `  faxctl archive list /srv/faxes --since 30d
  faxctl archive list /srv/faxes --held -o csv=id,hold
  faxctl archive list /srv/faxes -o jq='.[].fax.id'
  faxctl archive list /srv/faxes --from +14155550123 -o id`,
		Args:              app.OneArg("an archive", "faxctl archive list /srv/faxes"),
		ValidArgsFunction: app.UpTo(1, a.CompleteArchive),
		RunE: func(cmd *cobra.Command, args []string) error {
			if a.Flags.Raw {
				return problem.With(app.Misuse("--raw: a list has no records as the provider sent them"),
					problem.Say("for one of them: %s", problem.Command("archive", "get").Arg(args[0]).Arg("ID").Switch("raw").Set("o", "json")))
			}
			q, most, err := l.Query(a, cmd)
			if err != nil {
				return err
			}
			kept, err := a.ReadArchive(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			found, cut := seq.Head(seq.Filter(kept.List(cmd.Context(), q), func(e archive.Entry) bool { return !held || e.Hold != nil }), most)
			out := &all
			if held {
				out = &onlyHeld
			}
			return app.PrintFound(cmd, out, &l, found, cut)
		},
	}
	l.Bind(a, cmd)
	all.Bind(a, cmd, show.EntryType, func() bool { return !held })
	onlyHeld.Bind(a, cmd, show.HeldType, func() bool { return held })
	cmd.Flags().BoolVar(&held, "held", false, "only faxes that are held")
	a.ArchiveArgs(cmd, 1)
	return cmd
}

func getCommand(a *app.App) *cobra.Command {
	var file app.OutputFile
	var out app.Printing[show.Kept]
	cmd := &cobra.Command{
		Use:   "get [ARCHIVE] ID",
		Short: "Show a kept fax, or copy its document out",
		Long: `Show a kept fax and the path of its document, or copy the document out with -O.
The beginning of an id is enough, six characters at least, in any case. The
document is compared with what was kept first; one that has changed is not
handed out, and the exit status is then 8, as it is when the sidecar cannot be
read. -O writes over no file that is there without --force.`,
		Example: `  faxctl archive get /srv/faxes FX0123456789abcdef0123456789abcdef
  faxctl archive get /srv/faxes FX0123456789abcdef0123456789abcdef -O fax.pdf`,
		Args:              archiveArgs(2, "faxctl archive get /srv/faxes FX0123456789abcdef0123456789abcdef"),
		ValidArgsFunction: app.UpTo(2, a.CompleteArchive),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			if err := file.Check(a); err != nil {
				return err
			}
			kept, err := a.ReadArchive(ctx, args[0])
			if err != nil {
				return err
			}
			ids, err := a.KeptIDs(ctx, kept, args[0], args[1:])
			if err != nil {
				return err
			}
			if file.Path == "" {
				e, err := lookAt(ctx, a, kept, ids[0])
				if err != nil {
					return app.Damaged(err)
				}
				return out.Single(ctx, e)
			}
			return copyOut(ctx, a, kept, ids[0], file)
		},
	}
	out.Bind(a, cmd, show.KeptType, func() bool { return file.Path == "" })
	a.ArchiveArgs(cmd, 2)
	file.Bind(cmd, "output-file", "O", "copy the document to this `file`; - is standard output")
	return cmd
}

// lookAt is a kept fax with the path of its document. That there is none is told.
func lookAt(ctx context.Context, a *app.App, kept *archive.Archive, id string) (show.Kept, error) {
	e, err := kept.Get(ctx, id)
	if err != nil {
		return show.Kept{}, app.NamedFax(id, err)
	}
	k := show.Kept{Entry: e}
	if e.Document == nil {
		a.Say("no document is kept of fax %s: %s", id, show.WhyNoDocument(e))
		return k, nil
	}
	k.Path, err = kept.DocumentLocation(ctx, id)
	return k, err
}

// keptDocument is a kept document, whole and as it was kept.
func keptDocument(ctx context.Context, kept *archive.Archive, id string) ([]byte, error) {
	document, err := kept.ReadDocument(ctx, id)
	if !errors.Is(err, problem.ErrNotFound) {
		return document, app.Damaged(err)
	}
	if e, unread := kept.Get(ctx, id); unread == nil && e.Document == nil {
		err = problem.With(fmt.Errorf("%w: %s", err, show.WhyNoDocument(e)), problem.AdviceOf(err))
	}
	return nil, err
}

// copyOut writes a kept document to a file, or to standard output: whole and as
// it was kept, or not at all.
func copyOut(ctx context.Context, a *app.App, kept *archive.Archive, id string, to app.OutputFile) error {
	document, err := keptDocument(ctx, kept, id)
	switch {
	case err != nil:
		return err
	case to.Path == "-":
		_, err := a.Term.Out.Write(document)
		return output.Unwritten(err)
	}
	if err := to.Write(document); err != nil {
		return err
	}
	a.Say("Copied the document of fax %s to %s (%s).", id, text.Line(to.Path), term.Bytes(int64(len(document))))
	return nil
}

// archiveArgs asks for an archive and a fax id, at most so many arguments in all; 0: any.
func archiveArgs(most int, example string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) >= 2 && (most == 0 || len(args) <= most) {
			return nil
		}
		return problem.With(app.Misuse("%s needs an archive and a fax id", cmd.CommandPath()), problem.Say("as in: "+example))
	}
}

func verifyCommand(a *app.App) *cobra.Command {
	var jobs int
	var out app.Printing[archive.Finding]
	cmd := &cobra.Command{
		Use:   "verify [ARCHIVE]",
		Short: "Read every copy again and compare it with what was kept",
		Long: `Read every copy again and compare it with what was kept: each document against
its sha256. What is missing, changed, unreadable or without a sidecar is listed,
and so is a sidecar that the index does not know while it claims to be whole, a
document with fewer pages than its record tells, one that is not kept and was
marked as gone at the provider, and a fax that has a second sidecar under
another day; the exit status is then 8. A document whose pages cannot be counted
is told with the reason, and is no finding.

The problems are missing, changed, unreadable, orphan (no sidecar), short (of
pages), not kept, not listed, mislisted (the index leads to another fax's file),
kept twice, hold lost (its sidecar was replaced by one that tells nothing of
it), unfinished (a removal was cut off) and undecided (so was a deletion at the
provider); and in a bucket with object lock not locked (a hold without its legal
hold) and unreleased (the reverse). See docs/retention.md.

Marks of an earlier version, which believed one answer that something was not
found, are counted. faxctl archive reindex --ask takes back those that are not
so.`,
		Example: `  faxctl archive verify /srv/faxes
  faxctl archive verify /srv/faxes -o json`,
		Args:              app.OneArg("an archive", "faxctl archive verify /srv/faxes"),
		ValidArgsFunction: app.UpTo(1, a.CompleteArchive),
		RunE: func(cmd *cobra.Command, args []string) error {
			kept, err := a.ReadArchive(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			report, err := kept.Verify(cmd.Context(), jobs)
			if err != nil {
				return err
			}
			for i, f := range report.Findings {
				report.Findings[i].Detail = a.Settled(f.Detail)
			}
			if _, err := out.Cut(cmd.Context(), seq.Of(report.Findings), nil); err != nil {
				return err
			}
			again, ask := problem.Command("faxes", "archive").Set("to", args[0]), problem.Command("archive", "reindex").Arg(args[0]).Switch("ask")
			sayNotes(a, report.Notes, args[0])
			a.Say("%s and %s (%s) verified, %s.", text.Plural(report.Entries, "record", "records"),
				text.Plural(report.Documents, "document", "documents"), term.Bytes(report.Bytes), text.Plural(len(report.Findings), "finding", "findings"))
			if report.Missing > 0 {
				a.Say("%s kept without a document, which did not come, or could not be taken: %s asks again and tells which", text.Plural(report.Missing, "fax is", "faxes are"), again.Switch("retry-missing"))
			}
			if report.Deleting > 0 {
				a.Say("%s marked as being deleted at the provider, by a run that goes on or was ended: %s asks an hour later what became of them", text.Plural(report.Deleting, "fax is", "faxes are"), ask)
			}
			if report.Doubtful > 0 {
				a.Say("%s marked as gone by an earlier version, on one answer: %s asks again", text.Plural(report.Doubtful, "fax was", "faxes were"), ask)
			}
			if slices.ContainsFunc(report.Findings, func(f archive.Finding) bool { return f.Problem == archive.Missing || f.Problem == archive.Changed }) {
				a.Say("What is missing, or has another size, %s fetches again while the provider has it; a changed document of the same size is moved away first. The rest only a backup brings back.", again)
			}
			if len(report.Findings) > 0 {
				return problem.Of(app.ErrFindings, problem.ErrTold)
			}
			return nil
		},
	}
	a.ArchiveArgs(cmd, 1)
	a.BindJobs(cmd, &jobs, 4, "files")
	out.Bind(a, cmd, show.DamageType, nil)
	return cmd
}

// mostNotes is how many notes are told one by one.
const mostNotes = 10

// sayNotes tells of documents about which there is something to know.
func sayNotes(a *app.App, notes []archive.Note, dir string) {
	for _, n := range notes[:min(len(notes), mostNotes)] {
		a.Say("%s: %s", text.Line(n.ID), text.Line(a.Settled(n.Detail).String()))
	}
	if more := len(notes) - mostNotes; more > 0 {
		a.Say("%d more whose pages could not be counted: %s", more, problem.Command("archive", "list").Arg(dir).Set("o", "csv=id,uncounted"))
	}
}

func reindexCommand(a *app.App) *cobra.Command {
	var ask bool
	var jobs int
	var wait time.Duration
	cmd := &cobra.Command{
		Use:   "reindex [ARCHIVE]",
		Short: "Build the index of an archive anew",
		Long: `Build the index of an archive anew, from the sidecar files. It happens by
itself, in the next run that writes, when it is missing, damaged or unfinished.
Faxes whose sidecar was removed are forgotten, and counted. A hold that was lost
with a sidecar, or of which another one in its place tells nothing, is forgotten
and named, and the exit status is then 8. An archive without its
faxctl-archive.json gets a new one when it has a sidecar in its place; no other
folder becomes an archive. A sidecar that cannot be read is named, and so is a
fax that has two, and the exit status is then 8: put it right or bring it back
from a backup; until then faxctl faxes prune leaves its fax alone.

With --ask the provider is asked about the faxes that an earlier version marked
as gone on one answer, and the marks that are not so are taken back: faxctl
faxes archive then keeps what is missing. It is asked as well about faxes whose
deletion a prune has begun on an archive on S3, an hour ago or earlier, and of
which nobody noted what became. Use the account that the faxes are of.`,
		Example: `  faxctl archive reindex /srv/faxes
  faxctl archive reindex /srv/faxes --ask`,
		Args:              app.OneArg("an archive", "faxctl archive reindex /srv/faxes"),
		ValidArgsFunction: app.UpTo(1, a.CompleteArchive),
		RunE: func(cmd *cobra.Command, args []string) error {
			kept, err := writeArchive(cmd.Context(), a, args[0], wait)
			if err != nil {
				return err
			}
			done, err := kept.Reindex(cmd.Context())
			if err != nil {
				return err
			}
			for _, f := range done.Unreadable {
				a.Warn("%s: %s", text.Line(f.ID), text.Line(a.Settled(f.Detail).String()))
			}
			for _, e := range done.Lost { // before it is forgotten, lest that is all that anybody hears of it
				if e.Replaced {
					a.Warn("%s: it was held (%s), of which its sidecar tells nothing; the hold is forgotten: if it was not to be let go, hold it again", text.Line(e.Fax.ID), text.Line(e.Hold.Reason))
					continue
				}
				a.Warn("%s: it was held (%s); its sidecar is gone, and the hold is forgotten with it: bring it back from a backup, or keep the fax and hold it again", text.Line(e.Fax.ID), text.Line(e.Hold.Reason))
			}
			if err := kept.Forget(cmd.Context(), done.Lost); err != nil {
				return err
			}
			for _, err := range done.Twins {
				a.Warn("%s; %s", text.Line(err.Error()), problem.AdviceOf(err))
			}
			a.Say("The index lists %s%s.", text.Plural(done.Entries, "fax", "faxes"), text.Remarks(
				text.Remark(done.Dropped, "dropped whose sidecar is gone"), text.Remark(len(done.Lost), "whose hold is forgotten"), text.Remark(len(done.Twins), "with two sidecars"), text.Remark(len(done.Unreadable), "with a sidecar that cannot be read")))
			var end error
			if len(done.Unreadable)+len(done.Lost)+len(done.Twins) > 0 {
				end = problem.Of(app.ErrFindings, problem.ErrTold)
			}
			if ask {
				return cmp.Or(askAgain(cmd.Context(), a, kept, jobs), end)
			}
			return end
		},
	}
	a.ArchiveArgs(cmd, 1)
	cmd.Flags().BoolVar(&ask, "ask", false, "ask the provider about marks that rest on one answer, and deletions without an end")
	a.BindJobs(cmd, &jobs, 16, "faxes asked about")
	a.BindWait(cmd, &wait)
	return cmd
}

// askAgain asks the provider about doubtful marks, and takes back what is not so.
func askAgain(ctx context.Context, a *app.App, kept *archive.Archive, jobs int) error {
	faxes, err := a.Faxes(ctx)
	if err != nil {
		return err
	}
	doubtful, err := fax.Collect(kept.Doubtful(ctx))
	if err != nil {
		return err
	}
	progress := a.Term.Progress("asking", len(doubtful))
	defer progress.Stop()
	t := a.Trouble()
	stay := 0
	results := batch.Run(ctx, jobs, batch.Until(a.Interrupts.Gently(), seq.Of(doubtful)), func(ctx context.Context, e archive.Entry) (bool, error) {
		defer progress.Add(1, 0)
		stays, err := kept.AskAgain(ctx, faxes, a.Account.Resolved.AccountID, e.Fax.ID)
		if errors.As(err, new(*archive.LeavingError)) {
			return stays, batch.Skip(err)
		}
		return stays, batch.Lasting(batch.Local(app.NamedFax(e.Fax.ID, err)))
	})
	end := seq.Each(batch.Sift(t, results), func(stays bool) {
		if stays {
			stay++
		}
	})
	progress.Stop()
	a.Say("Took back the marks of %s%s.", text.Plural(t.Tally.Done-stay, "fax", "faxes"), text.Remarks(
		text.Remark(stay, "not there as marked"), text.Remark(t.Tally.Failed, "failed")))
	return cmp.Or(end, t.Err())
}

// writeArchive opens an archive that exists already for writing, and makes one that
// has lost its format file whole again.
func writeArchive(ctx context.Context, a *app.App, dir string, wait time.Duration) (*archive.Archive, error) {
	kept, rescued, err := a.RescueArchive(ctx, dir, wait)
	if err != nil {
		return nil, err
	}
	if rescued {
		a.Warn("%s had lost its faxctl-archive.json; its sidecars show that it is an archive, and it has a new one", dir)
	}
	return kept, nil
}
