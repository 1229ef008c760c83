package profile

import (
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"unicode"

	"github.com/faxctl/faxctl/pkg/base/problem"
)

// Secret is a token that does not print itself: not in any verb of fmt, not in
// JSON, YAML or any other text encoding, not in a log record, not through
// reflection. [Secret.Reveal] is the one way to its text, and easy to search
// for. The zero Secret is empty.
type Secret struct {
	// A function, because reflection can look into every other kind of field,
	// and fmt does so when a Secret is an unexported field of something else.
	text func() string
}

// NewSecret keeps text.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{func() string { return text }}
}

// Reveal is the text itself. Give it to the provider's own API and to nothing
// that prints.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return s.text()
}

// IsZero reports whether there is no secret.
func (s Secret) IsZero() bool { return s.text == nil }

// Equal compares in a time that does not depend on the text.
func (s Secret) Equal(other Secret) bool {
	return subtle.ConstantTimeCompare([]byte(s.Reveal()), []byte(other.Reveal())) == 1
}

// String says only whether there is a secret.
func (s Secret) String() string {
	if s.IsZero() {
		return "[no secret]"
	}
	return "[secret]"
}

// Format is String for every verb and flag.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// MarshalText is String; JSON, YAML and XML use it.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue is String.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// given is what a place gave for a secret, and what it means when it is none: ErrSecret
// from what gives another one another time, problem.ErrInvalid where it stays wrong.
type given struct {
	place, text string
	kind        error
	next        string // what to do about it
}

// usable makes a Secret of what was given, or says what is wrong with it without
// repeating it.
func usable(g given) (Secret, error) {
	wrong := func(what string) (Secret, error) {
		return Secret{}, &problem.Error{Kind: g.kind, Text: "the secret in " + g.place + " " + what, Advice: problem.Say(g.next)}
	}
	switch {
	case strings.TrimSpace(g.text) == "":
		return wrong("is empty")
	case strings.ContainsFunc(g.text, unicode.IsControl):
		return wrong("is more than one line, or has control characters in it")
	}
	return NewSecret(strings.TrimSpace(g.text)), nil
}
