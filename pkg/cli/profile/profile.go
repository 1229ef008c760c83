// Package profile holds the commands about accounts: faxctl profile and all below it.
package profile

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/base/batch"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/seq"
	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/cli/show"
	"github.com/faxctl/faxctl/pkg/profile"
	"github.com/faxctl/faxctl/pkg/screen/output"
)

// Command is faxctl profile, and all below it.
func Command(a *app.App) *cobra.Command {
	g := a.Group("profile", "Add and choose accounts",
		"  faxctl profile add clinic --provider signalwire\n  faxctl profile use clinic", func() [][]*cobra.Command {
			return [][]*cobra.Command{
				app.Reads(listCommand(a), showCommand(a)),
				app.Changes(addCommand(a), useCommand(a), importCommand(a)),
				app.Destroys(removeCommand(a)),
			}
		})
	g.GroupID = "account"
	return g
}

func listCommand(a *app.App) *cobra.Command {
	var l app.Limits
	var out app.Printing[listedProfile]
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List the profiles",
		Example: "  faxctl profile list\n  faxctl profile list -o json",
		Args:    app.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			most, err := l.Most(a, cmd)
			if err != nil {
				return err
			}
			c, err := a.Config()
			if err != nil {
				return err
			}
			here := a.InForce()
			if _, err = out.Most(cmd.Context(), seq.Of(listed(c, here)), most); err != nil {
				return err
			}
			if here.AccountID != "" && here.Name == "" {
				a.Say("in use is the account of %s; %s shows it", here.Values[0].Source, problem.Command("whoami"))
			}
			return nil
		},
	}
	l.Bind(a, cmd)
	out.Bind(a, cmd, profileType, nil)
	return cmd
}

// listedProfile is a profile and whether it is the one in use here, by flag,
// environment or configuration.
type listedProfile struct {
	profile.Profile
	Current bool `json:"current"`
}

// listed are the profiles of the configuration, then the built-in ones.
func listed(c profile.Config, here profile.Resolved) []listedProfile {
	var all []listedProfile
	for _, profiles := range []map[string]profile.Profile{c.Profiles, profile.BuiltIns()} {
		for _, name := range slices.Sorted(maps.Keys(profiles)) {
			all = append(all, listedProfile{profiles[name], name == here.Name})
		}
	}
	return all
}

func profileType() output.Type[listedProfile] {
	return output.Type[listedProfile]{
		ID: func(p listedProfile) string { return p.Name },
		Columns: []output.Column[listedProfile]{
			{Name: "name", Value: func(p listedProfile) string { return p.Name }, Style: show.Accent[listedProfile], Whole: true},
			{Name: "current", Value: func(p listedProfile) string { return fmt.Sprint(p.Current) }, Show: func(p listedProfile, _ output.Human) string {
				if p.Current {
					return "in use"
				}
				return ""
			}},
			{Name: "provider", Value: func(p listedProfile) string { return string(p.Provider) }},
			{Name: "account", Value: func(p listedProfile) string { return p.AccountID }, Whole: true},
			{Name: "secret", Value: func(p listedProfile) string { return p.Secret.String() }},
			{Name: "signing_key", Value: func(p listedProfile) string { return p.SigningKey.String() }, Wide: true},
			{Name: "smtp_password", Title: "SMTP SECRET", Value: func(p listedProfile) string { return p.SMTPPassword.String() }, Wide: true},
			{Name: "space", Value: func(p listedProfile) string { return p.Space }, Wide: true},
			{Name: "parent", Value: func(p listedProfile) string { return p.Parent }, Wide: true, Whole: true},
			{Name: "api_key", Value: func(p listedProfile) string { return p.APIKey }, Wide: true},
			show.YesColumn("read_only", func(p listedProfile) bool { return p.ReadOnly }),
			{Name: "edge", Value: func(p listedProfile) string { return p.Edge }, Wide: true},
			{Name: "region", Value: func(p listedProfile) string { return p.Region }, Wide: true},
			{Name: "api_url", Value: func(p listedProfile) string { return p.APIURL }, Wide: true},
		},
	}
}

func useCommand(a *app.App) *cobra.Command {
	var dryRun bool
	cmd := &cobra.Command{
		Use:               "use NAME",
		Short:             "Make a profile the one in use",
		Example:           "  faxctl profile use clinic",
		Args:              app.OneArg("a profile", "faxctl profile use clinic"),
		ValidArgsFunction: app.UpTo(1, a.CompleteProfiles),
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := profile.Path(a.Getenv)
			if err != nil {
				return err
			}
			c, err := profile.Load(path) // before a file is made
			if err != nil {
				return err
			}
			p, err := c.Find(args[0])
			if err != nil {
				return err
			}
			if dryRun {
				a.Say("Dry run: %s would be in use.", p.Name)
				return nil
			}
			return useProfile(cmd.Context(), a, path, args[0])
		},
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "see whether there is such a profile, and change nothing")
	return cmd
}

func useProfile(ctx context.Context, a *app.App, path, name string) error {
	if err := profile.Use(ctx, path, name); err != nil {
		return err
	}
	sayInUse(a, name)
	return nil
}

// sayInUse tells that a profile has become the current one, and what goes before
// it here.
func sayInUse(a *app.App, name string) {
	if here := a.InForce(); here.AccountID != "" && here.Name != name {
		source, _, _ := strings.Cut(here.Values[0].Source, ",")
		a.Say("%s is in use now, but not here: %s goes before it.", name, source)
		return
	}
	a.Say("%s is in use now.", name)
}

func removeCommand(a *app.App) *cobra.Command {
	var dryRun bool
	cmd := &cobra.Command{
		Use:               "remove NAME",
		Short:             "Remove a profile and its secret in the keyring",
		Example:           "  faxctl profile remove clinic\n  faxctl profile remove clinic --yes",
		Args:              app.OneArg("a profile", "faxctl profile remove clinic"),
		ValidArgsFunction: app.UpTo(1, a.CompleteOwnProfiles),
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := profile.Path(a.Getenv)
			if err != nil {
				return err
			}
			c, err := profile.Load(path)
			if err != nil {
				return err
			}
			p, known := c.Profiles[args[0]]
			if !known {
				return problem.With(fmt.Errorf("profile %q: %w", args[0], problem.ErrNotFound), problem.Say("%s shows them; the built-in ones stay", problem.Command("profile", "list")))
			}
			if dryRun {
				a.Say("Dry run: profile %s would be removed.", p.Name)
				return nil
			}
			if err := a.Confirm(cmd.Context(), fmt.Sprintf("Remove the profile %s?", p.Name)); err != nil {
				return err
			}
			if err := profile.Remove(cmd.Context(), path, p.Name); err != nil {
				return err
			}
			if err := a.Secrets().Delete(cmd.Context(), p); err != nil {
				a.Warn("the profile is removed; its secret is still in the keyring: %v", err)
			}
			a.Say("Removed %s.", p.Name)
			return nil
		},
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "remove nothing")
	return cmd
}

func importCommand(a *app.App) *cobra.Command {
	var dryRun bool
	cmd := &cobra.Command{
		Use:       "import twilio-cli",
		Short:     "Import the profiles of Twilio's own command line",
		Long:      "Import the profiles of Twilio's own command line, ~/.twilio-cli/config.json.\nTheir API key secrets go to the keyring; its file is left as it is.",
		Example:   "  faxctl profile import twilio-cli",
		ValidArgs: []string{"twilio-cli"},
		Args:      app.OneArg("where from", "faxctl profile import twilio-cli"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, err := app.OneWordOf("where from", args[0], []string{"twilio-cli"}); err != nil {
				return err
			}
			path, err := profile.Path(a.Getenv)
			if err != nil {
				return err
			}
			home, err := os.UserHomeDir()
			if err != nil {
				return problem.With(app.Misuse("where from: %w", err), problem.Say("its file is below the home: set HOME"))
			}
			found, err := profile.ImportTwilioCLI(profile.TwilioCLIPath(home))
			if err != nil {
				return err
			}
			return importProfiles(cmd.Context(), a, path, found, dryRun)
		},
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "show the profiles, and import nothing")
	return cmd
}

// importProfiles saves what can be used as it is, and tells of the rest.
func importProfiles(ctx context.Context, a *app.App, path string, found []profile.Imported, dryRun bool) error {
	t := a.Trouble()
	for _, i := range found {
		var err error
		switch {
		case i.Note != "":
			err = batch.Skip(fmt.Errorf("%s is left out: %s", i.Was, i.Note))
		case dryRun:
			a.Say("Dry run: %s (%s) would be imported.", i.Profile.Name, i.Profile.AccountID)
			continue
		default:
			err = saveProfile(ctx, a, path, i.Profile, typed{secret: i.Secret})
			if errors.Is(err, profile.ErrSecret) { // no keyring, mostly
				err = problem.With(app.Explain(ctx, err), problem.Say("keep the secret elsewhere: %s %s env:NAME, file:PATH or command:PROGRAM ARGUMENTS", problem.Text(addByHand(i.Profile)), problem.Field("secret")))
			}
		}
		if err == nil {
			a.Say("Imported %s (%s).", i.Profile.Name, i.Profile.AccountID)
			if c, err := a.Config(); err == nil && c.Current == i.Profile.Name { // the first of a file is
				sayInUse(a, i.Profile.Name)
			}
		} else if !batch.Skipped(err) {
			err = fmt.Errorf("%s: %w", i.Profile.Name, err)
		}
		if err := t.Add(err); err != nil {
			return err
		}
	}
	if len(found) == 0 {
		a.Say("There is no profile to import.")
	}
	return t.Err()
}

// addByHand is the command that adds an imported profile, but for its secret.
func addByHand(p profile.Profile) string {
	line := "faxctl profile add " + p.Name + " --provider " + string(p.Provider) + " --account " + p.AccountID
	for _, f := range []struct{ name, value string }{{"api-key", p.APIKey}, {"parent", p.Parent}, {"edge", p.Edge}, {"region", p.Region}} {
		if f.value != "" {
			line += " --" + f.name + " " + f.value
		}
	}
	return line
}
