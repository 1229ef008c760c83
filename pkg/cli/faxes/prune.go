package faxes

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/archive/prune"
	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/cli/show"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/screen/output"
)

// pruning is a deletion by policy, and what is asked and shown before it.
type pruning struct {
	prune.Run
	knowing         // its archive keeps copies; without one none are kept
	receipts string // file; - is standard output
	would    app.Printing[fax.Fax]
	names    *app.Names
}

func pruneCommand(a *app.App) *cobra.Command {
	var (
		s = app.Selection{Deletes: true}
		p pruning
	)
	cmd := &cobra.Command{
		Use:   "prune",
		Short: "Delete old faxes at the provider, by a policy",
		Long: `Delete old faxes at the provider, by a policy: faxes meet every condition given,
and a policy without a condition is refused.

The selection is made first, shown, and does not change afterwards. --dry-run
lists exactly what a real run deletes. A person confirms by typing how many they
are; a script passes --yes. Faxes in progress, those that the archive of
--archive holds, and those that --keep-last protects are left alone. When the
policy selects more than --max-delete, nothing is deleted at all.

An age takes h, d, w, mo and y. It is counted back from the clock of this
machine, which is held against the provider's first: when they are further apart
than five minutes, or than a tenth of the age where that is more, nothing is
deleted. A fax that is selected by one date and not by another, as its list, its
copy or its record tells it, is left alone and named.

With --archive each fax is kept there first, and its copy read again and
compared, before it is deleted at the provider. That archive has to be there:
one that is misspelt would know of no hold. A fax of which the provider shows
a second document is left alone and named, and so is one whose copy has pages
that cannot be counted, unless --allow-uncounted is given. A fax that is gone
already counts as deleted. Run it again and it goes on with what is left. With a
--shard for each of several machines, --keep-last and --max-delete still mean
the whole selection. See docs/retention.md.`,
		Example: `  faxctl faxes prune --older-than 90d --archive /srv/faxes --dry-run
  faxctl faxes prune --older-than 90d --archive /srv/faxes --max-delete 5% \
    --receipts pruned.jsonl --yes
  faxctl faxes prune --failed --older-than 7d
  faxctl faxes prune --older-than 30d --media-only --keep-last 100`,
		Args: app.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if p.Policy.Filter, err = s.Filter(cmd.Context(), a); err != nil {
				return err
			}
			if err := p.Policy.Check(); err != nil {
				return err
			}
			p.named = cmd.Flags().Changed("archive")
			if err := app.CheckShard(p.Policy.Shard, p.archive); err != nil {
				return err
			}
			p.Begun, p.Raw = s.Now, p.dryRun && a.Flags.Raw
			if cmd.Flags().Changed("max-document") && p.archive == "" {
				return app.Misuse("--max-document is for --archive")
			}
			if cmd.Flags().Changed("wait") && p.archive == "" {
				return app.Misuse("--wait is for --archive")
			}
			if p.AllowUncounted && p.archive == "" {
				return app.Misuse("--allow-uncounted is for --archive")
			}
			if p.Ages = s.Ages; p.Policy.OlderThan > 0 {
				p.Ages = append(p.Ages, p.Policy.OlderThan)
			}
			app.Frugal()
			return runPrune(cmd.Context(), a, p)
		},
	}
	s.Bind(a, cmd)
	a.BindPolicy(cmd, &p.Policy, &p.receipts)
	f := cmd.Flags()
	f.BoolVar(&p.Policy.MediaOnly, "media-only", false, "delete the documents and keep the records")
	f.BoolVar(&p.AllowUncounted, "allow-uncounted", false, "delete also faxes whose copy has pages that cannot be counted")
	f.BoolVar(&p.AnyClock, "no-clock-check", false, "rely on the clock of this machine, and ask the provider for no time")
	p.Bind(a, cmd, "keep a copy in this `archive` before anything is deleted", "list what would be deleted, and delete nothing")
	p.names = new(app.Names)
	p.would.Bind(a, cmd, func() output.Type[fax.Fax] { return show.FaxType(p.names.Of) }, func() bool { return p.dryRun })
	a.BindMaxDocument(cmd, &p.MaxDocument)
	a.BindJobs(cmd, &p.Jobs, 32, "faxes")
	a.BindShard(cmd, &p.Policy.Shard)
	return cmd
}

func runPrune(ctx context.Context, a *app.App, p pruning) (err error) {
	if _, err := a.Faxes(ctx); err != nil {
		return err
	}
	p.Provider = a.Account.Provider
	if !p.dryRun {
		if err := a.Changeable(); err != nil {
			return err
		}
	}
	if p.Archive, err = p.open(ctx, a); err != nil {
		return err
	}
	if p.receipts != "" && p.receipts != "-" {
		if err := prune.CheckReceipts(p.receipts); err != nil {
			return fmt.Errorf("--receipts: %w", err)
		}
	}
	if p.dryRun {
		p.would.AskNames(ctx, p.names)
	}
	plan, err := p.Plan(ctx)
	if plan.Summary.Considered == 0 && err != nil {
		return err
	}
	showPlan(a, plan, p)
	odd := tellOdd(a, plan)
	if p.dryRun {
		err = app.Looked(err)
		perr := p.would.All(ctx, plan.Delete.All())
		return cmp.Or(errors.Join(perr, err), odd)
	}
	if err != nil || plan.Delete.Len() == 0 {
		return cmp.Or(err, odd)
	}
	question := fmt.Sprintf("Delete %s for good?", prune.What(plan.Delete.Len(), p.Policy.MediaOnly))
	if err := a.TypeToConfirm(ctx, question, fmt.Sprint(plan.Delete.Len())); err != nil {
		return err
	}
	return cmp.Or(deletePlanned(ctx, a, plan, p), odd)
}

// deletePlanned deletes what was selected and nothing else.
func deletePlanned(ctx context.Context, a *app.App, plan prune.Plan, p pruning) error {
	write, err := a.ReceiptWriter(p.receipts)
	if err != nil {
		return err
	}
	progress := a.Term.Progress("deleting", plan.Delete.Len())
	defer progress.Stop()
	p.Receipt = func(r prune.Receipt) error {
		if r.Result != prune.Deleting {
			progress.Add(1, 0)
		}
		return write(r)
	}
	done, err := p.Delete(ctx, a.Interrupts.Gently(), plan.Delete, a.Skipped, a.Failed)
	progress.Stop()
	a.Say("Deleted %s.", done)
	return err
}
