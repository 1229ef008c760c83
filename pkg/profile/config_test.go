package profile_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/profile"
)

func TestLoad(t *testing.T) {
	text := twoProfiles + `  vault:
    provider: twilio
    account: ` + account + `
    api-key: ` + apiKey + `
    secret: [command, op, read, "op://Private/fax line/token"]
    signing-key: file:~/token
    region: # not set
`
	path := file(t, 0o600, text)
	got, err := profile.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	want := profile.Config{Path: path, Current: "clinic", Profiles: map[string]profile.Profile{
		"clinic": {Name: "clinic", Provider: profile.Twilio, AccountID: account, Secret: profile.Keyring(), Edge: "dublin", APIURL: "https://api.example.com"},
		"lab":    {Name: "lab", Provider: profile.SignalWire, AccountID: project, Space: "example.signalwire.com", Secret: profile.Env("LAB_TOKEN"), ReadOnly: true},
		"vault": {Name: "vault", Provider: profile.Twilio, AccountID: account, APIKey: apiKey,
			Secret:     profile.Reference{Kind: profile.InCommand, Argv: []string{"op", "read", "op://Private/fax line/token"}},
			SigningKey: profile.Reference{Kind: profile.InFile, Value: "~/token"}},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"clinic", "lab", "vault"}, got.Names()); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}

func TestLoadNothing(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "no", "config.yaml")
	for _, path := range []string{missing, file(t, 0o600, ""), file(t, 0o600, "# soon\n"), file(t, 0o600, "profiles:\n"), file(t, 0o600, "null\n")} {
		c, err := profile.Load(path)
		if err != nil || len(c.Profiles) != 0 || c.Current != "" {
			t.Errorf("%s: %+v, %v", path, c, err)
		}
	}
}

// Every mistake in one file is told at once, each with its line.
func TestLoadMistakes(t *testing.T) {
	const text = `curren: clinic
profiles:
  clinic:
    provider: twilio
    account: ` + account + `
    secret: keyring
    readonly: true
    edge: [dublin]
  lab:
    provider: signalwire
    account: ` + account + `
    secret: hunter2-c0ffee
    read-only: perhaps
    read-only: true
  key:
    provider: twillio
    account: ` + apiKey + `
  sandbox:
    provider: twilio
    account: ` + account + `
    secret: keyring
`
	path := file(t, 0o600, text)
	_, err := profile.Load(path)
	wantError(t, err, problem.ErrInvalid, "", "")
	want := []string{
		`1: unknown key "curren"; did you mean current?`,
		`7: unknown key "readonly"; did you mean read-only?`,
		`8: edge: want text`,
		`12: secret: it must say where the secret is kept, not what it is; write keyring, env:NAME, file:PATH or command:PROGRAM ARGUMENTS`,
		`13: read-only: want true or false`,
		`14: key "read-only" is there already, in line 13`,
		`15: profile key: secret: does not say where the secret is kept; write keyring, env:NAME, file:PATH or command:PROGRAM ARGUMENTS`,
		`16: profile key: provider: unknown provider "twillio"; did you mean twilio?`,
		`18: profile name "sandbox" is reserved for the built-in sandbox; use small letters, digits and hyphens, as in clinic-2`,
	}
	got := strings.Split(strings.ReplaceAll(err.Error(), path+":", ""), "\n")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if strings.Contains(err.Error(), hush) {
		t.Error("a secret pasted into the file was printed")
	}
}

func TestLoadUnreadable(t *testing.T) {
	tests := map[string]struct {
		path       string
		kind       error
		text, hint string
	}{
		"not YAML":           {file(t, 0o600, "profiles: [\n"), problem.ErrInvalid, ":1: not YAML", "by hand"},
		"two documents":      {file(t, 0o600, "current: a\n---\ncurrent: b\n"), problem.ErrInvalid, ":2: more than one", ""},
		"a list":             {file(t, 0o600, "- a\n"), problem.ErrInvalid, ":1: the file is not a mapping", ""},
		"a list of profiles": {file(t, 0o600, "profiles:\n  - a\n"), problem.ErrInvalid, ":2: profiles is not a mapping", ""},
		"a directory":        {t.TempDir(), problem.ErrInvalid, "is a directory", ""},
		"control characters": {file(t, 0o600, "\x1b[2J\x07: ]"), problem.ErrInvalid, ":1: not YAML", ""},
		"too long":           {file(t, 0o600, strings.Repeat("#", 1<<20+1)), problem.ErrInvalid, "longer than", ""},
		"through a file":     {filepath.Join(file(t, 0o600, ""), "config.yaml"), problem.ErrInvalid, "cannot be read", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := profile.Load(tt.path)
			wantError(t, err, tt.kind, tt.text, tt.hint)
			if strings.ContainsAny(err.Error(), "\n\x1b\x07") || !strings.Contains(err.Error(), tt.path) {
				t.Errorf("not one clean line with the path: %q", err)
			}
		})
	}
}

func TestPath(t *testing.T) {
	tests := map[string]struct {
		vars []string
		want string
	}{
		"named":             {[]string{"FAXCTL_CONFIG=/etc/fax.yaml", "XDG_CONFIG_HOME=/x", "HOME=/home/a"}, "/etc/fax.yaml"},
		"XDG":               {[]string{"XDG_CONFIG_HOME=/x", "HOME=/home/a"}, "/x/faxctl/config.yaml"},
		"a relative XDG":    {[]string{"XDG_CONFIG_HOME=x", "HOME=/home/a", "AppData=/home/a/.config"}, "/home/a/.config/faxctl/config.yaml"},
		"home, macOS alike": {[]string{"HOME=/home/a", "AppData=/home/a/.config"}, "/home/a/.config/faxctl/config.yaml"},
	}
	for name, tt := range tests {
		if runtime.GOOS == "windows" && name == "XDG" {
			continue // /x is not absolute there
		}
		got, err := profile.Path(env(tt.vars...))
		if err != nil || filepath.ToSlash(got) != tt.want {
			t.Errorf("%s: %s, %v, want %s", name, got, err, tt.want)
		}
	}
	_, err := profile.Path(env())
	wantError(t, err, problem.ErrInvalid, "no place for the config file", "FAXCTL_CONFIG")
}

func FuzzLoad(f *testing.F) {
	f.Add(twoProfiles)
	f.Add("profiles: &a\n  x: *a\n")
	f.Add("profiles:\n  a: &p {provider: twilio, account: " + account + ", secret: keyring}\n  b: *p\n")
	f.Add("current: {}\nprofiles: {a: 1}\n")
	f.Add("? [a]\n: b\n")
	f.Add("# only a comment")
	path := filepath.Join(f.TempDir(), "config.yaml")
	f.Fuzz(func(t *testing.T, text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		before, err := profile.Load(path)
		if err != nil {
			return
		}
		// What can be read can be added to, and nothing else changes.
		current := before.Current
		if current == "" && len(before.Profiles) == 0 {
			current = "clinic"
		}
		if err := profile.Add(t.Context(), path, clinic()); errors.Is(err, problem.ErrConflict) {
			return
		} else if err != nil {
			t.Fatalf("cannot add to %q: %v", text, err)
		}
		after, err := profile.Load(path)
		if err != nil {
			t.Fatalf("%q became unreadable: %v", text, err)
		}
		if after.Profiles["clinic"].AccountID != account || after.Current != current {
			t.Errorf("%q became %+v", text, after)
		}
		before.Current = current
		delete(after.Profiles, "clinic")
		if diff := cmp.Diff(before, after); diff != "" {
			t.Errorf("%q changed elsewhere (-before +after):\n%s", text, diff)
		}
	})
}
