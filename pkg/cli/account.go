package cli

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
	"github.com/faxctl/faxctl/pkg/profile"
	"github.com/faxctl/faxctl/pkg/provider"
	"github.com/faxctl/faxctl/pkg/receive/webhook"
	"github.com/faxctl/faxctl/pkg/sandbox"
)

// account is the account a command works on. It is found at the first call
// that needs one, so that commands which need none ask for none.
type account struct {
	resolved profile.Resolved
	provider fax.Provider
	box      *sandbox.Sandbox // behind the built-in profiles
	open     bool
}

// resolve says which account is meant, without looking up its secret.
func (a *app) resolve() (profile.Resolved, error) {
	return profile.Resolve(profile.Input{
		Profile: a.flags.profile,
		APIURL:  a.flags.apiURL,
		Getenv:  a.getenv,
		Config:  a.config,
	})
}

// inForce is the account that a command would work on here, the zero one when
// that cannot be told.
func (a *app) inForce() profile.Resolved {
	r, err := a.resolve()
	if err != nil {
		return profile.Resolved{}
	}
	return r
}

// config reads the configuration file; there need not be one.
func (a *app) config() (profile.Config, error) {
	path, err := profile.Path(a.getenv)
	if err != nil {
		return profile.Config{}, err
	}
	return profile.Load(path)
}

// provider opens the account's provider. The first call decides; later ones
// return the same.
func (a *app) provider(ctx context.Context) (fax.Provider, error) {
	if a.account.open {
		return a.account.provider, nil
	}
	resolved, err := a.resolve()
	if err != nil {
		return fax.Provider{}, err
	}
	acc := account{resolved: resolved, open: true}
	if acc.provider, acc.box, err = a.connect(ctx, resolved.Profile); err != nil {
		return fax.Provider{}, err
	}
	a.account = acc
	return acc.provider, nil
}

// with is the same run of faxctl, on this account.
func (a *app) with(acc *account) *app {
	b := *a
	b.account, b.closers = *acc, nil
	return &b
}

// connect opens the provider of a profile, looking up its secret. A built-in
// profile comes with the sandbox that is its provider, unless that is served
// elsewhere.
func (a *app) connect(ctx context.Context, p profile.Profile) (fax.Provider, *sandbox.Sandbox, error) {
	if !p.IsBuiltIn() {
		secret, err := a.secrets().Secret(ctx, p)
		if err != nil {
			return fax.Provider{}, nil, lacking(err)
		}
		provider, err := a.dial(p, secret, nil)
		return provider, nil, err
	}
	secret := profile.NewSecret(sandbox.Account(sandbox.Dialect(p.Provider)).Token)
	if p.APIURL != "" {
		provider, err := a.dial(p, secret, nil)
		return provider, nil, err
	}
	box, err := a.openSandbox(ctx, sandbox.Dialect(p.Provider))
	if err != nil {
		return fax.Provider{}, nil, err
	}
	provider, err := a.dial(p, secret, box.Transport())
	return provider, box, err
}

// signingKey is what the provider of the account in force signs its callbacks
// with: problem.ErrNotFound when the profile does not know it.
func (a *app) signingKey(ctx context.Context) (webhook.Key, error) {
	p := a.account.resolved
	if p.IsBuiltIn() {
		return webhook.Key(sandbox.Account(sandbox.Dialect(p.Provider)).SigningKey), nil
	}
	key, err := a.secrets().SigningKey(ctx, p.Profile)
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

// dial puts the provider of a profile together; it makes no request. A nil
// base is the network.
func (a *app) dial(p profile.Profile, secret profile.Secret, base http.RoundTripper) (fax.Provider, error) {
	path, _ := profile.Path(a.getenv) // there is none for an account of the environment alone
	return provider.Open(p, secret, provider.Options{
		Base:     base,
		Jobs:     jobsCeiling,
		RetryFor: a.flags.retryFor,
		Timeout:  a.flags.timeout,
		Log:      a.log,
		OnRetry:  a.retrying,
		Version:  thisBuild().Version,
		Config:   path,
	})
}

func (a *app) secrets() profile.Secrets {
	return profile.Secrets{Getenv: a.getenv, Keyring: profile.SystemKeyring()}
}

// jobsCeiling bounds the calls to a provider at one time, whatever -j says;
// below it the rate adapts to what the provider allows.
const jobsCeiling = 64

// retrying tells a person why nothing seems to happen.
func (a *app) retrying(_ int, wait time.Duration, why string) {
	if wait > 2*time.Second {
		a.say("%s; trying again in %s", why, wait.Round(time.Second))
	}
}

// numbers is the numbers side of the account's provider.
func (a *app) numbers(ctx context.Context) (fax.Numbers, error) {
	p, err := a.provider(ctx)
	if err != nil {
		return nil, err
	}
	if p.Numbers == nil {
		return nil, fmt.Errorf("numbers at %s: %w", p.Name, problem.ErrUnsupported)
	}
	return p.Numbers, nil
}

// faxes is the fax side of the account's provider.
func (a *app) faxes(ctx context.Context) (fax.Faxes, error) {
	p, err := a.provider(ctx)
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

// changeable refuses a read-only profile at once, rather than for each fax that a
// person has chosen and confirmed. It comes after the account is known.
func (a *app) changeable() error {
	p := a.account.resolved.Profile
	if !p.ReadOnly {
		return nil
	}
	path, _ := profile.Path(a.getenv)
	return provider.ReadOnly(p, path)
}

// openSandbox opens the sandbox whose state lies between commands.
func (a *app) openSandbox(ctx context.Context, d sandbox.Dialect) (*sandbox.Sandbox, error) {
	path, err := a.sandboxPath()
	if err != nil {
		return nil, err
	}
	box, err := sandbox.Open(ctx, sandbox.Options{Path: path, Dialect: d})
	if err != nil {
		return nil, err
	}
	a.onClose(box.Close)
	return box, nil
}

// sandboxPath is where the sandbox keeps its state.
func (a *app) sandboxPath() (string, error) {
	dir, err := a.stateDir()
	return filepath.Join(dir, "sandbox.db"), err
}

// stateDir is where faxctl keeps what is of this machine alone.
func (a *app) stateDir() (string, error) {
	dir, err := durable.StateHome(a.getenv)
	if err != nil {
		return "", fmt.Errorf("find a place for the state: %w", err)
	}
	return filepath.Join(dir, "faxctl"), nil
}
