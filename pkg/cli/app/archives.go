package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/archive"
	"github.com/faxctl/faxctl/pkg/archive/fetch"
	"github.com/faxctl/faxctl/pkg/archive/prune"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/seq"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/cli/flag"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/fax/resolve"
	"github.com/faxctl/faxctl/pkg/profile"
	"github.com/faxctl/faxctl/pkg/provider/transport"
	"github.com/faxctl/faxctl/pkg/screen/term"
)

// CompletePlace offers places of archives: the one that the variable or the profile names
// when it is on S3, where no shell looks, or folders.
func (a *App) CompletePlace(_ *cobra.Command, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if where, from := a.standIns()(profile.ArchiveVariable); archive.IsRemote(where) && strings.HasPrefix(where, typed) {
		return []cobra.Completion{cobra.CompletionWithDesc(where, "of "+from)}, cobra.ShellCompDirectiveNoFileComp
	}
	return nil, cobra.ShellCompDirectiveFilterDirs
}

// CompletePlaces is CompletePlace for flags.
func (a *App) CompletePlaces(cmd *cobra.Command, flags ...string) {
	for _, f := range flags {
		Must(cmd.RegisterFlagCompletionFunc(f, a.CompletePlace))
	}
}

// CompleteArchive offers places for the first argument and kept ids for the
// others.
func (a *App) CompleteArchive(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return a.completeEntries(cmd, args, typed, func(archive.Entry) bool { return true })
}

// CompleteHeld is completeArchive for ids that are held.
func (a *App) CompleteHeld(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return a.completeEntries(cmd, args, typed, func(e archive.Entry) bool { return e.Hold != nil })
}

// CompleteFree is completeArchive for ids that are not.
func (a *App) CompleteFree(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return a.completeEntries(cmd, args, typed, func(e archive.Entry) bool { return e.Hold == nil })
}

func (a *App) completeEntries(cmd *cobra.Command, args []string, typed string, offered func(archive.Entry) bool) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) == 0 {
		return a.CompletePlace(cmd, args, typed)
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), completionLimit) // an index may have to be made first
	defer cancel()
	kept, err := a.Archives().Read(ctx, args[0])
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp // an error has no place in a prompt
	}
	var all []cobra.Completion
	newest, _ := seq.Head(seq.Filter(kept.List(ctx, fax.Filter{}), offered), recentFaxes)
	for e, err := range newest {
		if err != nil {
			break
		}
		all = append(all, cobra.CompletionWithDesc(e.Fax.ID, Describe(e.Fax, time.Now())))
	}
	_ = kept.Close(ctx)
	return Remaining(all, args[1:], typed), cobra.ShellCompDirectiveNoFileComp
}

// BindWait adds the flag of those who write to an archive.
func (a *App) BindWait(cmd *cobra.Command, wait *time.Duration) {
	*wait = 10 * time.Second
	cmd.Flags().Var(flag.Duration(wait), "wait", "wait for this `duration` while another process writes to the archive; 0 not at all")
	a.CompleteNothing(cmd, "wait")
}

// BindMaxDocument binds the limit of a document.
func (a *App) BindMaxDocument(cmd *cobra.Command, most *int64) {
	*most = fetch.MaxDocument
	cmd.Flags().Var(flag.Size(most), "max-document", "take no document of more than this `size`")
	a.CompleteValues(cmd, "max-document", "16MiB", "64MiB", "256MiB", "1GiB")
}

// Archives opens archives as the environment of this run says, and tells, once, when a server
// is waited for.
func (a *App) Archives() archive.Opener {
	o := archive.Opener{Getenv: a.Getenv, Database: a.Database, Around: transport.TraceFiles(a.log)}
	o.Away = func(server string) {
		if !a.awaits.Swap(true) {
			a.Say("Waiting for the S3 server %s, which does not answer yet.", text.Line(server))
		}
	}
	if a.Flags.retry.Changed { // a bucket has a patience of its own
		o.Patience = max(a.Flags.retryFor, time.Millisecond)
	}
	return o
}

// archiveOpener opens an archive, and tells what it waits for, and how far it is with
// reading what is there; stop ends that.
func (a *App) archiveOpener(where string, wait time.Duration) (o archive.Opener, stop func()) {
	o = a.Archives()
	o.Wait = wait
	o.Lost = func(e archive.LostHold) {
		if e.Replaced {
			a.Warn("%s: it was held (%s), and its sidecar in %s was replaced by one that tells nothing of that: it is not deleted from here until %s holds it again, or %s lets it go; %s forgets the hold",
				text.Line(e.Fax.ID), text.Line(e.Hold.Reason), where, problem.Command("archive", "hold").Arg(where).Arg(e.Fax.ID).Set("reason", e.Hold.Reason),
				problem.Command("archive", "unhold").Arg(where).Arg(e.Fax.ID), problem.Command("archive", "reindex").Arg(where))
			return
		}
		a.Warn("%s: it was held (%s), and its sidecar is gone from %s: bring that back from a backup, or have %s fetch the fax again on this machine, which holds it again; if it was let go and removed, %s forgets it",
			text.Line(e.Fax.ID), text.Line(e.Hold.Reason), where, problem.Command("faxes", "archive").Set("to", where), problem.Command("archive", "reindex").Arg(where))
	}
	o.Waiting = func(who string) {
		if who != "" {
			who = " (" + who + ")"
		}
		a.Say("Waiting up to %s for another process that is writing to %s%s.", wait, where, who)
	}
	var progress *term.Progress // of a first look, or after others have kept much
	o.Reading = func(n int) {
		if progress == nil {
			progress = a.Term.Progress("reading records of "+where, 0)
		}
		progress.Add(n, 0)
	}
	return o, func() {
		if progress != nil {
			progress.Stop()
		}
	}
}

// ArchiveInForce is the archive of the variable or of the profile, for what deletes faxes;
// "": there is none. It has to be there: where a disk is not mounted, or a template was
// not filled in, nothing is known of any hold.
func (a *App) ArchiveInForce(ctx context.Context) (string, error) {
	for _, set := range a.Environ {
		if name, dir, _ := strings.Cut(set, "="); name == profile.ArchiveVariable && strings.TrimSpace(dir) == "" {
			return "", problem.With(Misuse("%s is set and empty, and nothing is deleted", name), problem.Say("name the archive that knows what is held, or unset it"))
		}
	}
	dir, from := a.standIns()(profile.ArchiveVariable)
	if dir == "" {
		return "", nil
	}
	return dir, a.KnowsHolds(ctx, dir, from)
}

// KnowsHolds fails when no archive is there, of those that from names, by whose word faxes
// are to be deleted.
func (a *App) KnowsHolds(ctx context.Context, dir, from string) error {
	err := a.Archives().Known(ctx, dir)
	if errors.Is(err, problem.ErrNotFound) {
		err = problem.With(Misuse("%s: %v; nothing is known of any hold, and nothing is deleted", from, err), problem.AdviceOf(err))
	}
	return err
}

// Opener opens archives for writing until the command ends.
func (a *App) Opener(wait time.Duration) func(ctx context.Context, dir string) (*archive.Archive, error) {
	return func(ctx context.Context, dir string) (*archive.Archive, error) {
		o, stop := a.archiveOpener(dir, wait)
		defer stop()
		kept, err := o.Open(ctx, dir)
		if err == nil {
			a.OnClose(func() error { return kept.Close(ctx) })
		}
		return kept, err
	}
}

// MakeArchive is Opener for an archive that is not there yet, and says that it is new: its name
// may be misspelt.
func (a *App) MakeArchive(ctx context.Context, dir string, wait time.Duration) (*archive.Archive, error) {
	kept, err := a.Opener(wait)(ctx, dir)
	if err == nil {
		a.Say("Made a new archive %s.", text.Line(dir))
	}
	return kept, err
}

// RescueArchive opens one that must be there for writing, until the command ends. One that
// has lost its format file gets a new one, which rescued tells.
func (a *App) RescueArchive(ctx context.Context, dir string, wait time.Duration) (kept *archive.Archive, rescued bool, err error) {
	o, stop := a.archiveOpener(dir, wait)
	defer stop()
	kept, rescued, err = o.Rescue(ctx, dir)
	if err == nil {
		a.OnClose(func() error { return kept.Close(ctx) })
	}
	return kept, rescued, err
}

// LookIntoArchive opens an archive for reading. Close it.
func (a *App) LookIntoArchive(ctx context.Context, dir string) (*archive.Archive, error) {
	o, stop := a.archiveOpener(dir, 0)
	defer stop()
	return o.Read(ctx, dir)
}

// ReadArchive is LookIntoArchive until the command ends.
func (a *App) ReadArchive(ctx context.Context, dir string) (*archive.Archive, error) {
	kept, err := a.LookIntoArchive(ctx, dir)
	if err == nil {
		a.OnClose(func() error { return kept.Close(ctx) })
	}
	return kept, err
}

// LetGo is what to do where a held fax is to go; dir is the archive, as it was named. A hold
// without its sidecar cannot be let go before it is there again.
func LetGo(ctx context.Context, kept *archive.Archive, dir, id string) problem.Advice {
	leave := problem.Say("leave it out")
	if _, err := kept.Get(ctx, id); errors.Is(err, problem.ErrNotFound) {
		return leave.Then(problem.Say("its sidecar is gone: %s keeps the fax and holds it again, %s forgets the hold",
			problem.Command("faxes", "archive").Set("to", dir), problem.Command("archive", "reindex").Arg(dir)))
	}
	return problem.Say("%s, or let it go: %s", leave, problem.Command("archive", "unhold").Arg(dir).Arg(id))
}

// Damaged gives a copy that is not whole, document or sidecar, the status of a
// finding.
func Damaged(err error) error {
	if errors.Is(err, archive.ErrDamagedCopy) {
		return problem.Of(ErrFindings, err)
	}
	return err
}

// KeptIDs are the ids of kept faxes that people mean; dir is the archive, as they named it.
func (a *App) KeptIDs(ctx context.Context, kept *archive.Archive, dir string, refs []string) ([]string, error) {
	return resolve.Faxes(refs, a.Reading(), func(yield func(string, error) bool) {
		for e, err := range kept.List(ctx, fax.Filter{}) {
			if !yield(e.Fax.ID, err) {
				return
			}
		}
	}, problem.Command("archive", "list").Arg(dir))
}

// ReceiptWriter is where receipts go: nowhere, standard output, or a file that
// must be writable before anything is deleted.
func (a *App) ReceiptWriter(path string) (func(prune.Receipt) error, error) {
	switch path {
	case "":
		return func(prune.Receipt) error { return nil }, nil
	case "-":
		return func(r prune.Receipt) error {
			line, err := json.Marshal(r)
			if err == nil {
				_, err = a.Term.Out.Write(append(line, '\n')) // a line in one write: several come at once
			}
			return err
		}, nil
	}
	receipts, err := prune.OpenReceipts(path)
	if err != nil {
		return nil, fmt.Errorf("--receipts: %w", err)
	}
	a.OnClose(receipts.Close)
	return receipts.Write, nil
}
