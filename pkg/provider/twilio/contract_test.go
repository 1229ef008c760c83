package twilio_test

import (
	"net/http"
	"testing"

	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/provider/providertest"
	"github.com/faxctl/faxctl/pkg/provider/twilio"
	"github.com/faxctl/faxctl/pkg/sandbox"
)

// Both dialects keep the contract, against the sandbox.
func TestContract(t *testing.T) {
	for dialect, test := range map[twilio.Dialect]struct {
		unknown string
		numbers int // more than a page: of 1,000, or of 50 where the mode takes a second list
	}{
		twilio.Twilio:     {"PN00000000000000000000000000000000", 1010},
		twilio.SignalWire: {"00000000-0000-4000-8000-000000000000", 110},
	} {
		t.Run(string(dialect), func(t *testing.T) {
			box, err := sandbox.Open(t.Context(), sandbox.Options{Dialect: sandbox.Dialect(dialect)})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := box.Close(); err != nil {
					t.Error(err)
				}
			})
			if _, err := box.Seed(t.Context(), sandbox.SeedOptions{Numbers: test.numbers, Faxes: 60, InProgress: 2}); err != nil {
				t.Fatal(err)
			}
			open := func(secret string) func(*testing.T) fax.Provider {
				return func(t *testing.T) fax.Provider {
					p, err := twilio.Open(twilio.Config{
						Dialect: dialect, AccountID: box.Account().Account, User: box.Account().Account, Space: space,
						Secret: func() string { return secret },
						API:    &http.Client{Transport: box.Transport()}, Documents: &http.Client{Transport: box.Transport()},
					})
					if err != nil {
						t.Fatal(err)
					}
					return p
				}
			}
			providertest.Run(t, providertest.Subject{
				Open:      open(box.Account().Token),
				Refused:   open("wrong"),
				Offered:   fax.Query{Country: "US", Type: fax.Local, Fax: true},
				Numbers:   test.numbers,
				Faxes:     60,
				UnknownID: test.unknown,
			})
		})
	}
}
