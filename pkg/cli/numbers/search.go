package numbers

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/cli/flag"
	"github.com/faxctl/faxctl/pkg/cli/show"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/fax/market"
)

// searchFlags say which numbers for sale are wanted. Searching and buying the
// first hit share them.
type searchFlags struct {
	market.Search
	types     []string
	near      string
	noAddress string
	beta      bool
	prices    bool
	jobs      int
}

func (s *searchFlags) Bind(a *app.App, cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&s.Fax, "fax", false, "only numbers that can receive faxes")
	f.BoolVar(&s.Voice, "voice", false, "only numbers that take voice calls")
	f.BoolVar(&s.SMS, "sms", false, "only numbers that take SMS")
	f.BoolVar(&s.MMS, "mms", false, "only numbers that take MMS")
	f.StringVar(&s.Country, "country", "US", "`country`, two letters")
	f.StringSliceVar(&s.types, "type", []string{string(fax.Local)}, "`types`, separated by commas: "+text.List(fax.NumberTypes(), "or"))
	f.StringSliceVar(&s.AreaCodes, "area-code", nil, "area `codes`, separated by commas (US and Canada)")
	f.StringSliceVar(&s.Patterns, "contains", nil, "`patterns`, separated by commas: digits and letters, * is one, % any, + the start, $ the end")
	f.StringVar(&s.Region, "region", "", "`state` or province, as in CA")
	f.StringVar(&s.Locality, "locality", "", "`city`")
	f.StringVar(&s.PostalCode, "postal-code", "", "postal `code`")
	f.StringVar(&s.near, "near", "", "`place` to be near to: a phone number, or LATITUDE,LONGITUDE")
	f.IntVar(&s.Distance, "distance", 0, "`miles` from --near (default 25)")
	f.StringVar(&s.RateCenter, "rate-center", "", "rate `center`; needs --lata")
	f.StringVar(&s.Lata, "lata", "", "`LATA`, the local access and transport area")
	f.StringVar(&s.noAddress, "no-address-required", "", "leave out numbers that need an address of this `kind`: any, local or foreign")
	f.BoolVar(&s.beta, "beta", true, "numbers new to the provider too; --beta=false leaves them out")
	f.BoolVar(&s.prices, "price", false, "look up what a number costs this account a month")
	s.jobs = 8
	f.VarP(flag.Number(&s.jobs, 1), "jobs", "j", "ask at most `N` questions at a time")
	a.CompleteList(cmd, "type", text.Words(fax.NumberTypes())...)
	a.CompleteValues(cmd, "no-address-required", "any", "local", "foreign")
	a.CompleteValues(cmd, "country", "US", "CA", "GB", "DE", "NL", "AU")
	a.CompleteNothing(cmd, "area-code", "contains", "region", "locality", "postal-code", "near", "distance", "rate-center", "lata", "jobs")
}

// queries are the questions the flags come to.
func (s *searchFlags) queries(cmd *cobra.Command) ([]fax.Query, error) {
	for _, t := range s.types {
		t, err := app.OneWordOf("--type", strings.TrimSpace(t), fax.NumberTypes())
		if err != nil {
			return nil, err
		}
		s.Types = append(s.Types, t)
	}
	if s.near != "" {
		if err := s.SetNear(s.near); err != nil {
			return nil, fmt.Errorf("--near: %w", err)
		}
	}
	s.NoAddress = strings.ToLower(s.noAddress)
	s.Beta = app.Changed(cmd, "beta", s.beta)
	if s.Beta != nil && *s.Beta {
		s.Beta = nil // true is what a provider does anyway
	}
	queries, err := s.Queries()
	var field *market.FieldError
	if errors.As(err, &field) {
		err = fmt.Errorf("--%s: %w", field.Field, err)
	}
	return queries, err
}

// offers asks the provider, side by side.
func (s *searchFlags) offers(ctx context.Context, numbers fax.Numbers, queries []fax.Query, most int, gap func(error)) iter.Seq2[fax.Offer, error] {
	return market.SearchAll(ctx, numbers, queries, market.Options{Jobs: s.jobs, Limit: most, Prices: s.prices, Gap: gap})
}

func searchCommand(a *app.App) *cobra.Command {
	var s searchFlags
	var l app.Limits
	var pick bool
	var buying purchaseFlags
	var offered app.Printing[fax.Offer]
	cmd := &cobra.Command{
		Use:   "search",
		Short: "Find numbers for sale",
		Long: `Find numbers for sale.

Several types, area codes and patterns are asked for side by side, and each
number is listed once. A provider gives at most 30 numbers for one question
(SignalWire: 100 with --fax); for more, the search goes on with narrower
questions, at most 100 of them, and says so when that was not enough.

Some providers do not say whether a number can receive faxes: the column then
says unknown, and a note says so.

With --pick you choose one with the arrow keys, or type what it should have, and
buy it: as a working fax number when you give its fax URL, and with the other
flags of numbers buy.`,
		Example: `  faxctl numbers search --fax --area-code 415,628
  faxctl numbers search --fax --pick --name 'front desk' --max-price 2.00
  faxctl numbers search --fax --type local,toll-free --price
  faxctl numbers search --fax --contains '*FAX' -o id --limit 1`,
		Args: app.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			queries, err := s.queries(cmd)
			if err != nil {
				return err
			}
			most, err := l.Most(a, cmd)
			if err != nil {
				return err
			}
			if pick {
				return pickNumber(a, cmd, &s, queries, most, &buying)
			}
			if flag := app.Given(cmd, app.FlagNames[purchaseFlags](a)); flag != "" {
				return problem.With(app.Misuse("%s goes with --pick", flag), problem.Say("numbers buy takes it as well"))
			}
			ctx := cmd.Context()
			numbers, err := a.Numbers(ctx)
			if err != nil {
				return err
			}
			wanted := 0 // as many as are read
			if cmd.Flags().Changed("limit") {
				wanted = most + 1 // to know whether there are more
			}
			var gaps []error
			offers, unsure := countUnknown(s.offers(ctx, numbers, queries, wanted, func(err error) { gaps = append(gaps, err) }), s.Search)
			shown, err := offered.Most(ctx, offers, most)
			if err != nil {
				return err
			}
			for _, gap := range gaps {
				a.Warn("%v; %s", gap, problem.AdviceOf(gap))
			}
			switch {
			case *unsure > 0:
				a.Say("%s does not say whether %d of these can receive faxes: look at a number with %s once it is yours", a.Account.Provider.Name, *unsure, problem.Command("numbers", "get"))
			case shown == 0:
				a.Say("no number for sale matches; ask for another area code, type or country")
			}
			return nil
		},
	}
	s.Bind(a, cmd)
	l.Bind(a, cmd)
	cmd.Flags().BoolVar(&pick, "pick", false, "choose a number on the terminal, and buy it")
	buying.Bind(a, cmd)
	offered.Bind(a, cmd, show.OfferType, func() bool { return !pick })
	buying.prints(a, cmd, func() bool { return pick })
	return cmd
}

// countUnknown counts the offers that were asked to do fax and do not say.
func countUnknown(offers iter.Seq2[fax.Offer, error], s market.Search) (iter.Seq2[fax.Offer, error], *int) {
	count := new(int)
	return func(yield func(fax.Offer, error) bool) {
		for o, err := range offers {
			if !yield(o, err) {
				return // it was read to know of it, and not printed
			}
			if err == nil && s.Fax && o.Capabilities.Fax == fax.Unknown {
				*count++
			}
		}
	}, count
}
