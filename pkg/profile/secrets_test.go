package profile_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/profile"
)

// TestMain lets the test binary be the command that prints a secret.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "answer" {
		os.Exit(answer(os.Args[2:]))
	}
	os.Exit(m.Run())
}

func answer(how []string) int {
	switch how[0] {
	case "print":
		fmt.Print(how[1])
	case "refuse":
		fmt.Print(hush)
		fmt.Fprint(os.Stderr, "\x1b[31mvault is\n\nlocked\x07\n")
		return 7
	case "hang":
		select {}
	}
	return 0
}

func self(args ...string) []string { return append([]string{os.Args[0], "answer"}, args...) }

func TestSecret(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	inFile := func(path string) profile.Reference { return profile.Reference{Kind: profile.InFile, Value: path} }
	tests := map[string]struct {
		ref        profile.Reference
		kind       error // nil: the secret is hush
		text, hint string
	}{
		"env":             {ref: profile.Env("TOKEN")},
		"env, empty":      {profile.Env("NOTHING"), profile.ErrSecret, "environment variable NOTHING is not set", "set NOTHING"},
		"env, two lines":  {profile.Env("LINES"), problem.ErrInvalid, "more than one line", "set LINES to the secret alone"},
		"env, blank":      {profile.Env("BLANK"), problem.ErrInvalid, "is empty", "set BLANK to the secret alone"},
		"file":            {ref: inFile(write("plain", hush))},
		"file, newline":   {ref: inFile(write("newline", hush+"\n"))},
		"file, CRLF":      {ref: inFile(write("crlf", hush+"\r\n"))},
		"file, home":      {ref: inFile("~/plain")},
		"file, two lines": {inFile(write("lines", hush+"\nx\n")), problem.ErrInvalid, "more than one line", "the secret alone, as one line"},
		"file, empty":     {inFile(write("empty", "\n")), problem.ErrInvalid, "is empty", "the secret alone, as one line"},
		"file, missing":   {inFile("~/missing"), profile.ErrSecret, "not there", "0600"},
		"file, directory": {inFile(dir), problem.ErrInvalid, "is a directory", "a file that is in it"},
		"file, too long":  {inFile(write("long", strings.Repeat("x", 64<<10+1))), problem.ErrInvalid, "longer", "the secret alone"},
		"command":         {ref: command(self("print", hush+"\nsecond line\n")...)},
		"command, CRLF":   {ref: command(self("print", hush+"\r\n")...)},
		"command, empty":  {command(self("print", "")...), profile.ErrSecret, "is empty", "by hand"},
		"command, fails":  {command(self("refuse")...), profile.ErrSecret, "did not work: vault is locked^G (exit status 7)", "by hand"},
		"command, none":   {command(filepath.Join(dir, "nothing")), profile.ErrSecret, "did not work", ""},
		"no reference":    {profile.Reference{}, problem.ErrInvalid, "does not say", "keyring"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := clinic()
			p.Secret = tt.ref
			s := profile.Secrets{Getenv: env("TOKEN="+hush, "LINES="+hush+"\nx", "BLANK=  ", "HOME="+dir)}
			got, err := s.Secret(t.Context(), p)
			if tt.kind == nil {
				if err != nil || got.Reveal() != hush {
					t.Errorf("secret %q, %v", got.Reveal(), err)
				}
				return
			}
			wantError(t, err, tt.kind, tt.text, tt.hint)
			if strings.Contains(err.Error(), hush) || strings.ContainsAny(err.Error(), "\x1b\x07\n") {
				t.Errorf("the error prints the secret, or more than a line: %q", err)
			}
		})
	}
}

func TestCommandHangs(t *testing.T) {
	_, err := profile.FromCommand(t.Context(), 50*time.Millisecond, self("hang"))
	wantError(t, err, profile.ErrSecret, "did not finish within 50ms", "by hand")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = profile.FromCommand(ctx, time.Hour, self("hang"))
	wantError(t, err, context.DeadlineExceeded, "", "")
}

func TestSigningKey(t *testing.T) {
	key, signed := clinic(), clinic()
	key.APIKey, key.Secret = apiKey, profile.Env("SECRET")
	signed.APIKey, signed.SigningKey = apiKey, profile.Env("TOKEN")
	token := clinic()
	token.Secret = profile.Env("TOKEN")
	lab := profile.Profile{Name: "lab", Provider: profile.SignalWire, AccountID: project, Secret: profile.Env("SECRET")}

	s := profile.Secrets{Getenv: env("SECRET=wrong", "TOKEN="+hush)}
	for _, p := range []profile.Profile{token, signed} {
		if got, err := s.SigningKey(t.Context(), p); err != nil || got.Reveal() != hush {
			t.Errorf("%+v: %q, %v", p, got.Reveal(), err)
		}
	}
	_, err := s.SigningKey(t.Context(), key)
	wantError(t, err, problem.ErrNotFound, "auth token", "TWILIO_AUTH_TOKEN")
	_, err = s.SigningKey(t.Context(), lab)
	wantError(t, err, problem.ErrNotFound, "signing key", "as in signing-key: env:SIGNALWIRE_SIGNING_KEY")
	lab.Name = "" // of the environment
	_, err = s.SigningKey(t.Context(), lab)
	wantError(t, err, problem.ErrNotFound, "signing key", "set SIGNALWIRE_SIGNING_KEY, or SIGNALWIRE_SIGNING_KEY_FILE")
}

// memory is a keyring of a map.
func memory(m map[string]string) profile.KeyringFuncs {
	return profile.KeyringFuncs{
		Get: func(service, user string) (string, error) {
			if text, ok := m[service+"/"+user]; ok {
				return text, nil
			}
			return "", problem.ErrNotFound
		},
		Set: func(service, user, secret string) error { m[service+"/"+user] = secret; return nil },
		Delete: func(service, user string) error {
			if _, ok := m[service+"/"+user]; !ok {
				return problem.ErrNotFound
			}
			delete(m, service+"/"+user)
			return nil
		},
	}
}

func TestKeyring(t *testing.T) {
	ctx, m, p := t.Context(), map[string]string{}, clinic()
	p.SigningKey = profile.Keyring()
	s := profile.Secrets{Getenv: env(), Keyring: memory(m)}

	_, err := s.Secret(ctx, p)
	wantError(t, err, problem.ErrNotFound, "no secret for profile clinic", "faxctl profile add clinic")
	wantError(t, s.Store(ctx, p, profile.Secret{}), profile.ErrSecret, "is empty", "")
	if err := errors.Join(s.Store(ctx, p, profile.NewSecret(hush)), s.StoreSigningKey(ctx, p, profile.NewSecret("sign"))); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"faxctl/clinic " + account, "faxctl/clinic " + account + " signing-key"}, slices.Sorted(maps.Keys(m))); diff != "" {
		t.Errorf("in the keyring (-want +got):\n%s", diff)
	}
	secret, err1 := s.Secret(ctx, p)
	key, err2 := s.SigningKey(ctx, p)
	if err := errors.Join(err1, err2); err != nil || secret.Reveal() != hush || key.Reveal() != "sign" {
		t.Errorf("%q, %q, %v", secret.Reveal(), key.Reveal(), err)
	}
	// Another account under the same name does not get this one's secret.
	moved := p
	moved.AccountID = other
	_, err = s.Secret(ctx, moved)
	wantError(t, err, problem.ErrNotFound, "", "")

	for range 2 { // the second time there is nothing left, which is fine
		if err := s.Delete(ctx, p); err != nil {
			t.Error(err)
		}
	}
	if len(m) != 0 {
		t.Errorf("left in the keyring: %v", slices.Collect(maps.Keys(m)))
	}
}

// A keyring that waits for a person who is not there costs 3 s and says so.
func TestKeyringHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		never := make(chan struct{})
		defer close(never)
		s := profile.Secrets{Getenv: env(), Keyring: profile.KeyringFuncs{
			Get:    func(string, string) (string, error) { <-never; return "", nil },
			Set:    func(string, string, string) error { <-never; return nil },
			Delete: func(string, string) error { <-never; return nil },
		}}
		_, get := s.Secret(t.Context(), clinic())
		for _, err := range []error{get, s.Store(t.Context(), clinic(), profile.NewSecret(hush)), s.Delete(t.Context(), clinic())} {
			wantError(t, err, profile.ErrSecret, "did not answer within 3s", "env:NAME")
		}
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := s.Secret(ctx, clinic())
		wantError(t, err, context.DeadlineExceeded, "", "")
		if waited := time.Since(start); waited != time.Second {
			t.Errorf("waited %v after the context ended", waited)
		}
	})
}

func TestKeyringRefuses(t *testing.T) {
	refuse := func() error { return errors.New("dbus: \x1b[31mno session\nbus") }
	s := profile.Secrets{Getenv: env(), Keyring: profile.KeyringFuncs{
		Get:    func(string, string) (string, error) { return "", refuse() },
		Set:    func(string, string, string) error { return refuse() },
		Delete: func(string, string) error { return refuse() },
	}}
	_, get := s.Secret(t.Context(), clinic())
	for _, err := range []error{get, s.Store(t.Context(), clinic(), profile.NewSecret(hush)), s.Delete(t.Context(), clinic())} {
		wantError(t, err, profile.ErrSecret, "the keyring of this system cannot be used: dbus: no session bus", "file:PATH")
	}
}
