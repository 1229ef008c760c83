package receiver

import (
	"strings"
	"time"
	"unicode"

	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/receive/delivery"
)

// fromRecord is the event a fax record of the provider stands for.
func fromRecord(f fax.Fax, now time.Time) delivery.Event {
	e := delivery.EventOf(f)
	e.Received, e.Backfilled = now.UTC(), true
	return e
}

// The longest values taken; what is longer is cut, or refused where it names
// something.
const (
	maxID   = 64
	maxText = 256
)

// isWord reports whether s is 1 to most letters, digits, hyphens and
// underscores: what an id or a status consists of, and what is safe in a file
// name.
func isWord(s string, most int) bool {
	return s != "" && len(s) <= most && !strings.ContainsFunc(s, func(r rune) bool {
		return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '-' && r != '_'
	})
}

// clean is foreign text made harmless: no control characters, not too long.
func clean(s string) string { return text.Strip(s, maxText) }
