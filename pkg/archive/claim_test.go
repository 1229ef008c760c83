package archive

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/faxctl/faxctl/pkg/base/durable/durabletest"
	"github.com/faxctl/faxctl/pkg/base/problem"
)

const account = "AC1"

func claimFor(t *testing.T, dir string, me Receiver, takeOver func(Receiver) error) Claim {
	t.Helper()
	c, err := Opener{}.Claim(t.Context(), dir, account, me, takeOver)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// nothing is done before an archive is taken over.
func nothing(Receiver) error { return nil }

// Whoever comes to an archive that has a receiver is told whose it is.
func TestClaim(t *testing.T) {
	first, second := NewReceiver("one", "first"), NewReceiver("two", "second")
	write := func(text string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			t.Helper()
			if err := os.WriteFile(filepath.Join(dir, claimName(account)), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	running := func(t *testing.T, dir string) { t.Helper(); claimFor(t, dir, first, nil) }
	ended := func(t *testing.T, dir string) {
		t.Helper()
		if err := claimFor(t, dir, first, nil).Close(); err != nil {
			t.Fatal(err)
		}
	}
	for name, test := range map[string]struct {
		before   func(t *testing.T, dir string)
		me       Receiver
		takeOver func(Receiver) error
		want     string // in the error; none: it is had
		calls    int    // of takeOver
	}{
		"nobody's":                       {before: func(*testing.T, string) {}, me: first},
		"nobody's, and taken over":       {before: func(*testing.T, string) {}, me: first, takeOver: nothing},
		"its own":                        {before: ended, me: first},
		"its own, and taken over":        {before: ended, me: first, takeOver: nothing},
		"its own, running":               {before: running, me: first, want: "running already"},
		"its own, running, taken over":   {before: running, me: first, takeOver: nothing, want: "running already"},
		"another's":                      {before: ended, me: second, want: "another receiver serves it (process "},
		"another's, running":             {before: running, me: second, want: first.State},
		"another's, taken over":          {before: ended, me: second, takeOver: nothing, calls: 1},
		"another's, running, taken over": {before: running, me: second, takeOver: nothing, calls: 1},
		"another's, not taken over":      {before: ended, me: second, takeOver: func(Receiver) error { return errors.New("no disk") }, want: "no disk", calls: 1},
		"unreadable":                     {before: write("{"), me: first, want: "nobody knows"},
		"without an id":                  {before: write("{}"), me: first, want: "nobody knows"},
		"unreadable, taken over":         {before: write(""), me: first, takeOver: nothing, calls: 1},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			test.before(t, dir)
			old, _ := os.ReadFile(filepath.Join(dir, claimName(account)))
			calls := 0
			takeOver := test.takeOver
			if takeOver != nil {
				takeOver = func(before Receiver) error { calls++; return test.takeOver(before) }
			}
			c, err := Opener{}.Claim(t.Context(), dir, account, test.me, takeOver)
			if calls != test.calls {
				t.Errorf("taken over %d times", calls)
			}
			if test.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				if err := errors.Join(c.Check(t.Context()), c.Close()); err != nil {
					t.Error(err)
				}
				if st, err := os.Stat(filepath.Join(dir, claimName(account))); err != nil || runtime.GOOS != "windows" && st.Mode() != 0o600 {
					t.Errorf("%v, %v", st, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), test.want) || test.takeOver == nil && (!errors.Is(err, problem.ErrConflict) || problem.AdviceOf(err).String() == "") {
				t.Errorf("%v, want %q", err, test.want)
			}
			if now, _ := os.ReadFile(filepath.Join(dir, claimName(account))); string(now) != string(old) {
				t.Errorf("it says %s", now)
			}
			if left, _ := filepath.Glob(filepath.Join(dir, "*.new")); len(left) > 0 {
				t.Errorf("it leaves %s", left)
			}
		})
	}
}

// A receiver notices that its archive is another's, and tells that from one whose disk
// is away.
func TestClaimCheck(t *testing.T) {
	for name, test := range map[string]struct {
		change func(t *testing.T, dir string)
		want   error
	}{
		"nothing":         {func(*testing.T, string) {}, nil},
		"another account": {func(t *testing.T, dir string) { t.Helper(); other(t, dir, "AC2") }, nil},
		"taken over":      {func(t *testing.T, dir string) { t.Helper(); other(t, dir, account) }, problem.ErrConflict},
		"a copy's, whom no lock kept away": {func(t *testing.T, dir string) {
			t.Helper()
			text := `{"id":"one","host":"another","process":1}`
			if err := os.WriteFile(filepath.Join(dir, claimName(account)), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}, problem.ErrConflict},
		"removed": {func(t *testing.T, dir string) {
			t.Helper()
			if err := os.Remove(filepath.Join(dir, claimName(account))); err != nil {
				t.Fatal(err)
			}
		}, problem.ErrConflict},
		"unreadable": {func(t *testing.T, dir string) {
			t.Helper()
			if err := os.WriteFile(filepath.Join(dir, claimName(account)), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}, problem.ErrUnavailable},
		"away": {func(t *testing.T, dir string) {
			t.Helper()
			if err := os.Rename(dir, dir+".away"); err != nil {
				t.Fatal(err)
			}
		}, problem.ErrUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "kept")
			a, err := Open(t.Context(), dir)
			if err == nil {
				err = a.Close(t.Context())
			}
			if err != nil {
				t.Fatal(err)
			}
			c := claimFor(t, dir, NewReceiver("one", "first"), nil)
			test.change(t, dir)
			if err := c.Check(t.Context()); !errors.Is(err, test.want) || errors.Is(err, problem.ErrConflict) != errors.Is(test.want, problem.ErrConflict) {
				t.Errorf("%v, want %v", err, test.want)
			}
		})
	}
}

// other is a receiver that takes over, for an account.
func other(t *testing.T, dir, account string) {
	t.Helper()
	c, err := Opener{}.Claim(t.Context(), dir, account, NewReceiver("two", "second"), nothing)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
}

// An archive that is claimed is on the disk as such, whole, and nobody's before; a
// claim is in the way of no archive.
func TestClaimAndPower(t *testing.T) {
	root := t.TempDir()
	disk := durabletest.NewRecorder(root)
	c, err := Opener{Disk: disk}.Claim(t.Context(), root, "../AC 1", NewReceiver("one", "first"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if filepath.Dir(c.(*folderClaim).path) != root {
		t.Errorf("the claim is %s", c.(*folderClaim).path)
	}
	name := filepath.Base(c.(*folderClaim).path)
	for n := range len(disk.Steps()) + 1 {
		least, most := disk.PowerLoss(n)
		for _, left := range []fstest.MapFS{least, most} {
			if found := left[name]; found != nil && !strings.Contains(string(found.Data), `"id":"one"`) {
				t.Errorf("after %d steps it says %q", n, found.Data)
			}
		}
		if n == len(disk.Steps()) && least[name] == nil {
			t.Error("it is not on the disk")
		}
	}
	a, err := Open(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := (Opener{}).Claim(t.Context(), filepath.Join(root, "nowhere"), account, NewReceiver("one", "first"), nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without a folder: %v", err)
	}
}
