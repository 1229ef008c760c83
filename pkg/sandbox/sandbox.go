// Package sandbox is a fax cloud in a box: a Twilio-compatible HTTP service
// with numbers for sale, numbers owned and their set-up, fax records and their
// documents, kept in one SQLite file. Use it to learn faxctl, to write against a
// provider without an account, and as the provider of every test.
//
// It speaks two dialects. [Twilio] answers like api.twilio.com, fax.twilio.com
// and pricing.twilio.com together, told apart by path; [SignalWire] answers like
// a SignalWire space: the Compatibility API under /api/laml and the part of the
// Relay API that faxes need. Both serve the same state, so a file may be opened
// in either.
//
// It shares no type with any client: what it says about a provider's wire is
// said a second time here, from the provider's documentation. Numbers come from
// an inventory that is computed, not stored, and is the same on every machine;
// documents are drawn from their records when somebody asks for them.
// Nothing it sells exists and nothing it does leaves the machine.
//
// [Sandbox.Handler] serves over any listener; [Sandbox.Transport] reaches the
// same service inside the process, over real HTTP connections that can be
// reset, cut short or left hanging by a [Fault].
package sandbox

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// Options shape a sandbox. The zero value is a Twilio sandbox in memory.
type Options struct {
	Path    string  // the state file, made when missing; empty: in memory, gone on Close
	Dialect Dialect // "": Twilio

	Latency   time.Duration // before every answer, while holding a place
	EndOfLife bool          // Twilio: the fax API is gone, as it really is
	MediaAuth MediaAuth     // SignalWire: who may fetch documents

	MaxConcurrent int     // requests at once; beyond it 429 with code 20429; 0: no limit
	Faults        []Fault // tried in order on every request
	Seed          uint64  // of the dice that decide whether a fault strikes
	Quirks        Quirks

	Now func() time.Time // nil: time.Now
}

// Sandbox is one provider with one account. Several may share a state file, in
// one process or many.
type Sandbox struct {
	dialect  dialect
	settings []setting
	options  Options
	state    *state
	stock    stock
	handler  http.Handler
	room     sync.Pool // of *[]byte, for lists: new memory takes longer to get than to fill

	transport struct {
		sync.Mutex
		*Transport
	}
}

// Open opens the state, making the file (0600, in a folder 0700) and the
// default account when there is none.
func Open(ctx context.Context, o Options) (*Sandbox, error) {
	d, err := dialectNamed(o.Dialect)
	if err != nil {
		return nil, err
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	st, err := openState(ctx, o.Path, o.Now())
	if err != nil {
		return nil, fmt.Errorf("open sandbox: %w", err)
	}
	if o.Quirks.wild() && d.name == SignalWire {
		d.errorBody = failure.wildBody
	}
	s := &Sandbox{dialect: d, settings: d.settings(), options: o, state: st, stock: newStock()}
	s.handler = s.newHandler()
	return s, nil
}

// Close ends the connections of [Sandbox.Transport] and closes the state.
func (s *Sandbox) Close() error {
	s.transport.Lock()
	if s.transport.Transport != nil {
		s.transport.close()
	}
	s.transport.Unlock()
	return s.state.close()
}

// Handler is the provider over HTTP. The hosts it is asked for do not matter,
// the paths do.
func (s *Sandbox) Handler() http.Handler { return s.handler }

// Reset empties the account: every number goes back on sale, every fax is gone.
func (s *Sandbox) Reset(ctx context.Context) error {
	if err := s.state.reset(ctx, s.options.Now()); err != nil {
		return fmt.Errorf("reset sandbox: %w", err)
	}
	return nil
}

func (s *Sandbox) now() time.Time { return s.options.Now().UTC().Truncate(time.Second) }
