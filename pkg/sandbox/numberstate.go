package sandbox

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"strings"
	"time"
)

// number is a number the account owns.
type number struct {
	seq int64 // place in the list; newer is higher

	ID      string // 32 hex digits
	Account string `json:",omitempty"` // the subaccount that has it
	Phone   string // E.164
	Country string
	Type    string // as paths spell it
	Name    string
	Address string // what kind of address it needs
	Beta    bool
	Can     capabilities
	Mode    string // voice or fax
	Created time.Time
	Updated time.Time

	Bought  int64   // when, in milliseconds since 1970, more exactly than Created
	Changed int64   // when it was updated
	Was     *number // before that

	// Set is what else was set, by parameter name; see settings.
	Set map[string]string
}

// errTaken says that somebody owns the number already.
var errTaken = errors.New("number is owned already")

const insertNumber = `INSERT INTO number (id, phone, name, type, beta, doc) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (phone) DO NOTHING`

// addNumbers stores them in one transaction, the first being the oldest.
func (st *state) addNumbers(ctx context.Context, numbers ...number) error {
	return st.inTx(ctx, func(tx *sql.Tx) (err error) {
		insert, err := tx.PrepareContext(ctx, insertNumber)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, insert.Close()) }()
		for _, n := range numbers {
			doc, err := json.Marshal(n)
			if err != nil {
				return err
			}
			res, err := insert.ExecContext(ctx, n.ID, n.Phone, n.Name, n.Type, n.Beta, string(doc))
			if err != nil {
				return err
			}
			if added, err := res.RowsAffected(); err != nil || added == 0 {
				return errors.Join(err, errTaken)
			}
		}
		return nil
	})
}

// changeNumber reads, changes and writes a number in one transaction.
func (st *state) changeNumber(ctx context.Context, id string, change func(*number) error) (n number, err error) {
	err = st.inTx(ctx, func(tx *sql.Tx) error {
		row := tx.QueryRowContext(ctx, `SELECT seq, doc FROM number WHERE id = ?`, id)
		if n, err = scanNumber(row.Scan); err != nil {
			return err
		}
		if err := change(&n); err != nil {
			return err
		}
		doc, err := json.Marshal(n)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE number SET name = ?, doc = ? WHERE id = ?`, n.Name, string(doc), id)
		return err
	})
	return n, err
}

// number finds one; sql.ErrNoRows when there is none.
func (st *state) number(ctx context.Context, id string) (number, error) {
	return scanNumber(st.read.QueryRowContext(ctx, `SELECT seq, doc FROM number WHERE id = ?`, id).Scan)
}

// numberOf finds one by its phone number.
func (st *state) numberOf(ctx context.Context, phone string) (number, error) {
	return scanNumber(st.read.QueryRowContext(ctx, `SELECT seq, doc FROM number WHERE phone = ?`, phone).Scan)
}

// dropNumber reports whether there was one.
func (st *state) dropNumber(ctx context.Context, id string) (bool, error) {
	res, err := st.write.ExecContext(ctx, `DELETE FROM number WHERE id = ?`, id)
	if err != nil {
		return false, err
	}
	gone, err := res.RowsAffected()
	return gone > 0, err
}

// numberFilter selects numbers; empty fields select all.
type numberFilter struct {
	phone string // part of the number, * for any digit
	name  string // exact
	kind  string
	beta  *bool
	until int64 // bought by then, in milliseconds since 1970

	account string // the subaccount that has them
}

func (f numberFilter) sql() (where []string, args []any) {
	if f.phone != "" {
		where, args = append(where, "phone GLOB ?"), append(args, "*"+strings.ReplaceAll(f.phone, "*", "?")+"*")
	}
	if f.name != "" {
		where, args = append(where, "name = ?"), append(args, f.name)
	}
	if f.until != 0 {
		where, args = append(where, "coalesce(json_extract(doc, '$.Bought'), 0) <= ?"), append(args, f.until)
	}
	where, args = append(where, "coalesce(json_extract(doc, '$.Account'), '') = ?"), append(args, f.account)
	if f.kind != "" {
		where, args = append(where, "type = ?"), append(args, f.kind)
	}
	if f.beta != nil {
		where, args = append(where, "beta = ?"), append(args, *f.beta)
	}
	return where, args
}

// numbers is a page of them, the newest first.
func (st *state) numbers(ctx context.Context, f numberFilter, p page) (found []number, r run, err error) {
	where, args := f.sql()
	r, err = readPage(ctx, st.read, p, `SELECT seq, doc FROM number`, where, args, func(scan func(...any) error) (int64, error) {
		n, err := scanNumber(scan)
		found = append(found, n)
		return n.seq, err
	})
	return found, r, err
}

func scanNumber(scan func(...any) error) (n number, err error) {
	var doc []byte
	if err := scan(&n.seq, &doc); err != nil {
		return number{}, err
	}
	return n, json.Unmarshal(doc, &n)
}

// phones is every number that is not for sale because it is owned.
func (st *state) phones(ctx context.Context) (owned map[string]bool, err error) {
	rows, err := st.read.QueryContext(ctx, `SELECT phone FROM number`)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	owned = map[string]bool{}
	for rows.Next() {
		var phone string
		if err := rows.Scan(&phone); err != nil {
			return nil, err
		}
		owned[phone] = true
	}
	return owned, rows.Err()
}

// faxLines are the numbers owned that faxes go to: those in fax mode, or those
// that could be when none is.
func (st *state) faxLines(ctx context.Context) (lines []string, err error) {
	rows, err := st.read.QueryContext(ctx, `SELECT seq, doc FROM number ORDER BY phone`)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	var able []string
	for rows.Next() {
		n, err := scanNumber(rows.Scan)
		switch {
		case err != nil:
			return nil, err
		case n.Mode == "fax":
			lines = append(lines, n.Phone)
		case n.Can.Fax:
			able = append(able, n.Phone)
		}
	}
	if len(lines) == 0 {
		lines = able
	}
	return lines, rows.Err()
}
