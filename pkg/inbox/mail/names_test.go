package mail_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/inbox/mail"
)

// A name that no number of the account has, or several have, is told with its line; one
// that is a number's own is as good as the number.
func TestCheckNames(t *testing.T) {
	rules, err := mail.ReadRules([]byte(`from: faxes@clinic.example
rules:
  - {to: front desk, mail: a@clinic.example}
  - to: front dest
    mail: b@clinic.example
  - mail: c@clinic.example
    to: ward
  - {mail: d@clinic.example, when: all}
`), "rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	err = rules.CheckNames(map[string]string{"+14155550101": "front desk", "+14155550102": "ward", "+14155550103": "ward", "+14155550104": ""})
	want := []string{
		`rules.yaml:4: to: no number of the account has the name "front dest"; did you mean front desk?`,
		`rules.yaml:7: to: several numbers have the name "ward": +14155550102, +14155550103; name the number itself`,
	}
	if !errors.Is(err, problem.ErrInvalid) {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, strings.Split(err.Error(), "\n")); diff != "" {
		t.Error(diff)
	}
	if err := rules.CheckNames(map[string]string{"+14155550101": "front desk", "+14155550102": "ward", "+14155550103": "front dest"}); err != nil {
		t.Error(err)
	}
}

// A server is reached without a mail; one that is not there is not.
func TestReach(t *testing.T) {
	office := &postOffice{}
	server := office.open(t)
	if err := server.Reach(t.Context()); err != nil {
		t.Error(err)
	}
	if len(office.taken) > 0 {
		t.Error("a mail was handed in")
	}
	server.Port = 1
	if err := server.Reach(t.Context()); !errors.Is(err, problem.ErrUnavailable) {
		t.Errorf("nobody is there: %v", err)
	}
}

// A number that has no name of its own is not told whole by what the provider calls it.
func TestNameOfDigits(t *testing.T) {
	for name, want := range map[string]string{"(415) 556-7720": "", "+14155567720": "", "7720": "", "front desk": "for front desk", "desk 7720": "for desk 7720"} {
		n := mail.News{Fax: fax.Fax{ID: "FX1", To: "+14155567720", Status: fax.Received}, Name: name, When: mail.Received}
		l := mail.Letter{From: "faxes@clinic.example", To: "desk@clinic.example"}
		if err := l.SetSubject("{{if .Name}}for {{.Name}}{{end}}"); err != nil {
			t.Fatal(err)
		}
		m, err := l.Write(t.Context(), n)
		if err != nil {
			t.Fatal(err)
		}
		if got := m.Subject; got != want && (want != "" || got != "Fax") {
			t.Errorf("%q: %q", name, got)
		}
	}
}
