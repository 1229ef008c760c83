package cli_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// TestManual runs every command of README.md and docs/*.md: the fenced blocks
// of a page one after another, in a home of its own, in one shell that ends at
// the first command that fails. The word after the three backquotes says what
// a block is:
//
//	sh       commands; a comment "# exits 8" says how a line ends, "# soon"
//	         that it succeeds before long. What runs behind them ends with the
//	         page
//	console  commands after a $, and what they print, which is not compared
//	FORMAT file=NAME    a file, written for the blocks after it
//	yaml steps          a composite action: its steps are run with the defaults
//	                    of its inputs
//	LANGUAGE no-run: REASON   not run
//
// The Go tool is not run: "go run ./cmd/faxctl" is faxctl, and its other
// commands do nothing. 127.0.0.1:8080 is another port of this machine, one for
// each page.
func TestManual(t *testing.T) {
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("the commands of the pages are for bash, which is not installed here")
	}
	top := filepath.Join("..", "..")
	pages, err := filepath.Glob(filepath.Join(top, "docs", "*.md"))
	if err != nil || len(pages) == 0 {
		t.Fatalf("no pages: %v", err)
	}
	for _, page := range append(pages, filepath.Join(top, "README.md")) {
		t.Run(filepath.Base(page), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(page)
			if err != nil {
				t.Fatal(err)
			}
			home := t.TempDir()
			script, err := manualScript(filepath.Base(page), string(text))
			if err != nil {
				t.Fatal(err)
			}
			if script == "" {
				return // a page without commands
			}
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			script = strings.ReplaceAll(script, "127.0.0.1:8080", freeAddress(t))
			cmd := exec.CommandContext(ctx, "bash", "-c", manualStart+script)
			cmd.Dir = home
			cmd.WaitDelay = time.Second
			cmd.Env = []string{
				"PATH=" + os.Getenv("PATH"), "HOME=" + home, "TZ=UTC", "FAXCTL_NO_INPUT=1", "FAXCTL_CONFIRM_FOR=300ms", "GORACE=" + goRace,
				"XDG_CONFIG_HOME=" + home + "/.config", "XDG_STATE_HOME=" + home + "/.state", "XDG_CACHE_HOME=" + home + "/.cache",
			}
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// freeAddress is one of this machine that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

const manualStart = `set -euo pipefail
trap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT
go() { if [ "$1" = run ]; then shift 2; faxctl "$@"; fi; }
exits() { local want=$1 got=0; shift; eval "$1" || got=$?; [ "$got" = "$want" ] || { echo "exit status $got, want $want: $1"; exit 1; }; }
soon() { for _ in {1..300}; do if eval "$1"; then return; fi; sleep 0.1; done; echo "not before long: $1"; exit 1; }
`

// manualScript turns a page into a shell script.
func manualScript(page, text string) (string, error) {
	var script strings.Builder
	for _, b := range fenced(text) {
		language, rest, _ := strings.Cut(b.info, " ")
		if reason, no := strings.CutPrefix(rest, "no-run:"); no {
			if strings.TrimSpace(reason) == "" {
				return "", fmt.Errorf("%s:%d: no-run without a reason", page, b.line)
			}
			continue
		}
		fmt.Fprintf(&script, "echo '== %s:%d'\n", page, b.line)
		name, isFile := strings.CutPrefix(rest, "file=")
		switch {
		case isFile:
			fmt.Fprintf(&script, "cat > '%s' <<'END OF FILE'\n%sEND OF FILE\n", filepath.Base(name), b.text)
		case language == "sh":
			script.WriteString(exitLines(b.text))
		case language == "console":
			for line := range strings.Lines(b.text) {
				if command, is := strings.CutPrefix(line, "$ "); is {
					script.WriteString(exitLines(command))
				}
			}
		case rest == "steps":
			steps, err := actionSteps(b.text)
			if err != nil {
				return "", fmt.Errorf("%s:%d: %w", page, b.line, err)
			}
			script.WriteString(steps)
		case language == "" && regexp.MustCompile(`(?m)^(\$ )?faxctl `).MatchString(b.text):
			return "", fmt.Errorf("%s:%d: commands in a block that is neither sh nor console", page, b.line)
		case language == "" || language == "text" || language == "json" || language == "go":
		default:
			return "", fmt.Errorf("%s:%d: a block of %q is neither run nor marked no-run: REASON", page, b.line, b.info)
		}
	}
	if !strings.Contains(script.String(), "faxctl") {
		return "", nil
	}
	return script.String(), nil
}

// exitLines gives lines that end with a comment "# exits 8" or "# soon" that
// meaning.
func exitLines(text string) string {
	marked := regexp.MustCompile(`(?m)^((?:.*\\\n)*.*\S)\s+# (exits \d+|soon)$`)
	return marked.ReplaceAllStringFunc(text, func(line string) string {
		parts := marked.FindStringSubmatch(line)
		return parts[2] + " '" + strings.ReplaceAll(parts[1], "'", `'\''`) + "'"
	})
}

// actionSteps are the commands of a composite action, as its runner would run
// them.
func actionSteps(text string) (string, error) {
	var action struct {
		Inputs map[string]struct{ Default string }
		Runs   struct {
			Using string
			Steps []struct {
				Run, Shell string
				Env        map[string]string
			}
		}
	}
	if err := yaml.Unmarshal([]byte(text), &action); err != nil {
		return "", err
	}
	if action.Runs.Using != "composite" || len(action.Runs.Steps) == 0 {
		return "", errors.New("not a composite action with steps")
	}
	value := func(s string) string {
		for name, in := range action.Inputs {
			s = strings.ReplaceAll(s, "${{ inputs."+name+" }}", in.Default)
		}
		return s
	}
	var script strings.Builder
	for _, s := range action.Runs.Steps {
		if s.Run == "" {
			continue // it uses another action
		}
		if s.Shell != "bash" {
			return "", fmt.Errorf("a step without shell: bash: %s", s.Run)
		}
		script.WriteString("(\n")
		for name, v := range s.Env {
			fmt.Fprintf(&script, "export %s='%s'\n", name, value(v))
		}
		script.WriteString(value(s.Run) + "\n)\n")
	}
	return script.String(), nil
}

type block struct {
	info, text string
	line       int // of its first line of text
}

// fenced finds the fenced blocks of a page, those in a list too.
func fenced(text string) []block {
	var all []block
	var open *block
	indent := ""
	n := 0
	for line := range strings.Lines(text) {
		n++
		bare := strings.TrimLeft(line, " ")
		switch fence := strings.HasPrefix(bare, "```"); {
		case fence && open == nil:
			indent = line[:len(line)-len(bare)]
			open = &block{info: strings.TrimSpace(strings.TrimPrefix(bare, "```")), line: n + 1}
		case fence:
			all = append(all, *open)
			open = nil
		case open != nil:
			open.text += strings.TrimPrefix(line, indent)
		}
	}
	return all
}

// The harness itself: what it runs, and what it refuses.
func TestManualScript(t *testing.T) {
	script, err := manualScript("page.md", "# x\n```yaml file=a.yaml\nb: 1\n```\n```sh\nfaxctl version\nfaxctl \\\n 'x' # exits 2\nls x  # soon\n```\n- list\n  ```console\n  $ faxctl whoami\n  somebody\n  ```\n```sh no-run: costs money\nfaxctl buy\n```\n")
	want := "echo '== page.md:3'\ncat > 'a.yaml' <<'END OF FILE'\nb: 1\nEND OF FILE\necho '== page.md:6'\nfaxctl version\nexits 2 'faxctl \\\n '\\''x'\\'''\nsoon 'ls x'\necho '== page.md:13'\nfaxctl whoami\n"
	if err != nil || script != want {
		t.Errorf("%v\n%s\nwant\n%s", err, script, want)
	}
	for _, bad := range []string{"```sh no-run:\nfaxctl x\n```\n", "```yaml\na: 1\n```\n", "```\nfaxctl x\n```\n", "```yaml steps\nruns: {}\n```\n"} {
		if _, err := manualScript("page.md", bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}
