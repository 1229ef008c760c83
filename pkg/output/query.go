package output

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"reflect"
	"strings"
	"text/template"

	"github.com/itchyny/gojq"

	"github.com/faxctl/faxctl/pkg/plain"
)

// queryPrinter runs the expression once over what -o json would print. Each
// result is a line; a string is printed without its quotes.
func queryPrinter[T any](ctx context.Context, w io.Writer, encode encoder[T], query *gojq.Code, single, terminal bool) printer[T] {
	items := array{single: single}
	return printer[T]{
		whole: true,
		item:  func(v T) error { return items.add(encode(v)) },
		end: func() ([]string, error) {
			input, err := items.decode()
			if err != nil {
				return nil, err
			}
			results := query.RunWithContext(ctx, input)
			for v, more := results.Next(); more; v, more = results.Next() {
				line, err := result(ctx, v, terminal)
				if err != nil {
					return nil, err
				}
				if _, err := w.Write(append(line, '\n')); err != nil {
					return nil, err
				}
			}
			return nil, nil
		},
	}
}

func result(ctx context.Context, v any, terminal bool) ([]byte, error) {
	switch v := v.(type) {
	case error:
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, &SpecError{fmt.Sprintf("jq expression: %v", v), "the expression reads what -o json prints"}
	case string:
		if terminal {
			v = plain.Text(v)
		}
		return []byte(v), nil
	}
	b, err := gojq.Marshal(v)
	return escape(b), err
}

// templatePrinter prints what the template makes of each item, ending with a
// line break.
func templatePrinter[T any](w io.Writer, encode encoder[T], t *template.Template, terminal bool) printer[T] {
	// A misspelled field is an error; one that JSON leaves out is empty.
	t = template.Must(t.Clone()).Option("missingkey=error")
	optional := fieldNames(reflect.TypeFor[T]())
	return printer[T]{
		item: func(v T) error {
			b, err := encode(v)
			if err != nil {
				return err
			}
			data, err := decode(bytes.NewReader(b))
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
				return &SpecError{err.Error(), "fields have the names that -o json shows"}
			}
			out := strings.TrimSuffix(buf.String(), "\n")
			if terminal {
				out = plain.Text(out)
			}
			_, err = io.WriteString(w, out+"\n")
			return err
		},
		end: nothing,
	}
}

// fieldNames are the names that JSON gives the fields of t.
func fieldNames(t reflect.Type) []string {
	if t.Kind() != reflect.Struct {
		return nil
	}
	var names []string
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.IsExported() && name != "" && name != "-" {
			names = append(names, name)
		}
	}
	return names
}
