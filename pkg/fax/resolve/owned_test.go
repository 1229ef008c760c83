package resolve_test

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"sync"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

// owned is an account's numbers kept in memory, and a record of what was asked. It can
// be asked for nothing else.
type owned struct {
	fax.Numbers

	numbers []fax.Number

	mu    sync.Mutex
	calls []string
}

func (m *owned) note(format string, args ...any) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls = append(m.calls, fmt.Sprintf(format, args...))
}

func (m *owned) List(_ context.Context, f fax.NumberFilter) iter.Seq2[fax.Number, error] {
	return func(yield func(fax.Number, error) bool) {
		m.note("list %s%s", f.Phone, f.Name)
		for _, n := range m.numbers {
			if f.Phone != "" && n.Phone != f.Phone || !strings.Contains(n.Name, f.Name) {
				continue
			}
			if !f.WithMode {
				n.Mode = fax.ModeUnknown
			}
			if !yield(n, nil) {
				return
			}
		}
	}
}

func (m *owned) Get(_ context.Context, id string) (fax.Number, error) {
	m.note("get %s", id)
	for _, n := range m.numbers {
		if n.ID == id {
			return n, nil
		}
	}
	if strings.Contains(id, "_") {
		return fax.Number{}, fmt.Errorf("id %s: %w", id, problem.ErrInvalid)
	}
	return fax.Number{}, fmt.Errorf("number %s: %w", id, problem.ErrNotFound)
}
