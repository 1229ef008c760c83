package receiver

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/riverqueue/river/riverdriver/riversqlite"

	"github.com/faxctl/faxctl/pkg/base/durable"
	"github.com/faxctl/faxctl/pkg/base/sqlite"
)

func databasePath(stateDir string) string { return filepath.Join(stateDir, "receiver.db") }

// openFile opens the database in a file, for one process that writes, and makes it when
// there is none. Every commit is on disk when it returns: the provider is told so.
func openFile(ctx context.Context, path string) (*state, error) {
	write, err := sqlite.Open(ctx, path, sqlite.Options{Conns: 1, Durable: true}) // SQLite has one writer anyway
	if err != nil {
		return nil, fmt.Errorf("the database %s: %w", path, err)
	}
	s := &state{write: write, driver: riversqlite.New(write), dialect: ofFile(), atOnce: 1, cooldown: 25 * time.Millisecond, close: write.Close, explain: func(err error) error { return err }}
	if err = s.makeTables(ctx, path); err == nil {
		s.read, err = sqlite.Open(ctx, path, sqlite.Options{Conns: 2, ReadOnly: true})
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.close = func() error { return errors.Join(s.read.Close(), write.Close()) }
	return s, nil
}

// makeTables makes what tables are missing. Another process, as serve status, may do so at
// the same moment, and River's own do not bear that: one waits for the other.
func (s *state) makeTables(ctx context.Context, path string) error {
	lock, err := durable.Lock(ctx, path+".lock", 10*time.Second)
	if err != nil {
		return err
	}
	if _, err = s.write.ExecContext(ctx, fileTables); err != nil {
		err = fmt.Errorf("the database %s: %w", path, err)
	} else {
		err = s.migrate(ctx)
	}
	return errors.Join(err, lock.Close())
}

// fileTables hold one row for each status a fax has reached, and one for each document
// kept aside. The keys are what makes a repeated callback harmless.
const fileTables = `
CREATE TABLE IF NOT EXISTS receiver_event (
	fax_id      TEXT NOT NULL,
	status      TEXT NOT NULL,
	event       TEXT NOT NULL,               -- Event as JSON
	upload      TEXT NOT NULL DEFAULT '',    -- file of the document, until it is archived
	PRIMARY KEY (fax_id, status)
);
CREATE INDEX IF NOT EXISTS receiver_event_status ON receiver_event (status);
CREATE INDEX IF NOT EXISTS receiver_event_upload ON receiver_event (upload) WHERE upload <> '';
CREATE TABLE IF NOT EXISTS receiver_aside (     -- documents that are not simply that of their fax
	fax_id  TEXT NOT NULL,                   -- empty: it was none
	status  TEXT NOT NULL,
	sha256  TEXT NOT NULL,                   -- of the file
	file    TEXT NOT NULL,
	size    INTEGER NOT NULL,                -- bytes
	event   TEXT NOT NULL,                   -- Event as JSON
	outcome TEXT NOT NULL,                   -- why, in a word
	reason  TEXT NOT NULL,                   -- and for people
	PRIMARY KEY (fax_id, status, sha256)
);
CREATE TABLE IF NOT EXISTS receiver_note (
	name  TEXT NOT NULL PRIMARY KEY,
	value TEXT NOT NULL
);`

// ofFile is how SQLite counts kills, in the metadata of jobs. Whatever runs when the file
// is opened ran in a process that is gone: the lock of the state says so. Its office as
// River's leader goes with it, and what comes back by itself does so.
func ofFile() dialect {
	const (
		since = `(coalesce(json_array_length(errors), 0) + coalesce(metadata ->> '$.snoozes', 0))`
		inRow = `(metadata ->> '$.kills_since' IS ` + since + `)`
		// River's index begins with the state: without one all jobs are read.
		anyState = `state IN ('available', 'cancelled', 'completed', 'discarded', 'pending', 'retryable', 'running', 'scheduled')`
	)
	return dialect{
		found: []string{`DELETE FROM river_job WHERE queue = 'upkeep' AND ` + anyState,
			`UPDATE river_job SET metadata = jsonb_set(jsonb_remove(metadata, '$.marked'),
				'$.kills', iif(` + inRow + `, metadata ->> '$.kills', 0) + 1,
				'$.kills_marked', iif(` + inRow + `, coalesce(metadata ->> '$.kills_marked', 0), 0) + (metadata ->> '$.marked' IS ` + since + `),
				'$.kills_since', ` + since + `) WHERE state = 'running'`},
		hopeless: `metadata ->> '$.kills_marked' >= 5`,
		park: `UPDATE river_job SET state = 'discarded', finalized_at = datetime('now', 'subsec'),
			errors = jsonb_insert(coalesce(errors, jsonb('[]')), '$[#]', jsonb_object('at', strftime('%Y-%m-%dT%H:%M:%fZ', 'now'),
				'attempt', attempt, 'error', $1, 'trace', '')) WHERE id = $2`,
		givenBack: []string{`UPDATE river_job SET state = 'available', attempt = max(attempt - 1, 0) WHERE state = 'running'`,
			`UPDATE river_job SET scheduled_at = datetime('now', 'subsec') WHERE state IN ('available', 'pending', 'retryable', 'scheduled') AND scheduled_at > datetime('now', '+90 minutes')`,
			`DELETE FROM river_leader`},
		mark: `UPDATE river_job SET metadata = jsonb_set(metadata, '$.marked', ` + since + `) WHERE id = $1`,
	}
}
