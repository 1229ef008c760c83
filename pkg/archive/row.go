package archive

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"time"

	"github.com/go-faster/jx"

	"github.com/faxctl/faxctl/pkg/archive/index"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/fax"
)

// rowOf is what the index keeps of an entry.
func rowOf(e Entry, sidecar, stamp string) (index.Row, error) {
	e.Record = nil
	entry, err := json.Marshal(e)
	return index.Row{Fax: e.Fax, Key: sidecar, Stamp: stamp, Held: e.Hold != nil, Entry: entry}, err
}

// entryOf reads what the index keeps of an entry, in one pass: an archive has hundreds of
// thousands of them, and encoding/json takes several times as long. What is not as
// [rowOf] writes it is left to that.
func entryOf(row []byte) (e Entry, err error) {
	d := jx.DecodeBytes(row)
	if readEntry(d, &e) == nil && errors.Is(d.Skip(), io.EOF) { // and nothing after it
		return e, nil
	}
	e = Entry{}
	return e, json.Unmarshal(row, &e)
}

// lastKnown is what the index knows of an entry whose sidecar is gone.
func lastKnown(r index.Row) Entry {
	e, err := entryOf(r.Entry)
	if err != nil {
		e = Entry{}
	}
	e.Fax.ID = r.Fax.ID
	if e.Hold == nil && r.Held {
		e.Hold = &Hold{Reason: "nobody knows why"}
	}
	return e
}

// errAstray is an index that leads to the sidecar of another fax, or to none.
var errAstray = errors.New("the index is damaged")

// believed fails with [ErrDamagedCopy] and errAstray unless a row leads to where its fax may
// be kept: whatever it says is not known of that fax. What a sidecar is of says its name, too:
// see [decode].
func (a *Archive) believed(r index.Row) error {
	if path.Base(r.Key) == r.Fax.ID+sidecarExt && isKept(r.Key) {
		return nil
	}
	return problem.With(fmt.Errorf("fax %s: %w: %w: it leads to %s", r.Fax.ID, ErrDamagedCopy, errAstray, text.Line(r.Key)),
		problem.Say("%s makes it anew", problem.Command("archive", "reindex").Arg(a.dir)))
}

// entryIn reads what a row says of its fax, if it is believed.
func (a *Archive) entryIn(r index.Row) (Entry, error) {
	if err := a.believed(r); err != nil {
		return Entry{}, err
	}
	e, err := entryOf(r.Entry)
	e.listed = r.Stamp
	return e, err
}

func readEntry(d *jx.Decoder, e *Entry) error {
	return d.ObjBytes(func(d *jx.Decoder, key []byte) (err error) {
		switch string(key) {
		case "fax":
			return readFax(d, &e.Fax)
		case "document":
			if d.Next() == jx.Null {
				return d.Null()
			}
			e.Document = new(Document)
			return readDocument(d, e.Document)
		case "archived_at":
			e.ArchivedAt, err = readTime(d)
		case "media_gone":
			e.MediaGone, err = readTime(d)
		case "document_missing":
			e.DocumentMissing, err = d.Bool()
		case "document_denied":
			e.DocumentDenied, err = readTime(d)
		case "gone":
			e.Gone, err = readTime(d)
		case "proven":
			e.Proven, err = d.Bool()
		case "removing":
			e.Removing, err = readTime(d)
		case "hold":
			return readRare(d, &e.Hold)
		case "holds":
			return readRare(d, &e.Holds)
		case "release":
			return readRare(d, &e.Release)
		case "deleting":
			return readRare(d, &e.Deleting)
		default:
			return unknownMember(key)
		}
		return err
	})
}

func readFax(d *jx.Decoder, f *fax.Fax) error {
	return d.ObjBytes(func(d *jx.Decoder, key []byte) (err error) {
		switch string(key) {
		case "id":
			f.ID, err = d.Str()
		case "from":
			f.From, err = d.Str()
		case "to":
			f.To, err = d.Str()
		case "direction":
			var s string
			s, err = d.Str()
			f.Direction = fax.Direction(s)
		case "status":
			var s string
			s, err = d.Str()
			f.Status = fax.Status(s)
		case "quality":
			f.Quality, err = d.Str()
		case "pages":
			f.Pages, err = readWhole(d)
		case "duration":
			f.Duration, err = readWhole(d)
		case "price":
			return readPrice(d, f)
		case "media_id":
			f.MediaID, err = d.Str()
		case "created":
			f.Created, err = readTime(d)
		case "updated":
			f.Updated, err = readTime(d)
		case "error_code":
			f.ErrorCode, err = d.Str()
		case "error_message":
			f.ErrorMessage, err = d.Str()
		default:
			return unknownMember(key)
		}
		return err
	})
}

func readPrice(d *jx.Decoder, f *fax.Fax) error {
	if d.Next() == jx.Null {
		return d.Null()
	}
	f.Price = new(fax.Money)
	return d.ObjBytes(func(d *jx.Decoder, key []byte) (err error) {
		switch string(key) {
		case "amount":
			f.Price.Amount, err = d.Str()
		case "currency":
			f.Price.Currency, err = d.Str()
		default:
			return unknownMember(key)
		}
		return err
	})
}

func readDocument(d *jx.Decoder, doc *Document) error {
	return d.ObjBytes(func(d *jx.Decoder, key []byte) (err error) {
		switch string(key) {
		case "file":
			doc.File, err = d.Str()
		case "sha256":
			doc.SHA256, err = d.Str()
		case "size":
			doc.Size, err = d.Int64()
		case "pages":
			doc.Pages, err = d.Int()
		case "content_type":
			doc.ContentType, err = d.Str()
		case "media_id":
			doc.MediaID, err = d.Str()
		case "uncounted":
			doc.Uncounted, err = d.Str()
		default:
			return unknownMember(key)
		}
		return err
	})
}

// unknownMember is a member that encoding/json has to decide about.
func unknownMember(name []byte) error { return fmt.Errorf("a member %q", name) }

func readWhole(d *jx.Decoder) (*int, error) {
	if d.Next() == jx.Null {
		return nil, d.Null()
	}
	n, err := d.Int()
	return &n, err
}

func readTime(d *jx.Decoder) (t time.Time, err error) {
	text, err := d.StrBytes()
	if err == nil {
		err = t.UnmarshalText(text)
	}
	return t, err
}

// readRare reads what hardly any entry has.
func readRare(d *jx.Decoder, v any) error {
	raw, err := d.Raw()
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, v)
}
