package durable_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/faxctl/faxctl/pkg/base/durable"
)

func claim(t *testing.T, path string) durable.File {
	t.Helper()
	f, err := durable.Claim(durable.OS{}, path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// A claimed file is nobody else's until it is closed, also under a new name, and
// what is in it stays for the next.
func TestClaim(t *testing.T) {
	dir := t.TempDir()
	part, final := filepath.Join(dir, ".part"), filepath.Join(dir, "final")
	first := claim(t, part)
	if _, err := io.WriteString(first, "first"); err != nil {
		t.Fatal(err)
	}
	if f, err := durable.Claim(durable.OS{}, part); !errors.Is(err, durable.ErrTaken) {
		t.Fatalf("a claimed file: %v, %v", f, err)
	}
	if err := durable.WriteFile(durable.OS{}, filepath.Join(dir, "file"), nil); err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	again := claim(t, part)
	if got, err := io.ReadAll(again); err != nil || string(got) != "first" {
		t.Errorf("%q, %v", got, err)
	}
	if err := os.Rename(part, final); err != nil {
		t.Fatal(err)
	}
	other := claim(t, part) // while the first is still open
	if err := other.Truncate(0); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(final); err != nil || string(got) != "first" {
		t.Errorf("under its name there is %q, %v", got, err)
	}
	if _, err := durable.Claim(durable.OS{}, filepath.Join(dir, "nowhere", "part")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without a folder: %v", err)
	}
}

func TestWriteFileWhileAnotherDoes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	claim(t, filepath.Join(filepath.Dir(path), ".file.part"))
	if err := durable.WriteFile(durable.OS{}, path, []byte("two")); !errors.Is(err, durable.ErrTaken) {
		t.Errorf("got %v", err)
	}
}

// What was put under the temporary name is not written to and not trusted.
func TestClaimWhatIsPlanted(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("who may write is not told by modes, and links take a privilege")
	}
	for name, plant := range map[string]func(victim, path string) error{
		"a link":            os.Symlink,
		"a link to nowhere": func(_, path string) error { return os.Symlink("nowhere", path) },
		"a second name":     os.Link,
		"a file others may write": func(_, path string) error {
			return errors.Join(os.WriteFile(path, []byte("theirs"), 0o600), os.Chmod(path, 0o666))
		},
		"another user's file": func(_, path string) error {
			err := os.WriteFile(path, []byte("theirs"), 0o600)
			if os.Geteuid() == 0 { // nobody else can give files away
				err = errors.Join(err, os.Chown(path, 65534, 65534))
			} else {
				err = errors.Join(err, os.Chmod(path, 0o644))
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			victim, path := filepath.Join(dir, "victim"), filepath.Join(dir, ".file.part")
			if err := errors.Join(os.WriteFile(victim, []byte("precious"), 0o600), plant(victim, path)); err != nil {
				t.Fatal(err)
			}
			f := claim(t, path)
			if got, err := io.ReadAll(f); err != nil || len(got) > 0 {
				t.Errorf("it trusts %q, %v", got, err)
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}

			if err := errors.Join(os.Remove(path), plant(victim, path)); err != nil {
				t.Fatal(err)
			}
			if err := durable.WriteFile(durable.OS{}, filepath.Join(dir, "file"), []byte("ours")); err != nil {
				t.Fatal(err)
			}
			if st, err := os.Lstat(filepath.Join(dir, "file")); err != nil || st.Mode() != 0o600 {
				t.Errorf("%v, %v", st.Mode(), err)
			}
			if got, err := os.ReadFile(victim); err != nil || string(got) != "precious" {
				t.Errorf("the victim is %q, %v", got, err)
			}
			if _, err := os.Lstat(filepath.Join(dir, "nowhere")); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("a link was followed: %v", err)
			}
		})
	}
	folder := filepath.Join(t.TempDir(), ".part")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := durable.Claim(durable.OS{}, folder); err == nil || !strings.Contains(err.Error(), "directory") {
		t.Errorf("a folder: %v", err)
	}
}

func TestTighten(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there are no modes")
	}
	path := filepath.Join(t.TempDir(), "file")
	if err := errors.Join(os.WriteFile(path, nil, 0o600), os.Chmod(path, 0o666)); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := durable.Tighten(f); err != nil {
		t.Error(err)
	}
	if st, err := f.Stat(); err != nil || st.Mode() != 0o600 {
		t.Errorf("%v, %v", st.Mode(), err)
	}
}
