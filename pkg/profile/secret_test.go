package profile_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"text/template"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/faxctl/faxctl/pkg/profile"
)

const hush = "hunter2-c0ffee"

// A secret in every position a careless line of code can put it in.
func TestSecretNeverPrints(t *testing.T) {
	s := profile.NewSecret(hush)
	type holder struct {
		Exported profile.Secret
		hidden   profile.Secret
		behind   *profile.Secret
		many     map[string]profile.Secret
	}
	h := holder{s, s, &s, map[string]profile.Secret{"a": s}}

	printed := map[string]string{}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T", "%p", "%08.3f", "%t"} {
		printed[verb] = fmt.Sprintf(verb, s)
		printed["&"+verb] = fmt.Sprintf(verb, &s)
		printed["holder "+verb] = fmt.Sprintf(verb, h)
		printed["&holder "+verb] = fmt.Sprintf(verb, &h)
		printed["slice "+verb] = fmt.Sprintf(verb, []any{s, h})
	}
	printed["print"] = fmt.Sprint(s, h)
	printed["error"] = fmt.Errorf("call: %w", errors.New(fmt.Sprint(s))).Error()
	printed["json"] = encoded(t, json.Marshal, h)
	printed["json map"] = encoded(t, json.Marshal, map[string]any{"secret": s})
	printed["yaml"] = encoded(t, yaml.Marshal, h)
	printed["yaml value"] = encoded(t, yaml.Marshal, s)
	printed["xml"] = encoded(t, xml.Marshal, s)
	printed["diff"] = cmp.Diff(s, profile.NewSecret("other"))

	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("call", "secret", s, "holder", h, slog.Group("g", "s", &s))
	slog.New(slog.NewJSONHandler(&log, nil)).Info("call", "secret", s, "holder", h)
	printed["slog"] = log.String()

	var page bytes.Buffer
	if err := template.Must(template.New("").Parse(`{{.}} {{printf "%v" .}}`)).Execute(&page, s); err != nil {
		t.Fatal(err)
	}
	printed["template"] = page.String()

	for how, text := range printed {
		for _, form := range []string{hush, fmt.Sprintf("%x", hush), fmt.Sprintf("%X", hush)} {
			if strings.Contains(text, form) {
				t.Errorf("%s printed the secret: %s", how, text)
			}
		}
	}
	for how, want := range map[string]string{"json map": `{"secret":"[secret]"}`, "yaml value": "'[secret]'\n"} {
		if printed[how] != want {
			t.Errorf("%s is %q, want %q", how, printed[how], want)
		}
	}
	if got := s.Reveal(); got != hush {
		t.Errorf("Reveal() = %q", got)
	}
	if got := fmt.Sprintf("%v, %+v, %q", s, s, profile.Secret{}); got != "[secret], [secret], [no secret]" {
		t.Errorf("printed %s", got)
	}
}

func encoded[T any](t *testing.T, marshal func(any) ([]byte, error), v T) string {
	t.Helper()
	b, err := marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestSecretEqual(t *testing.T) {
	a, b := profile.NewSecret("a"), profile.NewSecret("a")
	if !a.Equal(b) || a.Equal(profile.NewSecret("b")) || a.Equal(profile.Secret{}) {
		t.Error("Equal does not compare the text")
	}
	if a.IsZero() || !profile.NewSecret("").IsZero() {
		t.Error("IsZero does not say whether there is text")
	}
}
