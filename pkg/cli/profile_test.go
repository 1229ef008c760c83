package cli

import (
	"bytes"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/zalando/go-keyring"

	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/sandbox"
)

// typist is a person at a terminal.
type typist struct{ io.Reader }

func (typist) Size() (int, bool) { return 80, true }

type terminalOut struct{ io.Writer }

func (terminalOut) Size() (int, bool) { return 80, true }

// home is a place of its own for faxctl in this process, with a keyring.
type home struct {
	t   *testing.T
	dir string
}

func newHome(t *testing.T) home {
	t.Helper()
	keyring.MockInit()
	h := home{t, t.TempDir()}
	t.Setenv("HOME", h.dir)
	return h
}

// faxctl runs a command line; what is typed is the answer to its questions.
func (h home) faxctl(typed string, args ...string) (status int, said string) {
	h.t.Helper()
	var errs bytes.Buffer
	a := app.New(typist{strings.NewReader(typed)}, io.Discard, terminalOut{&errs}, func(name string) string {
		return map[string]string{"HOME": h.dir, "TOKEN": "0123456789abcdef0123456789abcdef"}[name]
	})
	status = run(h.t.Context(), a, args)
	return status, errs.String()
}

func (h home) kept(user, want string) {
	h.t.Helper()
	if got, err := keyring.Get("faxctl", user); got != want || (err == nil) != (want != "") {
		h.t.Errorf("the keyring has %q for %s, %v; want %q", got, user, err, want)
	}
}

// What is kept in the keyring is asked for: the secret of the account and the
// key of its callbacks. It goes with the profile.
func TestProfileInKeyring(t *testing.T) {
	h := newHome(t)
	box, err := sandbox.Open(t.Context(), sandbox.Options{Dialect: sandbox.SignalWire})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(box.Handler())
	t.Cleanup(func() {
		server.Close()
		if err := box.Close(); err != nil {
			t.Error(err)
		}
	})
	account := box.Account()
	add := []string{"profile", "add", "court", "--provider", "signalwire", "--space", "example", "--account", account.Account,
		"--api-url", server.URL, "--signing-key", "keyring"}

	if status, said := h.faxctl("", add...); status != 1 || !strings.Contains(said, "nothing was done") {
		t.Errorf("nothing typed: status %d, %s", status, said)
	}
	if status, said := h.faxctl(account.Token+"\n", add...); status != 1 || !strings.Contains(said, "nothing was done") {
		t.Errorf("no signing key typed: status %d, %s", status, said)
	}
	h.kept("court "+account.Account, "")
	if status, said := h.faxctl(account.Token+"\n"+account.SigningKey+"\n", add...); status != app.StatusDone {
		t.Fatalf("status %d, %s", status, said)
	}
	h.kept("court "+account.Account, account.Token)
	h.kept("court "+account.Account+" signing-key", account.SigningKey)
	// Signing a callback finds the key, and then nobody to call.
	if status, said := h.faxctl("", "--profile", "court", "webhook", "send", "--to", "http://127.0.0.1:1/", "--event", "incoming"); status != app.StatusUnavailable {
		t.Errorf("status %d, %s", status, said)
	}
	if status, said := h.faxctl("", "profile", "remove", "court", "--yes"); status != app.StatusDone {
		t.Errorf("status %d, %s", status, said)
	}
	h.kept("court "+account.Account, "")
	h.kept("court "+account.Account+" signing-key", "")
}

// An import leaves out what cannot be used, and never touches a profile that is
// there.
func TestProfileImport(t *testing.T) {
	h := newHome(t)
	const account, other, key = "AC0123456789abcdef0123456789abcdef", "ACfedcba9876543210fedcba9876543210", "SK0123456789abcdef0123456789abcdef"
	entry := `{"accountSid": %q, "apiKey": %q, "apiSecret": %q}`
	write := func(text string) {
		t.Helper()
		file := filepath.Join(h.dir, ".twilio-cli", "config.json")
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(`{"profiles": {"clinic": ` + fmt.Sprintf(entry, account, key, "first") + `}}`)
	status, said := h.faxctl("", "profile", "import", "twilio-cli", "--dry-run")
	if status != app.StatusDone || !strings.Contains(said, "clinic ("+account+") would be imported") {
		t.Errorf("dry run: status %d, %s", status, said)
	}
	if status, said := h.faxctl("", "profile", "import", "twilio-cli"); status != app.StatusDone || !strings.Contains(said, "Imported clinic") {
		t.Errorf("status %d, %s", status, said)
	}
	h.kept("clinic "+key, "first")

	write(`{"profiles": {"clinic": ` + fmt.Sprintf(entry, account, key, "second") + `,
		"lab": ` + fmt.Sprintf(entry, other, key, "third") + `,
		"court": ` + fmt.Sprintf(entry, other, key, "") + `}}`)
	status, said = h.faxctl("", "profile", "import", "twilio-cli")
	if status != app.StatusPartial || !strings.Contains(said, "clinic is there already") || !strings.Contains(said, "Imported lab") ||
		!strings.Contains(said, "court is left out: its secret is not in the file") {
		t.Errorf("status %d, %s", status, said)
	}
	h.kept("clinic "+key, "first")
	h.kept("lab "+key, "third")

	// What the keyring does not take is not saved.
	write(`{"profiles": {"annex": ` + fmt.Sprintf(entry, account, key, "fourth") + `}}`)
	keyring.MockInitWithError(keyring.ErrUnsupportedPlatform)
	if status, said := h.faxctl("", "profile", "import", "twilio-cli"); status != app.StatusAuth ||
		!strings.Contains(strings.Join(strings.Fields(said), " "), "keep the secret elsewhere: faxctl profile add annex --provider twilio --account "+account+" --api-key "+key+" --secret env:NAME, ") {
		t.Errorf("without a keyring: status %d, %s", status, said)
	}
	if status, said := h.faxctl("", "profile", "show", "annex"); status != app.StatusNotFound {
		t.Errorf("the profile without a secret: status %d, %s", status, said)
	}
}
