package provider_test

import (
	"os"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/profile"
	"github.com/faxctl/faxctl/pkg/provider"
	"github.com/faxctl/faxctl/pkg/provider/providertest"
)

// TestLive keeps the contract with a real account, the one that the
// environment or FAXCTL_PROFILE names. It buys one number and releases it; it
// deletes no fax.
func TestLive(t *testing.T) {
	if os.Getenv("FAXCTL_LIVE") != "1" {
		t.Skip("buys a number at a real account; FAXCTL_LIVE=1 runs it")
	}
	account, err := profile.Resolve(profile.Input{Getenv: os.Getenv, Config: func() (profile.Config, error) {
		path, err := profile.Path(os.Getenv)
		if err != nil {
			return profile.Config{}, err
		}
		return profile.Load(path)
	}})
	if err != nil {
		t.Fatal(err)
	}
	secret, err := profile.Secrets{Getenv: os.Getenv, Keyring: profile.SystemKeyring()}.Secret(t.Context(), account.Profile)
	if err != nil {
		t.Fatal(err)
	}
	open := func(secret profile.Secret) func(*testing.T) fax.Provider {
		return func(t *testing.T) fax.Provider {
			p, err := provider.Open(account.Profile, secret, provider.Options{Jobs: 4, RetryFor: time.Minute, Timeout: 30 * time.Second, Version: "test"})
			if err != nil {
				t.Fatal(err)
			}
			return p
		}
	}
	unknown := "PN00000000000000000000000000000000"
	if account.Provider == profile.SignalWire {
		unknown = "00000000-0000-4000-8000-000000000000"
	}
	providertest.Run(t, providertest.Subject{
		Open:      open(secret),
		Refused:   open(profile.NewSecret("wrong")),
		Offered:   fax.Query{Country: "US", Type: fax.Local, Fax: true},
		UnknownID: unknown,
	})
}
