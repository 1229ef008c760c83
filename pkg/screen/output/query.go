package output

import (
	"context"
	"fmt"
	"io"

	"github.com/itchyny/gojq"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
)

// queryPrinter runs the expression once over what -o json would print. Each
// result is a line; a string is printed without its quotes.
func queryPrinter[T any](ctx context.Context, w io.Writer, encode encoder[T], query *gojq.Code, single, terminal bool) printer[T] {
	var items values
	return printer[T]{
		whole: true,
		item:  func(v T) error { return items.add(encode(v)) },
		end: func() ([]string, error) {
			results := query.RunWithContext(ctx, items.all(single))
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
		return nil, mistake(fmt.Sprintf("jq expression: %v", v), problem.Say("the expression reads what -o json prints"))
	case string:
		if terminal {
			v = text.Lines(v)
		}
		return []byte(v), nil
	}
	b, err := gojq.Marshal(v)
	return escape(b), err
}
