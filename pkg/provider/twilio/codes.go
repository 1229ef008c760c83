package twilio

import (
	"net/http"

	"github.com/faxctl/faxctl/pkg/fax"
)

// faxEnded is the code of every call to Twilio's fax API since its end.
const faxEnded = "34005"

// noFunds is the code of an account that cannot pay.
const (
	noFunds   = "20004"
	hintFunds = "the account has no funds: add some in the provider's console, then run it again"
)

// faxEndedMessage says what that code, and a collection not found, mean.
const faxEndedMessage = "Twilio ended its fax service on 2021-12-17: this account has no faxes to ask for"

// kindOf is the kind of a refusal: by the code where one is known, else by the
// status. Source: https://www.twilio.com/docs/api/errors
func kindOf(status int, code string) error {
	switch code {
	case faxEnded:
		return fax.ErrUnsupported
	case "20003", "20008":
		return fax.ErrAuth
	case "20404":
		return fax.ErrNotFound
	case "20429":
		return fax.ErrUnavailable
	case noFunds:
		if status != http.StatusMethodNotAllowed { // which it means as well
			return fax.ErrConflict
		}
	case "20009", "21404", "22121":
		return fax.ErrConflict
	case "21422":
		return fax.ErrTaken
	case "21615", "21631", "21649":
		return fax.ErrPapers
	case "21421", "21451", "21452":
		return fax.ErrInvalid
	}
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return fax.ErrAuth
	case http.StatusPaymentRequired:
		return fax.ErrConflict
	case http.StatusNotFound, http.StatusGone:
		return fax.ErrNotFound
	case http.StatusConflict:
		return fax.ErrConflict
	case http.StatusRequestTimeout, http.StatusTooManyRequests:
		return fax.ErrUnavailable
	}
	if status >= 400 && status < 500 {
		return fax.ErrInvalid
	}
	return fax.ErrUnavailable
}

// hintFor is what to do about a refusal.
func hintFor(status int, code string) string {
	switch code {
	case "20003":
		return hintRights
	case "20008":
		return "these are test credentials, which only work for buying magic numbers: use the live ones, faxctl profile add"
	case "20009":
		return "the fax is still in progress: see faxctl faxes get, and run it again when it is done"
	case noFunds:
		if status != http.StatusMethodNotAllowed {
			return hintFunds
		}
	case "20429":
		return "too many requests at once for this account: run it again, with fewer --jobs"
	case "21404":
		return "a trial account cannot have another number: upgrade it, or release one with faxctl numbers release"
	case "21421":
		return "write the number in E.164, as faxctl numbers search prints it"
	case "21422":
		return "the number is not for sale (any more): find another with faxctl numbers search --fax"
	case "21451", "21452":
		return "no number in that area code: find one with faxctl numbers search --fax --area-code"
	case "21615":
		return "this country wants a local address: create one in the console, then faxctl numbers buy --address-sid"
	case "21631":
		return "this country wants an address: create one in the console, then faxctl numbers buy --address-sid"
	case "21649":
		return "this country wants a regulatory bundle: create one in the console, then faxctl numbers buy --bundle-sid"
	case "22121":
		return "a number bought recently cannot be released yet: run faxctl numbers release again in some days"
	case faxEnded:
		return signalWireHint
	}
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return hintRights
	case http.StatusPaymentRequired:
		return hintFunds
	case http.StatusTooManyRequests:
		return "too many requests at once for this account: run it again, with fewer --jobs"
	}
	if status >= 500 {
		return "the provider has a problem: run it again later"
	}
	return ""
}

// hintRights leads to what the credentials are, where they came from and what they
// may do.
const hintRights = "check the credentials and what they may do: faxctl whoami"

// signalWireHint names where faxes still can be had.
const signalWireHint = "SignalWire offers the same API with fax: faxctl profile add --provider signalwire, then --profile with its name"
