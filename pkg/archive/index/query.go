package index

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/faxctl/faxctl/pkg/fax"
)

// Get finds the record of one fax.
func (x *Index) Get(ctx context.Context, id string) (row Row, found bool, err error) {
	err = x.db.QueryRowContext(ctx, `SELECT key, stamp, held, entry FROM faxes WHERE id = $1`, id).
		Scan(&row.Key, &row.Stamp, &row.Held, (*[]byte)(&row.Entry))
	if errors.Is(err, sql.ErrNoRows) {
		return Row{}, false, nil
	}
	row.Fax.ID = id
	return row, err == nil, err
}

// List yields the records that may match q, newest first, then by id: those of
// its dates and numbers. The rest of the filter is for the caller. Of Row.Fax
// only the ID is filled in; the Entry has the rest.
func (x *Index) List(ctx context.Context, q fax.Filter) iter.Seq2[Row, error] {
	where, args := conditions(q)
	return x.query(ctx, `SELECT id, key, stamp, held, entry FROM faxes`+where+` ORDER BY created DESC, id`, args...)
}

// Held yields the records that a person asked to keep.
func (x *Index) Held(ctx context.Context) iter.Seq2[Row, error] {
	return x.query(ctx, `SELECT id, key, stamp, held, entry FROM faxes WHERE held ORDER BY created DESC, id`)
}

// Stamps yields every record without its entry.
func (x *Index) Stamps(ctx context.Context) iter.Seq2[Row, error] {
	return x.query(ctx, `SELECT id, key, stamp, held, '' FROM faxes`)
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
			var r Row
			var entry []byte
			if err := rows.Scan(&r.Fax.ID, &r.Key, &r.Stamp, &r.Held, &entry); err != nil {
				yield(Row{}, err)
				return
			}
			r.Entry = entry
			if !yield(r, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(Row{}, err)
		}
	}
}

// conditions is the part of q that the database knows.
func conditions(q fax.Filter) (where string, args []any) {
	var all []string
	add := func(condition string, arg any) {
		args = append(args, arg)
		all = append(all, strings.ReplaceAll(condition, "?", fmt.Sprintf("$%d", len(args))))
	}
	if q.From != "" {
		add("from_number = ?", q.From)
	}
	if q.To != "" {
		add("to_number = ?", q.To)
	}
	if q.Number != "" {
		add("(from_number = ? OR to_number = ?)", q.Number)
	}
	if !q.After.IsZero() {
		add("created >= ?", micros(q.After)) // Match is exact where microseconds are not
	}
	if !q.Until.IsZero() {
		add("created <= ?", micros(q.Until))
	}
	if len(all) == 0 {
		return "", nil
	}
	return " WHERE " + strings.Join(all, " AND "), args
}

func micros(t time.Time) int64 { return t.UnixMicro() }
