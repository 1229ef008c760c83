package profile_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/profile"
)

// A password that somebody put into the URL of the mail server is shown nowhere.
func TestNoPasswordInURL(t *testing.T) {
	for _, c := range []struct{ given, want string }{
		{"smtp://faxes:hunter2@mail.clinic.example", "smtp://faxes:[password]@mail.clinic.example"},
		{"smtp://faxes:hun@ter2:x@mail.clinic.example", "smtp://faxes:[password]@mail.clinic.example"},
		{"faxes:hunter2@mail.clinic.example", "faxes:[password]@mail.clinic.example"},
		{"smtp://faxes:%zzhunter2@mail.clinic.example", "smtp://faxes:[password]@mail.clinic.example"},
		{"smtp://faxes@mail.clinic.example:587", "smtp://faxes@mail.clinic.example:587"},
		{"smtps://mail.clinic.example:465", "smtps://mail.clinic.example:465"},
	} {
		r, err := profile.Resolve(profile.Input{
			Profile: "sandbox", Getenv: func(name string) string { return map[string]string{profile.SMTPURLVariable: c.given}[name] },
		})
		if err != nil {
			t.Fatal(err)
		}
		if said, from := r.Default(profile.SMTPURLVariable); said != c.want || from != profile.SMTPURLVariable {
			t.Errorf("%s: %q from %s", c.given, said, from)
		}
		if all := fmt.Sprintf("%+v", r); strings.Contains(all, "hunter2") || strings.Contains(all, "ter2") {
			t.Errorf("%s is shown: %s", c.given, all)
		}
	}
}

func TestMailOfProfile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "config.yaml")
	write := func(rest string) error {
		content := "current: clinic\nprofiles:\n  clinic:\n    provider: twilio\n    account: AC0123456789abcdef0123456789abcdef\n    secret: env:TOKEN\n" + rest
		return os.WriteFile(path, []byte(content), 0o600)
	}
	if err := errors.Join(write("    smtp-url: smtp://faxes@mail.clinic.example\n    mail-from: faxes@clinic.example\n    smtp-password: file:smtp\n"),
		os.WriteFile(filepath.Join(dir, "smtp"), []byte("from the file\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		env          map[string]string
		want, source string
		kind         error
	}{
		{map[string]string{}, "from the file", "profile clinic (config.yaml)", nil},
		{map[string]string{"FAXCTL_SMTP_PASSWORD": "hunter2"}, "hunter2", "environment FAXCTL_SMTP_PASSWORD", nil},
		{map[string]string{"FAXCTL_SMTP_PASSWORD_FILE": filepath.Join(dir, "smtp")}, "from the file", "environment FAXCTL_SMTP_PASSWORD_FILE", nil},
		{map[string]string{"FAXCTL_SMTP_PASSWORD": "a", "FAXCTL_SMTP_PASSWORD_FILE": "b"}, "", "profile clinic (config.yaml)", problem.ErrInvalid},
	} {
		getenv := func(name string) string {
			if name == profile.ConfigVariable {
				return path
			}
			return c.env[name]
		}
		r, err := profile.Resolve(profile.Input{Getenv: getenv, Config: func() (profile.Config, error) { return profile.LoadFrom(getenv) }})
		if err != nil {
			t.Fatal(err)
		}
		secret, err := profile.Secrets{Getenv: getenv}.SMTPPassword(t.Context(), r.Profile)
		if !errors.Is(err, c.kind) || secret.Reveal() != c.want {
			t.Errorf("%v: %q, %v", c.env, secret.Reveal(), err)
		}
		source := ""
		for _, v := range r.Values {
			if v.Key == "smtp-password" {
				source = v.Source
			}
		}
		if source != c.source {
			t.Errorf("%v: from %s", c.env, source)
		}
	}
	for rest, want := range map[string]string{
		"    smtp-url: smtp://u:hunter2@h\n": "smtp-url: has a password in it",
		"    smtp-password: hunter2\n":       "must say where the secret is kept",
		"    smtp-password: keyring\n":       "nothing puts it there",
	} {
		if err := write(rest); err != nil {
			t.Fatal(err)
		}
		if _, err := profile.Load(path); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", rest, err)
		}
	}
}
