package delivery_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/receive/delivery"
)

// A mark is a whole argument, and never the program; what looks like one and is none
// is a mistake. Braces that mean something to others are left to them.
func TestNewProgram(t *testing.T) {
	for _, argv := range [][]string{
		{},
		{""},
		{"{document}"},
		{"{id}", "x"},
		{"lp", "{documents}"},
		{"lp", "{FROM}"},
		{"lp", "--file={document}"},
		{"sh", "-c", "lp {document}"},
		{"sh", "-c", "echo ${from}; lp {from}"},
	} {
		_, err := delivery.NewProgram(argv...)
		if !errors.Is(err, problem.ErrInvalid) || problem.AdviceOf(err).Empty() {
			t.Errorf("%q: %v, with advice %q", argv, err, problem.AdviceOf(err))
		}
	}
	for _, argv := range [][]string{
		{"lp", "-d", "front-desk", "{document}"},
		{"note", "{id}", "{from}", "{to}", "{pages}"},
		{"sh", "-c", "echo ${from}"},
		{"awk", "{print $1}"},
		{"find", "-exec", "{}"},
		{"curl", "-d", `{"a":1}`},
	} {
		if p, err := delivery.NewProgram(argv...); err != nil || !slices.Equal(p, argv) {
			t.Errorf("%q: %q, %v", argv, p, err)
		}
	}
}

// Whatever a caller or a provider writes, it is one argument in its place, which is
// neither an option nor nothing, and has no control characters.
func TestArguments(t *testing.T) {
	p, err := delivery.NewProgram("note", "--", "{from}", "-x", "{to}", "{id}", "{pages}")
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		foreign := rapid.OneOf(rapid.String(), rapid.StringMatching(`[-\x00-\x20]{0,3}.{0,5}`))
		f := fax.Fax{ID: foreign.Draw(t, "id"), From: foreign.Draw(t, "from"), To: foreign.Draw(t, "to")}
		if rapid.Bool().Draw(t, "counted") {
			f.Pages = new(rapid.Int().Draw(t, "pages"))
		}
		got := p.For(f)
		if len(got) != len(p) || got[0] != "note" || got[1] != "--" || got[3] != "-x" {
			t.Fatalf("what the operator wrote became %q", got)
		}
		for _, at := range []int{2, 4, 5, 6} {
			if arg := got[at]; strings.TrimSpace(arg) == "" || arg[0] == '-' || strings.ContainsFunc(arg, func(r rune) bool { return r < ' ' || r == 0x7f }) {
				t.Fatalf("%s became %q", p[at], arg)
			}
		}
	})
	got := p.For(fax.Fax{ID: "FX1", From: "-rf", Pages: new(2)})
	if want := []string{"note", "--", "_rf", "-x", "unknown", "FX1", "2"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// The document is an absolute path. A program that takes it is not run for a fax that
// has none, and one that should be there and is not is no success.
func TestExecDocument(t *testing.T) {
	t.Chdir(t.TempDir())
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	exec := delivery.Exec(delivery.Program{os.Args[0], word, "out", "{document}", "{from}"})
	n := event()
	n.Path = "-rf.pdf"
	if err := exec.Deliver(t.Context(), n, delivery.Target{}); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile("out")
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(here, "-rf.pdf") + "\x00" + n.From; !strings.HasSuffix(string(b), "\x00\x00"+want) {
		t.Errorf("no %q at the end of %q", want, b)
	}
	if err := os.Remove("out"); err != nil {
		t.Fatal(err)
	}
	n.Document = delivery.Document{}
	if err := exec.Deliver(t.Context(), n, delivery.Target{}); !errors.Is(err, problem.ErrUnsupported) {
		t.Errorf("a received fax without a document here: %v", err)
	}
	n.Status = fax.Failed
	if err := exec.Deliver(t.Context(), n, delivery.Target{}); err != nil {
		t.Errorf("a failed fax: %v", err)
	}
	if _, err := os.Stat("out"); err == nil {
		t.Error("the program was run without a document")
	}
}

func TestFindProgram(t *testing.T) {
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain")
	if err := os.WriteFile(plain, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"no-such-program", filepath.Join(dir, "none"), plain, dir} {
		if err := (delivery.Program{name}).Find(); !errors.Is(err, problem.ErrInvalid) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := (delivery.Program{os.Args[0]}).Find(); err != nil {
		t.Error(err)
	}
}
