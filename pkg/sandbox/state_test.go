package sandbox_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/sandbox"
)

func TestStateSurvives(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state", "faxctl", "sandbox.db")
	c := call(t, open(t, sandbox.Options{Path: path}), sandbox.Twilio)
	id := c.buy("PhoneNumber=%2B15005550006&FriendlyName=front+desk")

	again := open(t, sandbox.Options{Path: path})
	if got := call(t, again, sandbox.Twilio).get("IncomingPhoneNumbers/" + id + ".json").at("friendly_name"); got != "front desk" {
		t.Errorf("friendly name %v", got)
	}
	for name, mode := range map[string]os.FileMode{path: 0o600, path + "-wal": 0o600, filepath.Dir(path): 0o700} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != mode {
			t.Errorf("%s has mode %v, want %v", filepath.Base(name), got, mode)
		}
	}
	// The other dialect tells the same number its own way.
	other := open(t, sandbox.Options{Path: path, Dialect: sandbox.SignalWire})
	if got := len(ids(call(t, other, sandbox.SignalWire).get("IncomingPhoneNumbers"))); got != 1 {
		t.Errorf("signalwire sees %d numbers", got)
	}

	if err := again.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := len(ids(c.get("IncomingPhoneNumbers.json"))); got != 0 {
		t.Errorf("%d numbers after a reset", got)
	}
	c.get(c.root + ".json")
}

func TestOpenRefused(t *testing.T) {
	dir := t.TempDir()
	noDatabase := filepath.Join(dir, "text")
	if err := os.WriteFile(noDatabase, []byte("this is no database, and long enough to be sure of it"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]sandbox.Options{
		"dialect":  {Dialect: "telex"},
		"folder":   {Path: dir},
		"not ours": {Path: noDatabase},
		"below":    {Path: filepath.Join(noDatabase, "sandbox.db")},
	} {
		if s, err := sandbox.Open(t.Context(), o); err == nil {
			t.Errorf("%s: opened", name)
			_ = s.Close()
		}
	}
}

// Many at once on one new file: each buys in turn and nobody gets a number
// that another has.
func TestManyHandles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sandbox.db")
	const handles, each = 6, 5
	var wg sync.WaitGroup
	for range handles {
		wg.Go(func() {
			if err := buySome(t.Context(), path, each); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	c := call(t, open(t, sandbox.Options{Path: path}), sandbox.Twilio)
	if got := len(ids(c.get("IncomingPhoneNumbers.json"))); got != handles*each {
		t.Errorf("%d numbers, want %d", got, handles*each)
	}
}

func buySome(ctx context.Context, path string, count int) error {
	s, err := sandbox.Open(ctx, sandbox.Options{Path: path})
	if err != nil {
		return err
	}
	for range count {
		// Two may pick the same number between looking and buying: the second
		// is told so and tries again, as at a provider.
		for {
			sdk := newSDK(s)
			if _, err = sdk.CreateIncomingPhoneNumber(anyIn("415")); !isTaken(err) {
				break
			}
		}
		if err != nil {
			break
		}
	}
	if e := s.Close(); err == nil {
		err = e
	}
	return err
}

// The same with processes instead of handles.
func TestManyProcesses(t *testing.T) {
	const child = "SANDBOX_TEST_FILE"
	if path := os.Getenv(child); path != "" {
		if err := buySome(t.Context(), path, 5); err != nil {
			t.Fatal(err)
		}
		return
	}
	path := filepath.Join(t.TempDir(), "sandbox.db")
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestManyProcesses$")
			cmd.Env = append(os.Environ(), child+"="+path)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
	wg.Wait()
	c := call(t, open(t, sandbox.Options{Path: path}), sandbox.Twilio)
	if got := len(ids(c.get("IncomingPhoneNumbers.json"))); got != 15 {
		t.Errorf("%d numbers, want 15", got)
	}
}

func TestSeed(t *testing.T) {
	clock := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	s := open(t, sandbox.Options{Now: func() time.Time { return clock }})
	if _, err := s.Seed(t.Context(), sandbox.SeedOptions{Numbers: 300}); err != nil {
		t.Fatal(err)
	}
	c := call(t, s, sandbox.Twilio)
	modes, bare, trunk := map[any]int{}, 0, 0
	for _, n := range c.get("IncomingPhoneNumbers.json?PageSize=1000").list("incoming_phone_numbers") {
		modes[n["voice_receive_mode"]]++
		if n["voice_url"] == "" {
			bare++
		}
		if n["trunk_sid"] != nil {
			trunk++
		}
	}
	if modes["fax"]+modes["voice"] != 300 || modes["fax"] < 100 || modes["voice"] < 50 || bare == 0 || trunk == 0 {
		t.Errorf("modes %v, %d without URL, %d with a trunk", modes, bare, trunk)
	}
	if _, err := s.Seed(t.Context(), sandbox.SeedOptions{Numbers: 1_000_000}); err == nil {
		t.Error("more numbers sold than there are")
	}
	if a := c.get("IncomingPhoneNumbers.json?PageSize=1"); a.at("incoming_phone_numbers", 0, "date_created") == nil {
		t.Errorf("no date: %s", a.text)
	}
}

func BenchmarkSeed10000(b *testing.B) {
	for b.Loop() {
		s, err := sandbox.Open(b.Context(), sandbox.Options{Path: filepath.Join(b.TempDir(), "sandbox.db")})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := s.Seed(b.Context(), sandbox.SeedOptions{Numbers: 10000}); err != nil {
			b.Fatal(err)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkList10000(b *testing.B) {
	s, err := sandbox.Open(b.Context(), sandbox.Options{Path: filepath.Join(b.TempDir(), "sandbox.db")})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if _, err := s.Seed(b.Context(), sandbox.SeedOptions{Numbers: 10000}); err != nil {
		b.Fatal(err)
	}
	sdk := newSDK(s)
	for b.Loop() {
		list, err := sdk.ListIncomingPhoneNumber(thousandAPage())
		if err != nil || len(list) != 10000 {
			b.Fatal(fmt.Errorf("%d numbers: %w", len(list), err))
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	path := filepath.Join(b.TempDir(), "sandbox.db")
	for b.Loop() {
		s, err := sandbox.Open(b.Context(), sandbox.Options{Path: path})
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
