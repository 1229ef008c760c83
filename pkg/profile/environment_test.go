package profile_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/profile"
)

// Each secret that a variable gives may be in the file that NAME_FILE names; both are
// refused, and neither is shown.
func TestSecretsInFiles(t *testing.T) {
	path := file(t, 0o600, "\xff\xfe"+strings.Join(strings.Split(hush+"\r\n", ""), "\x00")+"\x00") // as PowerShell writes
	for _, c := range []struct {
		name string
		with []string
		of   func(profile.Secrets, profile.Profile) (profile.Secret, error)
	}{
		{"TWILIO_AUTH_TOKEN", []string{"TWILIO_ACCOUNT_SID=" + account}, nil},
		{"TWILIO_API_SECRET", []string{"TWILIO_ACCOUNT_SID=" + account, "TWILIO_API_KEY=" + apiKey}, nil},
		{"SIGNALWIRE_API_TOKEN", []string{"SIGNALWIRE_SPACE_URL=example", "SIGNALWIRE_PROJECT_ID=" + project}, nil},
		{"SIGNALWIRE_TOKEN", []string{"SIGNALWIRE_SPACE_URL=example", "SIGNALWIRE_PROJECT_ID=" + project}, nil},
		{"SIGNALWIRE_SIGNING_KEY", []string{"SIGNALWIRE_SPACE_URL=example", "SIGNALWIRE_PROJECT_ID=" + project, "SIGNALWIRE_API_TOKEN=PTx"},
			func(s profile.Secrets, p profile.Profile) (profile.Secret, error) {
				return s.SigningKey(t.Context(), p)
			}},
	} {
		if !slices.Contains(profile.SecretVariables(), c.name) {
			t.Errorf("%s is no secret", c.name)
		}
		if c.of == nil {
			c.of = func(s profile.Secrets, p profile.Profile) (profile.Secret, error) { return s.Secret(t.Context(), p) }
		}
		resolve := func(more ...string) (profile.Resolved, func(string) string, error) {
			getenv := env(append(c.with, more...)...)
			r, err := profile.Resolve(profile.Input{Getenv: getenv, Config: func() (profile.Config, error) { return profile.Config{}, nil }})
			return r, getenv, err
		}
		r, getenv, err := resolve(c.name + "_FILE=" + path)
		if err != nil {
			t.Errorf("%s_FILE: %v", c.name, err)
			continue
		}
		if got, err := c.of(profile.Secrets{Getenv: getenv}, r.Profile); err != nil || got.Reveal() != hush {
			t.Errorf("%s_FILE gives %q, %v", c.name, got.Reveal(), err)
		}
		told := false
		for _, v := range r.Values {
			told = told || v.Source == "environment "+c.name+"_FILE" && v.Text == "file:"+path
		}
		if !told {
			t.Errorf("%s_FILE is not told: %+v", c.name, r.Values)
		}
		if _, _, err = resolve(c.name+"_FILE="+path, c.name+"=other"); !errors.Is(err, problem.ErrInvalid) || !strings.Contains(err.Error(), c.name+" and "+c.name+"_FILE") {
			t.Errorf("both of %s: %v", c.name, err)
		}
	}
}

// Any variable that a profile or a command names for a secret may be in a file.
func TestNamed(t *testing.T) {
	path := file(t, 0o600, hush+"\n")
	s := profile.Secrets{Getenv: env("KEY_FILE="+path, "BOTH=x", "BOTH_FILE="+path, "LOST_FILE=/nosuch/file")}
	if got, err := s.Named(t.Context(), "KEY"); err != nil || got.Reveal() != hush {
		t.Errorf("%v", err)
	}
	if got, err := s.Named(t.Context(), "NOTHING"); err != nil || !got.IsZero() {
		t.Errorf("%v, %v", got, err)
	}
	_, err := s.Named(t.Context(), "BOTH")
	wantError(t, err, problem.ErrInvalid, "BOTH and BOTH_FILE are both set", "unset one")
	_, err = s.Named(t.Context(), "LOST")
	wantError(t, err, profile.ErrSecret, "the file that LOST_FILE names, which is not there", "goes into LOST")
}

// A secret that somebody put where its path belongs is shown nowhere.
func TestSecretInTheWrongVariable(t *testing.T) {
	for _, put := range []string{hush, "~/" + hush, hush + "/x", strings.Repeat(hush, 50), file(t, 0o600, "") + "/" + hush} {
		getenv := env("SIGNALWIRE_SPACE_URL=example", "SIGNALWIRE_PROJECT_ID="+project, "SIGNALWIRE_API_TOKEN_FILE="+put, "HOME="+t.TempDir())
		r, err := profile.Resolve(profile.Input{Getenv: getenv, Config: func() (profile.Config, error) { return profile.Config{}, nil }})
		if err != nil {
			t.Fatal(err)
		}
		if said := fmt.Sprintf("%s %v", r.Secret, r.Values); strings.Contains(said, hush) || !strings.Contains(said, "file:$SIGNALWIRE_API_TOKEN_FILE") {
			t.Errorf("the settings are %s", said)
		}
		_, err = profile.Secrets{Getenv: getenv}.Secret(t.Context(), r.Profile)
		wantError(t, err, profile.ErrSecret, "the file that SIGNALWIRE_API_TOKEN_FILE names, which is not there", "the secret itself goes into SIGNALWIRE_API_TOKEN")
		if strings.Contains(err.Error(), hush) {
			t.Errorf("it is said: %v", err)
		}
	}
}
