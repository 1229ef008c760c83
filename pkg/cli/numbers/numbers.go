// Package numbers holds the commands about numbers, and those about numbers as code:
// faxctl numbers and all below it.
package numbers

import (
	"context"
	"iter"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/cli/flag"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/fax/resolve"
	"github.com/faxctl/faxctl/pkg/numbers/plan"
)

// Command holds what is done with phone numbers.
func Command(a *app.App) *cobra.Command {
	g := a.Group("numbers", "Search, buy, configure and release fax numbers",
		"  faxctl numbers search --fax --area-code 415\n  faxctl numbers list --mode fax", func() [][]*cobra.Command { return commands(a) })
	g.GroupID = "work"
	return g
}

func commands(a *app.App) [][]*cobra.Command {
	return [][]*cobra.Command{
		app.Reads(listCommand(a), getCommand(a), checkCommand(a), exportCommand(a), planCommand(a)),
		app.Changes(searchCommand(a), buyCommand(a), configureCommand(a)),
		app.Destroys(releaseCommand(a), applyCommand(a)),
		app.Elsewhere(problem.Say("a number with every field: %s", problem.Command("numbers", "get").Arg("REF")), "open", "view", "show", "read"),
		app.Elsewhere(problem.Say("numbers as a list: %s; as a file: %s", problem.Command("numbers", "list"), problem.Command("numbers", "export")), "print"),
		app.Elsewhere(problem.Say("faxctl sends no faxes and no mail; what came to a number: %s", problem.Command("faxes", "list").Set("number", "REF")), "mail", "send"),
		app.Elsewhere(problem.Say("a number is given up for good with numbers release, which asks first"), "delete", "cancel", "remove", "rm"),
		app.Elsewhere(problem.Say("name, mode and URLs of a number: %s", problem.Command("numbers", "configure").Arg("REF").Set("name", "NAME")), "rename", "edit", "set", "update"),
		app.Elsewhere(problem.Say("see what is for sale: %s; then: %s", problem.Command("numbers", "search").Switch("fax"), problem.Command("numbers", "buy").Arg("+E164")), "add", "order"),
		app.Elsewhere(problem.Say("among yours: %s; for sale: %s", problem.Command("numbers", "list").Set("contains", "415"), problem.Command("numbers", "search").Set("area-code", "415")), "find"),
	}
}

// named are the numbers that refs name, in their order, each once. The first that
// cannot be found ends it.
func named(ctx context.Context, numbers fax.Numbers, refs []string, how resolve.Reading) iter.Seq2[fax.Number, error] {
	return eachOnce(func(yield func(fax.Number, error) bool) {
		for r := range resolve.Numbers(ctx, numbers, refs, how) {
			if !yield(r.Number, r.Err) || r.Err != nil {
				return
			}
		}
	})
}

// eachOnce leaves out numbers that came before: a phone number, an id and a name
// may mean the same one.
func eachOnce(numbers iter.Seq2[fax.Number, error]) iter.Seq2[fax.Number, error] {
	return func(yield func(fax.Number, error) bool) {
		seen := map[string]bool{}
		for n, err := range numbers {
			if err == nil && seen[n.ID] {
				continue
			}
			seen[n.ID] = true
			if !yield(n, err) {
				return
			}
		}
	}
}

// ownedNumbers are the numbers that the arguments of a command name. The first that
// cannot be found ends it: nothing is changed on a misunderstood list.
func ownedNumbers(ctx context.Context, a *app.App, args []string) (fax.Numbers, []fax.Number, error) {
	refs, err := a.Refs(args)
	if err != nil {
		return nil, nil, err
	}
	numbers, err := a.Numbers(ctx)
	if err != nil {
		return nil, nil, err
	}
	all, err := fax.Collect(named(ctx, numbers, refs, a.Reading()))
	if err != nil {
		return nil, nil, err
	}
	return numbers, all, nil
}

// theirs are the numbers that the arguments of a command name, all owned ones
// when there are none. An empty list that came through a pipe is no number, and
// not all of them.
func theirs(ctx context.Context, a *app.App, args []string) (iter.Seq2[fax.Number, error], error) {
	refs, err := a.Refs(args)
	if err != nil {
		return nil, err
	}
	numbers, err := a.Numbers(ctx)
	if err != nil {
		return nil, err
	}
	if len(args) == 0 {
		return numbers.List(ctx, fax.NumberFilter{WithMode: true}), nil
	}
	return named(ctx, numbers, refs, a.Reading()), nil
}

// routing are the flags that say what a number should be. Buying and
// configuring share them.
type routing struct {
	mode                          fax.Mode
	faxURL, faxMethod             string
	fallbackURL, fallbackMethod   string
	statusCallback, name          string
	keepRouting, force, allowHTTP bool
}

func (r *routing) Bind(a *app.App, cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&r.faxURL, "fax-url", "", "`URL` the provider asks when a fax arrives; implies mode fax")
	f.Var(flag.OneOf(&r.faxMethod, app.Methods()...), "fax-method", "`method` of the fax URL: POST or GET (default POST for a URL that changes)")
	f.StringVar(&r.fallbackURL, "fallback-url", "", "`URL` asked when the fax URL fails")
	f.Var(flag.OneOf(&r.fallbackMethod, app.Methods()...), "fallback-method", "`method` of the fallback URL: POST or GET (default POST for a URL that changes)")
	f.StringVar(&r.statusCallback, "status-callback", "", "`URL` told when a call ends")
	f.StringVar(&r.name, "name", "", "friendly `name` of the number, at most 64 bytes")
	f.BoolVar(&r.keepRouting, "keep-routing", false, "leave a trunk or voice application in place that takes calls before the fax URL is asked")
	f.BoolVar(&r.force, "force", false, "set fax mode on a number that says it cannot receive faxes")
	f.BoolVar(&r.allowHTTP, "allow-http", false, "permit URLs that are http or that only this network reaches; for tests")
	a.CompleteValues(cmd, "fax-method", "POST", "GET")
	a.CompleteValues(cmd, "fallback-method", "POST", "GET")
	app.MayBeEmpty(cmd, "fax-url", "fallback-url", "status-callback", "name")
	a.CompleteNothing(cmd, "fax-url", "fallback-url", "status-callback", "name")
}

// want is what the given flags ask for.
func (r *routing) want(cmd *cobra.Command) (plan.Want, error) {
	w := plan.Want{
		Name:           app.Changed(cmd, "name", r.name),
		FaxURL:         app.Changed(cmd, "fax-url", r.faxURL),
		Mode:           app.Changed(cmd, "mode", r.mode),
		Method:         app.Changed(cmd, "fax-method", r.faxMethod),
		FallbackURL:    app.Changed(cmd, "fallback-url", r.fallbackURL),
		FallbackMethod: app.Changed(cmd, "fallback-method", r.fallbackMethod),
		StatusCallback: app.Changed(cmd, "status-callback", r.statusCallback),
		KeepRouting:    r.keepRouting,
		Force:          r.force,
		AllowHTTP:      r.allowHTTP,
	}
	return w, w.Check()
}
