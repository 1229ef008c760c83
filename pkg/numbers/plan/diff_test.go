package plan_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/numbers/plan"
)

const in, phone = "https://fax.example.com/in", "+14155550123"

func voice(edit ...func(*fax.Number)) fax.Number {
	n := fax.Number{ID: "PN1", Phone: phone, Name: "desk", Mode: fax.ModeVoice, Method: "POST", FallbackMethod: "POST", Capabilities: fax.Capabilities{Fax: fax.Yes}}
	for _, e := range edit {
		e(&n)
	}
	return n
}

func faxing(edit ...func(*fax.Number)) fax.Number {
	return voice(append([]func(*fax.Number){func(n *fax.Number) { n.Mode, n.FaxURL = fax.ModeFax, in }}, edit...)...)
}

func TestDiff(t *testing.T) {
	type change = fax.Change
	for name, c := range map[string]struct {
		number   fax.Number
		want     plan.Want
		change   fax.Change
		fields   []plan.Field
		warnings []string // a part of each
	}{
		"nothing wanted":    {number: voice()},
		"as it is":          {number: faxing(), want: plan.Want{Mode: new(fax.ModeFax), FaxURL: new(in), Method: new("POST"), Name: new("desk")}},
		"no method is POST": {number: faxing(func(n *fax.Number) { n.Method = "" }), want: plan.Want{FaxURL: new(in)}},
		"a fax URL implies the mode": {
			number: voice(), want: plan.Want{FaxURL: new(in)},
			change:   change{Mode: new(fax.ModeFax), URL: new(in)},
			fields:   []plan.Field{{"mode", "voice", "fax", "a fax URL implies it"}, {"fax_url", "", in, ""}},
			warnings: []string{"stops taking voice calls"},
		},
		"the voice URL is replaced": {
			number: voice(func(n *fax.Number) { n.VoiceURL = "https://voice.example.com" }), want: plan.Want{FaxURL: new(in)},
			change:   change{Mode: new(fax.ModeFax), URL: new(in)},
			fields:   []plan.Field{{"mode", "voice", "fax", "a fax URL implies it"}, {"fax_url", "", in, "replaces the voice URL https://voice.example.com"}},
			warnings: []string{"stops taking voice calls"},
		},
		"the voice URL becomes the fax URL": {
			number: voice(func(n *fax.Number) { n.VoiceURL = in }), want: plan.Want{Mode: new(fax.ModeFax)},
			change:   change{Mode: new(fax.ModeFax)},
			fields:   []plan.Field{{"mode", "voice", "fax", ""}},
			warnings: []string{"stops taking voice calls", "the voice URL " + in + " becomes the fax URL"},
		},
		"the voice URL is cleared": {
			number: voice(func(n *fax.Number) { n.VoiceURL = "https://voice.example.com" }), want: plan.Want{Mode: new(fax.ModeFax), FaxURL: new("")},
			change:   change{Mode: new(fax.ModeFax), URL: new("")},
			fields:   []plan.Field{{"mode", "voice", "fax", ""}, {"voice_url", "https://voice.example.com", "", ""}},
			warnings: []string{"stops taking voice calls"},
		},
		"fax mode without a URL": {
			number: voice(), want: plan.Want{Mode: new(fax.ModeFax)},
			change:   change{Mode: new(fax.ModeFax)},
			fields:   []plan.Field{{"mode", "voice", "fax", ""}},
			warnings: []string{"stops taking voice calls", "has no fax URL"},
		},
		"back to voice": {
			number: faxing(), want: plan.Want{Mode: new(fax.ModeVoice)},
			change:   change{Mode: new(fax.ModeVoice)},
			fields:   []plan.Field{{"mode", "fax", "voice", ""}},
			warnings: []string{in + " stays the number's URL"},
		},
		"clearing the fax URL of a voice number leaves its voice URL": {
			number: voice(func(n *fax.Number) { n.VoiceURL = "https://voice.example.com" }), want: plan.Want{FaxURL: new("")},
		},
		"clearing the fax URL": {
			number: faxing(), want: plan.Want{FaxURL: new("")},
			change: change{URL: new("")}, fields: []plan.Field{{"fax_url", in, "", ""}},
		},
		"GET becomes the default": {
			number: faxing(func(n *fax.Number) { n.Method = "GET" }), want: plan.Want{FaxURL: new(in + "2")},
			change: change{URL: new(in + "2"), Method: new("POST")},
			fields: []plan.Field{{"fax_url", in, in + "2", ""}, {"method", "GET", "POST", "the default"}},
		},
		"GET is kept with its URL": {
			number: faxing(func(n *fax.Number) { n.Method, n.FallbackURL, n.FallbackMethod = "GET", in+"/b", "GET" }),
			want:   plan.Want{FaxURL: new(in), FallbackURL: new(in + "/b"), Name: new("front")},
			change: change{Name: new("front")}, fields: []plan.Field{{"name", "desk", "front", ""}},
		},
		"GET goes when another is wanted": {
			number: faxing(func(n *fax.Number) { n.Method = "GET" }), want: plan.Want{FaxURL: new(in), Method: new("POST")},
			change: change{Method: new("POST")}, fields: []plan.Field{{"method", "GET", "POST", ""}},
		},
		"GET is kept when wanted": {
			number: faxing(func(n *fax.Number) { n.Method = "GET" }), want: plan.Want{FaxURL: new(in), Method: new("GET")},
		},
		"fallback, callback and name": {
			number: faxing(func(n *fax.Number) { n.FallbackMethod = "GET"; n.StatusCallback = in }),
			want:   plan.Want{FallbackURL: new(in + "/b"), StatusCallback: new(""), Name: new("front")},
			change: change{Name: new("front"), FallbackURL: new(in + "/b"), FallbackMethod: new("POST"), StatusCallback: new("")},
			fields: []plan.Field{{"name", "desk", "front", ""}, {"fallback_url", "", in + "/b", ""}, {"fallback_method", "GET", "POST", "the default"}, {"status_callback", in, "", ""}},
		},
		"a trunk and an application are cleared": {
			number: faxing(func(n *fax.Number) { n.TrunkID, n.ApplicationID = "TK1", "AP1" }), want: plan.Want{FaxURL: new(in)},
			change: change{TrunkID: new(""), ApplicationID: new("")},
			fields: []plan.Field{{"trunk_id", "TK1", "", "it would take the calls before the fax URL is asked"}, {"application_id", "AP1", "", "it would take the calls before the fax URL is asked"}},
		},
		"a trunk is kept": {
			number: faxing(func(n *fax.Number) { n.TrunkID = "TK1" }), want: plan.Want{FaxURL: new(in), KeepRouting: true},
			warnings: []string{"trunk TK1 takes the calls"},
		},
		"a name leaves the trunk alone": {
			number: faxing(func(n *fax.Number) { n.TrunkID = "TK1" }), want: plan.Want{Name: new("desk")},
		},
		"voice leaves the trunk alone": {
			number: voice(func(n *fax.Number) { n.TrunkID = "TK1" }), want: plan.Want{Mode: new(fax.ModeVoice)},
		},
		"an unknown mode is set": {
			number: voice(func(n *fax.Number) { n.Mode = fax.ModeUnknown; n.VoiceURL = in }), want: plan.Want{FaxURL: new(in)},
			change:   change{Mode: new(fax.ModeFax), URL: new(in)},
			fields:   []plan.Field{{"mode", "unknown", "fax", "a fax URL implies it"}, {"fax_url", "", in, ""}},
			warnings: []string{"stops taking voice calls"},
		},
		"an unknown capability is warned about": {
			number: faxing(func(n *fax.Number) { n.Capabilities.Fax = fax.Unknown }), want: plan.Want{FaxURL: new(in)},
			warnings: []string{"does not say whether"},
		},
		"no capability, forced": {
			number: faxing(func(n *fax.Number) { n.Capabilities.Fax = fax.No }), want: plan.Want{FaxURL: new(in), Force: true},
			warnings: []string{"cannot receive faxes"},
		},
		"the name of a number that cannot fax": {
			number: voice(func(n *fax.Number) { n.Capabilities.Fax = fax.No }), want: plan.Want{Name: new("phone")},
			change: change{Name: new("phone")}, fields: []plan.Field{{"name", "desk", "phone", ""}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := plan.Diff(c.number, c.want)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.change, d.Change); diff != "" {
				t.Errorf("change (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.fields, d.Fields); diff != "" {
				t.Errorf("fields (-want +got):\n%s", diff)
			}
			if len(d.Warnings) != len(c.warnings) {
				t.Fatalf("warnings %q, want %q", d.Warnings, c.warnings)
			}
			for i, w := range c.warnings {
				if !strings.Contains(d.Warnings[i], w) {
					t.Errorf("warning %q, want %q", d.Warnings[i], w)
				}
			}
			// Carrying it out leaves nothing to do.
			a := &account{owned: []fax.Number{c.number}}
			now, err := plan.Apply(t.Context(), a, c.number, d.Change, plan.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if again, err := plan.Diff(now, c.want); err != nil || !again.Change.Empty() {
				t.Errorf("after applying, %+v is still to do, %v", again.Fields, err)
			}
		})
	}
}

func TestWantIsRefused(t *testing.T) {
	for name, w := range map[string]plan.Want{
		"mode":                       {Mode: new(fax.ModeUnknown)},
		"voice with a fax URL":       {Mode: new(fax.ModeVoice), FaxURL: new(in)},
		"voice with a fax method":    {Mode: new(fax.ModeVoice), Method: new("GET")},
		"method":                     {FaxURL: new(in), Method: new("PUT")},
		"method in small letters":    {FaxURL: new(in), Method: new("post")},
		"method for no URL":          {FaxURL: new(""), Method: new("POST")},
		"fallback method for no URL": {FallbackURL: new(""), FallbackMethod: new("POST")},
		"fallback URL":               {FallbackURL: new("/in")},
		"status callback":            {StatusCallback: new("ftp://x.example/in")},
		"name too long":              {Name: new(strings.Repeat("é", 32) + "x")},
		"name with a line break":     {Name: new("a\nb")},
		"name not UTF-8":             {Name: new("a\xff")},
	} {
		if _, err := plan.Diff(voice(), w); !errors.Is(err, problem.ErrInvalid) || problem.AdviceOf(err).String() == "" {
			t.Errorf("%s: %v, want ErrInvalid with a hint", name, err)
		}
	}
	if _, err := plan.Diff(voice(), plan.Want{Name: new(strings.Repeat("é", 32))}); err != nil {
		t.Errorf("a name of 64 bytes: %v", err)
	}
	cannot := voice(func(n *fax.Number) { n.Capabilities.Fax = fax.No })
	for _, w := range []plan.Want{{FaxURL: new(in)}, {Mode: new(fax.ModeFax)}} {
		if _, err := plan.Diff(cannot, w); !errors.Is(err, problem.ErrInvalid) || !strings.Contains(problem.AdviceOf(err).String(), "numbers search --fax") {
			t.Errorf("a number that cannot fax: %v, want ErrInvalid with a hint", err)
		}
	}
}

func TestCheckURL(t *testing.T) {
	for raw, c := range map[string]struct{ strict, allowed bool }{
		in:                                    {true, true},
		"https://fax.example.com:8443/a?b=c":  {true, true},
		"https://8.8.8.8/in":                  {true, true},
		"http://fax.example.com/in":           {false, true},
		"http://127.0.0.1:8080/in":            {false, true},
		"https://127.0.0.1/in":                {false, true},
		"https://localhost/in":                {false, true},
		"https://fax.LOCALHOST./in":           {false, true},
		"https://[::1]/in":                    {false, true},
		"https://[::ffff:127.0.0.1]/in":       {false, true},
		"https://10.1.2.3/in":                 {false, true},
		"https://169.254.169.254/latest":      {false, true},
		"https://0.0.0.0/in":                  {false, true},
		"":                                    {},
		"fax.example.com/in":                  {},
		"//fax.example.com/in":                {},
		"https:///in":                         {},
		"https://:443/in":                     {},
		"ftp://fax.example.com/in":            {},
		"javascript:alert(1)":                 {},
		"https://fax.example.com/a b":         {},
		"https://fax.example.com/in\n":        {},
		"https://fax.example.com/in#top":      {},
		"https://me:hunter2@fax.example.com/": {},
		"https://%zz/":                        {},
	} {
		for allow, want := range map[bool]bool{false: c.strict, true: c.allowed} {
			err := plan.CheckURL(raw, allow)
			if (err == nil) != want {
				t.Errorf("CheckURL(%q, %v) = %v", raw, allow, err)
			}
			if err != nil && (!errors.Is(err, problem.ErrInvalid) || problem.AdviceOf(err).String() == "") {
				t.Errorf("CheckURL(%q, %v) = %v, want ErrInvalid with a hint", raw, allow, err)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the password is in %q", err)
			}
		}
	}
}
