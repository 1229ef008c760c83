package sandbox

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// iso8601 writes a time as the fax API does.
func iso8601(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// jsonText is an answer that is JSON already.
type jsonText []byte

// faxWriter writes records as one request gets to see them. A page has a
// thousand of them, which is why they are not left to encoding/json: it takes
// longer for them than the database does.
type faxWriter struct {
	d       dialect
	base    string // before the path of a link
	origin  string // before the path of a document
	expires string // when links to documents do, Unix seconds
	account string // the fax resource's path, or the account's
	quirks  Quirks
	b       []byte
}

func (s *Sandbox) newFaxWriter(r *http.Request) *faxWriter {
	return &faxWriter{
		d: s.dialect, base: s.dialect.base(r), origin: origin(r), account: s.faxURI(""),
		expires: strconv.FormatInt(s.now().Add(linkLife).Unix(), 10), quirks: s.options.Quirks,
	}
}

// faxBody is one record.
func (s *Sandbox) faxBody(r *http.Request, f faxRow) jsonText {
	w := s.newFaxWriter(r)
	w.fax(f)
	return w.b
}

func (w *faxWriter) fax(f faxRow) {
	id, media := w.d.id("FX", f.ID), ""
	if f.MediaID != "" && w.quirks.Media != "listed" {
		media = w.d.id("ME", f.MediaID)
	}
	signalWire := w.d.name == SignalWire
	// Which of SignalWire's numbers are strings is not told; here it goes by
	// the id, so that both are met.
	quoted := signalWire && f.ID[0]&1 == 1

	w.b = append(w.b, '{')
	w.plain("sid", id)
	w.plain("account_sid", w.d.account.Account)
	w.plain("api_version", "v1")
	w.text("from", f.From)
	w.text("to", f.To)
	w.text("direction", f.Direction)
	w.text("status", f.Status)
	w.text("quality", f.Quality)
	w.number("num_pages", f.Pages, quoted)
	w.number("duration", f.Duration, quoted)
	switch {
	case f.Price == "":
		w.raw("price", "null")
		w.raw("price_unit", "null")
	case quoted:
		w.text("price", f.Price)
		w.plain("price_unit", "USD")
	default:
		w.raw("price", f.Price)
		w.plain("price_unit", "USD")
	}
	if media == "" {
		w.raw("media_sid", "null")
	} else {
		w.plain("media_sid", media)
	}
	if media == "" || signalWire && f.ID[1] == 'c' { // SignalWire's may be missing here
		w.raw("media_url", "null")
	} else {
		w.raw("media_url", `"`)
		w.link(id, media, f.ContentType)
		w.write(`"`)
	}
	w.instant("date_created", f.Fax, f.Created)
	w.instant("date_updated", f.Fax, f.Updated)
	if signalWire {
		w.number("error_code", f.ErrorCode, false)
		if f.ErrorMessage == "" {
			w.raw("error_message", "null")
		} else {
			w.text("error_message", f.ErrorMessage)
		}
	}
	w.raw("links", "{")
	w.plain("media", w.base, w.account, "/", id, "/Media")
	w.b = append(w.b, '}')
	w.plain("url", w.base, w.account, "/", id)
	w.b = append(w.b, '}')
}

func (w *faxWriter) key(name string) {
	if w.b[len(w.b)-1] != '{' {
		w.b = append(w.b, ',')
	}
	w.b = append(w.b, '"')
	w.b = append(w.b, name...)
	w.b = append(w.b, '"', ':')
}

func (w *faxWriter) raw(name, value string) {
	w.key(name)
	w.b = append(w.b, value...)
}

func (w *faxWriter) write(parts ...string) {
	for _, part := range parts {
		w.b = append(w.b, part...)
	}
}

// plain writes the parts as one string; JSON has nothing to escape in them.
func (w *faxWriter) plain(name string, parts ...string) {
	w.raw(name, `"`)
	w.write(parts...)
	w.write(`"`)
}

// text writes the parts as one string.
func (w *faxWriter) text(name string, parts ...string) {
	w.key(name)
	w.b = append(w.b, '"')
	for _, part := range parts {
		if plainASCII(part) {
			w.b = append(w.b, part...)
			continue
		}
		quoted, _ := json.Marshal(part) // never fails on a string
		w.b = append(w.b, quoted[1:len(quoted)-1]...)
	}
	w.b = append(w.b, '"')
}

// plainASCII tells whether JSON writes s as it is.
func plainASCII(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

func (w *faxWriter) instant(name string, f Fax, t time.Time) {
	if w.quirks.Dates != "" {
		if text := w.quirks.written(f, t); text != "" {
			w.plain(name, text)
		} else {
			w.raw(name, "null")
		}
		return
	}
	w.raw(name, `"`)
	w.b = append(t.UTC().AppendFormat(w.b, time.RFC3339), '"')
}

// number writes 0 as null.
func (w *faxWriter) number(name string, n int, quoted bool) {
	switch {
	case n == 0:
		w.raw(name, "null")
	case quoted:
		w.plain(name, strconv.Itoa(n))
	default:
		w.key(name)
		w.b = strconv.AppendInt(w.b, int64(n), 10)
	}
}
