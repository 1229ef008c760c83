package index

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/faxctl/faxctl/pkg/fax"
)

// Get finds the record of one fax.
func (x *Index) Get(ctx context.Context, id string) (row Row, found bool, err error) {
	s := x.selecting().where("id = ?", x.text(id))
	err = x.db.QueryRowContext(ctx, `SELECT key, stamp, held, entry FROM `+x.table+s.conditions(), s.args...).
		Scan(&row.Key, &row.Stamp, &row.Held, (*[]byte)(&row.Entry))
	if errors.Is(err, sql.ErrNoRows) {
		return Row{}, false, nil
	}
	row.Fax.ID = id
	return row, err == nil, x.explain(err)
}

// Among finds the records of some faxes, by their ids, in no particular order; those that
// are not there are left out. They come by one query: one for each takes several times as
// long.
func (x *Index) Among(ctx context.Context, ids []string) ([]Row, error) {
	s, err := x.among(ids)
	if err != nil {
		return nil, err
	}
	rows, _, err := x.page(ctx, `SELECT id, created, key, stamp, held, entry FROM `+x.table+s.conditions(), s.args)
	return rows, x.explain(err)
}

func (x *Index) among(ids []string) (selection, error) {
	if x.shared {
		texts := make([]string, len(ids))
		for i, id := range ids {
			texts[i] = storable(id)
		}
		return x.selecting().where("id = ANY(?::text[])", texts), nil
	}
	list, err := json.Marshal(ids)
	return x.selecting().where("id IN (SELECT value FROM json_each(?))", string(list)), err
}

// List yields the records that may match q, newest first, then by id: those of
// its dates and numbers. The rest of the filter is for the caller. Of Row.Fax
// only the ID is filled in; the Entry has the rest. What is put meanwhile may be
// among them or not.
func (x *Index) List(ctx context.Context, q fax.Filter) iter.Seq2[Row, error] {
	s := x.selecting()
	if q.From != "" {
		s = s.where("from_number = ?", x.text(q.From))
	}
	if q.To != "" {
		s = s.where("to_number = ?", x.text(q.To))
	}
	if q.Number != "" {
		s = s.where("(from_number = ? OR to_number = ?)", x.text(q.Number))
	}
	if !q.After.IsZero() {
		s = s.where(x.since, micros(q.After)) // Match is exact where microseconds are not
	}
	if !q.Until.IsZero() {
		s = s.where(x.until, micros(q.Until))
	}
	return x.newestFirst(ctx, s)
}

// Held yields the records that a person asked to keep.
func (x *Index) Held(ctx context.Context) iter.Seq2[Row, error] {
	return x.newestFirst(ctx, x.selecting().where("held"))
}

func (x *Index) newestFirst(ctx context.Context, s selection) iter.Seq2[Row, error] {
	if x.shared {
		return x.pages(ctx, s, "id, created, key, stamp, held, entry", x.order, afterNewest)
	}
	return x.query(ctx, `SELECT id, created, key, stamp, held, entry FROM `+x.table+s.conditions()+` ORDER BY `+x.order, s.args...)
}

// Stamps yields every record without its entry.
func (x *Index) Stamps(ctx context.Context) iter.Seq2[Row, error] {
	if x.shared {
		return x.pages(ctx, x.selecting(), "id, created, key, stamp, held, ''", "id", afterID)
	}
	return x.query(ctx, `SELECT id, created, key, stamp, held, '' FROM `+x.table)
}

func (x *Index) query(ctx context.Context, query string, args ...any) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		rows, err := x.db.QueryContext(ctx, query, args...)
		if err != nil {
			yield(Row{}, err)
			return
		}
		defer rows.Close() //nolint:errcheck // rows.Err tells
		for rows.Next() {
			r, _, err := scan(rows)
			if !yield(r, err) || err != nil {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(Row{}, err)
		}
	}
}

// scan reads a row, and when its fax was made, in microseconds.
func scan(rows *sql.Rows) (r Row, created int64, err error) {
	var entry []byte
	if err := rows.Scan(&r.Fax.ID, &created, &r.Key, &r.Stamp, &r.Held, &entry); err != nil {
		return Row{}, 0, err
	}
	r.Entry = entry
	return r, created, nil
}

// selection is which rows are asked for.
type selection struct {
	all  []string
	args []any
}

// selecting is all rows of the archive.
func (x *Index) selecting() selection {
	if x.shared {
		return selection{}.where("archive = ?", x.archive)
	}
	return selection{}
}

// where adds a condition; each ? in it stands for the one argument.
func (s selection) where(condition string, arg ...any) selection {
	s.args = append(s.args[:len(s.args):len(s.args)], arg...)
	s.all = append(s.all[:len(s.all):len(s.all)], strings.ReplaceAll(condition, "?", fmt.Sprintf("$%d", len(s.args))))
	return s
}

func (s selection) conditions() string {
	if len(s.all) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(s.all, " AND ")
}

func micros(t time.Time) int64 { return t.UnixMicro() }
