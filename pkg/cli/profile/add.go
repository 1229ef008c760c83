package profile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/profile"
	"github.com/faxctl/faxctl/pkg/provider"
	"github.com/faxctl/faxctl/pkg/provider/info"
	"github.com/faxctl/faxctl/pkg/screen/term"
)

// newProfile is what profile add is told by flags.
type newProfile struct {
	profile.Profile
	provider, secret, signingKey string
	secretStdin, use, dryRun     bool
	noVerify                     bool
}

func addCommand(a *app.App) *cobra.Command {
	var n newProfile
	cmd := &cobra.Command{
		Use:   "add NAME",
		Short: "Add an account",
		Long: `Add an account. What is not given by a flag is asked for; the provider is called
to see whether the credentials work before anything is saved: an API key that
may read numbers or faxes does, and what it may not read is told. --no-verify
saves it unseen; faxctl whoami tells then. Defaults, such as an archive, are
written into the file: faxctl help config.

The configuration never holds a secret, only where it is kept: keyring (the
default), env:NAME, file:PATH or command:PROGRAM ARGUMENTS. --secret says it of
the account's secret, --signing-key of the key that signs callbacks. What goes
into the keyring is typed; the secret may come from standard input instead
(--secret-stdin). Neither is ever a flag. A relative path is saved as the
absolute one that it is here. An --api-url is kept with the profile.

With Twilio the credentials of an account reach the numbers of its subaccounts:
--account is then the subaccount, and --parent the account that they are of. Its
faxes they do not reach: what is about faxes is refused with such a profile.`,
		Example: `  faxctl profile add clinic --provider twilio \
    --account AC0123456789abcdef0123456789abcdef
  faxctl profile add court --provider signalwire --space example \
    --account 8f0e1c9a-3b1d-4a53-9c58-2f6f4f5d6a7b --secret env:COURT_TOKEN
  pass show fax | faxctl profile add lab --provider twilio --secret-stdin \
    --account AC0123456789abcdef0123456789abcdef`,
		Args:              app.OneArg("a name for the profile", "faxctl profile add clinic"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			n.Name, n.APIURL = args[0], a.Flags.ApiURL
			return addProfile(cmd.Context(), a, n)
		},
	}
	f := cmd.Flags()
	f.StringVar(&n.provider, "provider", "", "`provider`: twilio or signalwire")
	f.StringVar(&n.AccountID, "account", "", "account `SID` (AC…), or SignalWire project id")
	f.StringVar(&n.APIKey, "api-key", "", "Twilio API key `SID` (SK…), when the secret is the key's")
	f.StringVar(&n.Parent, "parent", "", "account `SID` (AC…) that the credentials are of, when --account is a subaccount of it")
	f.StringVar(&n.Space, "space", "", "SignalWire `space`: example, or example.signalwire.com")
	f.StringVar(&n.Edge, "edge", "", "Twilio `edge`, as in dublin")
	f.StringVar(&n.Region, "region", "", "Twilio `region`, as in ie1")
	f.StringVar(&n.secret, "secret", "", "`where` the secret is kept: keyring, env:NAME, file:PATH or command:PROGRAM (default keyring)")
	f.BoolVar(&n.secretStdin, "secret-stdin", false, "read the secret for the keyring from standard input")
	f.StringVar(&n.signingKey, "signing-key", "", "`where` the key that signs callbacks is kept, as for --secret")
	f.BoolVar(&n.ReadOnly, "read-only", false, "refuse every change at the provider with this profile")
	f.BoolVar(&n.noVerify, "no-verify", false, "save it without asking the provider, as where there is no network")
	f.BoolVar(&n.use, "use", false, "make it the profile in use")
	f.BoolVar(&n.dryRun, "dry-run", false, "see whether the credentials work, and save nothing")
	a.CompleteValues(cmd, "provider", info.Names()...)
	a.CompleteValues(cmd, "secret", "keyring", "env:", "file:", "command:")
	a.CompleteValues(cmd, "signing-key", "keyring", "env:", "file:", "command:")
	a.CompleteNothing(cmd, "account", "api-key", "parent", "space", "edge", "region")
	return cmd
}

func addProfile(ctx context.Context, a *app.App, n newProfile) error {
	path, err := profile.Path(a.Getenv)
	if err != nil {
		return err
	}
	config, err := profile.Load(path)
	if err != nil {
		return err
	}
	if err := profile.CheckName(n.Name); err != nil {
		return err
	}
	if _, taken := config.Profiles[n.Name]; taken {
		return problem.With(fmt.Errorf("profile %s: %w: there is one already", n.Name, problem.ErrConflict), problem.Say("remove it first: %s", problem.Command("profile", "remove").Arg(n.Name)))
	}
	if err := askForRest(ctx, a, &n); err != nil {
		return err
	}
	if err := n.Validate(); err != nil {
		return err
	}
	keys, err := typedSecrets(ctx, a, n)
	if err != nil {
		return err
	}
	works, err := tried(ctx, a, n, keys.secret)
	if err != nil {
		return fmt.Errorf("nothing saved: %w", err)
	}
	if n.dryRun {
		a.Say("%s Dry run: nothing is saved.", works)
		return nil
	}
	if err := saveProfile(ctx, a, path, n.Profile, keys); err != nil {
		return err
	}
	a.Say("%s", works)
	if n.use {
		return useProfile(ctx, a, path, n.Name)
	}
	if config, err = a.Config(); err == nil && config.Current == n.Name { // the first of a file is
		sayInUse(a, n.Name)
		return nil
	}
	a.Say("Use it with --profile %s, or always with %s.", n.Name, problem.Command("profile", "use").Arg(n.Name))
	return err
}

// tried says what became of trying the credentials, or that nobody did.
func tried(ctx context.Context, a *app.App, n newProfile, typed profile.Secret) (string, error) {
	if n.noVerify {
		return fmt.Sprintf("%s is of %s, %s, and was not tried: faxctl --profile %s whoami does.", n.Name, n.Provider, n.AccountID, n.Name), nil
	}
	who, err := verifyAccount(ctx, a, n.Profile, typed)
	if err != nil {
		return "", err
	}
	works := fmt.Sprintf("%s works: %s %s.", n.Name, n.Provider, strings.Join(app.NonEmpty(who.Account.Name, n.AccountID), ", "))
	if not := who.May.Not(); len(not) > 0 {
		works += " The credentials may not read: " + strings.Join(not, ", ") + "."
	}
	return works, nil
}

// typed are secrets for the keyring; a zero one is kept elsewhere.
type typed struct{ secret, signingKey profile.Secret }

// saveProfile adds a profile, and puts its secrets into the keyring: all of it
// or nothing. A profile of that name keeps its own.
func saveProfile(ctx context.Context, a *app.App, path string, p profile.Profile, keys typed) error {
	if err := profile.Add(ctx, path, p); err != nil {
		return err
	}
	var err error
	if !keys.secret.IsZero() {
		err = a.Secrets().Store(ctx, p, keys.secret)
	}
	if err == nil && !keys.signingKey.IsZero() {
		if err = a.Secrets().StoreSigningKey(ctx, p, keys.signingKey); err != nil {
			err = errors.Join(err, a.Secrets().Delete(ctx, p))
		}
	}
	if err != nil {
		err = errors.Join(err, profile.Remove(context.WithoutCancel(ctx), path, p.Name))
	}
	return err
}

// askForRest asks for what the flags did not say.
func askForRest(ctx context.Context, a *app.App, n *newProfile) error {
	var err error
	ask := func(value *string, question, flag string) {
		if *value != "" || err != nil {
			return
		}
		*value, err = a.Ask(ctx, question)
		err = unasked(err, "give it with "+flag)
	}
	ask(&n.provider, "Provider, twilio or signalwire:", "--provider")
	if err != nil {
		return err
	}
	if n.Provider, err = app.OneWordOf("--provider", n.provider, profile.Providers()); err != nil {
		return err
	}
	asked := map[string]*string{"account": &n.AccountID, "space": &n.Space}
	for _, s := range n.Info().Settings {
		if s.Question != "" {
			ask(asked[s.Key], s.Question, "--"+s.Key)
		}
	}
	if _, has := n.Info().Setting("space"); has && err == nil && n.Space != "" {
		n.Space, err = profile.NormalizeSpace(n.Space)
	}
	if err != nil {
		return err
	}
	for _, r := range []struct {
		text string
		at   *profile.Reference
		flag string
	}{{n.secret, &n.Secret, "--secret"}, {n.signingKey, &n.SigningKey, "--signing-key"}} {
		if r.text == "" {
			continue
		}
		if *r.at, err = profile.ParseReference(r.text); err != nil {
			return fmt.Errorf("%s: %w", r.flag, err)
		}
	}
	here, err := os.Getwd()
	if err != nil {
		return err
	}
	// The profile is used from other folders, as by cron.
	n.Secret, n.SigningKey = n.Secret.In(here), n.SigningKey.In(here)
	if n.Secret.IsZero() {
		n.Secret = profile.Keyring()
	}
	return nil
}

// typedSecrets are the secrets for the keyring, from a person or, the account's,
// from standard input.
func typedSecrets(ctx context.Context, a *app.App, n newProfile) (keys typed, err error) {
	keyring := n.Secret.Kind == profile.InKeyring
	switch {
	case n.secretStdin && !keyring:
		err = app.Misuse("--secret-stdin is for the keyring, and --secret says %s", n.Secret)
	case n.secretStdin:
		var typed []byte
		if typed, err = io.ReadAll(io.LimitReader(a.In, 64<<10)); err != nil {
			return keys, fmt.Errorf("standard input: %w", err)
		}
		keys.secret, err = nonEmptySecret(text.PlainBytes(typed))
	case keyring:
		keys.secret, err = typedSecret(ctx, a, strings.ToUpper(n.SecretName()[:1])+n.SecretName()[1:], "pipe it in with --secret-stdin, or say where it is kept with --secret")
	}
	if err == nil && n.SigningKey.Kind == profile.InKeyring {
		keys.signingKey, err = typedSecret(ctx, a, "Signing key of callbacks", "say where it is kept, as in --signing-key env:SIGNING_KEY")
	}
	return keys, err
}

// typedSecret asks a person for a secret; otherwise is what to do without one.
func typedSecret(ctx context.Context, a *app.App, what, otherwise string) (profile.Secret, error) {
	text, err := a.Secret(ctx, what+" (not shown):")
	if err != nil {
		return profile.Secret{}, unasked(err, otherwise)
	}
	return nonEmptySecret(text)
}

// unasked is what to do where nobody could be asked. Who was, and left, knows.
func unasked(err error, otherwise string) error {
	if errors.Is(err, term.ErrNoInput) {
		return problem.With(problem.Of(problem.ErrInvalid, err), problem.Say(otherwise))
	}
	return err
}

func nonEmptySecret(text string) (profile.Secret, error) {
	if text = strings.TrimSpace(text); text == "" {
		return profile.Secret{}, app.Misuse("the secret is empty")
	}
	return profile.NewSecret(text), nil
}

// verifyAccount calls the provider with the credentials.
func verifyAccount(ctx context.Context, a *app.App, p profile.Profile, typed profile.Secret) (provider.Access, error) {
	if p.APIURL == "" {
		p.APIURL = cmp.Or(a.Flags.ApiURL, a.Getenv("FAXCTL_API_URL"))
	}
	secret := typed
	if secret.IsZero() {
		var err error
		if secret, err = a.Secrets().Secret(ctx, p); err != nil {
			return provider.Access{}, err
		}
	}
	connected, err := a.Dial(p, secret, nil)
	if err != nil {
		return provider.Access{}, err
	}
	found, err := provider.CheckAccess(ctx, connected)
	if errors.Is(err, problem.ErrAuth) {
		err = problem.With(err, problem.Say("copy the account, its API key if there is one, and the secret once more from the provider's console; "+
			"an API key has a secret of its own, and region and edge must be those that it was made in"))
	}
	return found, err
}
