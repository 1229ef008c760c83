package cli

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/faxctl/faxctl/pkg/cli/app"
)

// window is a terminal so many columns wide that nobody types at.
type window struct {
	bytes.Buffer
	columns int
}

func (w *window) Size() (int, bool) { return w.columns, true }

// TestNothingWraps: on a window of 80 columns, a narrow and a wide one, no line that
// a command prints goes on in the next, unless it is wide, and no id or phone
// number is cut.
func TestNothingWraps(t *testing.T) {
	home := t.TempDir()
	environment := map[string]string{
		"HOME": home, "XDG_STATE_HOME": home, "XDG_CONFIG_HOME": home, "XDG_CACHE_HOME": home,
		"FAXCTL_PROFILE": "sandbox", "NO_COLOR": "1",
	}
	t.Chdir(home)
	run := func(columns int, line string) (string, int) {
		w := &window{columns: columns}
		a := app.New(strings.NewReader(""), w, w, func(key string) string { return environment[key] })
		status := run(context.WithoutCancel(t.Context()), a, strings.Fields(line))
		return w.String(), status
	}
	for _, line := range []string{
		"sandbox seed --numbers 3 --faxes 120 --days 175",
		"numbers buy +14155567720 --name desk --fax-url https://fax.example.com/in --yes",
		"faxes archive --to kept",
	} {
		if screen, status := run(80, line); status != 0 {
			t.Fatalf("faxctl %s: %d\n%s", line, status, screen)
		}
	}
	newest, _ := run(80, "faxes list --status received --min-pages 1 --limit 1 -o id --quiet")
	if screen, status := run(80, "archive hold kept "+strings.TrimSpace(newest)+" --reason litigation,-until-the-end-of-the-year"); status != 0 {
		t.Fatalf("%d\n%s", status, screen)
	}
	for line, heads := range map[string]string{
		"faxes list":                                  "AGE OTHER END NUMBER PAGES STATUS ID",
		"faxes list --columns id,created":             "ID CREATED",
		"faxes list --columns -duration,+direction":   "AGE OTHER END PAGES STATUS ID DIRECTION",
		"faxes prune --older-than 90d --dry-run":      "AGE OTHER END NUMBER PAGES STATUS ID",
		"faxes expiring --within 170d --archive kept": "LEFT OTHER END NUMBER PAGES ARCHIVED ID",
		"--profile sandbox-signalwire faxes list":     "AGE OTHER END NUMBER PAGES STATUS ID",
		"archive list kept":                           "AGE OTHER END NUMBER PAGES SIZE HOLD ID",
		"archive list kept --held":                    "AGE OTHER END HOLD PAGES SIZE ID",
		"numbers check --no-probe":                    "SEVERITY NUMBER MESSAGE",
		"numbers search --fax --price":                "PHONE PRICE LOCALITY REGION FAX TYPE CAPABILITIES",
		"faxes stats":                                 "NUMBER FAXES PAGES MINUTES COST UNSUCCESSFUL",
		"faxes stats --by month":                      "MONTH FAXES PAGES MINUTES COST UNSUCCESSFUL",
		"faxes list -o wide":                          "ID CREATED FROM TO STATUS PAGES DIRECTION DURATION PRICE CURRENCY QUALITY MEDIA ID UPDATED ERROR CODE ERROR MESSAGE",
	} {
		t.Run("heads of "+line, func(t *testing.T) {
			if screen, _ := run(80, line); !strings.Contains("\n"+strings.Join(strings.Fields(screen), " "), heads) {
				t.Errorf("%s is not among\n%s", heads, screen)
			}
		})
	}
	for _, line := range []string{
		"numbers search --fax", "numbers search --fax --price -o wide", "numbers list", "numbers list -o wide",
		"numbers get desk", "numbers check --no-probe", "numbers export", "numbers buy --first --fax --dry-run",
		"numbers configure desk --fallback-url https://backup.example.com/fax/incoming --dry-run",
		"numbers configure desk --fax-url https://backup.example.com/fax/incoming --dry-run",
		"numbers release desk --dry-run",
		"faxes list", "faxes list -o wide", "faxes list --to +19995550100", "faxes stats", "faxes stats --by day",
		"faxes expiring", "faxes prune --older-than 90d --archive kept --dry-run", "faxes prune --older-than 1y --dry-run",
		"archive list kept", "archive list kept -o wide", "archive verify kept",
		"profile list", "profile list -o wide", "profile show sandbox-signalwire", "whoami", "version", "sandbox reset --dry-run",
		"faxes watch --until 1d", "faxes prune", "archive list nowhere", "faxes list --limit x",
		"--profile sandbox-signalwire faxes list --limit 20", "--profile sandbox-signalwire numbers list -o wide",
	} {
		for _, columns := range []int{60, 80, 100, 200} {
			t.Run(fmt.Sprint(columns, " ", line), func(t *testing.T) {
				screen, _ := run(columns, line)
				if screen == "" {
					t.Error("nothing was printed")
				}
				for row := range strings.Lines(screen) {
					row = strings.TrimSuffix(row[strings.LastIndexByte(row, '\r')+1:], "\n")
					if n := utf8.RuneCountInString(strings.TrimPrefix(row, "\x1b[K")); n > columns && !strings.HasSuffix(line, "-o wide") {
						t.Errorf("%d columns: %s", n, row)
					}
					for word := range strings.FieldsSeq(row) {
						if cut, is := strings.CutSuffix(word, "…"); is && (strings.HasPrefix(cut, "+1") || strings.HasPrefix(cut, "FX") || strings.HasPrefix(cut, "PN")) {
							t.Errorf("cut: %s", word)
						}
					}
				}
			})
		}
	}
}
