package serve

import (
	"context"
	"time"

	"github.com/faxctl/faxctl/pkg/archive"
	"github.com/faxctl/faxctl/pkg/archive/prune"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/receive/receiver"
)

// pruneDaily is the daily prune of a receiver.
func pruneDaily(ctx context.Context, a *app.App, kept *archived, s *serving, provider fax.Provider) (receiver.Pruned, error) {
	run := s.prune
	run.Provider = provider
	var day prune.Day
	err := kept.use(ctx, func(open *archive.Archive) (err error) {
		run.Archive = open
		day, err = run.Daily(ctx, a.Interrupts.Gently(), s.Log)
		return err
	})
	if day.Refused == prune.ByLimit {
		err = problem.With(err, problem.Say("look at them, then release them once: %s", s.byHand))
	}
	if hint := a.Hint(err); hint != "" {
		err = problem.With(err, problem.Say(hint))
	}
	return receiver.Pruned{
		Deleted: day.Deleted, Failed: day.Failed, HeldBack: day.HeldBack, Undated: day.Undated, Refused: string(day.Refused),
	}, err
}

// readPrune makes a policy of --prune-after.
func (s *serving) readPrune() error {
	p := &s.prune
	p.Policy.Filter.Direction, p.Jobs, p.MaxDocument = fax.Inbound, s.Jobs, s.MaxDocument
	switch daily := p.Policy.OlderThan > 0; {
	case !daily && s.receipts != "":
		return app.Misuse("--receipts is for --prune-after")
	case !daily && s.maxDelete.String() != "":
		return app.Misuse("--max-delete is for --prune-after")
	case !daily:
		return nil
	}
	p.Ages = []time.Duration{p.Policy.OlderThan}
	s.byHand = problem.Command("faxes", "prune").Set("older-than", s.pruneAfter.String()).Set("direction", string(fax.Inbound)).Set("archive", s.archive)
	if s.receipts != "" && s.receipts != "-" {
		s.byHand = s.byHand.Set("receipts", s.receipts)
	}
	return nil
}
