package plan_test

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

// account is a provider kept in memory, with the manners of a real one: the
// receive mode and the URL given on purchase do not stick, and an order may
// succeed without its answer arriving.
type account struct {
	owned []fax.Number
	calls []string

	buy       func(a *account, o fax.Order) error // after the purchase: what is answered; nil: all is well
	refuse    error                               // the purchase is refused
	stubborn  bool                                // the receive mode never changes
	forgetful bool                                // the URL never changes
	configure error
	list      error // once the first list has been answered
	late      time.Duration
	prices    map[fax.NumberType]fax.Money
	bought    time.Time
}

func (a *account) note(format string, args ...any) {
	a.calls = append(a.calls, fmt.Sprintf(format, args...))
}

func (a *account) did(what string) int {
	n := 0
	for _, c := range a.calls {
		if strings.HasPrefix(c, what) {
			n++
		}
	}
	return n
}

func (*account) Search(context.Context, fax.Query) iter.Seq2[fax.Offer, error] {
	return func(func(fax.Offer, error) bool) {}
}

func (a *account) Prices(context.Context, string) (map[fax.NumberType]fax.Money, error) {
	a.note("prices")
	if a.prices == nil {
		return nil, fmt.Errorf("prices: %w", problem.ErrUnsupported)
	}
	return a.prices, nil
}

func (a *account) List(ctx context.Context, f fax.NumberFilter) iter.Seq2[fax.Number, error] {
	return func(yield func(fax.Number, error) bool) {
		a.note("list %s%s", f.Phone, f.Contains)
		if a.list != nil && a.did("list") > 1 {
			yield(fax.Number{}, a.list)
			return
		}
		if ctx.Err() != nil {
			yield(fax.Number{}, ctx.Err())
			return
		}
		for _, n := range a.owned {
			if n.ID == "new" && time.Since(a.bought) < a.late {
				continue
			}
			if (f.Phone == "" || n.Phone == f.Phone) && strings.Contains(n.Phone, f.Contains) && !yield(n, nil) {
				return
			}
		}
	}
}

func (a *account) Get(ctx context.Context, id string) (fax.Number, error) {
	a.note("get %s", id)
	for _, n := range a.owned {
		if n.ID == id {
			return n, ctx.Err()
		}
	}
	return fax.Number{}, fmt.Errorf("number %s: %w", id, problem.ErrNotFound)
}

func (a *account) Buy(_ context.Context, o fax.Order) (fax.Number, error) {
	a.note("buy %s%s", o.Phone, o.AreaCode)
	if a.refuse != nil {
		return fax.Number{}, a.refuse
	}
	phone := o.Phone
	if phone == "" {
		phone = "+1" + o.AreaCode + "5550177"
	}
	n := fax.Number{ID: "new", Phone: phone, Name: o.Name, Mode: fax.ModeVoice, Method: "POST", Capabilities: fax.Capabilities{Fax: fax.Yes}}
	a.owned = append(a.owned, n)
	a.bought = time.Now()
	if a.buy != nil {
		if err := a.buy(a, o); err != nil {
			return fax.Number{}, err
		}
	}
	return n, nil
}

func (a *account) Configure(ctx context.Context, id string, c fax.Change) (fax.Number, error) {
	a.note("configure %s", id)
	if err := ctx.Err(); err != nil {
		return fax.Number{}, err
	}
	if a.configure != nil {
		return fax.Number{}, a.configure
	}
	for i := range a.owned {
		n := &a.owned[i]
		if n.ID != id {
			continue
		}
		url := n.URL()
		if c.URL != nil && !a.forgetful {
			url = *c.URL
		}
		if c.Mode != nil && !a.stubborn {
			n.Mode = *c.Mode
		}
		n.SetURL(url)
		for field, v := range map[*string]*string{
			&n.Name: c.Name, &n.Method: c.Method, &n.FallbackURL: c.FallbackURL, &n.FallbackMethod: c.FallbackMethod,
			&n.StatusCallback: c.StatusCallback, &n.TrunkID: c.TrunkID, &n.ApplicationID: c.ApplicationID,
		} {
			if v != nil {
				*field = *v
			}
		}
		return *n, nil
	}
	return fax.Number{}, fmt.Errorf("number %s: %w", id, problem.ErrNotFound)
}

func (a *account) Release(_ context.Context, id string) error {
	for i, n := range a.owned {
		if n.ID == id {
			a.owned = append(a.owned[:i], a.owned[i+1:]...)
			return nil
		}
	}
	if id == "young" {
		return fmt.Errorf("bought too recently: %w", problem.ErrConflict)
	}
	return fmt.Errorf("number %s: %w", id, problem.ErrNotFound)
}

var _ fax.Numbers = (*account)(nil)

func (*account) Limits(fax.Query) fax.SearchLimits {
	return fax.SearchLimits{Rows: 30, Digits: 2, Exact: true}
}
