package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"time"

	"github.com/faxctl/faxctl/pkg/base/durable"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/numbers/plan"
	"github.com/faxctl/faxctl/pkg/profile"
	"github.com/faxctl/faxctl/pkg/provider"
	"github.com/faxctl/faxctl/pkg/receive/webhook"
	"github.com/faxctl/faxctl/pkg/sandbox"
)

// Account is the account a command works on. It is found at the first call
// that needs one, so that commands which need none ask for none.
type Account struct {
	Resolved profile.Resolved
	Provider fax.Provider
	Box      *sandbox.Sandbox // behind the built-in profiles
	open     bool
}

// Resolve says which account is meant, without looking up its secret.
func (a *App) Resolve() (profile.Resolved, error) {
	return a.ResolveNamed(a.Flags.profile)
}

// ResolveNamed is what [App.Resolve] says when --profile is name.
func (a *App) ResolveNamed(name string) (profile.Resolved, error) {
	return profile.Resolve(profile.Input{
		Profile: name,
		APIURL:  a.Flags.ApiURL,
		Output:  a.asked,
		Getenv:  a.Getenv,
		Config:  a.Config,
	})
}

// InForce is the account that a command would work on here, the zero one when
// that cannot be told.
func (a *App) InForce() profile.Resolved {
	r, err := a.Resolve()
	if err != nil {
		return profile.Resolved{}
	}
	return r
}

// Config reads the configuration file; there need not be one.
func (a *App) Config() (profile.Config, error) {
	return profile.LoadFrom(a.Getenv)
}

// Provider opens the account's provider. The first call decides; later ones
// return the same.
func (a *App) Provider(ctx context.Context) (fax.Provider, error) {
	if a.Account.open {
		return a.Account.Provider, nil
	}
	resolved, err := a.Resolve()
	if err != nil {
		return fax.Provider{}, err
	}
	acc := Account{Resolved: resolved, open: true}
	if acc.Provider, acc.Box, err = a.connect(ctx, resolved.Profile); err != nil {
		return fax.Provider{}, err
	}
	a.Account = acc
	return acc.Provider, nil
}

// With is the same run of faxctl, on this account.
func (a *App) With(acc *Account) *App {
	b := *a
	b.Account, b.closers = *acc, nil
	return &b
}

// connect opens the provider of a profile, looking up its secret. A built-in
// profile comes with the sandbox that is its provider, unless that is served
// elsewhere.
func (a *App) connect(ctx context.Context, p profile.Profile) (fax.Provider, *sandbox.Sandbox, error) {
	if !p.IsBuiltIn() {
		secret, err := a.Secrets().Secret(ctx, p)
		if err != nil {
			return fax.Provider{}, nil, lacking(err)
		}
		provider, err := a.Dial(p, secret, nil)
		return provider, nil, err
	}
	secret := profile.NewSecret(sandbox.Account(sandbox.Dialect(p.Provider)).Token)
	if p.APIURL != "" {
		provider, err := a.Dial(p, secret, nil)
		return provider, nil, err
	}
	box, err := a.OpenSandbox(ctx, sandbox.Dialect(p.Provider))
	if err != nil {
		return fax.Provider{}, nil, err
	}
	provider, err := a.Dial(p, secret, box.Transport())
	return provider, box, err
}

// SigningKey is what the provider of the account in force signs its callbacks
// with: problem.ErrNotFound when the profile does not know it.
func (a *App) SigningKey(ctx context.Context) (webhook.Key, error) {
	p := a.Account.Resolved
	if p.IsBuiltIn() {
		return webhook.Key(sandbox.Account(sandbox.Dialect(p.Provider)).SigningKey), nil
	}
	key, err := a.Secrets().SigningKey(ctx, p.Profile)
	if err != nil {
		return "", lacking(err)
	}
	return webhook.Key(key.Reveal()), nil
}

// lacking tells a secret that is not there from a thing that was looked for:
// without one nobody is authorized.
func lacking(err error) error {
	if errors.Is(err, problem.ErrNotFound) {
		return problem.Of(problem.ErrAuth, err)
	}
	return err
}

// Dial puts the provider of a profile together; it makes no request. A nil
// base is the network.
func (a *App) Dial(p profile.Profile, secret profile.Secret, base http.RoundTripper) (fax.Provider, error) {
	path, _ := profile.Path(a.Getenv) // there is none for an account of the environment alone
	return provider.Open(p, secret, provider.Options{
		Base:     base,
		Jobs:     JobsCeiling,
		RetryFor: a.Flags.retryFor,
		Timeout:  a.Flags.timeout,
		Log:      a.log,
		OnRetry:  a.retrying,
		Version:  ThisBuild().Version,
		Config:   path,
	})
}

// Secrets are where the secrets of profiles are kept.
func (a *App) Secrets() profile.Secrets {
	return profile.Secrets{Getenv: a.Getenv, Keyring: profile.SystemKeyring()}
}

// JobsCeiling bounds the calls to a provider at one time, whatever -j says;
// below it the rate adapts to what the provider allows.
const JobsCeiling = 64

// retrying tells a person why nothing seems to happen.
func (a *App) retrying(_ int, wait time.Duration, why string) {
	if wait > 2*time.Second {
		a.Say("%s; trying again in %s", why, wait.Round(time.Second))
	}
}

// Numbers is the numbers side of the account's provider.
func (a *App) Numbers(ctx context.Context) (fax.Numbers, error) {
	p, err := a.Provider(ctx)
	if err != nil {
		return nil, err
	}
	if p.Numbers == nil {
		return nil, fmt.Errorf("numbers at %s: %w", p.Name, problem.ErrUnsupported)
	}
	return p.Numbers, nil
}

// Faxes is the fax side of the account's provider.
func (a *App) Faxes(ctx context.Context) (fax.Faxes, error) {
	p, err := a.Provider(ctx)
	if err != nil {
		return nil, err
	}
	if p.NoFaxes != nil {
		return nil, p.NoFaxes
	}
	if p.Faxes == nil {
		return nil, fmt.Errorf("fax records at %s: %w", p.Name, problem.ErrUnsupported)
	}
	return p.Faxes, nil
}

// Changeable refuses a read-only profile at once, rather than for each fax that a
// person has chosen and confirmed. It comes after the account is known.
func (a *App) Changeable() error {
	p := a.Account.Resolved.Profile
	if !p.ReadOnly {
		return nil
	}
	path, _ := profile.Path(a.Getenv)
	return provider.ReadOnly(p, path)
}

// OpenSandbox opens the sandbox whose state lies between commands.
func (a *App) OpenSandbox(ctx context.Context, d sandbox.Dialect) (*sandbox.Sandbox, error) {
	path, err := a.SandboxPath()
	if err != nil {
		return nil, err
	}
	box, err := sandbox.Open(ctx, sandbox.Options{Path: path, Dialect: d})
	if err != nil {
		return nil, err
	}
	a.OnClose(box.Close)
	return box, nil
}

// SandboxPath is where the sandbox keeps its state.
func (a *App) SandboxPath() (string, error) {
	dir, err := a.StateDir()
	return filepath.Join(dir, "sandbox.db"), err
}

// StateDir is the folder in which faxctl keeps what is of this machine alone; it need
// not be there yet. It is an error, which names the variable that places it, when there
// can be none.
func (a *App) StateDir() (string, error) {
	const hint = "set XDG_STATE_HOME to a folder that you can write to"
	home, err := durable.StateHome(a.Getenv)
	if err != nil {
		return "", wrong(hint, "there is no place for what faxctl keeps on this machine: %w", err)
	}
	dir := filepath.Join(home, "faxctl")
	if err := durable.MayMake(dir, dir); err != nil {
		return "", wrong(hint, "what faxctl keeps on this machine cannot be kept in %s: %w", dir, durable.Reason(err))
	}
	return dir, nil
}

// PurchaseNotes are of what was bought for an account: by this machine, or by all that
// share a database.
func (a *App) PurchaseNotes(ctx context.Context, account string) (plan.Notes, error) {
	db, err := a.Database(ctx)
	if err != nil {
		return plan.Notes{}, err
	}
	if db != nil {
		return plan.NotesAt(ctx, db, account)
	}
	dir, err := a.StateDir()
	return plan.NotesIn(dir, account), err
}
