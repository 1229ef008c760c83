package problem_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
)

// The same advice reads as a command line in one place and as a file's keys in
// another, and a command says which account it is about.
func TestAdvice(t *testing.T) {
	clinic := problem.Shell{Account: []problem.Word{{Flag: "profile", Value: "the clinic"}}}
	list := problem.Command("numbers", "list")
	for _, c := range []struct {
		name               string
		advice             problem.Advice
		shell, keys, there string
	}{
		{"nothing", problem.Advice{}, "", "", ""},
		{"words alone are no format", problem.Say("100%s sure"), "100%s sure", "100%s sure", "100%s sure"},
		{"a setting", problem.Say("leave %s out", problem.Field("max-price")), "leave --max-price out", "leave max-price out", "leave --max-price out"},
		{"a setting and its value", problem.Say("as in %s", problem.Field("country", "US")), "as in --country US", "as in country: US", "as in --country US"},
		{"a value of two words", problem.Say("as in %s", problem.Field("name", "front desk")), "as in --name 'front desk'", "as in name: front desk", "as in --name 'front desk'"},
		{"a switch", problem.Say("insist with %s", problem.On("force")), "insist with --force", "insist with force: true", "insist with --force"},
		{"a command", problem.Say("see: %s", list), "see: faxctl numbers list", "see: faxctl numbers list", "see: faxctl --profile 'the clinic' numbers list"},
		{"a command about no account", problem.Say("%s", problem.Command("profile", "list")), "faxctl profile list", "faxctl profile list", "faxctl profile list"},
		{"a command about another account", problem.Say("%s", list.Set("profile", "sandbox")),
			"faxctl numbers list --profile sandbox", "faxctl numbers list --profile sandbox", "faxctl numbers list --profile sandbox"},
		{"flags and arguments", problem.Say("%s", problem.Command("archive", "get").Arg("/srv/fax'es").Switch("raw").Set("o", "json").Set("name", "")),
			`faxctl archive get '/srv/fax'\''es' --raw -o json --name ''`, `faxctl archive get '/srv/fax'\''es' --raw -o json --name ''`, `faxctl --profile 'the clinic' archive get '/srv/fax'\''es' --raw -o json --name ''`},
		{"text from outside", problem.Say("%s is yours", problem.Text("100%d")), "100%d is yours", "100%d is yours", "100%d is yours"},
		{"two ways out", problem.Say("wait").Then(problem.Say("raise %s", problem.Field("retry-for"))), "wait; raise --retry-for", "wait; raise retry-for", "wait; raise --retry-for"},
		{"one of two", problem.Advice{}.Then(problem.Say("wait")).Then(problem.Advice{}), "wait", "wait", "wait"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, got := range []struct{ what, is, want string }{
				{"shell", c.advice.String(), c.shell}, {"keys", c.advice.Keys().String(), c.keys}, {"there", c.advice.In(clinic), c.there},
			} {
				if got.is != got.want {
					t.Errorf("%s: %q, want %q", got.what, got.is, got.want)
				}
			}
		})
	}
}

// A command says where it finds what it is about, as whoever prints it knows, and is not told
// so twice.
func TestPlacesOfACommand(t *testing.T) {
	shared := problem.Shell{
		Account: []problem.Word{{Flag: "profile", Value: "clinic"}},
		Places: func(c problem.Invocation) []problem.Word {
			if c.Path[0] != "archive" || c.Sets("state", "database") {
				return nil
			}
			return []problem.Word{{Flag: "database", Value: "postgres://db/fax"}}
		},
	}
	verify := problem.Command("archive", "verify").Arg("kept")
	for want, c := range map[string]problem.Invocation{
		"faxctl --profile clinic archive verify kept --database postgres://db/fax": verify,
		"faxctl --profile clinic archive verify kept --state here":                 verify.Set("state", "here"),
		"faxctl archive verify kept --profile second --database postgres://db/fax": verify.Set("profile", "second"),
		"faxctl --profile clinic serve":                                            problem.Command("serve"),
		"faxctl profile list":                                                      problem.Command("profile", "list"),
		"faxctl sandbox call":                                                      problem.Command("sandbox", "call"),
	} {
		if got := problem.Say("%s", c).In(shared); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestInvocationsDoNotShareWords(t *testing.T) {
	base := problem.Command("numbers", "get").Arg("a")
	one, two := base.Switch("xx"), base.Switch("yy")
	if one.String() != "faxctl numbers get a --xx" || two.String() != "faxctl numbers get a --yy" {
		t.Errorf("%s; %s", one, two)
	}
}

func TestAdviceOf(t *testing.T) {
	say := func(s string) problem.Advice { return problem.Say(s) }
	refused := problem.Invalid(say("inner"), "area code %q", "41")
	if refused.Error() != `invalid area code "41"` || !errors.Is(refused, problem.ErrInvalid) {
		t.Errorf("%v", refused)
	}
	for _, c := range []struct {
		name string
		err  error
		want string
	}{
		{"none", errors.New("x"), ""},
		{"nil", nil, ""},
		{"behind words", fmt.Errorf("buy: %w", refused), "inner"},
		{"the outermost", problem.With(fmt.Errorf("buy: %w", refused), say("outer")), "outer"},
		{"empty advice hides none", problem.With(refused, problem.Advice{}), "inner"},
		{"of several errors the first that has some", errors.Join(errors.New("x"), problem.Of(errors.New("kind"), refused)), "inner"},
		{"an error in its own words", &problem.Error{Kind: problem.ErrConflict, Text: "x", Advice: say("own")}, "own"},
	} {
		if got := problem.AdviceOf(c.err).String(); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	if problem.With(nil, say("x")) != nil || problem.Of(problem.ErrInvalid, nil) != nil {
		t.Error("advice about nothing is an error")
	}
}

func TestKinds(t *testing.T) {
	cause := errors.New("permission denied")
	err := fmt.Errorf("open: %w", &problem.Error{Kind: problem.ErrAuth, Text: "the secret", Cause: cause})
	if err.Error() != "open: the secret: permission denied" || !errors.Is(err, cause) || !errors.Is(problem.KindOf(err), problem.ErrAuth) {
		t.Errorf("%v is %v", err, problem.KindOf(err))
	}
	if problem.KindOf(cause) != nil {
		t.Error("an error of the system has a kind")
	}
	special := problem.Of(problem.ErrConflict, errors.New("locked"))
	if got := problem.Of(special, cause); !errors.Is(got, special) || !errors.Is(problem.KindOf(got), problem.ErrConflict) || got.Error() != cause.Error() {
		t.Errorf("%v is %v", got, problem.KindOf(got))
	}
}

func TestAdviceInJSON(t *testing.T) {
	var finding struct {
		Hint problem.Advice `json:"hint,omitzero"`
	}
	if b, err := json.Marshal(finding); err != nil || string(b) != "{}" {
		t.Errorf("%s, %v", b, err)
	}
	finding.Hint = problem.Say("leave %s out", problem.Field("raw"))
	if b, err := json.Marshal(finding); err != nil || string(b) != `{"hint":"leave --raw out"}` {
		t.Errorf("%s, %v", b, err)
	}
}

// A word is quoted when a shell would read it otherwise.
func TestQuote(t *testing.T) {
	for in, want := range map[string]string{
		"/srv/faxes-2026": "/srv/faxes-2026", "größe": "größe", "": "''", "two words": "'two words'",
		"it's": `'it'\''s'`, "$HOME": "'$HOME'", "~": "'~'", "a\nb": "'a\nb'",
	} {
		if got := text.ShellWord(in); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}
