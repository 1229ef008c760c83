package profile_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/profile"
)

// The life of a config file, as a person sees it.
func TestEdit(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "new", "faxctl", "config.yaml")
	lab := profile.Profile{Name: "lab", Provider: profile.SignalWire, AccountID: project, Space: "https://Example.signalwire.com/", Secret: profile.Env("LAB"), ReadOnly: true}
	const clinicText = `  clinic:
    provider: twilio
    account: ` + account + `
    secret: keyring
`
	const labText = `  lab:
    provider: signalwire
    account: ` + project + `
    space: example.signalwire.com
    secret: env:LAB
    read-only: true
`
	steps := []struct {
		what string
		do   func() error
		want string
	}{
		{"the first becomes the current one", func() error { return profile.Add(ctx, path, clinic()) },
			"current: clinic\nprofiles:\n" + clinicText},
		{"the second does not", func() error { return profile.Add(ctx, path, lab) },
			"current: clinic\nprofiles:\n" + clinicText + labText},
		{"use", func() error { return profile.Use(ctx, path, "lab") },
			"current: lab\nprofiles:\n" + clinicText + labText},
		{"removing the current one leaves none", func() error { return profile.Remove(ctx, path, "lab") },
			"profiles:\n" + clinicText},
		{"a sandbox, on request", func() error { return profile.Use(ctx, path, "sandbox") },
			"profiles:\n" + clinicText + "current: sandbox\n"},
		{"removing the last leaves none", func() error { return profile.Remove(ctx, path, "clinic") },
			"profiles: {}\ncurrent: sandbox\n"},
		{"another is written like the first", func() error { return profile.Add(ctx, path, lab) },
			"profiles:\n" + labText + "current: sandbox\n"},
	}
	for _, s := range steps {
		if err := s.do(); err != nil {
			t.Fatalf("%s: %v", s.what, err)
		}
		if diff := cmp.Diff(s.want, read(t, path)); diff != "" {
			t.Fatalf("%s (-want +got):\n%s", s.what, diff)
		}
	}
}

func TestEditKeepsComments(t *testing.T) {
	const before = `# the accounts of the practice
current: lab # for now
profiles:
  # do not buy numbers here
  lab:
    provider: twilio # since 2019
    account: ` + account + ` # ask Ana
    # rotate in March
    secret: file:~/token
    edge: dublin
  # the real one
  clinic: {provider: twilio, account: ` + other + `, secret: keyring}
# the end
`
	path := file(t, 0o600, before)
	lab := profile.Profile{Name: "annex", Provider: profile.Twilio, AccountID: other, Secret: profile.Keyring(), Region: "ie1"}
	if err := errors.Join(profile.Use(t.Context(), path, "clinic"), profile.Add(t.Context(), path, lab)); err != nil {
		t.Fatal(err)
	}
	want := strings.NewReplacer("current: lab", "current: clinic", "# the end\n", `  annex:
    provider: twilio
    account: `+other+`
    region: ie1
    secret: keyring
# the end
`).Replace(before)
	if diff := cmp.Diff(want, read(t, path)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	comment := file(t, 0o600, "# only a comment\n")
	if err := profile.Add(t.Context(), comment, clinic()); err != nil {
		t.Fatal(err)
	}
	if got := read(t, comment); !strings.HasPrefix(got, "# only a comment\n") {
		t.Errorf("the comment is gone:\n%s", got)
	}
}

func TestEditErrors(t *testing.T) {
	ctx := t.Context()
	wrong := clinic()
	wrong.AccountID = apiKey
	reserved := clinic()
	reserved.Name = "sandbox-2"
	tests := map[string]struct {
		do         func(path string) error
		kind       error
		text, hint string
	}{
		"add twice":         {func(p string) error { return profile.Add(ctx, p, clinic()) }, problem.ErrConflict, "clinic is there already", "faxctl profile remove clinic"},
		"add a wrong one":   {func(p string) error { wrong.Name = "new"; return profile.Add(ctx, p, wrong) }, problem.ErrInvalid, "API key", ""},
		"add a reserved":    {func(p string) error { return profile.Add(ctx, p, reserved) }, problem.ErrInvalid, "reserved", ""},
		"use a stranger":    {func(p string) error { return profile.Use(ctx, p, "clinik") }, problem.ErrNotFound, "did you mean clinic?", "profile list"},
		"remove a stranger": {func(p string) error { return profile.Remove(ctx, p, "x") }, problem.ErrNotFound, `"x"`, ""},
		"remove a sandbox":  {func(p string) error { return profile.Remove(ctx, p, "sandbox") }, problem.ErrInvalid, "built in", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			path := file(t, 0o600, twoProfiles)
			wantError(t, tt.do(path), tt.kind, tt.text, tt.hint)
			if got := read(t, path); got != twoProfiles {
				t.Errorf("the file changed:\n%s", got)
			}
		})
	}
	broken := file(t, 0o600, "profiles: [\n")
	wantError(t, profile.Add(ctx, broken, clinic()), problem.ErrInvalid, "not YAML", "")
	if got := read(t, broken); got != "profiles: [\n" {
		t.Errorf("a broken file was overwritten: %q", got)
	}
}

// Many processes adding profiles lose none, and leave no temporary file.
func TestEditSideBySide(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.yaml")
	const n = 16
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			p := clinic()
			p.Name = fmt.Sprintf("p%d", i)
			if err := profile.Add(t.Context(), path, p); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	c, err := profile.Load(path)
	if err != nil || len(c.Profiles) != n {
		t.Errorf("%d profiles, want %d; %v", len(c.Profiles), n, err)
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 2 { // the file and its lock
		t.Errorf("left behind: %v, %v", left, err)
	}
}
