package sandbox

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"time"
)

// A fax has its place in the list by the second it was created in: seq is that
// second, shifted, plus a count within it. So a page of a list and a range of
// dates are both one run of the table.
const slotBits = 20

// slot is the first place of a second.
func slot(t time.Time) int64 { return t.Unix() << slotBits }

func faxSchema() []string {
	return []string{
		`CREATE TABLE fax (
			seq       INTEGER PRIMARY KEY,
			id        TEXT NOT NULL UNIQUE,
			media     TEXT NOT NULL,
			sender    TEXT NOT NULL,
			recipient TEXT NOT NULL,
			direction TEXT NOT NULL,
			status    TEXT NOT NULL,
			updated   INTEGER NOT NULL,
			pages     INTEGER NOT NULL,
			duration  INTEGER NOT NULL,
			quality   TEXT NOT NULL,
			size      TEXT NOT NULL,
			price     TEXT NOT NULL,
			code      INTEGER NOT NULL,
			message   TEXT NOT NULL,
			type      TEXT NOT NULL,
			station   TEXT NOT NULL,
			bytes     INTEGER NOT NULL,
			nomedia   INTEGER NOT NULL,
			document  TEXT NOT NULL
		) STRICT`,
		`CREATE INDEX fax_sender ON fax (sender, seq)`,
		`CREATE INDEX fax_recipient ON fax (recipient, seq)`,
		// What was transmitted, by its SHA-256: a thousand faxes of one
		// document keep it once.
		`CREATE TABLE document (
			hash TEXT PRIMARY KEY,
			data BLOB NOT NULL
		) STRICT`,
	}
}

const (
	faxColumns = `seq, id, media, sender, recipient, direction, status, updated, pages, duration, quality, price, code, message, type,
		size, station, bytes, nomedia, document`
	faxQuery  = `SELECT ` + faxColumns + ` FROM fax`
	faxInsert = `INSERT INTO fax (` + faxColumns + `) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

	// listedQuery is what a list shows. Fetching a column takes longer than
	// finding its row, so all come as one, with what is no character between: a page
	// of 1,000 takes 7,000 allocations in place of 26,500, and 9 ms in place of 11
	// (BenchmarkFaxList).
	listedQuery = `SELECT seq, concat_ws(char(0xffff), id, media, sender, recipient, direction, status, updated, pages, duration,
		quality, price, code, message, type) AS listed FROM fax`
)

// faxRow is a record with its place and the hash of its document; the ids in
// it are bare hex digits.
type faxRow struct {
	Fax
	seq      int64
	document string
}

// scanFax reads a row of faxQuery.
func scanFax(scan func(...any) error) (r faxRow, err error) {
	var updated int64
	err = scan(&r.seq, &r.ID, &r.MediaID, &r.From, &r.To, &r.Direction, &r.Status, &updated, &r.Pages, &r.Duration,
		&r.Quality, &r.Price, &r.ErrorCode, &r.ErrorMessage, &r.ContentType, &r.PageSize, &r.Station, &r.Bytes, &r.NoMedia, &r.document)
	r.date(updated)
	return r, err
}

// listedRow is a row of listedQuery: its place, and all the rest.
func listedRow(seq int64, listed string) (r faxRow, err error) {
	r.seq = seq
	text := func() (t string) {
		t, listed, _ = strings.Cut(listed, "\uffff")
		return t
	}
	number := func() int64 {
		n, e := strconv.ParseInt(text(), 10, 64)
		err = errors.Join(err, e)
		return n
	}
	r.ID, r.MediaID, r.From, r.To, r.Direction, r.Status = text(), text(), text(), text(), text(), text()
	r.date(number())
	r.Pages, r.Duration = int(number()), int(number())
	r.Quality, r.Price, r.ErrorCode, r.ErrorMessage, r.ContentType = text(), text(), int(number()), text(), text()
	return r, err
}

// date sets the times, which are whole seconds.
func (r *faxRow) date(updated int64) {
	r.Created = time.Unix(r.seq>>slotBits, 0).UTC()
	r.Updated = time.Unix(updated, 0).UTC()
}

// values are those of faxColumns.
func (r faxRow) values() []any {
	return []any{r.seq, r.ID, r.MediaID, r.From, r.To, r.Direction, r.Status, r.Updated.Unix(), r.Pages, r.Duration,
		r.Quality, r.Price, r.ErrorCode, r.ErrorMessage, r.ContentType, r.PageSize, r.Station, r.Bytes, r.NoMedia, r.document}
}

// addFax stores a record after those of its second.
func addFax(ctx context.Context, tx *sql.Tx, r faxRow) error {
	first := slot(r.Created)
	err := tx.QueryRowContext(ctx, `SELECT coalesce(max(seq) + 1, ?1) FROM fax WHERE seq >= ?1 AND seq < ?2`,
		first, first+1<<slotBits).Scan(&r.seq)
	if err != nil {
		return err
	}
	return insertFax(ctx, tx, r)
}

// saveFax replaces a record. The document given before stays unless there is a
// new one, or none any more.
func saveFax(ctx context.Context, tx *sql.Tx, old faxRow, f Fax) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM fax WHERE seq = ?`, old.seq); err != nil {
		return err
	}
	hash := old.document
	if f.NoMedia {
		hash = ""
	}
	if err := insertFax(ctx, tx, faxRow{f, old.seq, hash}); err != nil {
		return err
	}
	return dropDocument(ctx, tx, old.document)
}

func insertFax(ctx context.Context, tx *sql.Tx, r faxRow) error {
	if r.Document != nil && !r.NoMedia {
		var err error
		if r.document, err = keepDocument(ctx, tx, r.Document); err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, faxInsert, r.values()...)
	return err
}

func keepDocument(ctx context.Context, tx *sql.Tx, data []byte) (hash string, err error) {
	sum := sha256.Sum256(data)
	hash = hex.EncodeToString(sum[:])
	_, err = tx.ExecContext(ctx, `INSERT INTO document (hash, data) VALUES (?, ?) ON CONFLICT DO NOTHING`, hash, data)
	return hash, err
}

// document finds a stored document.
func (st *state) document(ctx context.Context, hash string) (data []byte, err error) {
	err = st.read.QueryRowContext(ctx, `SELECT data FROM document WHERE hash = ?`, hash).Scan(&data)
	return data, err
}

// fax finds one that is at the place oldest or later; sql.ErrNoRows when there
// is none.
func (st *state) fax(ctx context.Context, id string, oldest int64) (faxRow, error) {
	return scanFax(st.read.QueryRowContext(ctx, faxQuery+` WHERE id = ? AND seq >= ?`, id, oldest).Scan)
}

// faxFilter selects faxes; empty fields select all.
type faxFilter struct {
	from, to string
	low      int64 // the first place
	high     int64 // the place after the last; 0: no end
}

func (f faxFilter) sql() (where []string, args []any) {
	where, args = []string{"seq >= ?"}, []any{f.low}
	if f.high != 0 {
		where, args = append(where, "seq < ?"), append(args, f.high)
	}
	if f.from != "" {
		where, args = append(where, "sender = ?"), append(args, f.from)
	}
	if f.to != "" {
		where, args = append(where, "recipient = ?"), append(args, f.to)
	}
	return where, args
}

// faxes hands over a page of them, in the columns that are listed, the newest
// first.
func (st *state) faxes(ctx context.Context, f faxFilter, p page, each func(faxRow)) (run, error) {
	where, args := f.sql()
	var seq int64
	var listed string
	return readPage(ctx, st.read, p, listedQuery, where, args, func(scan func(...any) error) (int64, error) {
		if err := scan(&seq, &listed); err != nil {
			return 0, err
		}
		r, err := listedRow(seq, listed)
		if err == nil {
			each(r)
		}
		return seq, err
	})
}

// errInProgress says that a fax has not come to its end.
var errInProgress = errors.New("fax is in progress")

// dropFax removes a record, and its document when no other fax has it.
func (st *state) dropFax(ctx context.Context, id string, oldest int64) error {
	return st.inTx(ctx, func(tx *sql.Tx) error {
		r, err := scanFax(tx.QueryRowContext(ctx, faxQuery+` WHERE id = ? AND seq >= ?`, id, oldest).Scan)
		if err != nil {
			return err
		}
		if !terminal(r.Status) {
			return errInProgress
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM fax WHERE seq = ?`, r.seq); err != nil {
			return err
		}
		return dropDocument(ctx, tx, r.document)
	})
}

func dropDocument(ctx context.Context, tx *sql.Tx, hash string) error {
	if hash == "" {
		return nil
	}
	_, err := tx.ExecContext(ctx, `DELETE FROM document WHERE hash = ?1 AND NOT EXISTS (SELECT 1 FROM fax WHERE document = ?1)`, hash)
	return err
}

// addFaxes stores many records, sorted by creation, in one transaction; all of
// them have the one document unless it is nil.
func (st *state) addFaxes(ctx context.Context, rows []faxRow, document []byte) error {
	return st.inTx(ctx, func(tx *sql.Tx) (err error) {
		var hash string
		if document != nil {
			if hash, err = keepDocument(ctx, tx, document); err != nil {
				return err
			}
		}
		insert, err := tx.PrepareContext(ctx, faxInsert+` ON CONFLICT (seq) DO NOTHING`)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, insert.Close()) }()
		for _, r := range rows {
			if r.MediaID != "" {
				r.document = hash
			}
			res, err := insert.ExecContext(ctx, r.values()...)
			if err != nil {
				return err
			}
			if added, err := res.RowsAffected(); err != nil {
				return err
			} else if added == 0 { // somebody has the place
				if err := addFax(ctx, tx, r); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// countFaxes is how many there are, the forgotten ones too.
func (st *state) countFaxes(ctx context.Context) (n int, err error) {
	err = st.read.QueryRowContext(ctx, `SELECT count(*) FROM fax`).Scan(&n)
	return n, err
}
