package profile_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/profile"
)

func command(argv ...string) profile.Reference {
	return profile.Reference{Kind: profile.InCommand, Argv: argv}
}

func TestParseReference(t *testing.T) {
	tests := map[string]profile.Reference{
		"keyring":                            profile.Keyring(),
		" env:FAX_TOKEN ":                    profile.Env("FAX_TOKEN"),
		"file:~/my token":                    {Kind: profile.InFile, Value: "~/my token"},
		`file:C:\token.txt`:                  {Kind: profile.InFile, Value: `C:\token.txt`},
		"command:pass show faxctl":           command("pass", "show", "faxctl"),
		`command:op read "op://a b/c" '' $X`: command("op", "read", "op://a b/c", "", "$X"),
		`command: a 'b"c' d\ e "f\"g" h'i'j`: command("a", `b"c`, "d e", `f"g`, "hij"),
		`command:C:\tools\op.exe --x`:        command(`C:\tools\op.exe`, "--x"),
	}
	for text, want := range tests {
		got, err := profile.ParseReference(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
	for _, text := range []string{"", hush, "keyring:x", "env:", "env:A B", "env:A=" + hush, "file:", "command:", "command:  ", `command:a "b`, "built-in", "KEYRING"} {
		_, err := profile.ParseReference(text)
		wantError(t, err, problem.ErrInvalid, "", "env:NAME")
		if strings.Contains(err.Error(), hush) {
			t.Errorf("the error repeats what may be a secret: %v", err)
		}
	}
}

// TestReferenceIn: what names a place in the folder goes with it; what is
// absolute, of the home or of the PATH stays.
func TestReferenceIn(t *testing.T) {
	dir := t.TempDir()
	token := filepath.Join(dir, "token")
	for text, want := range map[string]profile.Reference{
		"keyring":               profile.Keyring(),
		"env:A":                 profile.Env("A"),
		"file:token":            {Kind: profile.InFile, Value: token},
		"file:./x/../token":     {Kind: profile.InFile, Value: token},
		"file:~x":               {Kind: profile.InFile, Value: filepath.Join(dir, "~x")},
		"file:~/token":          {Kind: profile.InFile, Value: "~/token"},
		"file:" + token:         {Kind: profile.InFile, Value: token},
		"command:pass ./show":   command("pass", "./show"),
		"command:./token ./arg": command(token, "./arg"),
		"command:" + token:      command(token),
	} {
		ref, err := profile.ParseReference(text)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, ref.In(dir)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

func FuzzReference(f *testing.F) {
	f.Add(`command:a 'b"c' d\ e "f\"g"`)
	f.Add(`command:\\ "\\" '\'`)
	f.Add("file: x")
	f.Add("command:a\r\"\"")
	f.Fuzz(func(t *testing.T, text string) {
		first, err := profile.ParseReference(text)
		if err != nil {
			return
		}
		second, err := profile.ParseReference(first.String())
		if err != nil {
			t.Fatalf("%q was written as %q: %v", text, first, err)
		}
		if diff := cmp.Diff(first, second); diff != "" {
			t.Errorf("%q was written as %q (-first +second):\n%s", text, first, diff)
		}
	})
}

func TestReferenceInYAML(t *testing.T) {
	for text, want := range map[string]profile.Reference{
		"env:A":                     profile.Env("A"),
		"[command, op, 'a b', '1']": command("op", "a b", "1"),
		"":                          {},
	} {
		var got profile.Reference
		if err := yaml.Unmarshal([]byte(text), &got); err != nil || !cmp.Equal(got, want) {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"[op, read]", "[command]", "[command, [a]]", "{command: a}"} {
		var got profile.Reference
		wantError(t, yaml.Unmarshal([]byte(text), &got), problem.ErrInvalid, "", "")
	}
}
