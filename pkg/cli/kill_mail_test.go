package cli_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/sandbox"
)

// TestKilledMailing kills a receiver while faxes come and mails of them go out, again and
// again, and starts it anew. In the end every fax of which the provider was told that it
// has come was mailed to each address of the rules, and what was mailed more than once is
// one message, by its Message-ID. See [TestKilled].
func TestKilledMailing(t *testing.T) {
	const seed, each = 34016, 20 // kills in a life
	most := max(10, *kills)
	dice := rand.New(rand.NewPCG(seed, 0))
	c := newCloud(t, sandbox.Options{Latency: 2 * time.Millisecond}, sandbox.SeedOptions{})
	sheets := draw(t)
	faxes, mails, repeats := 0, 0, 0
	for killed := 0; killed < most; {
		l := newMailLine(t, c, sheets)
		for life := 0; life < each && killed < most; life++ {
			r := l.serve(t)
			l.call(t, r.kill, 1+dice.IntN(3), time.Duration(dice.IntN(400))*time.Millisecond)
			killed++
		}
		sent, again := l.checkMail(t)
		faxes, mails, repeats = faxes+len(l.told), mails+sent, repeats+again
		if t.Failed() {
			t.Fatalf("after %d kills", killed)
		}
	}
	t.Logf("seed %d, %d kills, %d faxes told of, %d mails, %d of them repeated", seed, most, faxes, mails, repeats)
	if faxes == 0 || mails < 3*faxes {
		t.Error("no fax came, or too few mails") // and nothing was looked at
	}
}

// mailLine is a line whose receiver sends mails.
type mailLine struct {
	*line
	box   *postBox
	rules string
}

// mailedTo are the addresses of its rules.
func mailedTo() []string {
	return []string{"desk@clinic.example", "second@clinic.example", "ward@clinic.example"}
}

func newMailLine(t *testing.T, c *cloud, sheets [][]byte) *mailLine {
	t.Helper()
	l := &mailLine{line: newLine(t, c, sheets), box: &postBox{dir: t.TempDir()}, rules: filepath.Join(t.TempDir(), "rules.yaml")}
	rules := `from: faxes@clinic.example
rules:
  - to: "` + linePhone + `"
    mail: [desk@clinic.example, second@clinic.example]
    attach: true
  - from: "+1415*"
    mail: ward@clinic.example
`
	if err := os.WriteFile(l.rules, []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
	address, stop, err := l.box.open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	t.Setenv("FAXCTL_SMTP_URL", "smtp://"+address)
	return l
}

func (l *mailLine) serve(t *testing.T) served {
	t.Helper()
	return serve(t, l.cloud, l.address, l.dir, "--state", l.state(), "--mail", l.rules)
}

// checkMail lets a last receiver do what is left, also what a person has retried, and compares what was mailed with the
// faxes that came: how many mails there are, and how many of them say what another one
// said.
func (l *mailLine) checkMail(t *testing.T) (sent, repeated int) {
	t.Helper()
	r := l.serve(t)
	for id := range strings.FieldsSeq(string(l.run(t, nil, "faxctl", "serve", "jobs", "list", "--state", l.state(), "--parked", "-o", "id").out)) {
		l.run(t, nil, "faxctl", "serve", "jobs", "retry", id, "--state", l.state()) // what was killed too often is for a person to decide about
	}
	var missing []string
	for end := time.Now().Add(3 * time.Minute); ; time.Sleep(100 * time.Millisecond) {
		all := l.mails(t)
		missing = nil
		for id := range l.told {
			for _, to := range mailedTo() {
				if len(all[id+" "+to]) == 0 {
					missing = append(missing, id+" to "+to)
				}
			}
		}
		if len(missing) == 0 || t.Failed() || time.Now().After(end) {
			break
		}
	}
	r.stop()
	if len(missing) > 0 {
		t.Errorf("%d mails were not sent: %s; the jobs:\n%s", len(missing), missing, l.jobs(t))
	}
	for what, ids := range l.mails(t) {
		sent += len(ids)
		repeated += len(ids) - 1
		if one := slices.Compact(slices.Sorted(slices.Values(ids))); len(one) > 1 {
			t.Errorf("%s: several messages: %q", what, one)
		}
	}
	return sent, repeated
}

// mails are the Message-IDs of all that was mailed, by fax and recipient.
func (l *mailLine) mails(t *testing.T) map[string][]string {
	t.Helper()
	files, err := os.ReadDir(l.box.dir)
	if err != nil {
		t.Fatal(err)
	}
	fax, message := regexp.MustCompile(`(?m)^Fax: +(FX[0-9a-f]{32})`), regexp.MustCompile(`(?m)^Message-ID: <(.+)>`)
	all := map[string][]string{}
	for _, f := range files {
		content, err := os.ReadFile(filepath.Join(l.box.dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		about, id := fax.FindSubmatch(content), message.FindSubmatch(content)
		if about == nil || id == nil {
			t.Fatalf("%s is no mail of a fax: %s", f.Name(), content)
		}
		_, to, _ := strings.Cut(f.Name(), "-")
		key := string(about[1]) + " " + to
		all[key] = append(all[key], string(id[1]))
	}
	return all
}
