package twilio

import (
	"context"
	"strings"

	openapi "github.com/twilio/twilio-go/rest/api/v2010"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

// Account fetches the account whose credentials are in use. Any server may
// answer with JSON: only what names the account that was asked for is an answer
// of the API.
// Source: https://www.twilio.com/docs/iam/api/account
func (a *account) Account(ctx context.Context) (fax.Account, error) {
	var w struct {
		SID          scalar `json:"sid"`
		FriendlyName scalar `json:"friendly_name"`
		Status       scalar `json:"status"`
		Type         scalar `json:"type"`
	}
	err := a.ask(ctx, &w, func(api *openapi.ApiService) error {
		_, err := api.FetchAccount(a.id)
		return err
	})
	if err != nil {
		return fax.Account{}, err
	}
	if sid := clean(string(w.SID), 100); sid == "" {
		return fax.Account{}, &fax.APIError{Kind: problem.ErrUnavailable, Message: notTheAPI + "no account", Advice: lookBetween()}
	} else if !strings.EqualFold(sid, a.id) {
		return fax.Account{}, &fax.APIError{
			Kind:    problem.ErrAuth,
			Message: "the answer is about account " + sid + ", not " + a.id,
			Advice:  problem.Say("check the account of the profile and %s: %s", problem.Field("api-url"), problem.Command("profile", "show")),
		}
	}
	return fax.Account{ID: string(w.SID), Name: string(w.FriendlyName), Status: string(w.Status), Type: string(w.Type)}, nil
}
