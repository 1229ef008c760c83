package numbers

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/cli/show"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/fax/market"
	"github.com/faxctl/faxctl/pkg/numbers/plan"
	"github.com/faxctl/faxctl/pkg/screen/term"
)

// pickNumber lets a person choose one of the numbers for sale, and buys it through
// the door of numbers buy.
func pickNumber(a *app.App, cmd *cobra.Command, s *searchFlags, queries []fax.Query, most int, buying *purchaseFlags) error {
	script := problem.Say("a script buys with %s and the flags of searching and buying", problem.Command("numbers", "buy").Switch("first"))
	switch {
	case !a.Term.CanAsk():
		return problem.With(app.Misuse("--pick: nobody is there to choose"), script)
	case !a.Term.Out.Terminal:
		return problem.With(app.Misuse("--pick: standard output is no terminal"), script)
	case !a.Term.CanPick():
		return problem.With(app.Misuse("--pick: this terminal cannot show a list to choose from (TERM=dumb)"), problem.Say("choose from %s, and name the number: %s", problem.Command("numbers", "search"), problem.Command("numbers", "buy").Arg("NUMBER")))
	}
	ctx := cmd.Context()
	p, err := buying.purchase(cmd)
	if err != nil {
		return err
	}
	numbers, err := a.Numbers(ctx)
	if err != nil {
		return err
	}
	offers, err := offersToPick(ctx, a, s, numbers, queries, most)
	if err != nil {
		return err
	}
	if len(offers) == 0 {
		return problem.With(fmt.Errorf("number for sale: %w", problem.ErrNotFound), problem.Say("ask for another area code, type or country"))
	}
	head, rows := offerRows(offers)
	at, err := a.Term.Pick(ctx, head, rows)
	switch {
	case errors.Is(err, term.ErrNotPicked):
		return app.ErrDeclined
	case errors.Is(err, context.Canceled):
		return app.ErrInterrupted
	case err != nil:
		return err
	}
	p.Order.Phone, p.Offer, p.Picked = offers[at].Phone, &offers[at], true
	if p.Want.FaxURL == nil {
		if err := askFaxURL(ctx, a, &p); err != nil {
			return err
		}
	}
	return buy(a, cmd, numbers, p, buying)
}

// askFaxURL asks where faxes go, again after an answer that is no URL for that.
func askFaxURL(ctx context.Context, a *app.App, p *plan.Purchase) error {
	for {
		answer, err := a.Ask(ctx, "Fax URL for "+p.Order.Phone+" (empty: leave it a voice number):")
		if err != nil || answer == "" {
			return err
		}
		p.Want.FaxURL = &answer
		if err = p.Want.Check(); err == nil {
			return nil
		}
		p.Want.FaxURL = nil
		a.Report(err)
	}
}

// offersToPick are the numbers to choose from, with their prices where the
// provider has a price list.
func offersToPick(ctx context.Context, _ *app.App, s *searchFlags, numbers fax.Numbers, queries []fax.Query, most int) ([]fax.Offer, error) {
	if most == 0 {
		most = app.Screenful
	}
	s.prices = true
	offers, err := fax.Collect(s.offers(ctx, numbers, queries, most, func(error) {}))
	if market.NoPriceList(err) {
		s.prices = false
		offers, err = fax.Collect(s.offers(ctx, numbers, queries, most, func(error) {}))
	}
	return offers, err
}

// offerRows are the offers as lines below each other, and their head.
func offerRows(offers []fax.Offer) (head string, rows []string) {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "PHONE\tLOCALITY\tREGION\tPRICE\tTYPE\tCAPABILITIES")
	for _, o := range offers {
		cells := []string{o.Phone, o.Locality, strings.TrimSpace(o.Region + " " + o.Country), show.Money(o.Price), string(o.Type), show.Capabilities(o.Capabilities)}
		for i, c := range cells {
			cells[i] = text.Line(c)
		}
		_, _ = fmt.Fprintln(w, strings.Join(cells, "\t"))
	}
	_ = w.Flush() // into memory
	lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
	return lines[0], lines[1:]
}
