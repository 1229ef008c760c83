package profile

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/profile"
	"github.com/faxctl/faxctl/pkg/screen/output"
)

// shownProfile is a profile as a command would use it here.
type shownProfile struct {
	listedProfile
	Settings []profile.Value `json:"settings"` // each with where it comes from
}

// from says where a setting comes from; "": it says nothing.
func (p shownProfile) from(key string) string {
	for _, v := range p.Settings {
		if v.Key == key {
			return v.Source
		}
	}
	return ""
}

// shownType is [profileType] with the defaults and, for people, with where each value
// comes from.
func shownType() output.Type[shownProfile] {
	var cols []output.Column[shownProfile]
	for _, of := range append(profileType().Columns, defaultColumns()...) {
		col := output.Column[shownProfile]{
			Name: of.Name, Title: of.Title, Whole: of.Whole, Wide: of.Wide,
			Value: func(p shownProfile) string { return of.Value(p.listedProfile) },
			Show: func(p shownProfile, _ output.Human) string {
				value, from := of.Value(p.listedProfile), p.from(strings.ReplaceAll(of.Name, "_", "-"))
				if value == "" || from == "" {
					return value
				}
				if strings.HasPrefix(from, "profile ") {
					from = "profile" // its name is above
				}
				return value + " (" + from + ")"
			},
		}
		if of.Show != nil {
			col.Show = func(p shownProfile, h output.Human) string { return of.Show(p.listedProfile, h) }
		}
		cols = append(cols, col)
	}
	return output.Type[shownProfile]{ID: func(p shownProfile) string { return p.Name }, Columns: cols}
}

// defaultColumns are those of what commands take where nothing else says it.
func defaultColumns() []output.Column[listedProfile] {
	var cols []output.Column[listedProfile]
	for _, of := range []struct {
		name  string
		value func(profile.Defaults) string
	}{
		{"output", func(d profile.Defaults) string { return d.Output }},
		{"country", func(d profile.Defaults) string { return d.Country }},
		{"archive", func(d profile.Defaults) string { return d.Archive }},
		{"database", func(d profile.Defaults) string { return d.Database }},
		{"state", func(d profile.Defaults) string { return d.State }},
		{"public_url", func(d profile.Defaults) string { return d.PublicURL }},
		{"listen", func(d profile.Defaults) string { return d.Listen }},
		{"log_format", func(d profile.Defaults) string { return d.LogFormat }},
		{"print_with", func(d profile.Defaults) string { return d.PrintWith }},
		{"smtp_url", func(d profile.Defaults) string { return d.SMTPURL }},
		{"mail_from", func(d profile.Defaults) string { return d.MailFrom }},
		{"mail", func(d profile.Defaults) string { return d.Mail }},
	} {
		cols = append(cols, output.Column[listedProfile]{Name: of.name, Value: func(p listedProfile) string { return of.value(p.Defaults) }})
	}
	return cols
}

// shown is the profile that the argument names, or the one in use.
func shown(a *app.App, c profile.Config, args []string) (profile.Resolved, error) {
	if len(args) == 1 {
		if _, err := c.Find(args[0]); err != nil {
			return profile.Resolved{}, err
		}
		here, err := a.ResolveNamed(args[0])
		if err == nil {
			here.Values[0].Source = "argument"
		}
		return here, err
	}
	here, err := a.Resolve()
	if err == nil && here.Name == "" {
		err = problem.With(fmt.Errorf("profile in use: %w: the account is that of %s", problem.ErrNotFound, here.Values[0].Source),
			problem.Say("%s shows it; %s shows the profiles", problem.Command("whoami"), problem.Command("profile", "list")))
	}
	return here, err
}

func showCommand(a *app.App) *cobra.Command {
	var out app.Printing[shownProfile]
	cmd := &cobra.Command{
		Use:               "show [NAME]",
		Short:             "Show a profile, the one in use without a name",
		Long:              "Show a profile as commands use it here, the one in use without a name, and where\neach value comes from: a flag or a variable goes before the profile.",
		Example:           "  faxctl profile show\n  faxctl profile show sandbox -o yaml",
		Args:              app.AtMostOne("profile", "faxctl profile show clinic"),
		ValidArgsFunction: app.UpTo(1, a.CompleteProfiles),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.Config()
			if err != nil {
				return err
			}
			here, err := shown(a, c, args)
			if err != nil {
				return err
			}
			return out.Single(cmd.Context(), shownProfile{listedProfile{here.Profile, here.Name == a.InForce().Name}, here.Values})
		},
	}
	out.Bind(a, cmd, shownType, nil)
	return cmd
}
