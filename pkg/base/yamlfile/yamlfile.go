// Package yamlfile reads YAML that people write, and tells them of everything
// that is wrong with it at once: each problem with its line, a word that does
// not exist with the one that was probably meant.
//
// Use it for files with a fixed set of keys. [Parse] reads the text;
// [Document.Fields] and [Document.Mapping] walk it and note what they do not
// like; [Document.Err] is all of that, an [*Error].
//
//	doc, err := yamlfile.Parse(path, text)
//	if err != nil {
//		return err
//	}
//	doc.Fields(doc.Root(), "the file", []yamlfile.Field{{"name", &name}})
//	return doc.Err()
//
// A value that is to be text is taken as it is written: +14155550123 without
// quotes is a phone number, although YAML sees an integer.
package yamlfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
)

// Problem is one thing that is wrong with a file.
type Problem struct {
	Line int    // from 1; 0: the file as a whole
	Text string // what is wrong; without a line it goes on from the path: "holds …"

	Advice problem.Advice // what to write instead; may be empty
}

// Error is everything that is wrong with a file.
type Error struct {
	Path     string
	Problems []Problem
}

// Error has a line for each problem: "numbers.yaml:3: unknown key "mod"". Of
// several, each ends with its hint, unless it suggests a word.
func (e *Error) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = e.Path + " " + p.Text
		if p.Line > 0 {
			lines[i] = fmt.Sprintf("%s:%d: %s", e.Path, p.Line, p.Text)
		}
		if !p.Advice.Empty() && len(e.Problems) > 1 && !strings.HasSuffix(p.Text, "?") {
			lines[i] += "; " + p.Advice.String()
		}
		lines[i] = text.Line(lines[i])
	}
	return strings.Join(lines, "\n")
}

// NextStep is the advice for the one problem there is.
func (e *Error) NextStep() problem.Advice {
	if len(e.Problems) != 1 {
		return problem.Advice{}
	}
	return e.Problems[0].Advice
}

// Document is a file under inspection.
type Document struct {
	Path string
	Tree *yaml.Node // for those who edit the file: a document node

	problems []Problem
}

// Parse reads one YAML document. A text without content is an empty mapping,
// which keeps its comments. The error, an [*Error], is for text that is no
// YAML or more than one document.
func Parse(path string, content []byte) (*Document, error) {
	bad := func(line int, why string) (*Document, error) {
		return nil, &Error{path, []Problem{{Line: line, Text: why, Advice: problem.Say("correct the file by hand")}}}
	}
	var tree, more yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(content))
	if err := dec.Decode(&tree); errors.Is(err, io.EOF) {
		// Nothing but comments, which a tree without content cannot keep.
		return &Document{Path: path, Tree: &yaml.Node{Kind: yaml.DocumentNode, HeadComment: strings.TrimSpace(string(content)),
			Content: []*yaml.Node{{Kind: yaml.MappingNode, Tag: "!!map"}}}}, nil
	} else if err != nil {
		return bad(syntax(err, content))
	}
	if err := dec.Decode(&more); err == nil {
		return bad(more.Line, "more than one YAML document: here begins the second")
	} else if !errors.Is(err, io.EOF) {
		return bad(syntax(err, content))
	}
	if top := tree.Content[0]; top.ShortTag() == "!!null" {
		*top = yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", HeadComment: top.HeadComment, FootComment: top.FootComment}
	}
	return &Document{Path: path, Tree: &tree}, nil
}

// syntax is where a text stops being YAML, and why. The library tells a line
// only where it is not the first, and none for characters and aliases.
func syntax(err error, content []byte) (line int, why string) {
	why = strings.TrimPrefix(text.Line(err.Error()), "yaml: ")
	if number, said, ok := strings.Cut(strings.TrimPrefix(why, "line "), ": "); ok && strings.HasPrefix(why, "line ") {
		if n, err := strconv.Atoi(number); err == nil {
			return n, "not YAML: " + said
		}
	}
	var at int
	rest, unknown := strings.CutPrefix(why, "unknown anchor '")
	if anchor, ok := strings.CutSuffix(rest, "' referenced"); ok && unknown {
		at = bytes.Index(content, []byte("*"+anchor))
	} else {
		at = bytes.IndexFunc(content, func(r rune) bool {
			return r == utf8.RuneError || unicode.IsControl(r) && !strings.ContainsRune("\t\n\r\u0085", r)
		})
	}
	return 1 + bytes.Count(content[:max(at, 0)], []byte("\n")), "not YAML: " + why
}

// Root is the node that holds everything.
func (d *Document) Root() *yaml.Node { return d.Tree.Content[0] }

// Err is an [*Error] with all problems noted so far, in the order of the lines;
// nil when there is none.
func (d *Document) Err() error {
	if len(d.problems) == 0 {
		return nil
	}
	all := slices.Clone(d.problems)
	slices.SortStableFunc(all, func(a, b Problem) int { return a.Line - b.Line })
	return &Error{d.Path, all}
}

// Problems is how many problems were noted so far.
func (d *Document) Problems() int { return len(d.problems) }

// Problem notes that something is wrong at n. The advice may be empty; its
// settings are named as keys.
func (d *Document) Problem(n *yaml.Node, a problem.Advice, format string, args ...any) {
	d.problems = append(d.problems, Problem{n.Line, fmt.Sprintf(format, args...), a.Keys()})
}

// Mapping calls each for every key of n. A key that is there twice, and an n
// that is no mapping, is a problem; what names n in it.
func (d *Document) Mapping(n *yaml.Node, what string, each func(k, v *yaml.Node)) {
	n = target(n)
	if n.ShortTag() == "!!null" {
		return
	}
	if n.Kind != yaml.MappingNode {
		d.Problem(n, problem.Advice{}, "%s is not a mapping of keys to values", what)
		return
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if line, twice := seen[k.Value]; twice {
			d.Problem(k, problem.Advice{}, "key %s is there already, in line %d", text.Quote(k.Value), line)
			continue
		}
		seen[k.Value] = k.Line
		each(k, v)
	}
}

// List calls each for every item of n. An n that is no list is a problem.
func (d *Document) List(n *yaml.Node, what string, each func(v *yaml.Node)) {
	n = target(n)
	if n.ShortTag() == "!!null" {
		return
	}
	if n.Kind != yaml.SequenceNode {
		d.Problem(n, problem.Say("as in: "+what+": [...], or a line with a dash for each"), "%s is not a list", what)
		return
	}
	for _, v := range n.Content {
		each(v)
	}
}

// Field is a key that a mapping may have, and where its value goes: a pointer
// to whatever YAML can decode, or a func that reads the node. A pointer to a
// pointer tells "not given" from "given empty", so there a key without a value
// is a problem.
//
// Text may be written as a number. It is not true or false, and a bool is
// nothing else: not yes, and not "true".
type Field struct {
	Key string
	At  any // *string, *bool, **string, func(*yaml.Node), …

	// Filled makes a key without a value a problem, and one with "" too.
	Filled bool
}

// Fields reads a mapping that has these keys and no others. The result is
// where each key stands that is there.
func (d *Document) Fields(n *yaml.Node, what string, fields []Field) map[string]*yaml.Node {
	at := map[string]*yaml.Node{}
	d.Mapping(n, what, func(k, v *yaml.Node) {
		at[k.Value] = k
		for _, f := range fields {
			if f.Key == k.Value {
				d.value(f, v)
				return
			}
		}
		d.unknown(k, what, Keys(fields))
	})
	return at
}

// Keys are the keys of fields, in their order.
func Keys(fields []Field) []string {
	keys := make([]string, len(fields))
	for i, f := range fields {
		keys[i] = f.Key
	}
	return keys
}

// unknown notes a key that does not exist, and those that do.
func (d *Document) unknown(k *yaml.Node, what string, known []string) {
	near := Suggest(k.Value, known)
	var keys problem.Advice
	switch {
	case near != "":
	case len(known) == 2:
		keys = problem.Say("the keys of " + what + " are " + strings.Join(known, " and "))
	default:
		keys = problem.Say("the keys of " + what + " are " + strings.Join(known, ", "))
	}
	d.Problem(k, keys, "unknown key %s%s", text.Quote(k.Value), near)
}

// value reads a node into a field.
func (d *Document) value(f Field, n *yaml.Node) {
	v := target(n)
	null := v.ShortTag() == "!!null"
	if f.Filled && (null || v.Kind == yaml.ScalarNode && v.Value == "") {
		d.Problem(n, problem.Say("say which, or leave "+f.Key+" out"), "%s has no value", f.Key)
		return
	}
	if read, own := f.At.(func(*yaml.Node)); own {
		read(n)
		return
	}
	at := reflect.TypeOf(f.At).Elem()
	kind := at.Kind()
	if kind == reflect.Pointer {
		kind = at.Elem().Kind()
	}
	switch {
	case kind == reflect.Bool && null:
		d.Problem(n, problem.Say("write true or false, or leave "+f.Key+" out"), "%s has no value", f.Key)
		return
	case kind == reflect.Bool && v.ShortTag() != "!!bool":
		d.Problem(n, problem.Advice{}, "%s: want true or false%s", f.Key, suggestBool(v))
		return
	case null && at.Kind() == reflect.Pointer:
		d.Problem(n, problem.Say(`write "" to clear it, or leave `+f.Key+" out"), "%s has no value", f.Key)
		return
	case kind == reflect.String && v.ShortTag() == "!!bool":
		d.Problem(n, problem.Say("write it in quotes if that is the text"), "%s: want text, not %s", f.Key, v.Value)
		return
	}
	err := n.Decode(f.At)
	if err != nil {
		reflect.ValueOf(f.At).Elem().SetZero() // nothing was given, then
	}
	advice := problem.AdviceOf(err)
	switch {
	case err == nil:
	case !advice.Empty():
		d.Problem(n, advice, "%s: %v", f.Key, err)
	case kind == reflect.Bool:
		d.Problem(n, problem.Advice{}, "%s: want true or false", f.Key)
	default:
		d.Problem(n, problem.Advice{}, "%s: want text", f.Key)
	}
}

// suggestBool is "; did you mean true?" for what people write in its place.
func suggestBool(v *yaml.Node) string {
	quotes := ""
	if v.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 {
		quotes = ", without quotes"
	}
	switch strings.ToLower(v.Value) {
	case "true", "yes", "y", "on", "1":
		return "; did you mean true" + quotes + "?"
	case "false", "no", "n", "off", "0":
		return "; did you mean false" + quotes + "?"
	}
	return ""
}

// target is the node that an alias stands for.
func target(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// Suggest is "; did you mean x?" for the nearest of the known words, or "".
func Suggest[T ~string](word string, known []T) string {
	if meant := text.Meant(word, known); meant != "" {
		return "; " + meant
	}
	return ""
}
