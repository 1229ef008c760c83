//go:build !windows

package profile_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/profile"
)

func TestConfigMode(t *testing.T) {
	for mode, fine := range map[os.FileMode]bool{
		0o600: true, 0o400: true, 0o700: true, 0o640: true, 0o604: true, 0o644: true, 0o444: true,
		0o660: false, 0o620: false, 0o602: false, 0o666: false,
	} {
		path := file(t, mode, twoProfiles)
		_, err := profile.Load(path)
		if fine {
			if err != nil {
				t.Errorf("mode %04o: %v", mode, err)
			}
			continue
		}
		wantError(t, err, profile.ErrPermission, "config file "+path, "run chmod go-w "+path)
		wantError(t, profile.Use(t.Context(), path, "lab"), profile.ErrPermission, "others", "chmod")
	}
}

// A file of which others are told is read where it is one, and nobody waits for the rest.
func TestReadRegular(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path string
		kind error // nil: it is read
		text string
	}{
		{file(t, 0o644, "12345"), nil, ""},
		{file(t, 0o644, "123456"), problem.ErrInvalid, "is longer than 5 bytes"},
		{file(t, 0o664, "12345"), profile.ErrPermission, "can be written to by others (mode 0664)"},
		{file(t, 0o646, "12345"), profile.ErrPermission, "can be written to by others (mode 0646)"},
		{pipe, problem.ErrInvalid, "is a pipe, not a file"},
		{"/dev/zero", problem.ErrInvalid, "is a device, not a file"},
		{t.TempDir(), problem.ErrInvalid, "is a directory, not a file"},
		{filepath.Join(t.TempDir(), "nowhere"), fs.ErrNotExist, "cannot be read"},
	} {
		done := make(chan struct{})
		go func() {
			defer close(done)
			got, err := profile.ReadRegular(c.path, 5)
			if c.kind == nil && (err != nil || string(got) != "12345") || c.kind != nil && (!errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.text)) {
				t.Errorf("%s: %q, %v, want %q", c.path, got, err, c.text)
			}
		}()
		select {
		case <-done:
		case <-time.After(time.Minute):
			t.Fatalf("%s is waited for", c.path)
		}
	}
}

// What is written is private, in a private folder, and a link stays a link.
func TestWrittenMode(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "faxctl")
	path := filepath.Join(dir, "config.yaml")
	if err := profile.Add(t.Context(), path, clinic()); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]os.FileMode{dir: 0o700, path: 0o600, path + ".lock": 0o600} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %04o, want %04o", name, got, want)
		}
	}
	link := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	if err := profile.Use(t.Context(), link, "sandbox"); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link was replaced: %v, %v", info, err)
	}
	if c, err := profile.Load(path); err != nil || c.Current != "sandbox" {
		t.Errorf("the file behind the link: %+v, %v", c, err)
	}
}

// Somebody else holds the lock: wait 5 s, then say so.
func TestEditLocked(t *testing.T) {
	path := file(t, 0o600, twoProfiles)
	synctest.Test(t, func(t *testing.T) {
		holder, err := os.Create(path + ".lock")
		if err != nil {
			t.Fatal(err)
		}
		defer holder.Close()
		if err := syscall.Flock(int(holder.Fd()), syscall.LOCK_EX); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		wantError(t, profile.Use(t.Context(), path, "lab"), problem.ErrConflict, "another faxctl", "again")
		if waited := time.Since(start); waited != 5*time.Second {
			t.Errorf("waited %v", waited)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		wantError(t, profile.Use(ctx, path, "lab"), context.Canceled, "", "")
		if got := read(t, path); got != twoProfiles {
			t.Errorf("the file changed:\n%s", got)
		}
		go func() {
			time.Sleep(time.Second)
			holder.Close()
		}()
		if err := profile.Use(t.Context(), path, "lab"); err != nil {
			t.Errorf("after the lock was released: %v", err)
		}
	})
}

// A secret is written by its owner alone; in our home it is ours to hide. One that is
// mounted elsewhere has the mode that it is mounted with.
func TestSecretFileMode(t *testing.T) {
	link := filepath.Join(t.TempDir(), "home") // as where homes are links to a disk
	for _, c := range []struct {
		mode os.FileMode
		home string // relative to the file's folder; "": none
		hint string // "": it is taken
	}{
		{0o600, ".", ""}, {0o400, ".", ""}, {0o644, ".", "chmod 600 "}, {0o440, ".", "chmod 600 "}, {0o404, "..", "chmod 600 "},
		{0o644, "link", "chmod 600 "}, {0o644, "", ""}, {0o444, "elsewhere", ""}, {0o440, "", ""}, {0o644, "/", ""},
		{0o620, ".", "chmod go-w "}, {0o602, "", "chmod go-w "}, {0o666, "elsewhere", "chmod go-w "},
	} {
		path := file(t, c.mode, "\xef\xbb\xbf"+hush+"\r\n")
		home := filepath.Join(filepath.Dir(path), c.home)
		switch c.home {
		case "", "/":
			home = c.home
		case "link":
			_ = os.Remove(link)
			if err := os.Symlink(filepath.Dir(path), link); err != nil {
				t.Fatal(err)
			}
			home = link
		}
		p := clinic()
		p.Secret = profile.Reference{Kind: profile.InFile, Value: path}
		got, err := profile.Secrets{Getenv: env("HOME=" + home)}.Secret(t.Context(), p)
		if c.hint == "" {
			if err != nil || got.Reveal() != hush {
				t.Errorf("mode %04o, home %s: %v", c.mode, c.home, err)
			}
			continue
		}
		wantError(t, err, profile.ErrPermission, "secret file "+path, c.hint+path)
	}
}

// What is not ours to change is not ours to be told to.
func TestHintsCanBeFollowed(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root makes files of others")
	}
	path := file(t, 0o666, twoProfiles)
	if err := os.Chown(path, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	_, err := profile.Load(path)
	wantError(t, err, profile.ErrPermission, "can be written to by others", "it is not yours to change")
}

// The null device is an empty configuration, and keeps none.
func TestNullConfig(t *testing.T) {
	c, err := profile.Load(os.DevNull)
	if err != nil || len(c.Profiles) != 0 {
		t.Errorf("%+v, %v", c, err)
	}
	wantError(t, profile.Use(t.Context(), os.DevNull, "sandbox"), problem.ErrInvalid, "keeps nothing", "FAXCTL_CONFIG")
	if info, err := os.Stat(os.DevNull); err != nil || info.Mode().IsRegular() {
		t.Fatalf("the null device is %v, %v", info, err)
	}
	wantError(t, profile.Use(t.Context(), filepath.Join(os.DevNull, "faxctl", "config.yaml"), "sandbox"), problem.ErrInvalid, "", "FAXCTL_CONFIG")
}

// A pipe that nobody writes to is waited for until the context ends.
func TestSecretInAPipe(t *testing.T) {
	p, write := pipe(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := (profile.Secrets{Getenv: env()}).Secret(ctx, p); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("after the context has ended: %v", err)
	}
	write() // lets go of what was left behind
}

// One that somebody writes to late gives its secret.
func TestSecretInAPipeComesLate(t *testing.T) {
	p, write := pipe(t)
	wrote := make(chan struct{})
	go func() { defer close(wrote); write() }()
	got, err := profile.Secrets{Getenv: env()}.Secret(t.Context(), p)
	if err != nil || got.Reveal() != hush {
		t.Errorf("%v, %v", got, err)
	}
	<-wrote
}

// pipe is a profile whose secret comes out of a new pipe, and what writes it there.
func pipe(t *testing.T) (profile.Profile, func()) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	p := clinic()
	p.Secret = profile.Reference{Kind: profile.InFile, Value: path}
	return p, func() {
		if err := os.WriteFile(path, []byte(hush+"\n"), 0o600); err != nil {
			t.Error(err)
		}
	}
}
