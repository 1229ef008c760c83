package pkg_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/faxctl/faxctl/pkg/provider/info"
)

// mayAsk are the folders in which the code may depend on which provider it is: what
// speaks to one, whose account it is, and what pretends to be one.
func mayAsk() []string { return []string{"provider", "profile", "sandbox"} }

// TestNobodyAsksWhichProvider: where providers differ is a fact of the table in
// package info. Nothing else compares with a provider's name, switches on it, or has a
// table of its own by it.
func TestNobodyAsksWhichProvider(t *testing.T) {
	files, asked := 0, 0
	err := filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		wing, _, _ := strings.Cut(filepath.ToSlash(path), "/")
		switch {
		case err != nil:
			return err
		case !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, nil, 0)
		if err != nil {
			return err
		}
		files++
		for _, at := range askedIn(file) {
			if asked++; !slices.Contains(mayAsk(), wing) {
				t.Errorf("%s: the code depends on which provider it is; say what differs in provider/info", set.Position(at))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 100 || asked == 0 {
		t.Errorf("read %d files and found %d places that may ask; is this still the house?", files, asked)
	}
}

func TestAskedIn(t *testing.T) {
	const before = "package p\nfunc f(p, d string) bool {\n"
	for code, want := range map[string]int{
		`return p == "twilio"`:                                       1,
		`return "signalwire" != d`:                                   1,
		`return webhook.Dialect(p) == webhook.SignalWire`:            1,
		`return p == string(profile.Twilio)`:                         1,
		`switch p { case profile.Twilio, profile.SignalWire: }`:      2,
		`switch { case p == Twilio: }`:                               1,
		`return map[string]bool{"twilio": true}[p]`:                  1,
		`return strings.EqualFold(p, "Twilio")`:                      1,
		`return open(sandbox.Twilio) == nil`:                         0,
		`return p == "twilio-cli"`:                                   0,
		`d = sandbox.Twilio; return info.Of(p).Patience > 0`:         0,
		`return a(struct{ Name string }{Name: "twilio"}) == nothing`: 0,
	} {
		file, err := parser.ParseFile(token.NewFileSet(), "p.go", before+code+"\n}", 0)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(askedIn(file)); got != want {
			t.Errorf("%s: found %d, want %d", code, got, want)
		}
	}
}

// askedIn are the places of a file at which something is compared with a provider's
// name.
func askedIn(file *ast.File) []token.Pos {
	var all []token.Pos
	look := func(with ...ast.Expr) {
		for _, e := range with {
			if namesProvider(e) {
				all = append(all, e.Pos())
			}
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BinaryExpr:
			if n.Op == token.EQL || n.Op == token.NEQ {
				look(n.X, n.Y)
			}
		case *ast.CaseClause:
			look(n.List...)
		case *ast.KeyValueExpr:
			look(n.Key)
		case *ast.CallExpr:
			if f, yes := n.Fun.(*ast.SelectorExpr); yes && f.Sel.Name == "EqualFold" {
				look(n.Args...)
			}
		}
		return true
	})
	return all
}

// namesProvider reports whether an expression is the name of a provider: in quotes, as
// a constant of some package, or either made another type.
func namesProvider(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return namesProvider(e.X)
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		return err == nil && slices.Contains(info.Names(), strings.ToLower(text))
	case *ast.Ident:
		return slices.Contains(info.Names(), strings.ToLower(e.Name)) && ast.IsExported(e.Name)
	case *ast.SelectorExpr:
		return namesProvider(e.Sel)
	case *ast.CallExpr: // a conversion, mostly
		if f, yes := e.Fun.(*ast.SelectorExpr); yes && !ast.IsExported(f.Sel.Name) {
			return false
		}
		if f, yes := e.Fun.(*ast.Ident); yes && f.Name != "string" && !ast.IsExported(f.Name) {
			return false
		}
		return len(e.Args) == 1 && namesProvider(e.Args[0])
	}
	return false
}
