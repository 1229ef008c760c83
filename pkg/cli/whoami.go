package cli

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/cli/show"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/profile"
	"github.com/faxctl/faxctl/pkg/provider"
	"github.com/faxctl/faxctl/pkg/screen/output"
)

// identity is what whoami tells.
type identity struct {
	Provider string          `json:"provider"`
	Account  fax.Account     `json:"account"`
	ReadOnly bool            `json:"read_only"`
	May      provider.May    `json:"may"`      // what the provider lets the credentials read
	Settings []profile.Value `json:"settings"` // each with where it came from
}

func whoamiCommand(a *app.App) *cobra.Command {
	var out app.Printing[identity]
	cmd := &cobra.Command{
		Use:   "whoami",
		Short: "Show which account is in use, and why",
		Long: `Show which account is in use, by asking the provider, and where each setting
came from: flag, environment, profile or default.

What the credentials may not read is named: an API key may be for a part of an
account. The settings are shown as well when the provider refuses all, or does
not answer; the exit status is then 4 or 7.`,
		Example: "  faxctl whoami\n  faxctl --profile sandbox whoami -o yaml",
		GroupID: "account",
		Args:    app.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			resolved, err := a.Resolve()
			if err != nil {
				return err
			}
			id := identity{
				Provider: string(resolved.Provider), ReadOnly: resolved.ReadOnly, Settings: resolved.Values,
				Account: fax.Account{ID: resolved.AccountID},
			}
			p, err := a.Provider(ctx)
			if err == nil {
				var found provider.Access
				found, err = provider.CheckAccess(ctx, p)
				err = whereFrom(err, resolved)
				id.May = found.May
				if found.Account.ID != "" {
					id.Account = found.Account
				}
			}
			return errors.Join(err, out.Single(ctx, id))
		},
	}
	out.Bind(a, cmd, func() output.Type[identity] { return identityType(a.InForce().Values) }, nil)
	return cmd
}

// whereFrom is the advice for credentials that the provider refused: where to correct
// them. What cannot be had from its place has advice of its own.
func whereFrom(err error, r profile.Resolved) error {
	if !errors.Is(err, problem.ErrAuth) {
		return err
	}
	from := map[string]string{}
	for _, v := range r.Values {
		from[v.Key] = v.Source
	}
	hint := "the account is from " + from["account"]
	if from["api-key"] != "" {
		hint += ", the API key from " + from["api-key"]
	}
	return problem.With(err, problem.Say(hint+" and its secret is "+r.Secret.String()+": correct what is wrong there, as the provider's console shows it"))
}

// identityType has a column for each setting: what it is and where it came
// from.
func identityType(settings []profile.Value) output.Type[identity] {
	cols := []output.Column[identity]{
		{Name: "provider", Value: func(i identity) string { return i.Provider }, Style: show.Accent[identity]},
		{Name: "account", Value: func(i identity) string { return i.Account.ID }, Whole: true},
		{Name: "account_name", Value: func(i identity) string { return i.Account.Name }},
		{Name: "status", Value: func(i identity) string { return i.Account.Status }},
		show.YesColumn("read_only", func(i identity) bool { return i.ReadOnly }),
		{Name: "may_not_read", Value: func(i identity) string { return strings.Join(i.May.Not(), " ") }, Style: warned},
	}
	for _, s := range settings {
		if s.Key == "provider" || s.Key == "account" || s.Key == "read-only" {
			continue
		}
		cols = append(cols, output.Column[identity]{
			Name:  strings.ReplaceAll(s.Key, "-", "_"),
			Value: func(identity) string { return s.Text },
			Show: func(identity, output.Human) string {
				if s.Text == "" {
					return s.Source
				}
				return s.Text + ", from " + s.Source
			},
		})
	}
	return output.Type[identity]{ID: func(i identity) string { return i.Account.ID }, Columns: cols}
}

func warned(identity) output.Style { return output.Warn }
