package mail_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/inbox/mail"
)

func received() fax.Fax {
	pages := 3
	return fax.Fax{
		ID: "FX0123456789abcdef0123456789abcdef", From: "+12125550187", To: "+14155550123", Direction: fax.Inbound,
		Status: fax.Received, Pages: &pages, Created: time.Date(2026, 11, 30, 8, 5, 0, 0, time.UTC),
	}
}

func read(t *testing.T, content string) *mail.Rules {
	t.Helper()
	rules, err := mail.ReadRules([]byte(content), "rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

func TestReadRules(t *testing.T) {
	rules := read(t, `
from: Faxes of the clinic <faxes@clinic.example>
max-size: 10MiB
rules:
  - to: "+1 (415) 555-0123"
    when: received
    mail: [desk@clinic.example, "nurse@clinic.example"]
    attach: true
    thumbnail: true
    numbers: full
    subject: "Fax from {{.From}}, {{.Pages}} pages{{if eq .Name \"\"}}!{{end}}"
    body: |
      {{.Station}} {{.Document}}
  - when: [failed, parked]
    mail: it@clinic.example
  - to: front desk
    from: +1212*
    station: ACME*
    name: acme
    when: all
    mail: [desk@clinic.example]
  - to: +14155550123
    mail: [it@clinic.example]
`)
	if rules.From != `"Faxes of the clinic" <faxes@clinic.example>` || rules.MaxSize != 10<<20 || len(rules.Rules) != 4 || !rules.ByName() {
		t.Fatalf("%+v", rules)
	}
	ids := make([]string, 0, 4)
	for _, r := range rules.Rules {
		ids = append(ids, r.ID)
	}
	if want := []string{"to=+1 (415) 555-0123 received", "failed parked", "acme", "to=+14155550123 received"}; !slices.Equal(ids, want) {
		t.Errorf("%q, want %q", ids, want)
	}
	if l := rules.Rules[0].Letter; !l.Attach || !l.Thumbnail || !l.Full {
		t.Errorf("%+v", l)
	}
}

func TestTargets(t *testing.T) {
	rules := read(t, `
from: f@x.example
rules:
- {name: number, to: "+14155550123", mail: [a@x.example, b@x.example]}
- {name: pattern, to: "+1415*", from: "+1212*", mail: [a@x.example]}
- {name: other, to: "+16285550199", mail: [a@x.example]}
- {name: called, to: front desk, mail: [a@x.example]}
- {name: station, to: "+1415*", station: "acme*", mail: [a@x.example]}
- {name: trouble, when: [failed, parked], mail: [it@x.example]}
- {name: hidden, from: none, mail: [a@x.example]}
- {name: every, when: all, mail: [a@x.example]}
`)
	for name, c := range map[string]struct {
		change func(n *mail.News)
		want   string
	}{
		"as it is":           {func(*mail.News) {}, "number/a number/b pattern/a called/a every/a"},
		"the right station":  {func(n *mail.News) { n.Station = " ACME/Labs " }, "number/a number/b pattern/a called/a station/a every/a"},
		"nobody's number":    {func(n *mail.News) { n.Fax.From = "" }, "number/a number/b called/a hidden/a every/a"},
		"another number":     {func(n *mail.News) { n.Fax.To = "+16285550199" }, "other/a every/a"},
		"failed":             {func(n *mail.News) { n.When = mail.Failed }, "trouble/it every/a"},
		"parked":             {func(n *mail.News) { n.When = mail.Parked }, "trouble/it every/a"},
		"a kind of no rules": {func(n *mail.News) { n.When = "" }, ""},
	} {
		n := mail.News{Fax: received(), When: mail.Received}
		c.change(&n)
		got := make([]string, 0, 8)
		for _, target := range rules.Targets(n, func(phone string) string { return map[string]string{"+14155550123": "front desk"}[phone] }) {
			got = append(got, target.Rule+"/"+strings.TrimSuffix(target.Address, "@x.example"))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	if got := rules.Targets(mail.News{Fax: received(), When: mail.Received}, nil); slices.ContainsFunc(got, func(t mail.Target) bool { return t.Rule == "called" }) {
		t.Errorf("a name that nobody knows: %v", got)
	}
}

// What a rule is called depends on what it selects, not on what it sends or where it stands.
func TestRuleIDs(t *testing.T) {
	ids := func(rules ...string) string {
		var all []string
		for _, r := range read(t, "from: f@x.example\nrules:\n"+strings.Join(rules, "")).Rules {
			all = append(all, r.ID)
		}
		return strings.Join(all, "|")
	}
	const desk, edited, words = "- {to: \"+14155550123\", mail: [a@x.example]}\n", "- {mail: [b@x.example], subject: Fax, to: \"+14155550123\", when: received, attach: true}\n", "- {when: [parked, failed], mail: [c@x.example]}\n"
	for _, c := range []struct{ got, want string }{
		{ids(desk, words), "to=+14155550123 received|failed parked"},
		{ids(words, edited), "failed parked|to=+14155550123 received"},
		{ids(desk, edited), "to=+14155550123 received|to=+14155550123 received #2"},
		{ids("- {name: to=+14155550123 received, mail: [a@x.example]}\n", desk), "to=+14155550123 received|to=+14155550123 received #2"},
	} {
		if c.got != c.want {
			t.Errorf("%s, want %s", c.got, c.want)
		}
	}
}

// Everything wrong with a file is told at once, with its line.
func TestBadRules(t *testing.T) {
	_, err := mail.ReadRules([]byte(`from: "faxes@clinic.example\r\nBcc: x@evil.example"
max-size: 3
form: x
rules:
- to: 4155550123
  station: "["
  when: receivd
  mail: [desk, "a@b.example, c@d.example", desk@x.example, desk@x.example, "ä@x.example", "Desk <d@x.example>", '"a b"@x.example']
  attach: "yes"
  thumbnail: maybe
  numbers: all
  subject: "{{.Form}}"
  body: "{{range .From}}{{end}}"
- station: ACME
  mail: []
- subject: "two\nlines"
  mail:
- name: a
  mail: [a@x.example]
  subject: "{{.Station}}"
- name: a
  mail: [a@x.example]
  body: "{{printf .From}}"
  subject: "{{.From"
- mail: [a@x.example]
  body: "{{define \"x\"}}{{end}}{{.From}}"
  subject: "{{if .From}}{{eq .From}}{{end}}"
`), "rules.yaml")
	if !errors.Is(err, problem.ErrInvalid) {
		t.Fatalf("%v", err)
	}
	lines := strings.Split(err.Error(), "\n")
	for i, want := range []string{
		":1: from: invalid address", ":2: max-size: invalid size \"3\": it is none from 64KiB to 100MiB", ":3: unknown key \"form\"; did you mean from?",
		":5: to: ", ":6: station: invalid pattern", ":7: when: invalid word \"receivd\"; did you mean received?",
		`:8: mail: invalid address "desk"`, `:8: mail: invalid address "a@b.example, c@d.example"`, "it is there twice", `"ä@x.example"`, `"Desk <d@x.example>"`, `:8: mail: invalid address`,
		":9: attach: want true or false", ":10: thumbnail: want true or false", ":11: numbers: invalid word \"all\"",
		":12: subject: invalid template: there is no field .Form; did you mean From?", ":13: body: invalid template: it has more than fields and conditions",
		":14: station: what a caller calls itself is no proof", ":15: mail is empty",
		":16: subject: invalid template: a subject is one line", ":17: mail has no value",
		":20: subject: invalid template: there is no field .Station",
		":21: name: ", ":23: body: invalid template: there is no function printf", ":24: subject: invalid template: ",
		":26: body: invalid template: it defines another", ":27: subject: invalid template: ",
	} {
		if i >= len(lines) || !strings.Contains(lines[i], want) {
			t.Errorf("line %d, want %s, in:\n%v", i, want, err)
			break
		}
	}
	for content, want := range map[string]string{
		"":                               "does not say who the mails are from",
		"from: a@x.example":              "no rules",
		"from: a@x.example\nrules: []":   "no rules",
		"from: a@x.example\nrules: {}":   "not a list",
		"rules: [{mail: [a@x.example]}]": "who the mails are from",
		"a: [":                           "not YAML",
		"from: a@x.example\nrules: [x]":  "not a mapping",
		"from: a@x.example\nrules: [{to: '+14155550123'}]": "whom to tell",
	} {
		if _, err := mail.ReadRules([]byte(content), "rules.yaml"); !errors.Is(err, problem.ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", content, err)
		}
	}
}
