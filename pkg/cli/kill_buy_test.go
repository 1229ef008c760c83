package cli_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/faxctl/faxctl/pkg/sandbox"
)

// TestKilledBuying kills purchases, again and again, at a provider whose lists are
// late, and runs them again until they are done. Whatever the moment, the account
// has no more than one number of each name, and none without one; in the end it has
// all of them, as they should be. See [TestKilled].
func TestKilledBuying(t *testing.T) {
	t.Parallel()
	const seed, late = 34009, 200 * time.Millisecond
	for _, tt := range []struct {
		name  string
		args  []string
		names []string
	}{
		{"buy", []string{"numbers", "buy", "--first", "--fax", "--area-code", "415", "--name", "front desk", "--fax-url", boughtURL, "--confirm-for", "500ms", "--yes"}, []string{"front desk"}},
		{"apply", []string{"numbers", "apply", "--allow-buy", "--confirm-for", "500ms", "--yes"}, []string{"front desk", "back office", "annex"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newCloud(t, sandbox.Options{Latency: 2 * time.Millisecond, Quirks: sandbox.Quirks{LateList: late}}, sandbox.SeedOptions{})
			dice := rand.New(rand.NewPCG(seed, 0))
			dir := t.TempDir()
			file := "numbers:\n"
			for _, name := range tt.names {
				file += "  - {buy: {area-code: 415}, name: " + name + ", fax-url: " + boughtURL + "}\n"
			}
			if err := os.WriteFile(filepath.Join(dir, "numbers.yaml"), []byte(file), 0o600); err != nil {
				t.Fatal(err)
			}
			args := tt.args
			if tt.name == "apply" {
				args = append(args, "-f", filepath.Join(dir, "numbers.yaml"))
			}
			aged := 0
			for killed, life := 0, 0; killed < *kills; life++ {
				v := &victim{cloud: c, args: args, may: []int{3, 6}}
				v.forget(t)
				for done := false; !done; {
					if !v.killAfter(t, dice.Int64N(int64(5+15*len(tt.names))), time.Duration(dice.IntN(4000))*time.Microsecond) {
						killed++
					} else if done = v.bought(t, tt.names) == len(tt.names) && (v.status == 0 || tt.name == "buy"); !done {
						time.Sleep(2 * late)
						v.ageNotes(t)
						aged++
					}
					v.bought(t, tt.names)
				}
				if tt.name == "buy" { // what is bought and not set up is continued so
					time.Sleep(2 * late)
					c.run(t, nil, "faxctl", "numbers", "configure", "front desk", "--fax-url", boughtURL, "--yes")
				}
				v.checkBought(t, tt.names)
				if t.Failed() {
					t.Fatalf("in life %d, after %d kills", life, killed)
				}
			}
			t.Logf("seed %d, %d kills; %d times the end of a purchase was waited for", seed, *kills, aged)
		})
	}
}

const boughtURL = "https://fax.example.com/in"

// forget begins anew, with an account that has no numbers.
func (v *victim) forget(t *testing.T) {
	t.Helper()
	if err := v.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, name := range v.notes(t) {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
}

func (v *victim) notes(t *testing.T) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(v.home, "faxctl", "purchases-*"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// ageNotes lets 16 minutes pass, as far as the notes of purchases go.
func (v *victim) ageNotes(t *testing.T) {
	t.Helper()
	for _, name := range v.notes(t) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var aged bytes.Buffer
		for line := range bytes.Lines(text) {
			var n map[string]any
			if json.Unmarshal(line, &n) != nil {
				continue // it was cut off
			}
			for _, key := range []string{"time", "asked"} {
				if at, err := time.Parse(time.RFC3339, gjson.GetBytes(line, key).Str); err == nil {
					n[key] = at.Add(-16 * time.Minute)
				}
			}
			if err := json.NewEncoder(&aged).Encode(n); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(name, aged.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// owned are the account's numbers, with those that its list does not show yet: a
// provider with the same state, which is not late, has them.
func (v *victim) owned(t *testing.T) []gjson.Result {
	t.Helper()
	prompt, err := sandbox.Open(t.Context(), sandbox.Options{Path: filepath.Join(v.home, "faxctl", "sandbox.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer prompt.Close()
	req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/2010-04-01/Accounts/"+v.Account().Account+"/IncomingPhoneNumbers.json?PageSize=1000", nil)
	req.SetBasicAuth(v.Account().Account, v.Account().Token)
	rec := httptest.NewRecorder()
	prompt.Handler().ServeHTTP(rec, req)
	if rec.Code != http.StatusOK {
		t.Fatal(rec.Code, rec.Body)
	}
	return gjson.GetBytes(rec.Body.Bytes(), "incoming_phone_numbers").Array()
}

// bought counts the numbers of the account, of which each name has one at most.
func (v *victim) bought(t *testing.T, names []string) int {
	t.Helper()
	count := map[string]int{}
	all := v.owned(t)
	for _, n := range all {
		count[n.Get("friendly_name").Str]++
	}
	wanted := 0
	for _, name := range names {
		if count[name] > 1 {
			t.Fatalf("%d numbers were bought for %s", count[name], name)
		}
		wanted += count[name]
	}
	if wanted != len(all) {
		t.Fatalf("a number was bought for nobody: %v", count)
	}
	return wanted
}

// checkBought looks whether all are there, and as they should be.
func (v *victim) checkBought(t *testing.T, names []string) {
	t.Helper()
	if n := v.bought(t, names); n != len(names) {
		t.Errorf("%d numbers for %d names", n, len(names))
	}
	for _, n := range v.owned(t) {
		if n.Get("voice_url").Str != boughtURL || n.Get("voice_receive_mode").Str != "fax" {
			t.Errorf("%s is not set up: %s", n.Get("friendly_name").Str, n.Raw)
		}
	}
}
