package sandbox_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/sandbox"
)

// dating is what a sandbox with a quirk says of itself and of a fax, over a real
// connection: a server writes a date where there is none.
func dating(t *testing.T, now time.Time, quirk string) (date, age string, created any) {
	t.Helper()
	box := open(t, sandbox.Options{Quirks: quirks(t, quirk), Now: func() time.Time { return now }})
	if _, err := box.AddFax(t.Context(), sandbox.Fax{From: "+14155550199", To: "+14155550100", Status: "failed", Created: now.AddDate(0, -2, -1)}); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(box.Handler())
	defer server.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/v1/Faxes", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth(box.Account().Account, box.Account().Token)
	res, err := server.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var list struct {
		Faxes []map[string]any `json:"faxes"`
	}
	if err := json.NewDecoder(res.Body).Decode(&list); err != nil || len(list.Faxes) != 1 {
		t.Fatalf("%s: %v, %v", quirk, list, err)
	}
	return res.Header.Get("Date"), res.Header.Get("Age"), list.Faxes[0]["date_created"]
}

func TestDates(t *testing.T) {
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	const iso = "2026-09-25T12:00:00Z"
	for quirk, want := range map[string][3]any{
		"clock-behind=2160h": {"Fri, 28 Aug 2026 12:00:00 GMT", "", iso},
		"clock-ahead=90m":    {"Thu, 26 Nov 2026 13:30:00 GMT", "", iso},
		"date=none":          {"", "", iso},
		"date=cached":        {"Thu, 26 Nov 2026 11:00:00 GMT", "3600", iso},
		"dates=offset":       {nil, "", "2026-09-25T12:00:00+0000"},
		"dates=words":        {nil, "", "Fri, 25 Sept 2026 12:00:00 +0000"},
		"dates=failed":       {nil, "", nil},
		"dates=impossible":   {nil, "", "0000-01-01T00:00:00+01:00"},
		"dates=none":         {nil, "", nil},
	} {
		date, age, created := dating(t, now, quirk)
		if want[0] != nil && date != want[0] || age != want[1] || created != want[2] {
			t.Errorf("%s: %q, %q and %v; want %v", quirk, date, age, created, want)
		}
	}
}
