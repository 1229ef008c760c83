package provider_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/profile"
	"github.com/faxctl/faxctl/pkg/provider"
)

const account = "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

// One origin stands for every host of a provider; calls carry the credentials,
// documents do not; a read-only profile sends no change.
func TestOpen(t *testing.T) {
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, _, _ := r.BasicAuth()
		asked = append(asked, r.Method+" "+r.URL.Path+" as "+user+" by "+r.UserAgent())
		if r.URL.Path == "/media/ME1" {
			w.Header().Set("Content-Type", "application/pdf")
			_, _ = io.WriteString(w, "%PDF-1.7")
			return
		}
		sid := account
		if strings.HasSuffix(r.URL.Path, "/FX1") {
			sid = "FX1"
		}
		_, _ = io.WriteString(w, `{"sid":"`+sid+`","status":"active","price_unit":"USD","phone_number_prices":[]}`)
	}))
	t.Cleanup(server.Close)
	p, err := provider.Open(profile.Profile{
		Provider: profile.Twilio, AccountID: account, APIKey: "SK1", APIURL: server.URL, ReadOnly: true,
	}, profile.NewSecret("s3cret"), provider.Options{Version: "1.2.3", Jobs: 2, Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	if _, err := p.Accounts.Account(ctx); err != nil {
		t.Error(err)
	}
	if _, err := p.Numbers.Prices(ctx, "US"); err != nil {
		t.Error(err)
	}
	if err := p.Faxes.Delete(ctx, "FX1"); !errors.Is(err, problem.ErrInvalid) || errors.Is(err, problem.ErrUnavailable) {
		t.Errorf("%v, want %v alone", err, problem.ErrInvalid)
	}
	doc, err := p.Faxes.Open(ctx, fax.Fax{ID: "FX1", MediaURL: server.URL + "/media/ME1"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Body.Close(); err != nil {
		t.Error(err)
	}
	want := []string{
		"GET /2010-04-01/Accounts/" + account + ".json as SK1 by faxctl/1.2.3",
		"GET /v1/PhoneNumbers/Countries/US as SK1 by faxctl/1.2.3",
		"GET /v1/Faxes/FX1 as SK1 by faxctl/1.2.3", // whose it is, before it would be deleted
		"GET /media/ME1 as  by faxctl/1.2.3",
	}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Error(diff)
	}
}

func TestOpenRefuses(t *testing.T) {
	for name, p := range map[string]profile.Profile{
		"a provider that is none": {Provider: "vonage", AccountID: account},
		"an API URL with a path":  {Provider: profile.Twilio, AccountID: account, APIURL: "https://api.example.com/v1"},
		"an API URL in the clear": {Provider: profile.Twilio, AccountID: account, APIURL: "http://api.example.com"},
		"no space":                {Provider: profile.SignalWire, AccountID: "b3877c40-da60-4998-90ad-b792e98472ac"},
	} {
		if _, err := provider.Open(p, profile.NewSecret("s3cret"), provider.Options{}); !errors.Is(err, problem.ErrInvalid) || problem.AdviceOf(err).String() == "" {
			t.Errorf("%s: %v, hint %q", name, err, problem.AdviceOf(err).String())
		}
	}
}
