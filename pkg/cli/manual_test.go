package cli_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// TestManual runs every command of README.md and docs/*.md, as somebody who
// reads one page after the other does: in one home and one folder, the README
// first, then every page, then all of them once more. Each page is one shell
// that ends at the first command that fails. The words after the three
// backquotes say what a block is:
//
//	sh           commands
//	sh exits=8   commands that each end with that status
//	sh soon      commands that succeed before long, all together
//	console      commands after a $, and what they print, which is not compared
//	FORMAT file=NAME    a file, written for the blocks after it
//	yaml steps          a composite action: its steps are run with the defaults
//	                    of its inputs
//	LANGUAGE no-run: REASON   not run
//
// What runs behind the commands ends with the page. The Go tool is not run: "go
// run ./cmd/faxctl" is faxctl, and its other commands do nothing. 127.0.0.1:8080
// is another port of this machine.
func TestManual(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("the commands of the pages are for bash, which is not installed here")
	}
	top := filepath.Join("..", "..")
	pages, err := filepath.Glob(filepath.Join(top, "docs", "*.md"))
	if err != nil || len(pages) == 0 {
		t.Fatalf("no pages: %v", err)
	}
	// Getting started ends with a reset of the sandbox: what is left to the
	// pages before it is all that the README made.
	last := filepath.Join(top, "docs", "getting-started.md")
	pages = slices.DeleteFunc(pages, func(page string) bool { return page == last })
	pages = slices.Concat([]string{filepath.Join(top, "README.md")}, pages, []string{last})
	home, address := t.TempDir(), freeAddress(t)
	for _, round := range []string{"first", "again"} {
		for _, page := range pages {
			t.Run(round+"/"+filepath.Base(page), func(t *testing.T) { runPage(t, page, home, address) })
		}
	}
}

func runPage(t *testing.T, page, home, address string) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	script, err := manualScript(filepath.Base(page), string(text))
	if err != nil {
		t.Fatal(err)
	}
	if script == "" {
		return // a page without commands
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-c", manualStart+strings.ReplaceAll(script, "127.0.0.1:8080", address))
	cmd.Dir = home
	cmd.WaitDelay = time.Second
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "TZ=UTC", "FAXCTL_NO_INPUT=1", "FAXCTL_CONFIRM_FOR=300ms", "GORACE=" + goRace,
		"XDG_CONFIG_HOME=" + home + "/.config", "XDG_STATE_HOME=" + home + "/.state", "XDG_CACHE_HOME=" + home + "/.cache",
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

const manualStart = `set -euo pipefail
trap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT
go() { if [ "$1" = run ]; then shift 2; faxctl "$@"; fi; }
exits() { local want=$1 got=0; shift; eval "$1" || got=$?; [ "$got" = "$want" ] || { echo "exit status $got, want $want: $1"; exit 1; }; }
soon() { for _ in {1..600}; do if eval "$1"; then return; fi; sleep 0.1; done; echo "not before long: $1"; exit 1; }
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
		case language == "sh" && regexp.MustCompile(`(?m)# (exits \d+|soon)$`).MatchString(b.text):
			return "", fmt.Errorf("%s:%d: a mark among what readers copy", page, b.line)
		case language == "sh" && rest == "":
			script.WriteString(b.text)
		case language == "sh" && rest == "soon":
			fmt.Fprintf(&script, "soon %s\n", quoted(b.text))
		case language == "sh" && strings.HasPrefix(rest, "exits="):
			for _, command := range regexp.MustCompile(`(?m)^(?:.*\\\n)*.*\n`).FindAllString(b.text, -1) {
				fmt.Fprintf(&script, "exits %s %s\n", quoted(strings.TrimPrefix(rest, "exits=")), quoted(command))
			}
		case language == "console":
			for line := range strings.Lines(b.text) {
				if command, is := strings.CutPrefix(line, "$ "); is {
					script.WriteString(command)
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

// quoted is a text as one word of the shell.
func quoted(text string) string {
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
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
	script, err := manualScript("page.md", "# x\n```yaml file=a.yaml\nb: 1\n```\n```sh\nfaxctl version\n```\n```sh exits=2\nfaxctl \\\n 'x'\nfaxctl y\n```\n"+
		"```sh soon\nx=$(ls x)\n```\n- list\n  ```console\n  $ faxctl whoami\n  somebody\n  ```\n```sh no-run: costs money\nfaxctl buy\n```\n")
	want := "echo '== page.md:3'\ncat > 'a.yaml' <<'END OF FILE'\nb: 1\nEND OF FILE\necho '== page.md:6'\nfaxctl version\n" +
		"echo '== page.md:9'\nexits '2' 'faxctl \\\n '\\''x'\\''\n'\nexits '2' 'faxctl y\n'\n" +
		"echo '== page.md:14'\nsoon 'x=$(ls x)\n'\necho '== page.md:18'\nfaxctl whoami\n"
	if err != nil || script != want {
		t.Errorf("%v\n%s\nwant\n%s", err, script, want)
	}
	for _, bad := range []string{
		"```sh no-run:\nfaxctl x\n```\n", "```yaml\na: 1\n```\n", "```\nfaxctl x\n```\n", "```yaml steps\nruns: {}\n```\n", "```sh sometime\nfaxctl x\n```\n",
		"```sh\nfaxctl x # exits 8\n```\n", "```sh\nfaxctl x    # soon\n```\n",
	} {
		if _, err := manualScript("page.md", bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}
