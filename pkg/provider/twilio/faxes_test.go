package twilio_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/provider/twilio"
)

const (
	faxID     = "FX44444444444444444444444444444444"
	mediaID   = "ME55555555555555555555555555555555"
	uuidFaxID = "831455c6-574e-4d8b-b6ee-2418140bf4cd"
	wireFaxes = "/api/laml/2010-04-01/Accounts/" + projectID + "/Faxes"
)

// The golden values of every shape of fax record that either dialect sends:
// counts as numbers and strings, a price that is null, both date formats.
func TestFaxesDecode(t *testing.T) {
	d := newDouble(t)
	d.answer("GET /v1/Faxes", http.StatusOK, wire(t, "twilio/faxes.json"))
	d.answer("GET "+wireFaxes, http.StatusOK, wire(t, "signalwire/faxes.json"))
	for name, test := range map[string]struct {
		config twilio.Config
		want   fax.Page[fax.Fax]
	}{
		"twilio": {twilio.Config{}, fax.Page[fax.Fax]{
			Items: []fax.Fax{
				{
					ID: faxID, From: "+14165550111", To: "+14155550123", Direction: fax.Inbound, Status: fax.Received, Quality: "fine",
					Pages: new(3), Duration: new(74), Price: &fax.Money{Amount: "-0.03", Currency: "USD"}, MediaID: mediaID,
					MediaURL: "https://media.twiliocdn.com/fax/" + accountID + "/" + mediaID + "?Expires=1",
					Created:  time.Date(2026, 11, 20, 8, 15, 30, 0, time.UTC), Updated: time.Date(2026, 11, 20, 8, 17, 2, 0, time.UTC),
				},
				{
					ID: "FX66666666666666666666666666666666", From: "+14155550123", To: "+14165550111", Direction: fax.Outbound, Status: fax.Sending,
					Created: time.Date(2026, 11, 20, 8, 15, 31, 0, time.UTC),
				},
			},
			Next: "Page=1&PageToken=PAFX66666666666666666666666666666666",
		}},
		"signalwire": {twilio.Config{Dialect: twilio.SignalWire}, fax.Page[fax.Fax]{
			Items: []fax.Fax{
				{
					ID: uuidFaxID, From: "+14043287174", To: "+13105550145", Direction: fax.Inbound, Status: fax.Received, Quality: "fine",
					Pages: new(3), Duration: new(41), Price: &fax.Money{Amount: "0.0105", Currency: "USD"}, MediaID: "aff0684c-3445-49bc-802b-3a0a488139f5",
					MediaURL: "https://files.signalwire.com/" + projectID + "/831455c6/aff0684c.tiff",
					Created:  time.Date(2018, 11, 26, 20, 0, 0, 0, time.UTC), Updated: time.Date(2018, 11, 26, 20, 1, 10, 0, time.UTC),
				},
				{
					ID: "1f0aa6f2-98ab-4a9c-93ce-0c2b63b6c2a7", From: "+13105550145", To: "+14043287174", Direction: fax.Outbound, Status: fax.Failed, Quality: "standard",
					Created: time.Date(2018, 11, 26, 20, 5, 0, 0, time.UTC), Updated: time.Date(2018, 11, 26, 20, 6, 0, 0, time.UTC),
					ErrorCode: "34002", ErrorMessage: "The called number was busy",
				},
			},
			Next: "Page=1&PageToken=PA1f0aa6f2-98ab-4a9c-93ce-0c2b63b6c2a7",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			faxes := d.open(t, test.config).Faxes
			got, err := faxes.Page(t.Context(), fax.Filter{}, 0, "")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
			got, err = faxes.Page(t.Context(), fax.Filter{WithRaw: true}, 0, "")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got, withoutRaw()); diff != "" {
				t.Errorf("with raw records: %s", diff)
			}
			if raw := string(got.Items[1].Raw); !strings.Contains(raw, `"api_version"`) {
				t.Errorf("raw record %q", raw)
			}
		})
	}
}

// What goes over the wire for every method.
func TestFaxesRequests(t *testing.T) {
	at := func(s string) time.Time {
		v, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	page := func(q fax.Filter, size int, cursor string) func(context.Context, fax.Faxes) error {
		return func(ctx context.Context, f fax.Faxes) error { _, err := f.Page(ctx, q, size, cursor); return err }
	}
	for name, test := range map[string]struct {
		dialect twilio.Dialect
		ask     func(ctx context.Context, f fax.Faxes) error
		want    string
	}{
		"the largest page": {"", page(fax.Filter{}, 0, ""), "GET fax.twilio.com/v1/Faxes PageSize=1000"},
		"no larger page":   {"", page(fax.Filter{}, 5000, ""), "GET fax.twilio.com/v1/Faxes PageSize=1000"},
		"a small page":     {"", page(fax.Filter{}, 20, ""), "GET fax.twilio.com/v1/Faxes PageSize=20"},
		"the page after":   {"", page(fax.Filter{}, 20, "Page=1&PageToken=PA7"), "GET fax.twilio.com/v1/Faxes Page=1&PageSize=20&PageToken=PA7"},
		"from and to":      {"", page(fax.Filter{From: "+14165550111", To: "+14155550123"}, 20, ""), "GET fax.twilio.com/v1/Faxes From=%2B14165550111&PageSize=20&To=%2B14155550123"},
		"what the provider cannot select": {
			"", page(fax.Filter{Number: "+14155550123", Direction: fax.Inbound, Statuses: []fax.Status{fax.Received}, MinPages: 2}, 20, ""),
			"GET fax.twilio.com/v1/Faxes PageSize=20",
		},
		"dates lose nothing to whole seconds": {
			"", page(fax.Filter{After: at("2026-11-20T09:00:00.7+01:00"), Until: at("2026-11-20T08:15:30Z")}, 20, ""),
			"GET fax.twilio.com/v1/Faxes DateCreatedAfter=2026-11-20T08%3A00%3A00Z&DateCreatedOnOrBefore=2026-11-20T08%3A15%3A31Z&PageSize=20",
		},
		"one":             {"", func(ctx context.Context, f fax.Faxes) error { _, err := f.Get(ctx, faxID); return err }, "GET fax.twilio.com/v1/Faxes/" + faxID},
		"its media":       {"", func(ctx context.Context, f fax.Faxes) error { _, err := fax.Collect(f.Media(ctx, faxID)); return err }, "GET fax.twilio.com/v1/Faxes/" + faxID + "/Media"},
		"delete":          {"", func(ctx context.Context, f fax.Faxes) error { return f.Delete(ctx, faxID) }, "DELETE fax.twilio.com/v1/Faxes/" + faxID},
		"delete media":    {"", func(ctx context.Context, f fax.Faxes) error { return f.DeleteMedia(ctx, faxID, mediaID) }, "DELETE fax.twilio.com/v1/Faxes/" + faxID + "/Media/" + mediaID},
		"signalwire":      {twilio.SignalWire, page(fax.Filter{}, 20, ""), "GET " + space + wireFaxes + " PageSize=20"},
		"signalwire, one": {twilio.SignalWire, func(ctx context.Context, f fax.Faxes) error { return f.Delete(ctx, uuidFaxID) }, "DELETE " + space + wireFaxes + "/" + uuidFaxID},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDouble(t)
			one := `{"sid":"` + faxID + `"}`
			d.answer("GET /v1/Faxes", http.StatusOK, wire(t, "twilio/faxes.json"))
			d.answer("GET /v1/Faxes/"+faxID, http.StatusOK, one)
			d.answer("GET /v1/Faxes/"+faxID+"/Media", http.StatusOK, wire(t, "twilio/media.json"))
			d.answer("GET "+wireFaxes, http.StatusOK, wire(t, "signalwire/faxes.json"))
			d.answer("DELETE /", http.StatusNoContent, "")
			if err := test.ask(t.Context(), d.open(t, twilio.Config{Dialect: test.dialect}).Faxes); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{test.want}, d.requests()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Both keys of the media list.
func TestMediaDecode(t *testing.T) {
	d := newDouble(t)
	d.answer("GET /v1/Faxes/"+faxID+"/Media", http.StatusOK, wire(t, "twilio/media.json"))
	d.answer("GET "+wireFaxes+"/"+uuidFaxID+"/Media", http.StatusOK, wire(t, "signalwire/media.json"))
	tw, err := fax.Collect(d.open(t, twilio.Config{}).Faxes.Media(t.Context(), faxID))
	if err != nil {
		t.Fatal(err)
	}
	sw, err := fax.Collect(d.open(t, twilio.Config{Dialect: twilio.SignalWire}).Faxes.Media(t.Context(), uuidFaxID))
	if err != nil {
		t.Fatal(err)
	}
	created, later := time.Date(2026, 11, 20, 8, 17, 1, 0, time.UTC), time.Date(2018, 11, 26, 20, 1, 9, 0, time.UTC)
	want := []fax.Media{
		{ID: mediaID, FaxID: faxID, ContentType: "application/pdf", Created: created, Updated: created},
		{ID: "aff0684c-3445-49bc-802b-3a0a488139f5", FaxID: uuidFaxID, ContentType: "image/tiff", Created: later, Updated: later},
	}
	if diff := cmp.Diff(want, append(tw, sw...)); diff != "" {
		t.Error(diff)
	}
}

// Filters that the provider does not have select here, and a page may end up
// empty without being the last.
func TestPageSelects(t *testing.T) {
	d := newDouble(t)
	d.answer("GET /v1/Faxes", http.StatusOK, wire(t, "twilio/faxes.json"))
	faxes := d.open(t, twilio.Config{}).Faxes
	for name, test := range map[string]struct {
		filter fax.Filter
		want   int
	}{
		"either end":          {fax.Filter{Number: "+14165550111"}, 2},
		"inbound":             {fax.Filter{Direction: fax.Inbound}, 1},
		"status":              {fax.Filter{Statuses: []fax.Status{fax.Busy}}, 0},
		"pages":               {fax.Filter{MinPages: 3}, 1},
		"after, exclusive":    {fax.Filter{After: time.Date(2026, 11, 20, 8, 15, 30, 0, time.UTC)}, 1},
		"until, inclusive":    {fax.Filter{Until: time.Date(2026, 11, 20, 8, 15, 30, 0, time.UTC)}, 1},
		"from, not respected": {fax.Filter{From: "+19999999999"}, 0},
	} {
		got, err := faxes.Page(t.Context(), test.filter, 20, "")
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Items) != test.want || got.Next == "" {
			t.Errorf("%s: %d faxes, next %q; want %d and a next page", name, len(got.Items), got.Next, test.want)
		}
	}
}

// Twilio closed its fax service; whichever way it says so, one message comes.
func TestFaxServiceEnded(t *testing.T) {
	for name, body := range map[string]string{
		"34005":     `{"code":34005,"message":"Programmable Fax is no longer available","status":403}`,
		"not found": `{"code":20404,"message":"The requested resource /Faxes was not found","status":404}`,
	} {
		t.Run(name, func(t *testing.T) {
			d := newDouble(t)
			status := http.StatusNotFound
			if name == "34005" {
				status = http.StatusForbidden
			}
			d.answer("/v1/Faxes", status, body)
			_, err := d.open(t, twilio.Config{}).Faxes.Page(t.Context(), fax.Filter{}, 20, "")
			if !errors.Is(err, problem.ErrUnsupported) || !strings.Contains(fmt.Sprint(err), "2021-12-17") || !strings.Contains(problem.AdviceOf(err).String(), "signalwire") {
				t.Errorf("%v, hint %q", err, problem.AdviceOf(err).String())
			}
		})
	}
	t.Run("a gateway's words", func(t *testing.T) {
		d := newDouble(t)
		d.answer("/v1/Faxes", http.StatusNotFound, "<html>404</html>")
		_, err := d.open(t, twilio.Config{}).Faxes.Page(t.Context(), fax.Filter{}, 20, "")
		if !errors.Is(err, problem.ErrUnavailable) {
			t.Errorf("%v", err)
		}
	})
	t.Run("SignalWire's is alive", func(t *testing.T) {
		d := newDouble(t)
		_, err := d.open(t, twilio.Config{Dialect: twilio.SignalWire}).Faxes.Page(t.Context(), fax.Filter{}, 20, "")
		if !errors.Is(err, problem.ErrNotFound) {
			t.Errorf("%v", err)
		}
	})
}

// A fax that has no id could be neither fetched nor told from another.
func TestPageRefusesNamelessFaxes(t *testing.T) {
	p, err := twilio.Open(twilio.Config{
		Dialect: twilio.SignalWire, AccountID: accountID, User: accountID, Secret: func() string { return token }, Space: "example.signalwire.com",
		API: &http.Client{Transport: canned(`{"faxes":[{"sid":"1"},{"from":"+14155550123"}]}`)},
	})
	if err != nil {
		t.Fatal(err)
	}
	if page, err := p.Faxes.Page(t.Context(), fax.Filter{}, 0, ""); !errors.Is(err, problem.ErrUnavailable) || len(page.Items) > 0 {
		t.Errorf("%+v, %v", page, err)
	}
}

// BenchmarkPage decodes a page of 1,000 faxes; 100,000 are a hundred of them.
func BenchmarkPage(b *testing.B) {
	var list strings.Builder
	for i := range 1000 {
		if i > 0 {
			list.WriteByte(',')
		}
		fmt.Fprintf(&list, `{"sid":"FX%032d","account_sid":"%s","from":"+1416555%04d","to":"+14155550123","direction":"inbound","status":"received","quality":"fine","media_sid":"ME%032d","media_url":"https://media.twiliocdn.com/fax/%s/ME%032d?X-Amz-Signature=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef&X-Amz-Expires=7200","num_pages":%d,"duration":74,"price":-0.03,"price_unit":"USD","api_version":"v1","date_created":"2026-11-20T08:15:30Z","date_updated":"2026-11-20T08:17:02Z","links":{"media":"https://fax.twilio.com/v1/Faxes/FX%032d/Media"},"url":"https://fax.twilio.com/v1/Faxes/FX%032d"}`, i, accountID, i, i, accountID, i, i%9, i, i)
	}
	body := `{"faxes":[` + list.String() + `],"meta":{"key":"faxes","page":0,"page_size":1000,"next_page_url":null}}`
	p, err := twilio.Open(twilio.Config{
		Dialect: twilio.Twilio, AccountID: accountID, User: accountID, Secret: func() string { return token },
		API: &http.Client{Transport: canned(body)},
	})
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		page, err := p.Faxes.Page(b.Context(), fax.Filter{}, 0, "")
		if err != nil || len(page.Items) != 1000 {
			b.Fatal(len(page.Items), err)
		}
	}
}

// canned is a transport that always gives the same body, without a network.
type canned string

func (c canned) RoundTrip(*http.Request) (*http.Response, error) {
	rec := httptest.NewRecorder()
	_, _ = io.WriteString(rec, string(c))
	return rec.Result(), nil
}

// A "not found" in words that are not the provider's proves nothing: it is asked
// again, and if it stays so, the provider is unavailable. Nothing is asked twice
// that was answered, or that spends money.
func TestForeignNotFound(t *testing.T) {
	patience := []time.Duration{time.Millisecond, time.Millisecond}
	const words = `{"code":20404,"message":"not here","status":404}`
	for _, test := range []struct {
		name, first, then string
		want              error
		asked             int
	}{
		{"a gateway, for a moment", "<html>404</html>", words, problem.ErrNotFound, 2},
		{"a gateway", "<html>404</html>", "", problem.ErrUnavailable, 3},
		{"JSON without a code", `{"message":"no route"}`, "", problem.ErrUnavailable, 3},
		{"the provider", words, "", problem.ErrNotFound, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := newDouble(t)
			asked := 0
			d.mux.HandleFunc("/v1/Faxes/", func(w http.ResponseWriter, _ *http.Request) {
				asked++
				w.WriteHeader(http.StatusNotFound)
				said := test.first
				if asked > 1 && test.then != "" {
					said = test.then
				}
				_, _ = io.WriteString(w, said)
			})
			faxes := d.open(t, twilio.Config{Patience: patience}).Faxes
			for what, ask := range map[string]func() error{
				"GET":    func() error { _, err := faxes.Get(t.Context(), faxID); return err },
				"DELETE": func() error { return faxes.Delete(t.Context(), faxID) },
			} {
				asked = 0
				if err := ask(); !errors.Is(err, test.want) || !fax.Denied(err) || asked != test.asked {
					t.Errorf("%s: %v after %d", what, err, asked)
				}
			}
		})
	}
	t.Run("a purchase", func(t *testing.T) {
		d := newDouble(t)
		d.answer("/2010-04-01/", http.StatusNotFound, "<html>404</html>")
		_, err := d.open(t, twilio.Config{Patience: patience}).Numbers.Buy(t.Context(), fax.Order{Phone: "+14155550123"})
		if !errors.Is(err, problem.ErrUnavailable) || len(d.requests()) != 1 {
			t.Errorf("%v after %d", err, len(d.requests()))
		}
	})
}

// A deletion that is answered with a web page was not answered.
func TestDeletionAnsweredWithAPage(t *testing.T) {
	for body, want := range map[string]error{"<html>Sign in</html>": problem.ErrUnavailable, "OK": problem.ErrUnavailable, "": problem.ErrUnavailable, `{"error":"maintenance"}`: problem.ErrUnavailable, "204": nil} {
		d := newDouble(t)
		if body == "204" {
			d.answer("/", http.StatusNoContent, "")
		} else {
			d.answer("/", http.StatusOK, body)
		}
		p := d.open(t, twilio.Config{})
		for what, err := range map[string]error{
			"fax":      p.Faxes.Delete(t.Context(), faxID),
			"document": p.Faxes.DeleteMedia(t.Context(), faxID, "ME1"),
			"number":   p.Numbers.Release(t.Context(), "PN1"),
		} {
			if !errors.Is(err, want) || (err == nil) != (want == nil) {
				t.Errorf("%s, %q: %v", what, body, err)
			}
		}
	}
}
