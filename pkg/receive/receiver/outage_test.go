package receiver_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/receive/receiver"
)

// TestAfterOutage: what came while the database was away is found in the provider's list
// soon after it is back, although the next look is due in an hour only.
func TestAfterOutage(t *testing.T) {
	for name, tt := range map[string]struct {
		away string // a table
		seen func(s *station, missed string)
		told string
	}{
		"a callback was refused": {"receiver_event", func(s *station, missed string) {
			if w := s.do(post("/fax/done", callbackForm(missed))); w.Code != http.StatusServiceUnavailable {
				s.t.Errorf("answered %d", w.Code)
			}
		}, "no callback came"},
		"a replica could not say that it lives": {"receiver_replica", func(s *station, _ string) {
			s.until("told", func() bool { return strings.Contains(s.log.String(), "cannot say that it lives") })
		}, "this replica can say again that it lives"},
	} {
		t.Run(name+"/"+inDatabase, func(t *testing.T) {
			t.Parallel()
			s := newStation(t, func(c *receiver.Config) { c.Backfill = time.Hour })
			schema := "faxctl_" + strings.ToLower(account)
			s.run()
			s.until("the first look is over", func() (over bool) {
				err := s.config.Database.QueryRowContext(t.Context(), `SELECT EXISTS (SELECT FROM `+schema+`.receiver_note WHERE name = 'backfilled')
					AND NOT EXISTS (SELECT FROM `+schema+`.river_job WHERE kind = 'backfill' AND state <> 'completed')`).Scan(&over)
				return err == nil && over
			})
			missed := faxID(1)
			s.cloud.add(missed)
			s.alter(`ALTER TABLE ` + schema + `.` + tt.away + ` RENAME TO away`)
			tt.seen(s, missed)
			s.alter(`ALTER TABLE ` + schema + `.away RENAME TO ` + tt.away)
			s.until("found", func() bool { return s.archive.saved(missed) == 1 })
			s.until("told", func() bool { return strings.Contains(s.log.String(), tt.told) }) // when the list is read to its end
		})
	}
}
