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
	"github.com/faxctl/faxctl/pkg/cli/flag"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/fax/resolve"
	"github.com/faxctl/faxctl/pkg/profile"
)

// CompleteArchive offers folders for the first argument and kept ids for the
// others.
func (*App) CompleteArchive(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return completeEntries(cmd, args, typed, func(archive.Entry) bool { return true })
}

// CompleteHeld is completeArchive for ids that are held.
func (*App) CompleteHeld(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return completeEntries(cmd, args, typed, func(e archive.Entry) bool { return e.Hold != nil })
}

// CompleteFree is completeArchive for ids that are not.
func (*App) CompleteFree(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return completeEntries(cmd, args, typed, func(e archive.Entry) bool { return e.Hold == nil })
}

func completeEntries(cmd *cobra.Command, args []string, typed string, offered func(archive.Entry) bool) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) == 0 {
		return nil, cobra.ShellCompDirectiveFilterDirs
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), completionLimit) // an index may have to be made first
	defer cancel()
	kept, err := archive.Read(ctx, args[0])
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

// ArchiveOpener opens an archive for writing, and tells what it waits for.
func (a *App) ArchiveOpener(dir string, wait time.Duration) archive.Opener {
	return archive.Opener{Wait: wait, Waiting: func(who string) {
		if who != "" {
			who = " (" + who + ")"
		}
		a.Say("Waiting up to %s for another process that is writing to %s%s.", wait, dir, who)
	}}
}

// ArchiveInForce is the archive of the variable or of the profile, for what deletes faxes;
// "": there is none. It has to be there: where a disk is not mounted, or a template was
// not filled in, nothing is known of any hold. A new one is made by who types its name.
func (a *App) ArchiveInForce() (string, error) {
	for _, set := range a.Environ {
		if name, dir, _ := strings.Cut(set, "="); name == profile.ArchiveVariable && strings.TrimSpace(dir) == "" {
			return "", problem.With(Misuse("%s is set and empty, and nothing is deleted", name), problem.Say("name the archive that knows what is held, or unset it"))
		}
	}
	dir, from := a.standIns()(profile.ArchiveVariable)
	if dir == "" {
		return "", nil
	}
	err := archive.Known(dir)
	if errors.Is(err, problem.ErrNotFound) {
		err = problem.With(Misuse("%s: %v; nothing is known of any hold, and nothing is deleted", from, err), problem.AdviceOf(err))
	}
	return dir, err
}

// Opener opens archives for writing until the command ends.
func (a *App) Opener(wait time.Duration) func(ctx context.Context, dir string) (*archive.Archive, error) {
	return func(ctx context.Context, dir string) (*archive.Archive, error) {
		kept, err := a.ArchiveOpener(dir, wait).Open(ctx, dir)
		if err == nil {
			a.OnClose(func() error { return kept.Close(ctx) })
		}
		return kept, err
	}
}

// ReadArchive opens an archive for reading until the command ends.
func (a *App) ReadArchive(ctx context.Context, dir string) (*archive.Archive, error) {
	kept, err := archive.Read(ctx, dir)
	if err == nil {
		a.OnClose(func() error { return kept.Close(ctx) })
	}
	return kept, err
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
