package output

import (
	"errors"
	"fmt"
	"strings"
	"text/template"

	"github.com/itchyny/gojq"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
)

// Format is how to print, as [Parse] read it. The zero value is the table.
type Format struct {
	name     string
	columns  string // of table, wide, csv and tsv
	query    *gojq.Code
	template *template.Template
}

// String is the format's name: "csv" for csv=phone,id.
func (f Format) String() string {
	if f.name == "" {
		return "table"
	}
	return f.name
}

// FormatInfo is a line about a format, for help and completion.
type FormatInfo struct {
	Name string // with the sign, "jq=", when something has to follow
	Help string
}

// Formats lists every format, the default first.
func Formats() []FormatInfo {
	return []FormatInfo{
		{"table", "drawn on a terminal, tab-separated in a pipe"},
		{"wide", "the table with every column there is, however long the lines"},
		{"json", "one JSON array, whole or not at all"},
		{"jsonl", "one JSON object a line, as they come"},
		{"yaml", "YAML list"},
		{"csv", "comma-separated with a header; csv=phone,id names the columns"},
		{"tsv", "tab-separated with a header; tsv=phone,id names the columns"},
		{"id", "one id a line"},
		{"jq=", "what a jq expression makes of the JSON array"},
		{"template=", "a Go template for each item, with the names of the JSON"},
	}
}

// mistake is a request for output that cannot be met, whoever the provider: an
// unknown format or column, a jq expression that does not parse. It is the
// caller's to correct.
func mistake(text string, a problem.Advice) error {
	return &problem.Error{Kind: problem.ErrInvalid, Text: text, Advice: a}
}

// Parse reads the value of -o. The error, an ErrInvalid, says what is wrong
// with it and where.
func Parse(spec string) (Format, error) {
	name, arg, given := strings.Cut(spec, "=")
	f := Format{name: name}
	switch name {
	case "table", "wide", "csv", "tsv":
		f.columns = arg
		if given && arg == "" {
			return Format{}, mistake("-o "+spec+" names no column", problem.Say("name some after the sign, as in -o "+name+"=NAME,NAME; -o "+name+" shows their names"))
		}
		return f, nil
	case "json", "jsonl", "yaml", "id":
		if given {
			return Format{}, mistake("-o "+name+" takes no columns", problem.Say("choose fields with -o 'jq=…', or columns with -o csv="+arg))
		}
		return f, nil
	case "jq":
		return f, f.parseQuery(arg)
	case "template":
		return f, f.parseTemplate(arg)
	}
	return Format{}, unknown("output format", name, formatNames())
}

func formatNames() []string {
	var names []string
	for _, f := range Formats() {
		names = append(names, strings.TrimSuffix(f.Name, "="))
	}
	return names
}

func (f *Format) parseQuery(text string) error {
	if strings.TrimSpace(text) == "" {
		return mistake("-o jq= has no expression", problem.Say("write one after the sign, as in -o 'jq=.[].NAME'"))
	}
	q, err := gojq.Parse(text)
	var at *gojq.ParseError
	switch {
	case errors.As(err, &at):
		return mistake(fmt.Sprintf("jq expression, character %d: %v", position(text, at), err), problem.Say("the expression reads the array that -o json prints; quote it for the shell"))
	case err != nil:
		return mistake(fmt.Sprintf("jq expression: %v", err), problem.Advice{})
	}
	// No environment and no modules: an expression sees the records only.
	f.query, err = gojq.Compile(q)
	if err != nil {
		return mistake(fmt.Sprintf("jq expression: %v", err), problem.Advice{})
	}
	return nil
}

// position counts characters from 1 up to the token that was not expected.
func position(text string, e *gojq.ParseError) int {
	end := min(max(e.Offset, 0), len(text))
	return len([]rune(text[:max(end-len(e.Token), 0)])) + 1
}

func (f *Format) parseTemplate(text string) error {
	if text == "" {
		return mistake("-o template= has no text", problem.Say("write one after the sign, as in -o 'template={{.NAME}}', with the names that -o json shows"))
	}
	t, err := template.New("template").Parse(text)
	if err != nil {
		return mistake(err.Error(), problem.Say("fields have the names that -o json shows, as in {{.NAME}}"))
	}
	f.template = t
	return nil
}

// unknown says that there is no such thing, which one may have been meant, and
// what there is.
func unknown(what, given string, known []string) error {
	advice := problem.Say("one of " + strings.Join(known, ", "))
	if meant := text.Meant(given, known); meant != "" {
		advice = problem.Say(meant + " There are " + strings.Join(known, ", "))
	}
	return mistake(fmt.Sprintf("unknown %s %q", what, given), advice)
}
