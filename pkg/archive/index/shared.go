package index

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/faxctl/faxctl/pkg/base/postgres"
)

// Shared is the index of an archive in a PostgreSQL database, which stays open when it
// is closed. location names the archive, in the same way on every machine. Where the
// archive was not indexed yet, its [State] is [Torn].
//
// Of two that put one fax at the same time the last counts, whoever was last to write
// its sidecar: who shares an index looks at the sidecar once more after it put a row, and
// puts what is there by then.
//
// Errors: those of [postgres.Migrate], of this and every method: a database that is away
// is problem.ErrUnavailable.
func Shared(ctx context.Context, db *sql.DB, location string) (*Index, error) {
	if err := postgres.Migrate(ctx, db, "archive", steps()); err != nil {
		return nil, err
	}
	return &Index{db: db, dialect: inPostgreSQL(), archive: location}, nil
}

// steps are the versions of the tables. A new one is added at the end. Order is by bytes,
// whatever the language of the database is, and from the newest down, by an index of
// negative times, since only what goes up in each part can be gone on with at once.
func steps() []postgres.Step {
	return []postgres.Step{postgres.SQL(`
		CREATE TABLE faxctl.archives (
			archive TEXT COLLATE "C" PRIMARY KEY,
			state   TEXT NOT NULL
		);
		CREATE TABLE faxctl.faxes (
			archive     TEXT COLLATE "C" NOT NULL,
			id          TEXT COLLATE "C" NOT NULL,
			created     BIGINT NOT NULL, -- microseconds since 1970; a fax without a date has the lowest
			from_number TEXT COLLATE "C" NOT NULL,
			to_number   TEXT COLLATE "C" NOT NULL,
			held        BOOLEAN NOT NULL,
			key         TEXT NOT NULL,
			stamp       TEXT NOT NULL,
			entry       TEXT NOT NULL, -- JSON, as it is
			PRIMARY KEY (archive, id)
		);
		CREATE INDEX faxes_by_date ON faxctl.faxes (archive, (-created), id);
		CREATE INDEX faxes_held ON faxctl.faxes (archive, (-created), id) WHERE held`)}
}

func inPostgreSQL() dialect {
	return dialect{table: "faxctl.faxes", since: "-created <= -?::bigint", until: "-created >= -?::bigint", order: "-created, id", shared: true}
}

// explain gives an error of a database that is shared its kind.
func (x *Index) explain(err error) error {
	if x.shared {
		return postgres.Explain(err)
	}
	return err
}

func (x *Index) sharedState(ctx context.Context) (State, error) {
	var s State
	err := x.db.QueryRowContext(ctx, `SELECT state FROM faxctl.archives WHERE archive = $1`, x.archive).Scan(&s)
	if errors.Is(err, sql.ErrNoRows) {
		return Torn, nil
	}
	return s, x.explain(err)
}

func (x *Index) setSharedState(ctx context.Context, s State) (lasts bool, err error) {
	_, err = x.db.ExecContext(ctx, `INSERT INTO faxctl.archives (archive, state) VALUES ($1, $2)
		ON CONFLICT (archive) DO UPDATE SET state = excluded.state`, x.archive, string(s))
	return err == nil, x.explain(err)
}

const (
	firstPage = 100 // rows: a list begins soon
	fullPage  = 1000
)

// position is where a page ends: the last of its rows.
type position struct {
	id      string
	created int64
}

func afterID(s selection, p position) selection { return s.where("id > ?", p.id) }

func afterNewest(s selection, p position) selection {
	n := len(s.args)
	return s.where(fmt.Sprintf("(-created, id) > ($%d::bigint, $%d)", n+1, n+2), -p.created, p.id)
}

// pages yields rows, each page by a query of its own that goes on where the last one
// ended: however long somebody takes with a list, no connection is taken and no
// transaction open meanwhile.
func (x *Index) pages(ctx context.Context, s selection, columns, order string, after func(selection, position) selection) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		page, most := s, firstPage
		for {
			rows, last, err := x.page(ctx, `SELECT `+columns+` FROM `+x.table+page.conditions()+` ORDER BY `+order+fmt.Sprintf(" LIMIT %d", most), page.args)
			if err != nil {
				yield(Row{}, x.explain(err))
				return
			}
			for _, r := range rows {
				if !yield(r, nil) {
					return
				}
			}
			if len(rows) < most {
				return
			}
			page, most = after(s, last), fullPage
		}
	}
}

func (x *Index) page(ctx context.Context, query string, args []any) (all []Row, last position, err error) {
	rows, err := x.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, last, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	for rows.Next() {
		r, created, err := scan(rows)
		if err != nil {
			return nil, last, err
		}
		all, last = append(all, r), position{r.Fax.ID, created}
	}
	return all, last, rows.Err()
}

// batchRows is how many rows go into one statement.
const batchRows = 500

// batches does something for some of the rows at a time, in one transaction; of rows of
// one name it is the last. All who write take rows in the order of their names, so that
// none waits for another that waits for it.
func (x *Index) batches(ctx context.Context, rows []Row, name func(Row) string, do func(*sql.Tx, []Row) error) error {
	one := make(map[string]Row, len(rows))
	for _, r := range rows {
		one[name(r)] = r
	}
	tx, err := x.db.BeginTx(ctx, nil)
	if err != nil {
		return x.explain(err)
	}
	defer tx.Rollback() //nolint:errcheck // after Commit there is nothing to roll back
	for names := range slices.Chunk(slices.Sorted(maps.Keys(one)), batchRows) {
		batch := make([]Row, len(names))
		for i, n := range names {
			batch[i] = one[n]
		}
		if err := do(tx, batch); err != nil {
			return x.explain(err)
		}
	}
	return x.explain(tx.Commit())
}

func (x *Index) putShared(ctx context.Context, rows []Row) error {
	return x.batches(ctx, rows, func(r Row) string { return r.Fax.ID }, func(tx *sql.Tx, batch []Row) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO faxctl.faxes (archive, id, created, from_number, to_number, held, key, stamp, entry)
			SELECT $1, * FROM unnest($2::text[], $3::bigint[], $4::text[], $5::text[], $6::boolean[], $7::text[], $8::text[], $9::text[])
			ON CONFLICT (archive, id) DO UPDATE SET created = excluded.created, from_number = excluded.from_number, to_number = excluded.to_number,
				held = excluded.held, key = excluded.key, stamp = excluded.stamp, entry = excluded.entry`,
			x.archive, column(batch, func(r Row) string { return r.Fax.ID }), column(batch, func(r Row) int64 { return micros(r.Fax.Created) }),
			column(batch, func(r Row) string { return storable(r.Fax.From) }), column(batch, func(r Row) string { return storable(r.Fax.To) }),
			column(batch, func(r Row) bool { return r.Held }), column(batch, func(r Row) string { return r.Key }),
			column(batch, func(r Row) string { return r.Stamp }), column(batch, func(r Row) string { return storable(string(r.Entry)) }))
		return err
	})
}

func (x *Index) removeShared(ctx context.Context, rows []Row) error {
	return x.batches(ctx, rows, func(r Row) string { return r.Fax.ID + "\x00" + r.Key + "\x00" + r.Stamp }, func(tx *sql.Tx, batch []Row) error {
		_, err := tx.ExecContext(ctx, `WITH mine AS (SELECT id, key, stamp FROM faxctl.faxes
				WHERE archive = $1 AND (id, key, stamp) IN (SELECT * FROM unnest($2::text[], $3::text[], $4::text[])) ORDER BY id FOR UPDATE)
			DELETE FROM faxctl.faxes f USING mine WHERE f.archive = $1 AND f.id = mine.id AND f.key = mine.key AND f.stamp = mine.stamp`,
			x.archive, column(batch, func(r Row) string { return r.Fax.ID }), column(batch, func(r Row) string { return r.Key }),
			column(batch, func(r Row) string { return r.Stamp }))
		return err
	})
}

func column[T any](rows []Row, of func(Row) T) []T {
	all := make([]T, len(rows))
	for i, r := range rows {
		all[i] = of(r)
	}
	return all
}

// text is what a text of a row is in the database.
func (x *Index) text(s string) string {
	if x.shared {
		return storable(s)
	}
	return s
}

// storable is s as PostgreSQL takes it: it has no text with a zero byte in it, nor one
// that is not UTF-8. Numbers and records are from outside, and either would keep all
// other rows out.
func storable(s string) string {
	return strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), "\ufffd")
}
