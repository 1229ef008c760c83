package pkg_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/faxctl/faxctl/pkg/"

// layers says which of our packages each of our packages may import. It is the
// map of the house: a package that is not here does not exist, and an import
// that is not here is not made. Tests may import anything.
func layers() map[string][]string {
	return map[string][]string{
		"base/batch":                 {},
		"base/child":                 {},
		"base/durable":               {},
		"base/durable/durabletest":   {"base/durable"},
		"base/freeport":              {},
		"base/postgres":              {"base/text"},
		"base/postgres/postgrestest": {"base/freeport"},
		"base/problem":               {"base/text"},
		"base/prometheus":            {},
		"base/seq":                   {},
		"base/sqlite":                {},
		"base/text":                  {},
		"base/yamlfile":              {"base/text"},

		"fax":         {"base/text"},
		"fax/listing": {"fax"},
		"fax/market":  {"base/seq", "base/text", "fax"},
		"fax/resolve": {"base/seq", "base/text", "fax"},
		"fax/usage":   {"fax"},
		"profile":     {"base/durable", "base/postgres", "base/text", "base/yamlfile", "provider/info"},

		"provider":              {"fax", "profile", "provider/twilio", "provider/transport"},
		"provider/info":         {},
		"provider/providertest": {"fax", "fax/market"},
		"provider/transport":    {"base/text"},
		"provider/twilio":       {"base/text", "fax", "provider/info"},

		"numbers/audit": {"fax", "provider/info", "receive/callback", "receive/twiml", "receive/webhook"},
		"numbers/plan":  {"base/batch", "base/durable", "base/postgres", "base/text", "base/yamlfile", "fax", "fax/market", "fax/resolve"},

		"archive":           {"archive/dir", "archive/document", "archive/fetch", "archive/index", "archive/s3", "archive/store", "base/durable", "base/seq", "base/text", "fax"},
		"archive/dir":       {"archive/store", "base/durable"},
		"archive/document":  {},
		"archive/fetch":     {"archive/document", "base/durable", "fax"},
		"archive/index":     {"base/postgres", "base/sqlite", "fax"},
		"archive/prune":     {"archive", "archive/fetch", "base/batch", "base/durable", "fax", "fax/listing"},
		"archive/retention": {"fax"},
		"archive/s3":        {"archive/retention", "archive/store", "base/text", "profile"},
		"archive/s3/s3test": {"base/freeport"},
		"archive/store":     {},
		"archive/storetest": {"archive/store"},

		"inbox/mail":  {"base/text", "base/yamlfile", "fax", "inbox/pages", "profile"},
		"inbox/pages": {"archive/document", "base/text"},

		"receive/callback": {"fax", "receive/twiml", "receive/webhook"},
		"receive/delivery": {"base/child", "base/text", "fax", "inbox/mail", "receive/webhook"},
		"receive/receiver": {"archive/document", "archive/fetch", "archive/store", "base/child", "base/durable", "base/postgres", "base/prometheus", "base/sqlite", "base/text", "fax", "fax/listing", "receive/delivery", "receive/server", "receive/twiml", "receive/webhook"},
		"receive/server":   {"receive/webhook"},
		"receive/twiml":    {},
		"receive/webhook":  {"provider/info"},

		"sandbox":       {"base/sqlite", "sandbox/paper"},
		"sandbox/paper": {},

		"screen/output":  {"base/text"},
		"screen/picture": {"base/text", "screen/term"},
		"screen/term":    {"base/text"},
	}
}

// everyoneSees names what each package may import: the words in which it tells
// of its failures.
func everyoneSees() []string { return []string{"base/problem"} }

// cliSees reports whether a package of the command line may import another of ours.
// The root puts everything together; a noun sees what lies below and what all nouns
// share, never another noun; app knows no command, show knows no app, and flag knows
// the words of problems alone.
func cliSees(name, imported string) bool {
	within, isCLI := strings.CutPrefix(imported, "cli/")
	below := !isCLI && imported != "cli"
	switch name {
	case "cli":
		return true
	case "cli/flag":
		return imported == "base/problem" || imported == "base/text"
	case "cli/app":
		return below || within == "flag"
	case "cli/show":
		return below
	}
	return below || within == "app" || within == "show" || within == "flag"
}

func TestLayers(t *testing.T) {
	allowed := layers()
	for _, p := range listPackages(t) {
		name := strings.TrimPrefix(p.ImportPath, module)
		if name == "cli" || strings.HasPrefix(name, "cli/") {
			for _, imp := range p.Imports {
				if ours, yes := strings.CutPrefix(imp, module); yes && !cliSees(name, ours) {
					t.Errorf("%s imports %s: a noun of the command line sees app, show and what lies below", name, ours)
				}
			}
			continue
		}
		may, known := allowed[name]
		may = append(may, everyoneSees()...)
		if !known {
			t.Errorf("package %s is not in the table", name)
			continue
		}
		for _, imp := range p.Imports {
			ours, yes := strings.CutPrefix(imp, module)
			switch {
			case yes && !slices.Contains(may, ours):
				t.Errorf("%s imports %s, which the table does not allow", name, ours)
			case !yes && name == "fax" && strings.Contains(strings.Split(imp, "/")[0], "."):
				t.Errorf("fax imports %s; it stands on the standard library and our own words for problems", imp)
			}
		}
	}
}

type goPackage struct {
	ImportPath string
	Imports    []string
}

func listPackages(t *testing.T) []goPackage {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []goPackage
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if p.ImportPath != strings.TrimSuffix(module, "/") {
			all = append(all, p)
		}
	}
	if len(all) == 0 {
		t.Fatal("go list found no package")
	}
	return all
}
