package plan

import (
	"errors"
	"fmt"

	"go.yaml.in/yaml/v3"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/base/yamlfile"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/fax/market"
)

// File is numbers as code: what the numbers of an account should be, as a
// person wrote it down in YAML. The keys are those of docs/numbers.schema.json.
type File struct {
	Path    string // for messages
	Text    string // as it is written
	Entries []Entry

	// Prune gives up the numbers of the account that are not in the file.
	Prune bool
}

// Entry is one number of a file: one the account has, or one to buy.
type Entry struct {
	Line  int    // in the file
	Phone string // E.164; "" for one to buy

	// Buy says what to buy. It was bought when the account has a number of
	// the entry's name, so an entry to buy has one, and no other entry has
	// the same.
	Buy *Shopping

	Want Want // the defaults of the file are in it
}

// Shopping is a number to buy: the first that is for sale and fits.
type Shopping struct {
	Search    market.Search
	MaxPrice  *fax.Money
	AddressID string
	BundleID  string

	AllowUnsureFax bool // see [Purchase.AllowUnsureFax]
}

// ReadFile reads a file of numbers; path is for messages. Everything wrong
// with it is reported at once, each problem with its line: the error is
// fax.ErrInvalid and holds a [*yamlfile.Error]. No provider is asked.
func ReadFile(path string, text []byte) (File, error) {
	doc, err := yamlfile.Parse(path, text)
	if err != nil {
		return File{}, fileError(problem.ErrInvalid, err)
	}
	r := fileReader{Document: doc}
	var defaults settings
	var entries []entryNode
	var prune bool
	doc.Fields(doc.Root(), "the file", fileFields(&prune,
		func(n *yaml.Node) { r.settings(n, "defaults", defaults.fields(), &defaults) },
		func(n *yaml.Node) {
			doc.List(n, "numbers", func(v *yaml.Node) { entries = append(entries, r.entry(v)) })
		}))
	f := File{Path: path, Text: string(text), Prune: prune}
	for _, e := range entries {
		f.Entries = append(f.Entries, r.finish(e, defaults))
	}
	r.unique(f.Entries, entries)
	if prune && len(entries) == 0 {
		doc.Problem(doc.Root(), problem.Say("list the numbers to keep: %s", problem.Command("numbers", "export")), "prune: true in a file without numbers would give up every number")
	}
	return f, fileError(problem.ErrInvalid, doc.Err())
}

// fileError gives what is wrong with a file a kind and its hint.
func fileError(kind, err error) error {
	var e *yamlfile.Error
	if !errors.As(err, &e) {
		return err
	}
	return problem.Of(kind, e)
}

// fileFields are the keys of the file; those of its parts are the fields of
// their types. docs/numbers.schema.json says the same.
func fileFields(prune *bool, defaults, numbers func(*yaml.Node)) []yamlfile.Field {
	return []yamlfile.Field{{Key: "numbers", At: numbers}, {Key: "defaults", At: defaults}, {Key: "prune", At: prune}}
}

// fileReader reads the parts of a file.
type fileReader struct{ *yamlfile.Document }

// refuse notes an error of this package or of package fax at a key, if the key
// is there.
func (r fileReader) refuse(key *yaml.Node, err error) {
	if err != nil && key != nil {
		r.Problem(key, problem.AdviceOf(err), "%v", err)
	}
}

// suggest adds the word that was probably meant to what is wrong with one.
func suggest[T ~string](err error, word T, known []T) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w%s", err, yamlfile.Suggest(string(word), known))
}

// unique finds entries that mean the same number.
func (r fileReader) unique(entries []Entry, nodes []entryNode) {
	phones, names, bought := map[string]int{}, map[string]int{}, map[string]bool{}
	for i, e := range entries {
		if e.Phone != "" {
			if line := phones[e.Phone]; line != 0 {
				r.Problem(nodes[i].node, problem.Say("keep one of them"), "%s is there already, in line %d", e.Phone, line)
			}
			phones[e.Phone] = e.Line
		}
		if e.Want.Name == nil || *e.Want.Name == "" {
			continue
		}
		name := *e.Want.Name
		if line := names[name]; line != 0 && (e.Buy != nil || bought[name]) {
			r.Problem(nodes[i].node, problem.Say("a number that was bought is known again by its name: give each its own"),
				"the name %s is there already, in line %d", text.Quote(name), line)
		}
		names[name], bought[name] = e.Line, bought[name] || e.Buy != nil
	}
}

// Name is the name that the entry gives its number, or "".
func (e Entry) Name() string {
	if e.Want.Name == nil {
		return ""
	}
	return *e.Want.Name
}

// String names the entry for messages.
func (e Entry) String() string {
	if e.Phone != "" {
		return e.Phone
	}
	return text.Quote(e.Name())
}
