package cli

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/faxctl/faxctl/pkg/cli/app"
)

// Advice names commands and settings that there are. It is read from the
// source, so that none is left out because no test makes its mistake.
func TestAdviceIsAboutTheCommandTree(t *testing.T) {
	root := whole(app.New(nil, nil, nil, os.Getenv))
	settings := map[string]bool{}
	everyCommand(t, func(_ *testing.T, c *cobra.Command) {
		for name := range flagsOf(c) {
			settings[name] = true
		}
	})
	seen := 0
	eachCall(t, func(at string, call *ast.CallExpr) bool {
		switch calledOf(call) {
		case "problem.Say":
			if words, known := literal(call.Args[0]); known && len(call.Args) > 1 {
				if n := strings.Count(strings.ReplaceAll(words, "%%", ""), "%s"); n != len(call.Args)-1 {
					t.Errorf("%s: %d parts for the %d places of %q", at, len(call.Args)-1, n, words)
				}
			}
		case "problem.Field", "problem.On":
			seen++
			if field, known := literal(call.Args[0]); known && !settings[field] {
				t.Errorf("%s: no command has a flag --%s", at, field)
			}
		}
		if path, flags := invoked(call); path != nil {
			seen++
			c, rest, err := root.Find(path)
			if err != nil || len(rest) > 0 || !c.Runnable() {
				t.Errorf("%s: there is no command %s", at, strings.Join(path, " "))
				return false
			}
			for _, f := range flags {
				if !flagsOf(c)[f] {
					t.Errorf("%s: %s has no flag %s", at, c.CommandPath(), f)
				}
			}
			return false // what it is called on was looked at with it
		}
		return true
	})
	if seen < 100 {
		t.Errorf("only %d commands and settings were found in advice: is it read at all?", seen)
	}
}

// What is said names commands as parts, since only those are given what the command line was
// given: one that is written out is about another account, or another archive.
func TestWhatIsSaidWritesNoCommand(t *testing.T) {
	written := regexp.MustCompile(`faxctl (numbers|faxes|archive|serve|api|whoami|webhook) ?[a-z]*`)
	seen := 0
	eachCall(t, func(at string, call *ast.CallExpr) bool {
		if called := calledOf(call); called == "a.Say" || called == "a.Warn" {
			seen++
			if words, known := literal(call.Args[0]); known && written.MatchString(words) {
				t.Errorf("%s: %q", at, written.FindString(words))
			}
		}
		return true
	})
	if seen < 100 {
		t.Errorf("only %d sentences were found: are they read at all?", seen)
	}
}

// Below the command line nobody writes flags and commands: they are parts of
// advice, which says them in the words of whoever reads it.
func TestFlagsAreWrittenByTheCommandLineAlone(t *testing.T) {
	written := regexp.MustCompile(`(^|[\s(])(--[a-z]|faxctl (numbers|faxes|archive|profile|serve|webhook|twiml|api|whoami|version|sandbox (serve|call|load)|help)\b)`)
	eachFile(t, func(path string, fset *token.FileSet, f *ast.File) {
		if path = filepath.ToSlash(path); strings.HasPrefix(path, "../cli/") || strings.HasSuffix(path[:strings.LastIndex(path, "/")], "test") {
			return // the programs of tests are others
		}
		ast.Inspect(f, func(n ast.Node) bool {
			lit, ok := n.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				return true
			}
			if s, err := strconv.Unquote(lit.Value); err == nil && written.MatchString(s) {
				t.Errorf("%s: %q", fset.Position(lit.Pos()), s)
			}
			return true
		})
	})
}

// flagsOf are the flags that c takes, by their long names and their letters.
func flagsOf(c *cobra.Command) map[string]bool {
	names := map[string]bool{"help": true}
	for _, set := range []*pflag.FlagSet{c.Flags(), c.InheritedFlags(), c.Root().PersistentFlags()} {
		set.VisitAll(func(f *pflag.Flag) { names[f.Name], names[f.Shorthand] = true, true })
	}
	return names
}

// invoked takes problem.Command("numbers", "list").Set("name", x) apart: the
// path of the command, and its flags. It is nil for any other call.
func invoked(call *ast.CallExpr) (path, flags []string) {
	for {
		if calledOf(call) == "problem.Command" {
			for _, a := range call.Args {
				if word, known := literal(a); known {
					path = append(path, word)
				}
			}
			return path, flags
		}
		method, ok := call.Fun.(*ast.SelectorExpr)
		if !ok {
			return nil, nil
		}
		if method.Sel.Name == "Set" || method.Sel.Name == "Switch" {
			if flag, known := literal(call.Args[0]); known {
				flags = append(flags, flag)
			}
		}
		if call, ok = method.X.(*ast.CallExpr); !ok {
			return nil, nil
		}
	}
}

// calledOf is the function of another package that is called, "problem.Say".
func calledOf(call *ast.CallExpr) string {
	f, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	if pkg, ok := f.X.(*ast.Ident); ok {
		return pkg.Name + "." + f.Sel.Name
	}
	return ""
}

func literal(e ast.Expr) (string, bool) {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	s, err := strconv.Unquote(lit.Value)
	return s, err == nil
}

func eachCall(t *testing.T, visit func(at string, call *ast.CallExpr) bool) {
	t.Helper()
	eachFile(t, func(_ string, fset *token.FileSet, f *ast.File) {
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			return !ok || visit(fset.Position(call.Pos()).String(), call)
		})
	})
}

// eachFile reads every file of the product that is no test.
func eachFile(t *testing.T, visit func(path string, fset *token.FileSet, f *ast.File)) {
	t.Helper()
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
		if err == nil {
			visit(path, fset, f)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
