package profile_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/profile"
)

const (
	account = "AC0123456789abcdef0123456789abcdef"
	other   = "ACfedcba9876543210fedcba9876543210"
	apiKey  = "SK0123456789abcdef0123456789abcdef"
	project = "6b1f2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d"
)

// env is an environment of nothing but the given NAME=value pairs.
func env(pairs ...string) func(string) string {
	m := map[string]string{}
	for _, p := range pairs {
		name, value, _ := strings.Cut(p, "=")
		m[name] = value
	}
	return func(name string) string { return m[name] }
}

// file writes text to a new file of the given mode.
func file(t *testing.T, mode os.FileMode, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// wantError checks kind, words of the text and that the hint has a word in it.
func wantError(t *testing.T, err, kind error, text, hint string) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Fatalf("error is %v, want kind %v", err, kind)
	}
	if !strings.Contains(err.Error(), text) {
		t.Errorf("error %q does not say %q", err, text)
	}
	if !strings.Contains(problem.AdviceOf(err).String(), hint) {
		t.Errorf("hint of %q does not say %q: %v", err, hint, problem.AdviceOf(err))
	}
}

func clinic() profile.Profile {
	return profile.Profile{Name: "clinic", Provider: profile.Twilio, AccountID: account, Secret: profile.Keyring()}
}
