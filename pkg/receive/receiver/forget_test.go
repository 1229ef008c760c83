package receiver_test

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/receive/receiver"
)

// TestForget: events are forgotten 200 days after the provider's list was read
// last, but not while a job needs them, or a document waits that the provider
// does not have.
func TestForget(t *testing.T) {
	days := func(n int) string { return time.Now().UTC().AddDate(0, 0, -n).Format(time.RFC3339Nano) }
	for _, tt := range []struct {
		name   string
		listed string // when the provider's list was read last
		age    map[string]int
		want   []string
	}{
		{"never listed", "", map[string]int{"a": 400, "b": 201, "c": 199, "d": 0}, []string{"c", "d"}},
		{"listed a month ago", days(30), map[string]int{"a": 231, "b": 229, "c": 201}, []string{"b", "c"}},
		{"listed in the future", days(-1000), map[string]int{"a": 201, "b": 199}, []string{"b"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newStation(t, func(c *receiver.Config) { c.Deliveries, c.Attempts = forwarding(t, "http://127.0.0.1:1/"), 1 })
			stop := s.run()
			form := callbackForm("parked")
			form.Set("FaxStatus", "busy")
			s.do(post("/fax/done", form))
			s.until("parked", func() bool { return strings.Contains(s.log.String(), "parked=true") })
			stop()
			s.reopen(func(db *sql.DB) {
				add := func(id, received, upload string) {
					alter(t, db, `INSERT INTO receiver_event VALUES (?, 'busy', json_object('fax_id', ?1, 'status', 'busy', 'received', ?), ?)`, id, received, upload)
				}
				alter(t, db, `UPDATE receiver_event SET event = json_set(event, '$.received', ?)`, days(500))
				alter(t, db, `INSERT INTO receiver_note VALUES ('backfilled', ?)`, tt.listed)
				add("waiting", days(500), "1.pdf")
				for id, age := range tt.age {
					add(id, days(age), "")
				}
				alter(t, db, `WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 600)
					INSERT INTO receiver_event SELECT 'many' || i, 'busy', json_object('received', ?), '' FROM n`, days(1000))
			})
			stop = s.run()
			s.until("forgotten", func() bool { return strings.Contains(s.log.String(), "forgot old events") })
			stop()
			var left []string
			s.reopen(func(db *sql.DB) {
				rows, err := db.QueryContext(t.Context(), `SELECT fax_id FROM receiver_event ORDER BY fax_id`)
				if err != nil {
					t.Fatal(err)
				}
				defer rows.Close()
				for rows.Next() {
					var id string
					if err := rows.Scan(&id); err != nil {
						t.Fatal(err)
					}
					left = append(left, id)
				}
				if err := rows.Err(); err != nil {
					t.Fatal(err)
				}
			})
			if diff := cmp.Diff(slices.Concat(tt.want, []string{"parked", "waiting"}), left); diff != "" {
				t.Errorf("known (-want +got):\n%s", diff)
			}
		})
	}
}

func alter(t *testing.T, db *sql.DB, statement string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// TestUpkeepFails: what comes back by itself is never parked, neither when it
// fails nor when it is killed, and is tried again.
func TestUpkeepFails(t *testing.T) {
	s := newStation(t, func(c *receiver.Config) {
		c.Backfill = time.Hour
		c.Prune = func(context.Context) (receiver.Pruned, error) {
			return receiver.Pruned{}, problem.With(errors.New("no pruning today"), problem.Say("try tomorrow"))
		}
	})
	none := func() {
		t.Helper()
		desk, err := s.openDesk()
		if err != nil {
			t.Fatal(err)
		}
		defer desk.Close()
		s.until("no job is left", func() bool {
			jobs, err := desk.Jobs(t.Context())
			return err == nil && len(jobs) == 0
		})
	}
	s.cloud.fail(&fax.APIError{Kind: problem.ErrUnavailable, Status: 503})
	stop := s.run()
	s.until("failed", func() bool {
		return strings.Contains(s.log.String(), `msg="backfill failed" error="list the provider's faxes: `) && strings.Contains(s.log.String(), `msg="prune failed" hint="try tomorrow" error="no pruning today"`)
	})
	none()
	if !strings.Contains(s.metric(), `faxctl_requests_total{outcome="failed",request="backfill"} 1`) {
		t.Error("not counted")
	}
	stop()
	s.reopen(func(db *sql.DB) {
		alter(t, db, `UPDATE river_job SET state = 'running', attempt = 1, finalized_at = NULL WHERE queue = 'upkeep'`)
	})
	none()
	lost := faxID(1)
	s.cloud.fail(nil)
	s.cloud.add(lost)
	s.run()
	s.until("fetched", func() bool { return s.archive.saved(lost) == 1 })
}

// Whoever looks at a receiver's state in the moment of its first start makes the same
// tables.
func TestTablesMadeByTwo(t *testing.T) {
	cfg := newStation(t, nil).config
	for range 10 {
		cfg.StateDir = t.TempDir()
		opened := make(chan error, 1)
		go func() {
			r, err := receiver.Open(t.Context(), cfg)
			if err == nil {
				err = r.Close()
			}
			opened <- err
		}()
		for looked := false; !looked; {
			desk, err := receiver.OpenDesk(t.Context(), cfg.StateDir)
			if errors.Is(err, problem.ErrNotFound) {
				continue
			}
			if looked = true; err != nil {
				t.Errorf("who looks: %v", err)
				continue
			}
			if err := desk.Close(); err != nil {
				t.Error(err)
			}
		}
		if err := <-opened; err != nil {
			t.Errorf("the receiver: %v", err)
		}
	}
}
