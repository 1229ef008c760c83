package prune

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/faxctl/faxctl/pkg/base/problem"
)

// Limit is the most a policy may select: a count, a share of the faxes its filter
// meets, or what comes in some average days. The zero value is no limit.
type Limit struct {
	set     bool
	count   int
	percent float64 // when above zero, or when the text ended in %
	isShare bool
	days    float64 // so many average days, when they have more than count; 0: count alone
}

// DailyLimit is for a policy that is carried out every day without a person: each
// day selects about a day's worth. It allows 200, or three times what an average
// day has where that is more.
func DailyLimit() Limit { return Limit{set: true, count: 200, days: 3} }

// ParseLimit reads "500" or "5%". Errors are fax.ErrInvalid.
func ParseLimit(s string) (Limit, error) {
	bad := problem.Invalid(problem.Say("write it like 500 or 5%"), "limit %q", s)
	if number, ok := strings.CutSuffix(s, "%"); ok {
		p, err := strconv.ParseFloat(number, 64)
		if err != nil || !(p >= 0 && p <= 100) {
			return Limit{}, bad
		}
		return Limit{set: true, percent: p, isShare: true}, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 {
		return Limit{}, bad
	}
	return Limit{set: true, count: n}, nil
}

// String is "500", "5%", "200, or 3 average days" or "no limit".
func (l Limit) String() string {
	switch {
	case !l.set:
		return "no limit"
	case l.isShare:
		return strconv.FormatFloat(l.percent, 'f', -1, 64) + "%"
	case l.days > 0:
		return fmt.Sprintf("%d, or %g average days", l.count, l.days)
	}
	return strconv.Itoa(l.count)
}

// needsAll reports whether the limit is known only when all faxes that the filter
// meets are seen, whatever their age.
func (l Limit) needsAll() bool { return l.set && (l.isShare || l.days > 0) }

// ErrOverLimit says that a policy selects more than it may.
var ErrOverLimit = errors.New("over the limit")

// Check fails with [ErrOverLimit], a problem.ErrConflict, when selected of considered faxes, which came
// within so many days, are more than the limit allows.
func (l Limit) Check(selected, considered int, days float64) error {
	selection, most := strconv.Itoa(selected), float64(l.count)
	limit := l.String()
	if l.isShare {
		selection += fmt.Sprintf(" of the %d that the filters meet", considered)
		most = l.percent * float64(considered) / 100
	} else if l.days > 0 {
		most = max(most, l.days*float64(considered)/max(days, 1))
		limit = fmt.Sprintf("%.0f for a day", math.Floor(most))
	}
	if !l.set || float64(selected) <= most {
		return nil
	}
	return problem.With(problem.Of(ErrOverLimit, fmt.Errorf("%w: the policy selects %s, more than the limit of %s; nothing was done", problem.ErrConflict, selection, limit)),
		problem.Say("look at the selection with %s; raise %s if it is right", problem.Field("dry-run"), problem.Field("max-delete")))
}
