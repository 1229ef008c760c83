package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/archive"
	"github.com/faxctl/faxctl/pkg/archive/prune"
	"github.com/faxctl/faxctl/pkg/fax"
)

// pruning is a deletion by policy, and what is asked and shown before it.
type pruning struct {
	prune.Run
	archive  string // folder; empty: no copies
	receipts string // file; - is standard output
	dryRun   bool
	wait     time.Duration // for the archive, while another process writes to it
	would    printing[fax.Fax]
}

func (a *app) faxesPrune() *cobra.Command {
	var (
		s                    = selection{deletes: true}
		p                    pruning
		olderThan, maxDelete string
	)
	cmd := &cobra.Command{
		Use:   "prune",
		Short: "Delete old faxes at the provider, by a policy",
		Long: `Delete old faxes at the provider, by a policy: faxes meet every condition given,
and a policy without a condition is refused.

The selection is made first, shown, and does not change afterwards. --dry-run
lists exactly what a real run deletes. A person confirms by typing how many they
are; a script passes --yes. Faxes in progress, held ones and those that
--keep-last protects are left alone. When the policy selects more than
--max-delete, nothing is deleted at all.

An age takes h, d, w, mo and y. It is counted back from the clock of this
machine, which is held against the provider's first: when they are further apart
than five minutes, or than a tenth of the age where that is more, nothing is
deleted.

With --archive each fax is kept there first, and its copy read again and
compared, before it is deleted at the provider. One of which the provider shows
a second document is left alone and named, and so is one whose copy has pages
that cannot be counted, unless --allow-uncounted is given. A fax that is gone
already counts as deleted. Run it again and it goes on with what is left. See
docs/retention.md.`,
		Example: `  faxctl faxes prune --older-than 90d --archive /srv/faxes --dry-run
  faxctl faxes prune --older-than 90d --archive /srv/faxes --max-delete 5% \
    --receipts pruned.jsonl --yes
  faxctl faxes prune --failed --older-than 7d
  faxctl faxes prune --older-than 30d --media-only --keep-last 100`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if cmd.Flags().Changed("older-than") {
				if p.Policy.OlderThan, err = deletionAge(olderThan); err != nil {
					return fmt.Errorf("--older-than: %w", err)
				}
			}
			if cmd.Flags().Changed("max-delete") {
				if p.Policy.MaxDelete, err = prune.ParseLimit(maxDelete); err != nil {
					return fmt.Errorf("--max-delete: %w", err)
				}
			}
			if p.Policy.Filter, err = s.filter(cmd.Context(), a); err != nil {
				return err
			}
			if err := p.Policy.Check(); err != nil {
				return err
			}
			p.Begun, p.Raw = s.now, p.dryRun && a.flags.raw
			if cmd.Flags().Changed("max-document") && p.archive == "" {
				return usageError("--max-document is for --archive")
			}
			if cmd.Flags().Changed("wait") && p.archive == "" {
				return usageError("--wait is for --archive")
			}
			if err := checkWait(p.wait); err != nil {
				return err
			}
			if p.AllowUncounted && p.archive == "" {
				return usageError("--allow-uncounted is for --archive")
			}
			if p.Ages = s.ages; p.Policy.OlderThan > 0 {
				p.Ages = append(p.Ages, p.Policy.OlderThan)
			}
			return a.prune(cmd.Context(), p)
		},
	}
	s.bind(a, cmd)
	f := cmd.Flags()
	f.StringVar(&olderThan, "older-than", "", "only faxes made longer ago than this `age`: 90d, 6mo, 7y")
	f.BoolVar(&p.Policy.MediaOnly, "media-only", false, "delete the documents and keep the records")
	f.StringVar(&p.archive, "archive", "", "keep a copy in this `folder` before anything is deleted")
	f.IntVar(&p.Policy.KeepLast, "keep-last", 0, "keep the newest `N` faxes of each of your numbers")
	f.StringVar(&maxDelete, "max-delete", "", "delete nothing when more are selected: a `number`, or a share of the faxes that the filters meet, as in 5%")
	f.StringVar(&p.receipts, "receipts", "", "append a line for each fax to this `file`, as JSON; - is standard output")
	f.BoolVar(&p.AllowUncounted, "allow-uncounted", false, "delete also faxes whose copy has pages that cannot be counted")
	f.BoolVar(&p.AnyClock, "no-clock-check", false, "rely on the clock of this machine, and ask the provider for no time")
	f.BoolVar(&p.dryRun, "dry-run", false, "list what would be deleted, and delete nothing")
	p.would.bind(a, cmd, faxType, func() bool { return p.dryRun })
	a.bindMaxDocument(cmd, &p.MaxDocument)
	a.bindJobs(cmd, &p.Jobs, 32, "faxes")
	a.bindWait(cmd, &p.wait)
	a.completeFolders(cmd, "archive")
	a.completeNothing(cmd, "older-than", "keep-last", "max-delete")
	must(cmd.RegisterFlagCompletionFunc("receipts", cobra.FixedCompletions(nil, cobra.ShellCompDirectiveDefault)))
	return cmd
}

func (a *app) prune(ctx context.Context, p pruning) (err error) {
	if _, err := a.faxes(ctx); err != nil {
		return err
	}
	p.Provider = a.account.provider
	if !p.dryRun {
		if err := a.changeable(); err != nil {
			return err
		}
	}
	if p.Archive, err = a.copiesFor(ctx, p); err != nil {
		return err
	}
	if p.receipts != "" && p.receipts != "-" {
		if err := prune.CheckReceipts(p.receipts); err != nil {
			return fmt.Errorf("--receipts: %w", err)
		}
	}
	plan, err := p.Plan(ctx)
	if plan.Summary.Considered == 0 && err != nil {
		return err
	}
	a.showPlan(plan, p)
	damage := a.tellDamage(plan)
	if p.dryRun {
		perr := p.would.all(ctx, values(plan.Delete))
		return cmp.Or(errors.Join(perr, err), damage)
	}
	if err != nil || len(plan.Delete) == 0 {
		return cmp.Or(err, damage)
	}
	question := fmt.Sprintf("Delete %s for good?", prune.What(len(plan.Delete), p.Policy.MediaOnly))
	if err := a.typeToConfirm(ctx, question, fmt.Sprint(len(plan.Delete))); err != nil {
		return err
	}
	return cmp.Or(a.deletePlanned(ctx, plan, p), damage)
}

// copiesFor opens the archive of a prune: nil when none is named, or when it is to
// be made, which nothing is before a person has agreed.
func (a *app) copiesFor(ctx context.Context, p pruning) (*archive.Archive, error) {
	switch {
	case p.archive == "":
		return nil, nil
	case p.dryRun:
		return a.ifThere(ctx, p.archive, a.readArchive)
	}
	return a.ifThere(ctx, p.archive, a.opener(p.wait))
}

// deletePlanned deletes what was selected and nothing else.
func (a *app) deletePlanned(ctx context.Context, plan prune.Plan, p pruning) error {
	write, err := a.receiptWriter(p.receipts)
	if err == nil && p.Archive == nil && p.archive != "" {
		p.Archive, err = a.opener(p.wait)(ctx, p.archive)
	}
	if err != nil {
		return err
	}
	progress := a.term.Progress("deleting", len(plan.Delete))
	defer progress.Stop()
	p.Receipt = func(r prune.Receipt) error {
		if r.Result != prune.Deleting {
			progress.Add(1, 0)
		}
		return write(r)
	}
	done, err := p.Delete(ctx, a.interrupts.gently(), plan.Delete, a.skipped, a.failed)
	progress.Stop()
	a.say("Deleted %s.", done)
	return err
}

// receiptWriter is where receipts go: nowhere, standard output, or a file that
// must be writable before anything is deleted.
func (a *app) receiptWriter(path string) (func(prune.Receipt) error, error) {
	switch path {
	case "":
		return func(prune.Receipt) error { return nil }, nil
	case "-":
		return func(r prune.Receipt) error {
			line, err := json.Marshal(r)
			if err == nil {
				_, err = a.term.Out.Write(append(line, '\n')) // a line in one write: several come at once
			}
			return err
		}, nil
	}
	receipts, err := prune.OpenReceipts(path)
	if err != nil {
		return nil, fmt.Errorf("--receipts: %w", err)
	}
	a.onClose(receipts.Close)
	return receipts.Write, nil
}
