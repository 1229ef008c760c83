package plan

import (
	"context"
	"fmt"
	"strings"

	"github.com/faxctl/faxctl/pkg/fax"
)

// UnconfirmedError says that a change was accepted and does not show when the
// number is read back. It is fax.ErrConflict.
type UnconfirmedError struct {
	Phone  string
	Fields []Field // From is what was asked for, To what the provider says
}

// Error reads "the provider does not confirm receive mode fax for +1415…".
func (e *UnconfirmedError) Error() string {
	var parts []string
	for _, f := range e.Fields {
		name := strings.ReplaceAll(f.Name, "_", " ")
		if f.Name == "mode" {
			name = "receive mode"
		}
		parts = append(parts, strings.TrimSpace(fmt.Sprintf("%s %s (it says %s)", name, orNone(f.From), orNone(f.To))))
	}
	return "the provider does not confirm " + strings.Join(parts, ", ") + " for " + e.Phone
}

// Unwrap is fax.ErrConflict.
func (e *UnconfirmedError) Unwrap() error { return fax.ErrConflict }

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// Apply makes a change and reads the number back. It may be repeated. The
// number is as the provider has it now, also with an error when that much is
// known. An empty change asks nothing of the provider.
//
// [UnconfirmedError]: the provider took the change and does not show it.
func Apply(ctx context.Context, numbers fax.Numbers, n fax.Number, c fax.Change) (fax.Number, error) {
	if c.Empty() {
		return n, nil
	}
	answered, err := numbers.Configure(ctx, n.ID, c)
	if err != nil {
		return n, fmt.Errorf("configure %s: %w", n.Phone, err)
	}
	now, err := numbers.Get(ctx, n.ID)
	if err != nil {
		return answered, fmt.Errorf("%s is configured; reading it back: %w", n.Phone, err)
	}
	if missing := unconfirmed(now, c); len(missing) > 0 {
		return now, fax.WithHint(&UnconfirmedError{Phone: n.Phone, Fields: missing}, "look again in a moment: faxctl numbers get "+n.Phone+" -o yaml")
	}
	return now, nil
}

// unconfirmed lists the fields of a change that a number does not show.
func unconfirmed(n fax.Number, c fax.Change) []Field {
	var missing []Field
	check := func(name string, want *string, got string) {
		if want != nil && *want != got {
			missing = append(missing, Field{Name: name, From: *want, To: got})
		}
	}
	if c.Mode != nil {
		mode := string(*c.Mode)
		check("mode", &mode, string(n.Mode))
	}
	url := "fax_url"
	if n.Mode == fax.ModeVoice {
		url = "voice_url"
	}
	check("name", c.Name, n.Name)
	check(url, c.URL, n.URL())
	check("method", c.Method, method(n.Method))
	check("fallback_url", c.FallbackURL, n.FallbackURL)
	check("fallback_method", c.FallbackMethod, method(n.FallbackMethod))
	check("status_callback", c.StatusCallback, n.StatusCallback)
	check("trunk_id", c.TrunkID, n.TrunkID)
	check("application_id", c.ApplicationID, n.ApplicationID)
	return missing
}
