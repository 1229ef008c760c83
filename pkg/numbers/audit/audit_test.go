package audit_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/numbers/audit"
)

const phone = "+14155550123"

// good is a number that has everything.
func good(edit ...func(*fax.Number)) fax.Number {
	n := fax.Number{
		ID: "PN1", Phone: phone, Mode: fax.ModeFax, FaxURL: "https://fax.example.com/in", Method: "POST",
		FallbackURL: "https://backup.example.com/in", Capabilities: fax.Capabilities{Fax: fax.Yes},
	}
	for _, e := range edit {
		e(&n)
	}
	return n
}

// found is each finding as "severity code".
func found(findings []audit.Finding) []string {
	var all []string
	for _, f := range findings {
		all = append(all, string(f.Severity)+" "+string(f.Code))
	}
	return all
}

func TestCheckRecord(t *testing.T) {
	for name, c := range map[string]struct {
		number fax.Number
		want   []string
	}{
		"good":               {good(), nil},
		"cannot fax":         {good(func(n *fax.Number) { n.Capabilities.Fax = fax.No }), []string{"problem not-capable"}},
		"capability unknown": {good(func(n *fax.Number) { n.Capabilities.Fax = fax.Unknown }), []string{"note capability-unknown"}},
		"voice mode": {good(func(n *fax.Number) {
			n.Mode, n.FaxURL, n.VoiceURL, n.TrunkID = fax.ModeVoice, "", "http://voice.example.com", "TK1"
		}), []string{"warning mode-voice"}},
		"a telephone": {good(func(n *fax.Number) { n.Mode, n.Capabilities.Fax = fax.ModeVoice, fax.No }), []string{"note mode-voice"}},
		"mode unknown": {good(func(n *fax.Number) { n.Mode, n.FaxURL, n.VoiceURL = fax.ModeUnknown, "", "https://fax.example.com/in" }),
			[]string{"warning mode-unknown"}},
		"trunk":           {good(func(n *fax.Number) { n.TrunkID, n.ApplicationID = "TK1", "AP1" }), []string{"problem shadowed"}},
		"application":     {good(func(n *fax.Number) { n.ApplicationID = "AP1" }), []string{"problem shadowed"}},
		"no URL":          {good(func(n *fax.Number) { n.FaxURL = "" }), []string{"problem no-url"}},
		"relative URL":    {good(func(n *fax.Number) { n.FaxURL = "/in" }), []string{"problem url-invalid"}},
		"URL of a mailer": {good(func(n *fax.Number) { n.FaxURL = "mailto:a@b.example" }), []string{"problem url-invalid"}},
		"http":            {good(func(n *fax.Number) { n.FaxURL = "http://fax.example.com/in" }), []string{"warning url-not-https"}},
		"no fallback":     {good(func(n *fax.Number) { n.FallbackURL = "" }), []string{"warning no-fallback"}},
		"all at once": {good(func(n *fax.Number) {
			n.Capabilities.Fax, n.TrunkID, n.FaxURL, n.FallbackURL = fax.No, "TK1", "http://fax.example.com", ""
		}), []string{"problem not-capable", "problem shadowed", "warning url-not-https", "warning no-fallback"}},
	} {
		findings := audit.Checker{}.Check(t.Context(), c.number)
		if d := cmp.Diff(c.want, found(findings)); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
		for _, f := range findings {
			if f.Number != phone || f.ID != "PN1" || f.Message == "" {
				t.Errorf("%s: incomplete finding %+v", name, f)
			}
			if f.Severity != audit.Note && f.Advice.Empty() {
				t.Errorf("%s: no hint with %q", name, f.Message)
			}
		}
	}
	plain := good(func(n *fax.Number) { n.FaxURL = "http://127.0.0.1:8080/in" })
	if got := found(audit.Checker{AllowHTTP: true}.Check(t.Context(), plain)); got != nil {
		t.Errorf("http that is allowed: %v", got)
	}
}

func TestCheckLastFax(t *testing.T) {
	for want, answer := range map[string]func() (time.Time, error){
		"its last fax came on 2026-11-23T10:00:00Z": func() (time.Time, error) { return time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC), nil },
		"no fax has come yet":                       func() (time.Time, error) { return time.Time{}, nil },
		"its last fax is not known: gone":           func() (time.Time, error) { return time.Time{}, errors.New("gone") },
	} {
		c := audit.Checker{LastFax: func(_ context.Context, n fax.Number) (time.Time, error) {
			if n.Phone != phone {
				t.Errorf("asked about %s", n.Phone)
			}
			return answer()
		}}
		got := c.Check(t.Context(), good())
		if len(got) != 1 || got[0].Severity != audit.Note || got[0].Message != want {
			t.Errorf("%+v, want the note %q", got, want)
		}
	}
}
