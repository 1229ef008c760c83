package twilio

import (
	"fmt"
	"slices"
	"strings"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/provider/info"
)

// generatedOrigin is the constant that twilio-go's generated calls begin with.
const generatedOrigin = "https://api.twilio.com"

// dialect is what is known of the provider, and where things are. What a provider
// does not have is empty, and that is how the rest of the package tells the dialects
// apart.
type dialect struct {
	info.Provider

	api    string   // stands for generatedOrigin
	faxes  string   // the collection of fax records
	prices string   // the price lists by country; empty: there are none
	relay  string   // SignalWire's other collection of numbers, which knows the receive mode
	hosts  []string // domains that links to documents may point into
	signIn string   // the domain where a document may want the credentials; empty: never
}

func (c Config) dialect() (dialect, error) {
	switch c.Dialect {
	case Twilio:
		suffix, err := twilioHost(c.Edge, c.Region)
		return dialect{
			Provider: info.Of(info.Twilio),

			api:    "https://api" + suffix,
			faxes:  "https://fax" + suffix + "/v1/Faxes",
			prices: "https://pricing" + suffix + "/v1/PhoneNumbers/Countries/",
			hosts:  []string{"twilio.com", "twiliocdn.com"},
		}, err
	case SignalWire:
		origin := "https://" + c.Space
		if !isSpace(c.Space) {
			return dialect{}, problem.Invalid(problem.Say("give the space's host, as in example.signalwire.com: %s", problem.Command("profile", "add")), "SignalWire space %q", c.Space)
		}
		return dialect{
			Provider: info.Of(info.SignalWire),

			api:    origin + "/api/laml",
			faxes:  origin + "/api/laml/2010-04-01/Accounts/" + c.AccountID + "/Faxes",
			relay:  origin + "/api/relay/rest/phone_numbers",
			hosts:  []string{"signalwire.com"},
			signIn: "signalwire.com",
		}, nil
	}
	return dialect{}, fmt.Errorf("%w dialect %q", problem.ErrInvalid, c.Dialect)
}

// inLabel are the characters of one part of a host name.
const inLabel = text.Lower + text.Digits + "-"

// isSpace reports whether a host is one of SignalWire's.
func isSpace(host string) bool {
	labels, ok := strings.CutSuffix(host, ".signalwire.com")
	return ok && !slices.ContainsFunc(strings.Split(labels, "."), func(l string) bool { return l == "" || !text.MadeOf(l, inLabel) })
}

// twilioHost is what follows the product in a host name. An edge alone means
// region us1. A region alone is answered no more since 2026-04-28, but for us1,
// which is the same as none.
// Source: https://www.twilio.com/docs/global-infrastructure/understanding-edge-locations
func twilioHost(edge, region string) (string, error) {
	switch {
	case !text.MadeOf(edge+region, inLabel):
		return "", fmt.Errorf("%w edge %q or region %q", problem.ErrInvalid, edge, region)
	case edge == "" && (region == "" || region == "us1"):
		return ".twilio.com", nil
	case edge == "":
		return "", problem.With(fmt.Errorf("%w: region %q without an edge", problem.ErrInvalid, region), problem.Say("set the edge too, as in TWILIO_EDGE=dublin with TWILIO_REGION=ie1"))
	case region == "":
		region = "us1"
	}
	return "." + edge + "." + region + ".twilio.com", nil
}

// inside reports whether host is one of the domains or below one.
func inside(host string, domains ...string) bool {
	for _, d := range domains {
		if d != "" && (host == d || strings.HasSuffix(host, "."+d)) {
			return true
		}
	}
	return false
}

// checkID refuses what cannot be a provider's id of such a thing. It goes into a
// path, so it must not be able to leave it.
func checkID(what, id string) error {
	if id == "" || len(id) > 100 || strings.ContainsRune("_-", rune(id[0])) || !text.MadeOf(id, text.Upper+text.Lower+text.Digits+"_-") {
		return fmt.Errorf("%w %s id %q", problem.ErrInvalid, what, id)
	}
	return nil
}
