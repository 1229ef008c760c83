package twilio

import (
	"net/http"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/provider/info"
)

// faxEnded is the code of every call to Twilio's fax API since its end.
const faxEnded = "34005"

// noFunds is the code of an account that cannot pay.
const noFunds = "20004"

// faxEndedMessage says what that code, and a collection not found, mean.
func faxEndedMessage() string {
	p := info.Of(info.Twilio)
	return p.Title + " ended its fax service on " + p.Ended + ": this account has no faxes to ask for"
}

// kindOf is the kind of a refusal: by the code where one is known, else by the
// status. Source: https://www.twilio.com/docs/api/errors
func kindOf(status int, code string) error {
	switch code {
	case faxEnded:
		return problem.ErrUnsupported
	case "20003", "20008":
		return problem.ErrAuth
	case "20404":
		return problem.ErrNotFound
	case "20429":
		return problem.ErrUnavailable
	case noFunds:
		if status != http.StatusMethodNotAllowed { // which it means as well
			return problem.ErrConflict
		}
	case "20009", "21404", "22121":
		return problem.ErrConflict
	case "21422":
		return fax.ErrTaken
	case "21615", "21631", "21649":
		return fax.ErrPapers
	case "21421", "21451", "21452":
		return problem.ErrInvalid
	}
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return problem.ErrAuth
	case http.StatusPaymentRequired:
		return problem.ErrConflict
	case http.StatusNotFound, http.StatusGone:
		return problem.ErrNotFound
	case http.StatusConflict:
		return problem.ErrConflict
	case http.StatusRequestTimeout, http.StatusTooManyRequests:
		return problem.ErrUnavailable
	}
	if status >= 400 && status < 500 {
		return problem.ErrInvalid
	}
	return problem.ErrUnavailable
}

// adviceFor is what to do about a refusal.
func adviceFor(status int, code string) problem.Advice {
	switch code {
	case "20003":
		return checkRights()
	case "20008":
		return problem.Say("these are test credentials, which only work for buying magic numbers: use the live ones, %s", problem.Command("profile", "add"))
	case "20009":
		return problem.Say("the fax is still in progress: see %s, and run it again when it is done", problem.Command("faxes", "get"))
	case noFunds:
		if status != http.StatusMethodNotAllowed {
			return addFunds()
		}
	case "20429":
		return fewerJobs()
	case "21404":
		return problem.Say("a trial account cannot have another number: upgrade it, or release one with %s", problem.Command("numbers", "release"))
	case "21421":
		return problem.Say("write the number in E.164, as %s prints it", problem.Command("numbers", "search"))
	case "21422":
		return problem.Say("the number is not for sale (any more): find another with %s", problem.Command("numbers", "search").Switch("fax"))
	case "21451", "21452":
		return problem.Say("no number in that area code: find one with %s", problem.Command("numbers", "search").Switch("fax").Switch("area-code"))
	case "21615":
		return buyWith("a local address", "address-sid")
	case "21631":
		return buyWith("an address", "address-sid")
	case "21649":
		return buyWith("a regulatory bundle", "bundle-sid")
	case "22121":
		return problem.Say("a number bought recently cannot be released yet: run %s again in some days", problem.Command("numbers", "release"))
	case faxEnded:
		return useSignalWire()
	}
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return checkRights()
	case http.StatusPaymentRequired:
		return addFunds()
	case http.StatusTooManyRequests:
		return fewerJobs()
	}
	if status >= 500 {
		return problem.Say("the provider has a problem: run it again later")
	}
	return problem.Advice{}
}

// checkRights leads to what the credentials are, where they came from and what
// they may do.
func checkRights() problem.Advice {
	return problem.Say("check the credentials and what they may do: %s", problem.Command("whoami"))
}

func addFunds() problem.Advice {
	return problem.Say("the account has no funds: add some in the provider's console, then run it again")
}

// useSignalWire names where faxes still can be had.
func useSignalWire() problem.Advice {
	return problem.Say("SignalWire offers the same API with fax: %s, then %s with its name",
		problem.Command("profile", "add").Set("provider", "signalwire"), problem.Field("profile"))
}

func fewerJobs() problem.Advice {
	return problem.Say("too many requests at once for this account: run it again, with fewer %s", problem.Field("jobs"))
}

// buyWith is what to do where a country wants papers for a number.
func buyWith(papers, field string) problem.Advice {
	return problem.Say("this country wants "+papers+": create one in the console, then %s", problem.Command("numbers", "buy").Switch(field))
}
