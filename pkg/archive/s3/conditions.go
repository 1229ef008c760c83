package s3

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/minio/minio-go/v7"

	"github.com/faxctl/faxctl/pkg/archive/store"
	"github.com/faxctl/faxctl/pkg/base/problem"
)

// conditionsName is what the server is tried on. It stays there.
const conditionsName = ".conditions"

// prove makes sure, once, that the server knows conditions: one that does not would take
// every put, and of two at once the later would undo the earlier without a word.
func (s *Store) prove(ctx context.Context) error {
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.proven {
		return nil
	}
	absent, other := store.Absent(), store.Unchanged(strings.Repeat("0", 32))
	for header, when := range map[string]store.Condition{"If-None-Match": absent, "If-Match": other} {
		heeded := false
		for range 3 { // the first of all puts it, and the next may meet what another machine does to it
			refused, err := s.refuses(ctx, when)
			if err != nil {
				return s.tell(ctx, err, conditionsName, right{action: "s3:PutObject"})
			}
			if heeded = refused; heeded {
				break
			}
		}
		if !heeded {
			return &problem.Error{Kind: problem.ErrUnsupported, Text: fmt.Sprintf("%s does not heed %s: of two machines that write at once each would believe that it did", s.endpoint.Host, header),
				Advice: problem.Say("use a server that knows conditional writes, or an archive in a folder")}
		}
	}
	s.proven = true
	return nil
}

// refuses puts the same few bytes under a condition.
func (s *Store) refuses(ctx context.Context, when store.Condition) (refused bool, err error) {
	p := &put{Store: s, name: conditionsName, key: s.at.key(conditionsName), content: strings.NewReader("conditions hold here\n"), when: when}
	if err := p.sum(); err != nil {
		return false, err
	}
	err = patiently(ctx, s.options.Patience, func() error {
		_, _, err := p.send(ctx)
		var said minio.ErrorResponse
		refused = errors.As(err, &said) && (said.StatusCode == http.StatusPreconditionFailed || isAbsent(said))
		if refused {
			return nil
		}
		return err
	})
	return refused, err
}

// conditional reports whether a condition asks for anything.
func conditional(when store.Condition) bool { return when != (store.Condition{}) }
