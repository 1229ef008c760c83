package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/output"
	"github.com/faxctl/faxctl/pkg/profile"
)

// identity is what whoami tells.
type identity struct {
	Provider string          `json:"provider"`
	Account  fax.Account     `json:"account"`
	ReadOnly bool            `json:"read_only"`
	Settings []profile.Value `json:"settings"` // each with where it came from
}

func (a *app) whoami() *cobra.Command {
	return &cobra.Command{
		Use:     "whoami",
		Short:   "Show which account is in use, and why",
		Long:    "Show which account is in use, by asking the provider, and where each setting\ncame from: flag, environment, profile or default.",
		Example: "  faxctl whoami\n  faxctl --profile sandbox whoami -o yaml",
		GroupID: "account",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			p, err := a.provider(ctx)
			if err != nil {
				return err
			}
			id := identity{Provider: p.Name, ReadOnly: a.account.resolved.ReadOnly, Settings: a.account.resolved.Values}
			if id.Account, err = accountOf(ctx, p); err != nil {
				return err
			}
			return printOne(ctx, a, id, identityType(id.Settings))
		},
	}
}

// accountOf asks the provider who we are.
func accountOf(ctx context.Context, p fax.Provider) (fax.Account, error) {
	if p.Accounts == nil {
		return fax.Account{}, fmt.Errorf("account at %s: %w", p.Name, fax.ErrUnsupported)
	}
	return p.Accounts.Account(ctx)
}

// identityType has a column for each setting: what it is and where it came
// from.
func identityType(settings []profile.Value) output.Type[identity] {
	cols := []output.Column[identity]{
		{Name: "provider", Value: func(i identity) string { return i.Provider }, Style: accent[identity]},
		{Name: "account", Value: func(i identity) string { return i.Account.ID }, Whole: true},
		{Name: "account_name", Value: func(i identity) string { return i.Account.Name }},
		{Name: "status", Value: func(i identity) string { return i.Account.Status }},
		yesColumn("read_only", func(i identity) bool { return i.ReadOnly }),
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
