package twilio

import (
	"testing"
	"time"
)

func TestTimeOf(t *testing.T) {
	at := time.Date(2018, 9, 25, 18, 28, 6, 0, time.UTC)
	end := time.Date(2018, 9, 25, 23, 59, 59, 0, time.UTC)
	for in, want := range map[string]time.Time{
		"2018-09-25T18:28:06Z":             at,
		"2018-09-25T18:28:06.000Z":         at,
		"2018-09-25T20:28:06+02:00":        at,
		"2018-09-25T18:28:06+0000":         at,
		"2018-09-25T18:28:06.000+0000":     at,
		"2018-09-25T11:28:06-0700":         at,
		"2018-09-25 18:28:06+00:00":        at,
		"2018-09-25 18:28:06 +0000":        at,
		"2018-09-25 18:28:06 UTC":          at,
		"Tue, 25 Sep 2018 18:28:06 +0000":  at,
		"Tue, 25 Sept 2018 18:28:06 +0000": at,
		"Tues, 25 Sept. 2018 18:28:06 GMT": at,
		"25 Sept 2018 11:28:06 -0700":      at,
		"25 September 2018 18:28:06 UTC":   at,
		"Tue, 25 Sep 2018 18:28:06 GMT":    at,
		"Wed, 2 May 2018 01:02:03 +0000":   time.Date(2018, 5, 2, 1, 2, 3, 0, time.UTC),
		"Wed,  2 May 2018 01:02:03 +0000":  time.Date(2018, 5, 2, 1, 2, 3, 0, time.UTC),
		"Wed, 02 June 2018 01:02:03 +0000": time.Date(2018, 6, 2, 1, 2, 3, 0, time.UTC),

		// A day alone is not over before its end.
		"25 Sept 2018": end,
		"25 Sep 2018":  end,
		"2018-09-25":   end,

		// What says not when it was says nothing.
		"":                               {},
		"soon":                           {},
		"0001-01-01":                     {},
		"0001-01-01T00:00:00Z":           {},
		"0000-01-01T00:00:00+01:00":      {}, // of the year -1
		"9999-12-31T23:59:59-01:00":      {}, // of the year 10000
		"1 Jan 0000 00:00:00 +0100":      {},
		"1900-01-01":                     {},
		"1899-12-30T00:00:00Z":           {},
		"2018-09-25T18:28:06":            {},
		"25 Sept 2018 18:28:06":          {},
		"Tue, 25 Sep 2018 18:28:06 PST":  {},
		"Tue, 25 Sep 2018 18:28:06 CEST": {},
		"25 Septic 2018":                 {},
		"31 Sept 2018":                   {},
		"09/25/2018":                     {},
		"1537900086":                     {},
	} {
		for name, read := range map[string]func(string) time.Time{"timeOf": timeOf, "instant": func(s string) time.Time { return instant([]byte(s)) }} {
			if got := read(in); !got.Equal(want) || got.IsZero() != want.IsZero() || got.Location() != time.UTC {
				t.Errorf("%s(%q) = %v, want %v", name, in, got, want)
			}
		}
	}
}

// Whatever a provider writes, a date is one that it wrote, in UTC.
func FuzzTimeOf(f *testing.F) {
	for _, s := range []string{"2018-09-25T18:28:06+0000", "Tue, 25 Sept 2018 18:28:06 +0000", "25 Sept 2018", ", ,", "Sept"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := timeOf(s)
		if got.Location() != time.UTC {
			t.Errorf("%q is in %v", s, got.Location())
		}
		if y := got.Year(); !got.IsZero() && (y < 1970 || y > 9999) {
			t.Errorf("%q is of the year %d", s, y)
		}
		if again := timeOf(got.Format(time.RFC3339)); !got.IsZero() && !again.Equal(got.Truncate(time.Second)) {
			t.Errorf("%q is %v, and read again %v", s, got, again)
		}
	})
}

// A price that is no plain number is none: nobody can add it up, and one of them must not end
// a sum of all.
func TestMoneyOf(t *testing.T) {
	for _, amount := range []string{"0", "0.02", "-0.0070", "12"} {
		if m := moneyOf(amount, "usd"); m == nil || m.Amount != amount || m.Currency != "USD" {
			t.Errorf("%q is %v", amount, m)
		}
	}
	for _, none := range []string{"", "NaN", "nan", "Inf", "-Infinity", "1e99", "0x1p-2", "1_000", "1,5", "free"} {
		if m := moneyOf(none, "USD"); m != nil {
			t.Errorf("%q is %v", none, *m)
		}
	}
}
