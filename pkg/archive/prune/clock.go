package prune

import (
	"fmt"
	"time"

	"github.com/faxctl/faxctl/pkg/base/problem"
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
		return problem.With(fmt.Errorf("%w: the provider did not say what time it is, so that an age cannot be relied on; nothing was deleted", problem.ErrConflict),
			problem.Say("look at the clock of this machine; when it is right, %s takes %s with all else as it was", problem.Command("faxes", "prune"), problem.Field("no-clock-check")))
	}
	apart := ours.Sub(theirs).Abs()
	if most := max(leastApart, age/10); apart > most {
		return problem.With(fmt.Errorf("%w: it is %s here and %s at the provider, so that an age cannot be relied on; nothing was deleted",
			problem.ErrConflict, ours.UTC().Format(time.RFC3339), theirs.UTC().Format(time.RFC3339)),
			problem.Say("set the clock of this machine, then run it again; when it is right, %s takes %s with all else as it was", problem.Command("faxes", "prune"), problem.Field("no-clock-check")))
	}
	return nil
}

// quiet is how long an archive may be without a new fax whatever the age is.
const quiet = 31 * 24 * time.Hour

// CheckKeptClock is [CheckClock] where no provider is asked: latest is the last that is
// known of the time, the date of the newest fax that is kept, or of its copy. A clock that
// is behind it is wrong. One that is far ahead may be, or nothing has come for a while: it
// is relied on up to 31 days, or a tenth of the age where that is more. It fails with
// fax.ErrConflict.
func CheckKeptClock(now, latest time.Time, age time.Duration) error {
	why := ""
	switch apart := now.Sub(latest); {
	case latest.IsZero():
	case -apart > max(leastApart, age/10):
		why = "which has not been yet"
	case apart > max(quiet, age/10):
		why = "so long ago that this clock may be ahead"
	}
	if why == "" {
		return nil
	}
	return problem.With(fmt.Errorf("%w: it is %s here, and the newest fax in the archive is of %s, %s: an age cannot be relied on; nothing was removed",
		problem.ErrConflict, now.UTC().Format(time.RFC3339), latest.UTC().Format(time.RFC3339), why),
		problem.Say("look at the clock of this machine; when it is right, %s takes %s with all else as it was", problem.Command("archive", "remove"), problem.Field("no-clock-check")))
}
