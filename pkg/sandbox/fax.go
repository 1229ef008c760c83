package sandbox

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/faxctl/faxctl/pkg/sandbox/paper"
)

// Fax is a fax record of the account.
type Fax struct {
	ID      string // as the dialect writes it; given by the sandbox
	MediaID string // likewise; empty: there is no document

	From      string // E.164, or whatever the far end claims
	To        string // E.164
	Direction string // inbound (the default) or outbound
	Status    string // as the provider names it; default received or delivered
	Created   time.Time
	Updated   time.Time

	Pages    int    // 0: not counted
	Duration int    // seconds; 0: not known
	Quality  string // standard (the default), fine or superfine
	PageSize string // letter (the default), legal or a4
	Price    string // decimal, US dollars; empty: not known

	ErrorCode    int // of the provider; 0: none
	ErrorMessage string

	ContentType string // of the document: application/pdf (the default) or image/tiff
	Station     string // the far end's station id, printed on a document that is drawn
	Bytes       int    // about how large a document that is drawn shall be; 0: as it comes

	// Document is what was transmitted. Nil: a document is drawn, the same
	// each time, when somebody asks for it. It is only set to be stored;
	// reading a record leaves it nil.
	Document []byte

	// NoMedia: the provider keeps no document of this fax.
	NoMedia bool
}

// terminal tells whether a fax has come to its end.
func terminal(status string) bool {
	switch status {
	case "delivered", "received", "no-answer", "busy", "failed", "canceled":
		return true
	}
	return false
}

// transmitted tells whether the document of a fax has come through.
func (f Fax) transmitted() bool { return f.Status == "received" || f.Status == "delivered" }

// complete fills in what was left out, and refuses what no fax is.
func (f *Fax) complete(now time.Time) error {
	defaults := func(s *string, value string) {
		if *s == "" {
			*s = value
		}
	}
	defaults(&f.Direction, "inbound")
	defaults(&f.Status, map[string]string{"inbound": "received", "outbound": "delivered"}[f.Direction])
	defaults(&f.Quality, "standard")
	defaults(&f.PageSize, "letter")
	defaults(&f.ContentType, "application/pdf")
	if f.Created.IsZero() {
		f.Created = now
	}
	f.Created = f.Created.UTC().Truncate(time.Second)
	if f.Updated.Before(f.Created) {
		f.Updated = f.Created
	}
	f.Updated = f.Updated.UTC().Truncate(time.Second)
	if f.Pages == 0 && f.transmitted() {
		f.Pages = 1
	}
	if f.transmitted() && !f.NoMedia {
		defaults(&f.MediaID, newID())
	}
	for _, c := range []struct{ field, value, want string }{
		{"direction", f.Direction, "inbound outbound"},
		{"status", f.Status, "queued processing sending delivered receiving received no-answer busy failed canceled"},
		{"quality", f.Quality, "standard fine superfine"},
		{"page size", f.PageSize, "letter legal a4"},
		{"content type", f.ContentType, "application/pdf image/tiff"},
	} {
		if !slices.Contains(strings.Fields(c.want), c.value) {
			return fmt.Errorf("fax with %s %q: want one of %s", c.field, c.value, c.want)
		}
	}
	if f.Pages < 0 || f.Pages > paper.MaxPages {
		return fmt.Errorf("fax of %d pages: want at most %d", f.Pages, paper.MaxPages)
	}
	return nil
}

// AddFax puts a fax into the account, as if it had just been sent or received
// (or at f.Created), and returns the record. A fax that came through has a
// document: f.Document, or one that is drawn.
func (s *Sandbox) AddFax(ctx context.Context, f Fax) (Fax, error) {
	f.ID, f.MediaID = newID(), ""
	if err := f.complete(s.now()); err != nil {
		return Fax{}, err
	}
	err := s.state.inTx(ctx, func(tx *sql.Tx) error { return addFax(ctx, tx, faxRow{Fax: f}) })
	if err != nil {
		return Fax{}, fmt.Errorf("add fax: %w", err)
	}
	return s.outside(f), nil
}

// ErrNoFax says that the account has no such fax.
var ErrNoFax = errors.New("no such fax")

// ChangeFax changes a record in one transaction, as when a transmission ends.
// Identity and creation stay as they are. It fails with [ErrNoFax] or the
// error of change.
func (s *Sandbox) ChangeFax(ctx context.Context, id string, change func(*Fax) error) (Fax, error) {
	f, err := s.changeFax(ctx, s.dialect.hex("FX", id), change)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNoFax
	}
	if err != nil {
		return Fax{}, fmt.Errorf("change fax: %w", err)
	}
	return s.outside(f), nil
}

func (s *Sandbox) changeFax(ctx context.Context, id string, change func(*Fax) error) (f Fax, err error) {
	err = s.state.inTx(ctx, func(tx *sql.Tx) error {
		row, err := scanFax(tx.QueryRowContext(ctx, faxQuery+` WHERE id = ? AND seq >= ?`, id, s.oldest()).Scan)
		if err != nil {
			return err
		}
		f = row.Fax
		if err := change(&f); err != nil {
			return err
		}
		f.ID, f.Created, f.Updated = row.ID, row.Created, s.now()
		if err := f.complete(s.now()); err != nil {
			return err
		}
		return saveFax(ctx, tx, row, f)
	})
	return f, err
}

// outside writes the ids as the provider does.
func (s *Sandbox) outside(f Fax) Fax {
	f.ID = s.dialect.id("FX", f.ID)
	if f.MediaID != "" {
		f.MediaID = s.dialect.id("ME", f.MediaID)
	}
	f.Document = nil
	return f
}

// oldest is the place of the oldest fax the provider still has.
func (s *Sandbox) oldest() int64 {
	if s.dialect.retention == 0 {
		return 0
	}
	return slot(s.now().Add(-s.dialect.retention))
}
