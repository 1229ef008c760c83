package delivery

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/faxctl/faxctl/pkg/base/child"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/fax"
)

const (
	execName  = "exec"
	execLimit = 15 * time.Minute

	mostSaid = 256 // bytes of what a program said that are told
)

// Exec runs a program of the operator's for each event. It gets the event in its
// environment, and as JSON on its standard input, and nothing else of ours: no
// credentials. One that takes the document is not run for a fax that has none. Exit
// status 0 is success.
func Exec(p Program) Delivery {
	return Delivery{Name: execName, Limit: execLimit, Reads: true, Deliver: func(ctx context.Context, n News, _ Target) error {
		e, d := n.Event, n.Document
		if p.TakesDocument() && !e.HasDocument() {
			return nil
		}
		event, err := body(n)
		if err != nil {
			return err
		}
		document, err := p.path(d)
		if err != nil {
			return err
		}
		argv := p.of(e.Fax(), document)
		cmd := child.Command(ctx, argv...)
		cmd.Env = append(child.Environ(os.Environ()), e.environ(d)...)
		cmd.Stdin = bytes.NewReader(append(event, '\n'))
		var said tail
		cmd.Stdout, cmd.Stderr = &said, &said
		if err := child.Run(ctx, cmd); err != nil {
			if words := masked(text.Strip(said.String(), mostSaid), e.From, e.To); words != "" {
				return fmt.Errorf("%s: %w: %s", argv[0], err, words)
			}
			return fmt.Errorf("%s: %w", argv[0], err)
		}
		return nil
	}}
}

// masked is what a program said, or a rule, fit for the log. What is shorter than a phone
// number may be any digits.
func masked(s string, numbers ...string) string {
	const shortest = 8
	for _, number := range numbers {
		if len(number) >= shortest {
			s = strings.ReplaceAll(s, number, fax.MaskPhone(number))
		}
	}
	return s
}

// tail keeps the last of what is written to it.
type tail struct{ b []byte }

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	t.b = append(t.b, p...)
	if over := len(t.b) - mostSaid; over > 0 {
		t.b = append(t.b[:0], t.b[over:]...)
	}
	return len(p), nil
}

// String is what was kept.
func (t *tail) String() string { return strings.TrimSpace(string(t.b)) }
