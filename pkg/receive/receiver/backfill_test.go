package receiver_test

import (
	"database/sql"
	"strings"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/receive/receiver"
)

// TestBackfillClock: how far back the list is read, by the provider's clock.
func TestBackfillClock(t *testing.T) {
	const day = 24 * time.Hour
	for name, tc := range map[string]struct {
		there time.Duration // the provider's clock is so far ahead of ours
		noted time.Duration // of the provider's time, when the list was read last
		made  time.Duration // the fax, by the provider's clock
		found bool
	}{
		"a day of overlap":                         {0, -10 * day, -11*day + time.Hour, true},
		"more than a day before":                   {0, -10 * day, -11*day - time.Hour, false},
		"a note from the future is the whole time": {0, 90 * day, -199 * day, true},
		"and no more":                              {0, 90 * day, -201 * day, false},
		"two servers a minute apart":               {0, time.Minute, -2 * day, false},
		"this machine is ahead, as it was then":    {-90 * day, 90 * day, -80 * day, true},
		"this machine is behind":                   {90 * day, -time.Hour, -12 * time.Hour, true},
		"this machine is behind, the note is not":  {90 * day, -time.Hour, -3 * day, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStation(t, func(c *receiver.Config) { c.Backfill, c.Provider.Clock = time.Hour, clock(tc.there) })
			there := time.Now().Add(tc.there)
			s.cloud.add(faxID(1))
			s.cloud.change(faxID(1), func(f *fax.Fax) { f.Created = there.Add(tc.made) })
			s.cloud.add(faxID(2)) // is found whatever the note says
			s.cloud.change(faxID(2), func(f *fax.Fax) { f.Created = there.Add(-time.Minute) })
			s.reopen(func(db *sql.DB) {
				alter(t, db, `INSERT INTO receiver_note VALUES ('backfilled', ?)`, there.Add(tc.noted).UTC().Format(time.RFC3339))
			})
			s.run()
			s.until("read", func() bool {
				return strings.Contains(s.log.String(), "no callback came") && s.archive.saved(faxID(2)) == 1
			})
			if tc.found {
				s.until("found", func() bool { return s.archive.saved(faxID(1)) == 1 })
			} else if !strings.Contains(s.log.String(), "no callback came\" count=1") {
				t.Error("it was found")
			}
		})
	}
}

// A fax without a date is in no list that begins at one; the log counts them.
func TestBackfillUndated(t *testing.T) { onEach(t, testBackfillUndated) }

func testBackfillUndated(t *testing.T) {
	s := newStation(t, func(c *receiver.Config) { c.Backfill = time.Hour })
	s.cloud.add(faxID(1))
	s.cloud.change(faxID(1), func(f *fax.Fax) { f.Created = time.Time{} })
	s.run()
	s.until("told", func() bool {
		return strings.Contains(s.log.String(), `faxes without a date: nobody knows whether a callback came" count=1`)
	})
	if s.archive.saved(faxID(1)) != 0 {
		t.Error("it was fetched")
	}
}
