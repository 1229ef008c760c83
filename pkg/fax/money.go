package fax

import (
	"fmt"
	"math/big"
	"strings"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
)

// ParseMoney reads an amount as people write it: "2", "2.00" or "2.00 USD", and
// nothing negative. Without a currency the amount is in whatever currency it is
// compared with.
func ParseMoney(s string) (Money, error) {
	amount, currency, _ := strings.Cut(strings.TrimSpace(s), " ")
	m := Money{Amount: amount, Currency: strings.ToUpper(strings.TrimSpace(currency))}
	if _, err := m.Exact(); err != nil || strings.HasPrefix(amount, "-") || len(m.Currency)%3 != 0 || len(m.Currency) > 3 || !text.MadeOf(m.Currency, text.Upper) {
		return Money{}, problem.Invalid(problem.Say("write an amount of 0 or more and, if you like, a currency, as in 2.00 or '2.00 USD'"), "amount of money %q", s)
	}
	return m, nil
}

// Cmp compares two amounts exactly: -1, 0 or +1 as m is less than, equal to or
// more than o. ErrInvalid: the currencies differ, or an amount is no decimal
// number. An empty currency agrees with any.
func (m Money) Cmp(o Money) (int, error) {
	if m.Currency != "" && o.Currency != "" && !strings.EqualFold(m.Currency, o.Currency) {
		return 0, fmt.Errorf("%w comparison of %s with %s: the currencies differ", problem.ErrInvalid, m, o)
	}
	a, err := m.Exact()
	if err != nil {
		return 0, err
	}
	b, err := o.Exact()
	if err != nil {
		return 0, err
	}
	return a.Cmp(b), nil
}

// decimal reports whether s is a plain decimal number, such as -1.15. The
// standard library reads more: "1/3", "1e99", "NaN", "0x1p2".
func decimal(s string) bool {
	whole, fraction, point := strings.Cut(strings.TrimPrefix(s, "-"), ".")
	digits := func(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
	return digits(whole) && (!point || digits(fraction))
}

// Exact is the amount as a number: problem.ErrInvalid when it is no plain decimal one.
func (m Money) Exact() (*big.Rat, error) {
	if decimal(m.Amount) {
		if r, ok := new(big.Rat).SetString(m.Amount); ok {
			return r, nil
		}
	}
	return nil, fmt.Errorf("%w amount of money %q", problem.ErrInvalid, m.Amount)
}
