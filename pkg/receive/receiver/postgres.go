package receiver

import (
	"context"
	"database/sql"
	"fmt"
	"hash/fnv"
	"strings"
	"time"

	"github.com/riverqueue/river/riverdriver/riverdatabasesql"

	"github.com/faxctl/faxctl/pkg/base/postgres"
	"github.com/faxctl/faxctl/pkg/base/problem"
)

// shareLimit is for a transaction, or a question, on a shared database. A provider waits
// 15 s for an answer, and a callback may have to wait for the transaction before its own.
const shareLimit = 4 * time.Second

// schemaOf is where an account has its tables. Each has its own: River has one leader in
// a schema, who knows what comes back by itself for his account alone.
func schemaOf(account string) string {
	const most = 40 // bytes; River puts the names of its topics behind it
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, strings.ToLower(account))
	if len(name) > most || strings.Trim(name, "_") == "" {
		sum := fnv.New128a()
		_, _ = sum.Write([]byte(account)) // it never fails
		name = fmt.Sprintf("%x", sum.Sum(nil))
	}
	return "faxctl_" + name
}

// newShared is the state of an account in a database, not yet made.
func newShared(db *sql.DB, account string) *state {
	schema := schemaOf(account)
	return &state{
		write: db, read: db, driver: riverdatabasesql.New(db), schema: schema, atOnce: 4, cooldown: 5 * time.Millisecond, limit: shareLimit, dialect: ofShared(),
		names:   strings.NewReplacer("receiver_", schema+".receiver_", "river_job_id_seq", schema+".river_job_id_seq", "river_job", schema+".river_job", "river_leader", schema+".river_leader"),
		close:   func() error { return nil }, // it is of whoever opened it
		explain: func(err error) error { return postgres.Explain(err, postgres.Schema, schema) },
	}
}

// openShared opens the state of an account in a database that replicas share, and makes
// its tables when there are none.
func openShared(ctx context.Context, db *sql.DB, account string) (*state, error) {
	if account == "" {
		return nil, fmt.Errorf("%w: a receiver whose state is in a database needs the account's id", problem.ErrInvalid)
	}
	s := newShared(db, account)
	if err := s.make(ctx); err != nil {
		return nil, fmt.Errorf("the tables of account %s: %w", account, err)
	}
	return s, nil
}

// make makes the tables, or brings them up to date. Any number of processes may do so at
// once; River's migrator may not.
func (s *state) make(ctx context.Context) error {
	if err := postgres.Migrate(ctx, s.write, s.schema, s.steps()); err != nil {
		return err
	}
	return postgres.Exclusively(ctx, s.write, s.schema+" jobs", func(ctx context.Context) error { return s.explain(s.migrate(ctx)) })
}

// steps are the versions of the tables, but River's. A new one is added at the end.
func (s *state) steps() []postgres.Step {
	return []postgres.Step{func(ctx context.Context, tx *sql.Tx) error {
		err := postgres.MakeSchema(ctx, tx, s.schema)
		if err == nil {
			_, err = tx.ExecContext(ctx, s.sql(sharedTables))
		}
		return err
	}}
}

// made reports whether an account has its tables. It fails when they are a newer faxctl's.
func (s *state) made(ctx context.Context) (there bool, err error) {
	ctx, cancel := s.limited(ctx)
	defer cancel()
	if err := postgres.Known(ctx, s.read, s.schema, s.steps()); err != nil {
		return false, err
	}
	err = s.one(ctx, `SELECT to_regclass($1) IS NOT NULL AND to_regclass($2) IS NOT NULL`, []any{s.schema + ".receiver_note", s.schema + ".river_job"}, &there)
	return there, err
}

// sharedTables are those of a file, and one of the processes that work on the jobs.
const sharedTables = `
CREATE TABLE receiver_event (
	fax_id TEXT NOT NULL,
	status TEXT NOT NULL,
	event  JSON NOT NULL,
	upload TEXT NOT NULL DEFAULT '',
	PRIMARY KEY (fax_id, status)
);
CREATE INDEX event_status ON receiver_event (status);
CREATE INDEX event_upload ON receiver_event (upload) WHERE upload <> '';
CREATE TABLE receiver_aside (
	fax_id  TEXT NOT NULL,
	status  TEXT NOT NULL,
	sha256  TEXT NOT NULL,
	file    TEXT NOT NULL,
	size    BIGINT NOT NULL,
	event   JSON NOT NULL,
	outcome TEXT NOT NULL,
	reason  TEXT NOT NULL,
	PRIMARY KEY (fax_id, status, sha256)
);
CREATE TABLE receiver_note (
	name  TEXT NOT NULL PRIMARY KEY,
	value TEXT NOT NULL
);
CREATE TABLE receiver_replica (
	id       TEXT NOT NULL PRIMARY KEY,              -- as in attempted_by of a job
	host     TEXT NOT NULL,
	started  TIMESTAMPTZ NOT NULL DEFAULT now(),
	seen     TIMESTAMPTZ NOT NULL DEFAULT now(),
	draining BOOLEAN NOT NULL DEFAULT false
);`

// ofShared is how PostgreSQL counts kills. Whatever runs at a replica that is not among
// the living ran in a process that is gone, or is taken for that. Such a job comes back
// under another id: should the process live after all, what it makes of the job under the
// old one is of no job.
func ofShared() dialect {
	const (
		lost  = `state = 'running' AND attempted_by[array_upper(attempted_by, 1)] NOT IN (SELECT id FROM receiver_replica)`
		since = `(coalesce(array_length(errors, 1), 0) + coalesce((metadata ->> 'snoozes')::int, 0))`
		inRow = `(metadata ->> 'kills_since')::int IS NOT DISTINCT FROM ` + since
		turn  = `LOCK TABLE receiver_replica IN SHARE ROW EXCLUSIVE MODE` // of whoever gives back, or marks
	)
	return dialect{
		found: []string{turn,
			`UPDATE river_job SET metadata = (metadata - 'marked') || jsonb_build_object(
				'kills', CASE WHEN ` + inRow + ` THEN coalesce((metadata ->> 'kills')::int, 0) ELSE 0 END + 1,
				'kills_marked', CASE WHEN ` + inRow + ` THEN coalesce((metadata ->> 'kills_marked')::int, 0) ELSE 0 END
					+ CASE WHEN (metadata ->> 'marked')::int IS NOT DISTINCT FROM ` + since + ` THEN 1 ELSE 0 END,
				'kills_since', ` + since + `) WHERE ` + lost,
			// What comes back by itself is not given back when it may be what ends its replica.
			`DELETE FROM river_job WHERE queue = 'upkeep' AND (metadata ->> 'kills')::int >= 2 AND ` + lost},
		hopeless: `(metadata ->> 'kills_marked')::int >= 5 AND ` + lost,
		park: `UPDATE river_job SET state = 'discarded', finalized_at = now(),
			errors = array_append(errors, jsonb_build_object('at', now(), 'attempt', attempt, 'error', $1::text, 'trace', '')) WHERE id = $2`,
		givenBack: []string{`UPDATE river_job SET id = nextval('river_job_id_seq'), state = 'available', attempt = greatest(attempt - 1, 0) WHERE ` + lost},
		turn:      []string{turn},
		mark: `UPDATE river_job SET metadata = jsonb_set(metadata, '{marked}', to_jsonb(` + since + `)) WHERE id = $1 AND NOT EXISTS (
			SELECT FROM river_job other WHERE other.state = 'running' AND other.id <> $1 AND (other.metadata ->> 'marked')::int
				= coalesce(array_length(other.errors, 1), 0) + coalesce((other.metadata ->> 'snoozes')::int, 0))`,
	}
}
