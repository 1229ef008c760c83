package twilio

import (
	"context"

	openapi "github.com/twilio/twilio-go/rest/api/v2010"

	"github.com/faxctl/faxctl/pkg/fax"
)

// Account fetches the account whose credentials are in use.
// Source: https://www.twilio.com/docs/iam/api/account
func (a *account) Account(ctx context.Context) (fax.Account, error) {
	var w struct {
		SID          text `json:"sid"`
		FriendlyName text `json:"friendly_name"`
		Status       text `json:"status"`
		Type         text `json:"type"`
	}
	err := a.ask(ctx, &w, func(api *openapi.ApiService) error {
		_, err := api.FetchAccount(a.id)
		return err
	})
	if err != nil {
		return fax.Account{}, err
	}
	return fax.Account{ID: string(w.SID), Name: string(w.FriendlyName), Status: string(w.Status), Type: string(w.Type)}, nil
}
