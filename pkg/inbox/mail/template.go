package mail

import (
	"slices"
	"strings"
	"text/template"
	"text/template/parse"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/base/yamlfile"
)

// values are what a template shows, by the names of its fields: text that is safe
// wherever its field may be.
type values map[string]string

// SubjectFields are the fields that a template of a subject may have. Of these, no caller
// chooses the text.
func SubjectFields() []string {
	return []string{"From", "To", "Name", "Pages", "Length", "Status", "Received", "ID"}
}

// BodyFields are the fields that a template of a body may have: those of the subject, and
// what others have written.
func BodyFields() []string {
	return append(SubjectFields(), "Station", "Error", "Problem", "Document")
}

// functions are those that a template may call.
func functions() []string { return []string{"eq", "ne", "and", "or", "not"} }

// readTemplate reads a template of these fields, which has nothing but them, conditions
// and text. It is tried with values and without.
func readTemplate(s string, fields []string) (*template.Template, error) {
	refuse := func(why string) error { return refusedTemplate(fields, why) }
	t, err := template.New("").Option("missingkey=error").Parse(s)
	if err != nil {
		return nil, refuse(strings.TrimPrefix(err.Error(), "template: "))
	}
	if len(t.Templates()) > 1 {
		return nil, refuse("it defines another template")
	}
	if t.Tree == nil || strings.TrimSpace(s) == "" {
		return nil, refuse("it is empty")
	}
	if why := objection(t.Root, fields); why != "" {
		return nil, refuse(why)
	}
	for _, sample := range []string{"", "x"} {
		v := values{}
		for _, f := range fields {
			v[f] = sample
		}
		if _, err := v.fill(t); err != nil {
			return nil, refuse(err.Error())
		}
	}
	return t, nil
}

func refusedTemplate(fields []string, why string) error {
	return problem.Invalid(problem.Say("fields are written {{.From}}, conditions {{if .Pages}}…{{else}}…{{end}}; the fields are "+strings.Join(fields, ", ")), "template: %s", why)
}

// objection is what is against a part of a template; "": nothing.
func objection(n parse.Node, fields []string) string {
	switch n := n.(type) {
	case *parse.TextNode, *parse.CommentNode, *parse.StringNode:
		return ""
	case *parse.ListNode:
		if n == nil { // no else
			return ""
		}
		return first(n.Nodes, fields)
	case *parse.ActionNode:
		return objection(n.Pipe, fields)
	case *parse.IfNode:
		return first([]parse.Node{n.Pipe, n.List, n.ElseList}, fields)
	case *parse.PipeNode:
		if len(n.Decl) > 0 {
			return "it has variables"
		}
		var commands []parse.Node
		for _, c := range n.Cmds {
			commands = append(commands, c)
		}
		return first(commands, fields)
	case *parse.CommandNode:
		return first(n.Args, fields)
	case *parse.IdentifierNode:
		if !slices.Contains(functions(), n.Ident) {
			return "there is no function " + n.Ident
		}
		return ""
	case *parse.FieldNode:
		if len(n.Ident) != 1 || !slices.Contains(fields, n.Ident[0]) {
			return "there is no field ." + strings.Join(n.Ident, ".") + yamlfile.Suggest(n.Ident[0], fields)
		}
		return ""
	}
	return "it has more than fields and conditions: " + n.String()
}

// first is the first objection to one of these.
func first(nodes []parse.Node, fields []string) string {
	for _, n := range nodes {
		if why := objection(n, fields); why != "" {
			return why
		}
	}
	return ""
}

// fill is a template with its values.
func (v values) fill(t *template.Template) (string, error) {
	var b strings.Builder
	if err := t.Execute(&b, map[string]string(v)); err != nil {
		return "", problem.Of(problem.ErrInvalid, err)
	}
	return b.String(), nil
}

// line is text from outside for one line: nothing in it acts on a screen, and there is
// not much of it.
func line(s string) string {
	const most = 300 // bytes
	return text.Strip(text.Line(s), most)
}

// header is text for a header: a line with single spaces, since longer ones are broken at
// them, in which nothing is taken for an encoded word (RFC 2047) before it is made one.
func header(s string) string {
	return line(strings.Join(strings.Fields(strings.ReplaceAll(text.Line(s), "=?", "= ?")), " "))
}
