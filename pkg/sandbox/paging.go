package sandbox

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// page is the part of a list that was asked for. A cursor is the place of a row
// in its table; rows are listed from the newest, that is from the highest place.
type page struct {
	path   string     // of the list, as answers write it
	filter url.Values // of the list, echoed in links
	number int        // from 0
	size   int
	cursor int64
	back   bool // towards the newer: rows above the cursor instead of below
}

// Page sizes as documented: 50 unless told, at most 1000.
const (
	defaultPageSize = 50
	maxPageSize     = 1000
)

// newPage reads Page, PageSize and PageToken. A page other than the first is
// only found by the token that a link carried; a number made up by hand is
// refused.
func (s *Sandbox) newPage(r *http.Request, path string) (page, error) {
	p := page{path: path, filter: url.Values{}, size: defaultPageSize, cursor: math.MaxInt64}
	for key, values := range r.Form {
		switch key {
		case "Page", "PageSize", "PageToken":
		default:
			p.filter[key] = values
		}
	}
	var err error
	if text := r.Form.Get("PageSize"); text != "" {
		if p.size, err = strconv.Atoi(text); err != nil || p.size < 1 {
			return page{}, failure{http.StatusBadRequest, 20001, "Invalid PageSize: " + text}
		}
		p.size = min(p.size, maxPageSize)
	}
	if text := r.Form.Get("Page"); text != "" {
		if p.number, err = strconv.Atoi(text); err != nil || p.number < 0 {
			return page{}, failure{http.StatusBadRequest, 21481, "Invalid Page value"}
		}
	}
	token := r.Form.Get("PageToken")
	if token == "" && p.number > 0 {
		return page{}, failure{http.StatusBadRequest, 21481, "Invalid Page value: take the page from next_page_uri"}
	}
	if token != "" {
		var known bool
		if p.cursor, p.back, known = p.open(token); !known {
			return page{}, failure{http.StatusBadRequest, 70002, "Page token is invalid"}
		}
	}
	return p, nil
}

// A token is the way (PA after, PB before), the cursor, and a seal over these,
// the list and the page's number. It keeps nothing secret: the seal only makes
// sure that nobody gets far with a token of their own making.
func (p page) token(way string, number int, cursor int64) string {
	place := strconv.FormatInt(cursor, 16)
	return way + p.seal(way, number, place) + place
}

const sealLength = 24

func (p page) seal(way string, number int, place string) string {
	mac := hmac.New(sha256.New, []byte("sandbox page token"))
	for _, part := range []string{way, strconv.Itoa(number), place, p.path} {
		_, _ = mac.Write([]byte(part + "\x00"))
	}
	return hex.EncodeToString(mac.Sum(nil))[:sealLength]
}

func (p page) open(token string) (cursor int64, back, known bool) {
	if len(token) <= 2+sealLength {
		return 0, false, false
	}
	way, place := token[:2], token[2+sealLength:]
	if !hmac.Equal([]byte(token[2:2+sealLength]), []byte(p.seal(way, p.number, place))) {
		return 0, false, false
	}
	cursor, err := strconv.ParseInt(place, 16, 64)
	return cursor, way == "PB", err == nil
}

// run is the rows of a page.
type run struct {
	first, last int64 // their places; 0: there are none
	n           int
	more        bool // there are others in the page's direction
}

// readPage hands over the page's rows of what a query selects from a table with
// a place for each row, seq, which row returns; the newest comes first.
func readPage(ctx context.Context, db *sql.DB, p page, query string, where []string, args []any,
	row func(scan func(...any) error) (seq int64, err error),
) (r run, err error) {
	within := func(beyond string) string { return query + " WHERE " + strings.Join(append(where, beyond), " AND ") }
	text := within("seq < ?") + " ORDER BY seq DESC LIMIT ?"
	if p.back {
		text = "SELECT * FROM (" + within("seq > ?") + " ORDER BY seq LIMIT ?) ORDER BY seq DESC"
		r.more = true // where this page was come from
	}
	limit := p.size
	if !p.back {
		limit++ // is there one more?
	}
	rows, err := db.QueryContext(ctx, text, append(args, p.cursor, limit)...)
	if err != nil {
		return run{}, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if r.n == p.size {
			r.more = true
			break
		}
		seq, err := row(rows.Scan)
		if err != nil {
			return run{}, err
		}
		if r.n == 0 {
			r.first = seq
		}
		r.last = seq
		r.n++
	}
	return r, rows.Err()
}

// links leads to the neighbors; a link that leads nowhere is nil.
type links struct {
	self, first    string
	previous, next any
}

// links builds them for a page with these rows.
func (p page) links(r run) links {
	l := links{self: p.uri(p.number, ""), first: p.uri(0, "")}
	if p.number > 0 {
		l.previous = p.uri(p.number-1, p.token("PB", p.number-1, r.first))
	}
	if r.more {
		l.next = p.uri(p.number+1, p.token("PA", p.number+1, r.last))
	}
	return l
}

func (p page) uri(number int, token string) string {
	q := url.Values{"Page": {strconv.Itoa(number)}, "PageSize": {strconv.Itoa(p.size)}}
	for key, values := range p.filter {
		q[key] = values
	}
	if token != "" {
		q.Set("PageToken", token)
	}
	return p.path + "?" + q.Encode()
}

// flat is the 2010 API's envelope, which holds the rows too: paging beside them,
// links without host.
func (p page) flat(r run) map[string]any {
	start, l := p.number*p.size, p.links(r)
	return map[string]any{
		"page":              p.number,
		"page_size":         p.size,
		"start":             start,
		"end":               max(start, start+r.n-1),
		"uri":               l.self,
		"first_page_uri":    l.first,
		"previous_page_uri": l.previous,
		"next_page_uri":     l.next,
	}
}

// origin is where the request came in, for answers that carry whole addresses.
// A proxy in front, and the in-process transport, say the scheme.
func origin(r *http.Request) string {
	scheme := r.Header.Get("X-Forwarded-Proto")
	if !strings.EqualFold(scheme, "https") {
		scheme = "http"
	}
	return scheme + "://" + r.Host
}
