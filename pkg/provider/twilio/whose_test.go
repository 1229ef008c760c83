package twilio_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/provider/twilio"
)

// An answer about something else tells nothing of what was asked about, whoever mixed
// the answers up.
func TestAnswersAboutAnother(t *testing.T) {
	const (
		number = `{"sid":"PN1","account_sid":"` + accountID + `","phone_number":"+14155550123"}`
		theirs = `{"sid":"PN1","account_sid":"ACbbb","phone_number":"+14155550123"}`
	)
	order := fax.Order{Phone: "+14155550123"}
	name := "desk"
	buy := func(ctx context.Context, p fax.Provider) error { _, err := p.Numbers.Buy(ctx, order); return err }
	getNumber := func(ctx context.Context, p fax.Provider) error { _, err := p.Numbers.Get(ctx, "PN1"); return err }
	configure := func(ctx context.Context, p fax.Provider) error {
		_, err := p.Numbers.Configure(ctx, "PN1", fax.Change{Name: &name})
		return err
	}
	list := func(ctx context.Context, p fax.Provider) error {
		_, err := fax.Collect(p.Numbers.List(ctx, fax.NumberFilter{}))
		return err
	}
	prices := func(ctx context.Context, p fax.Provider) error { _, err := p.Numbers.Prices(ctx, "US"); return err }
	getFax := func(ctx context.Context, p fax.Provider) error { _, err := p.Faxes.Get(ctx, "FX1"); return err }
	media := func(ctx context.Context, p fax.Provider) error {
		_, err := fax.Collect(p.Faxes.Media(ctx, "FX1"))
		return err
	}
	open := func(ctx context.Context, p fax.Provider) error {
		_, err := p.Faxes.Open(ctx, fax.Fax{ID: "FX1"}, 0)
		return err
	}

	signalWire := twilio.Config{Dialect: twilio.SignalWire, AccountID: accountID}
	api := "/2010-04-01/Accounts/" + accountID
	for what, c := range map[string]struct {
		config  twilio.Config
		ask     func(context.Context, fax.Provider) error
		answers map[string]string
		kind    error
		says    string
	}{
		"a purchase, another number": {
			ask: buy, answers: map[string]string{"POST " + twilioNumbers + ".json": strings.Replace(number, "0123", "0199", 1)},
			kind: problem.ErrUnavailable, says: "about another number, ",
		},
		"a purchase, another account": {
			ask: buy, answers: map[string]string{"POST " + twilioNumbers + ".json": theirs},
			kind: problem.ErrUnavailable, says: "about another account, ACbbb",
		},
		"a number, another": {
			ask: getNumber, answers: map[string]string{"GET " + twilioNumbers + "/PN1.json": strings.Replace(number, "PN1", "PN2", 1)},
			kind: problem.ErrUnavailable, says: "about another number, ",
		},
		"a number, another and of another account": {
			ask: getNumber, answers: map[string]string{"GET " + twilioNumbers + "/PN1.json": strings.Replace(theirs, "PN1", "PN2", 1)},
			kind: problem.ErrUnavailable, says: "about another number, ",
		},
		"a number, its mode another's": {
			config: signalWire, ask: getNumber, answers: map[string]string{
				"GET /api/laml" + api + "/IncomingPhoneNumbers/PN1.json": number,
				"GET " + relayNumbers + "/PN1":                           `{"id":"PN2","call_receive_mode":"fax"}`,
			},
			kind: problem.ErrUnavailable, says: "about another number, PN2",
		},
		"a number that another account has by now": {
			ask: getNumber, answers: map[string]string{"GET " + twilioNumbers + "/PN1.json": theirs},
			kind: problem.ErrConflict, says: "has moved",
		},
		"a change, another number": {
			ask: configure, answers: map[string]string{"POST " + twilioNumbers + "/PN1.json": strings.Replace(number, "PN1", "PN2", 1)},
			kind: problem.ErrUnavailable, says: "about another number, ",
		},
		"the numbers of another account": {
			ask: list, answers: map[string]string{"GET " + twilioNumbers + ".json": `{"incoming_phone_numbers":[` + number + `,` + theirs + `]}`},
			kind: problem.ErrUnavailable, says: "about another account, ACbbb",
		},
		"the prices of another country": {
			ask: prices, answers: map[string]string{"GET /v1/PhoneNumbers/Countries/US": `{"iso_country":"de","phone_number_prices":[]}`},
			kind: problem.ErrUnavailable, says: "about another country, DE",
		},
		"a fax, another": {
			ask: getFax, answers: map[string]string{"GET /v1/Faxes/FX1": `{"sid":"FX2"}`},
			kind: problem.ErrUnavailable, says: "about another fax, FX2",
		},
		"a document, the fax another": {
			ask: open, answers: map[string]string{"GET /v1/Faxes/FX1": `{"sid":"FX2","media_url":"https://media.twiliocdn.com/2"}`},
			kind: problem.ErrUnavailable, says: "about another fax, FX2",
		},
		"a document, another's": {
			ask: open, answers: map[string]string{
				"GET /v1/Faxes/FX1":       `{"sid":"FX1"}`,
				"GET /v1/Faxes/FX1/Media": `{"media":[{"sid":"ME2","fax_sid":"FX2","media_url":"https://media.twiliocdn.com/2"}]}`,
			},
			kind: problem.ErrUnavailable, says: "about another fax, FX2",
		},
		"the documents of another fax": {
			ask: media, answers: map[string]string{"GET /v1/Faxes/FX1/Media": `{"media":[{"sid":"ME1","fax_sid":"FX1"},{"sid":"ME2","fax_sid":"FX2"}]}`},
			kind: problem.ErrUnavailable, says: "about another fax, FX2",
		},
		"the documents of another account": {
			ask: media, answers: map[string]string{"GET /v1/Faxes/FX1/Media": `{"media":[{"sid":"ME1","fax_sid":"FX1","account_sid":"ACbbb"}]}`},
			kind: problem.ErrUnsupported, says: "of account ACbbb",
		},
		// What does not say whose it is contradicts nothing.
		"a number without an account": {ask: getNumber, answers: map[string]string{"GET " + twilioNumbers + "/PN1.json": `{"sid":"PN1"}`}},
		"numbers without an account":  {ask: list, answers: map[string]string{"GET " + twilioNumbers + ".json": `{"incoming_phone_numbers":[{"sid":"PN1"},{"sid":"PN2","account_sid":null}]}`}},
		"numbers of the account":      {ask: list, answers: map[string]string{"GET " + twilioNumbers + ".json": `{"incoming_phone_numbers":[` + strings.Replace(number, accountID, strings.ToUpper(accountID), 1) + `]}`}},
		"prices without a country":    {ask: prices, answers: map[string]string{"GET /v1/PhoneNumbers/Countries/US": `{"phone_number_prices":[]}`}},
		"documents that name no fax":  {ask: media, answers: map[string]string{"GET /v1/Faxes/FX1/Media": `{"media":[{"sid":"ME1"}]}`}},
		"a fax that names no account": {ask: getFax, answers: map[string]string{"GET /v1/Faxes/FX1": `{"sid":"FX1"}`}},
		"a mode that names no number": {config: signalWire, ask: getNumber, answers: map[string]string{"GET /api/laml" + api + "/IncomingPhoneNumbers/PN1.json": number, "GET " + relayNumbers + "/PN1": `{"call_receive_mode":"fax"}`}},
	} {
		t.Run(what, func(t *testing.T) {
			d := newDouble(t)
			for pattern, body := range c.answers {
				d.answer(pattern, http.StatusOK, body)
			}
			err := c.ask(t.Context(), d.open(t, c.config))
			if !errors.Is(err, c.kind) || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, want %v: %s", err, c.kind, c.says)
			}
		})
	}
}
