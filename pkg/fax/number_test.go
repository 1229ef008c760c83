package fax_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

func TestSupportJSON(t *testing.T) {
	for text, s := range map[string]fax.Support{"true": fax.Yes, "false": fax.No, "null": fax.Unknown} {
		b, err := json.Marshal(s)
		if err != nil || string(b) != text {
			t.Errorf("Marshal(%v) = %s, %v; want %s", s, b, err, text)
		}
		back := fax.Yes
		if err := json.Unmarshal([]byte(text), &back); err != nil || back != s {
			t.Errorf("Unmarshal(%s) = %v, %v; want %v", text, back, err, s)
		}
	}
	var s fax.Support
	if err := json.Unmarshal([]byte(`"yes"`), &s); err == nil {
		t.Error("a word was taken for a support")
	}
}

// The one address of a number is a fax URL or a voice URL, never both.
func TestNumberURL(t *testing.T) {
	for _, mode := range []fax.Mode{fax.ModeFax, fax.ModeVoice, fax.ModeUnknown} {
		n := fax.Number{Mode: mode, FaxURL: "https://old.example/fax", VoiceURL: "https://old.example/voice"}
		n.SetURL("https://new.example")
		if n.URL() != "https://new.example" {
			t.Errorf("%s: URL() = %q", mode, n.URL())
		}
		if (n.FaxURL != "") == (n.VoiceURL != "") {
			t.Errorf("%s: fax_url %q and voice_url %q", mode, n.FaxURL, n.VoiceURL)
		}
		if (n.FaxURL != "") != (mode == fax.ModeFax) {
			t.Errorf("%s: fax_url is %q", mode, n.FaxURL)
		}
	}
}

func TestShadowedBy(t *testing.T) {
	for _, tt := range []struct {
		n    fax.Number
		want string
	}{
		{fax.Number{}, ""},
		{fax.Number{ApplicationID: "AP1"}, "application"},
		{fax.Number{TrunkID: "TK1"}, "trunk"},
		{fax.Number{TrunkID: "TK1", ApplicationID: "AP1"}, "trunk"},
	} {
		if got := tt.n.ShadowedBy(); got != tt.want {
			t.Errorf("ShadowedBy(%+v) = %q, want %q", tt.n, got, tt.want)
		}
	}
}

func TestParsePhone(t *testing.T) {
	for in, want := range map[string]string{
		"+14155550123":       "+14155550123",
		"+1 (415) 555-0123":  "+14155550123",
		" +44 20 7946.0018 ": "+442079460018",
		"+1415\u00a05550123": "+14155550123",
		"+390612345678":      "+390612345678",
		"14155550123":        "",
		"+1415555012":        "",
		"+141555501234":      "",
		"+44 (0)20 79460018": "",
		"+44(0)2079460018":   "",
		"+04155550123":       "",
		"+1415":              "",
		"+1415555012345678":  "",
		"+1415555o123":       "",
		"+1-800-FLOWERS":     "",
		"":                   "",
	} {
		got, err := fax.ParsePhone(in)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("ParsePhone(%q) = %q, %v; want %q", in, got, err, want)
		}
		if err != nil && problem.AdviceOf(err).String() == "" {
			t.Errorf("ParsePhone(%q): no hint", in)
		}
	}
}

// What is dialed at home alone is no part of a number, and the hint has the
// number without it where that is sure.
func TestParsePhoneFromAbroad(t *testing.T) {
	for in, want := range map[string]string{
		"+44 (0)20 7946 0018": "it is not dialed from abroad: write +442079460018",
		"+39 (0)6 1234 5678":  "leave the (0) out: it is not part of the number",
		"+1415555012":         "with +1 it has eleven digits, as in +14155550123",
	} {
		if _, err := fax.ParsePhone(in); problem.AdviceOf(err).String() != want {
			t.Errorf("ParsePhone(%q): hint %q, want %q", in, problem.AdviceOf(err).String(), want)
		}
	}
}

func FuzzParsePhone(f *testing.F) {
	f.Add("+1 (415) 555-0123")
	f.Add("+")
	f.Fuzz(func(t *testing.T, in string) {
		phone, err := fax.ParsePhone(in)
		if err != nil {
			return
		}
		if strings.Trim(phone, "+0123456789") != "" {
			t.Fatalf("%q became %q", in, phone)
		}
		if again, err := fax.ParsePhone(phone); err != nil || again != phone {
			t.Fatalf("%q is not stable: %q, %v", phone, again, err)
		}
	})
}

func TestMaskPhone(t *testing.T) {
	for in, want := range map[string]string{
		"+14155550123": "+1415•••0123",
		"+4930123456":  "•••3456",
		"+3211":        "•••",
		"":             "",
		"611":          "•••",
		"Anonymous":    "Anonymous",

		"sip:desk@example.com":       "sip:d•••.com",
		"Ärztehaus Köln":             "Ärzte•••Köln",
		"A\u0308rztehaus Ko\u0308ln": "A\u0308rzte•••Ko\u0308ln", // the dots are apart
		"日本国東京都千代田区一二三":              "日本国東京•••区一二三",
		"👨‍👩‍👧👨‍👩‍👧👨‍👩‍👧👨‍👩‍👧👨‍👩‍👧👨‍👩‍👧👨‍👩‍👧👨‍👩‍👧": "•••👨‍👩‍👧👨‍👩‍👧👨‍👩‍👧👨‍👩‍👧",
	} {
		if got := fax.MaskPhone(in); got != want {
			t.Errorf("MaskPhone(%q) = %q, want %q", in, got, want)
		}
	}
}
