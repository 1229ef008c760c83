package output

import (
	"bytes"
	"encoding"
	"encoding/json"
	"io"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"text/template/parse"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
)

// templatePrinter prints what the template makes of each item, ending with a
// line break.
func templatePrinter[T any](w io.Writer, encode encoder[T], t *template.Template, terminal bool) printer[T] {
	// A misspelled field is an error; one that JSON leaves out is empty.
	t = template.Must(t.Clone()).Option("missingkey=error")
	optional := slices.Collect(maps.Keys(fieldsOf(reflect.TypeFor[T]())))
	return printer[T]{
		item: func(v T) error {
			b, err := encode(v)
			if err != nil {
				return err
			}
			data, err := decode(b)
			if err != nil {
				return err
			}
			if fields, is := data.(map[string]any); is {
				for _, name := range optional {
					if fields[name] == nil {
						fields[name] = ""
					}
				}
			}
			var buf bytes.Buffer
			if err := t.Execute(&buf, data); err != nil {
				return mistake(err.Error(), problem.Say("fields have the names that -o json shows"))
			}
			out := strings.TrimSuffix(buf.String(), "\n")
			if terminal {
				out = text.Lines(out)
			}
			_, err = io.WriteString(w, out+"\n")
			return err
		},
		end: nothing,
	}
}

// checkFields refuses a template that names a field which a T never has. A field of
// what cannot be known before there are values, as within a loop over the result of
// a function, is left to them.
func checkFields[T any](t *template.Template) error {
	if t.Tree == nil {
		return nil // of nothing but definitions
	}
	root := reflect.TypeFor[T]()
	return fieldCheck{root}.list(t.Root, root)
}

// fieldCheck looks for fields that are not there; $ is its root. In the types
// that it follows, nil is one that is not known.
type fieldCheck struct{ root reflect.Type }

func (c fieldCheck) list(l *parse.ListNode, dot reflect.Type) error {
	if l == nil {
		return nil
	}
	for _, node := range l.Nodes {
		if err := c.node(node, dot); err != nil {
			return err
		}
	}
	return nil
}

func (c fieldCheck) node(node parse.Node, dot reflect.Type) error {
	switch n := node.(type) {
	case *parse.ActionNode:
		return c.pipe(n.Pipe, dot)
	case *parse.TemplateNode:
		return c.pipe(n.Pipe, dot)
	case *parse.IfNode:
		return c.branch(&n.BranchNode, dot, dot)
	case *parse.WithNode:
		return c.branch(&n.BranchNode, dot, c.result(n.Pipe, dot))
	case *parse.RangeNode:
		return c.branch(&n.BranchNode, dot, element(c.result(n.Pipe, dot)))
	}
	return nil
}

func (c fieldCheck) branch(n *parse.BranchNode, dot, within reflect.Type) error {
	for _, err := range []error{c.pipe(n.Pipe, dot), c.list(n.List, within), c.list(n.ElseList, dot)} {
		if err != nil {
			return err
		}
	}
	return nil
}

func (c fieldCheck) pipe(p *parse.PipeNode, dot reflect.Type) error {
	if p == nil {
		return nil
	}
	for _, command := range p.Cmds {
		for _, arg := range command.Args {
			if inner, is := arg.(*parse.PipeNode); is {
				if err := c.pipe(inner, dot); err != nil {
					return err
				}
			}
			if _, err := c.follow(arg, dot); err != nil {
				return err
			}
		}
	}
	return nil
}

// result is the type of what a pipeline comes to.
func (c fieldCheck) result(p *parse.PipeNode, dot reflect.Type) reflect.Type {
	if len(p.Cmds) != 1 || len(p.Cmds[0].Args) != 1 {
		return nil
	}
	t, _ := c.follow(p.Cmds[0].Args[0], dot) // its error was told
	return t
}

// follow goes down the fields that a node names.
func (c fieldCheck) follow(node parse.Node, dot reflect.Type) (reflect.Type, error) {
	switch n := node.(type) {
	case *parse.DotNode:
		return dot, nil
	case *parse.FieldNode:
		return down(dot, n.Ident)
	case *parse.VariableNode:
		if n.Ident[0] == "$" {
			return down(c.root, n.Ident[1:])
		}
	}
	return nil, nil
}

func down(t reflect.Type, names []string) (reflect.Type, error) {
	for _, name := range names {
		if t = bare(t); t == nil || t.Kind() == reflect.Map || t.Kind() == reflect.Interface {
			return nil, nil
		}
		fields := fieldsOf(t) // none of a text, a number or a list
		if len(fields) == 0 {
			return nil, mistake("there is no field "+strconv.Quote(name)+" below what has none", problem.Say("-o json shows the fields"))
		}
		next, there := fields[name]
		if !there {
			return nil, unknown("field", name, slices.Sorted(maps.Keys(fields)))
		}
		t = next
	}
	return t, nil
}

// element is the type of what a list holds.
func element(t reflect.Type) reflect.Type {
	if t = bare(t); t != nil && t.Kind() == reflect.Slice {
		return t.Elem()
	}
	return nil
}

// bare is the type that a pointer leads to; nil when JSON shows something else.
func bare(t reflect.Type) reflect.Type {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == nil {
		return nil
	}
	for _, own := range [...]reflect.Type{reflect.TypeFor[json.Marshaler](), reflect.TypeFor[encoding.TextMarshaler]()} {
		if t.Implements(own) || reflect.PointerTo(t).Implements(own) {
			return nil
		}
	}
	return t
}

// fieldsOf are the fields of t by the names that JSON gives them; nil when it has
// none, or they are not known.
func fieldsOf(t reflect.Type) map[string]reflect.Type {
	if t = bare(t); t == nil || t.Kind() != reflect.Struct {
		return nil
	}
	fields := map[string]reflect.Type{}
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" && !f.Anonymous {
			name = f.Name
		}
		if f.IsExported() && name != "" && name != "-" {
			fields[name] = f.Type
		}
	}
	return fields
}
