package retention

import (
	"fmt"
	"time"

	"github.com/faxctl/faxctl/pkg/fax"
)

// leastApart is how far apart two clocks may be whatever the age is.
const leastApart = 5 * time.Minute

// CheckClock holds the clock of this machine against the provider's, which dated
// the faxes, before faxes of an age are deleted: a machine that is months ahead
// takes every fax for old. They may be five minutes apart, or a tenth of the age
// where that is more. It fails with fax.ErrConflict, also for the zero theirs: the
// provider did not say. It is one clock only that is wrong, and either may be.
func CheckClock(ours, theirs time.Time, age time.Duration) error {
	if theirs.IsZero() {
		return fax.WithHint(fmt.Errorf("%w: the provider did not say what time it is, so that an age cannot be relied on; nothing was deleted", fax.ErrConflict),
			"look at the clock of this machine; when it is right, faxctl faxes prune takes --no-clock-check with all else as it was")
	}
	apart := ours.Sub(theirs).Abs()
	if most := max(leastApart, age/10); apart > most {
		return fax.WithHint(fmt.Errorf("%w: it is %s here and %s at the provider, so that an age cannot be relied on; nothing was deleted",
			fax.ErrConflict, ours.UTC().Format(time.RFC3339), theirs.UTC().Format(time.RFC3339)),
			"set the clock of this machine, then run it again; when it is right, faxctl faxes prune takes --no-clock-check with all else as it was")
	}
	return nil
}
