package show

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-faster/jx"

	"github.com/faxctl/faxctl/pkg/archive/fetch"
	"github.com/faxctl/faxctl/pkg/archive/retention"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/fax/usage"
	"github.com/faxctl/faxctl/pkg/screen/output"
	"github.com/faxctl/faxctl/pkg/screen/term"
)

// What there is to see of faxes.

// FaxType describes a fax record. name is what a person calls a number of theirs,
// the number itself where that is not known.
func FaxType(name func(phone string) string) output.Type[fax.Fax] {
	self := func(f fax.Fax) fax.Fax { return f }
	return output.Type[fax.Fax]{
		ID:      func(f fax.Fax) string { return f.ID },
		Raw:     func(f fax.Fax) json.RawMessage { return f.Raw },
		Columns: faxColumns(self),
		Drawn:   drawnFax(self, name),
		JSON:    encodeFax,
	}
}

// encodeFax writes the fields as their tags in [fax.Fax] say.
func encodeFax(e *jx.Encoder, f fax.Fax) {
	text := func(name, value string) { e.FieldStart(name); e.Str(value) }
	known := func(name, value string) {
		if value != "" {
			text(name, value)
		}
	}
	number := func(name string, n *int) {
		e.FieldStart(name)
		if n == nil {
			e.Null()
		} else {
			e.Int(*n)
		}
	}
	e.ObjStart()
	text("id", f.ID)
	text("from", f.From)
	text("to", f.To)
	text("direction", string(f.Direction))
	text("status", string(f.Status))
	known("quality", f.Quality)
	number("pages", f.Pages)
	number("duration", f.Duration)
	if e.FieldStart("price"); f.Price == nil {
		e.Null()
	} else {
		e.ObjStart()
		text("amount", f.Price.Amount)
		text("currency", f.Price.Currency)
		e.ObjEnd()
	}
	known("media_id", f.MediaID)
	encodeTime(e, "created", f.Created)
	if !f.Updated.IsZero() {
		encodeTime(e, "updated", f.Updated)
	}
	known("error_code", f.ErrorCode)
	known("error_message", f.ErrorMessage)
	e.ObjEnd()
}

func encodeTime(e *jx.Encoder, name string, t time.Time) {
	var room [len(time.RFC3339Nano) + 2]byte
	e.FieldStart(name)
	e.Raw(append(t.AppendFormat(append(room[:0], '"'), time.RFC3339Nano), '"'))
}

// faxFacts are the columns about a fax, of whatever has one in it.
type faxFacts[T any] struct {
	id, created, from, to, status, pages, direction, duration, price, detail output.Column[T]

	rest []output.Column[T] // of less weight
}

func factsOf[T any](get func(T) fax.Fax) faxFacts[T] {
	text := func(name string, value func(fax.Fax) string) output.Column[T] {
		return output.Column[T]{Name: name, Value: func(v T) string { return value(get(v)) }}
	}
	whole := func(c output.Column[T]) output.Column[T] { c.Whole = true; return c }
	right := func(c output.Column[T]) output.Column[T] { c.Right = true; return c }
	styled := func(c output.Column[T], style func(fax.Fax) output.Style) output.Column[T] {
		c.Style = func(v T) output.Style { return style(get(v)) }
		return c
	}
	// A sender may claim to be anything, of any length. One's own end has less
	// weight than the other one.
	phone := func(name string, ours fax.Direction, value func(fax.Fax) string) output.Column[T] {
		c := text(name, value)
		c.Least = longestPhone
		return styled(c, func(f fax.Fax) output.Style {
			if f.Direction == ours {
				return output.Dim
			}
			return output.None
		})
	}
	shown := func(c output.Column[T], show func(fax.Fax) string) output.Column[T] {
		c.Show = func(v T, _ output.Human) string { return show(get(v)) }
		return c
	}
	created := TimeColumn("created", func(v T) time.Time { return get(v).Created })
	created.Short, created.ShortTitle = func(v T, h output.Human) string { return h.Age(get(v).Created) }, "AGE"
	status := styled(text("status", func(f fax.Fax) string { return string(f.Status) }), statusStyle)
	status.Least = len(fax.Delivered)
	return faxFacts[T]{
		id:        styled(whole(text("id", func(f fax.Fax) string { return f.ID })), Accent[fax.Fax]),
		created:   created,
		from:      phone("from", fax.Outbound, func(f fax.Fax) string { return f.From }),
		to:        phone("to", fax.Inbound, func(f fax.Fax) string { return f.To }),
		status:    status,
		pages:     right(text("pages", func(f fax.Fax) string { return count(f.Pages) })),
		direction: text("direction", func(f fax.Fax) string { return string(f.Direction) }),
		duration:  right(shown(text("duration", func(f fax.Fax) string { return count(f.Duration) }), func(f fax.Fax) string { return onTheLine(f.Duration) })),
		price:     right(shown(text("price", func(f fax.Fax) string { return Amount(f.Price) }), func(f fax.Fax) string { return Money(f.Price) })),
		detail:    text("error_message", func(f fax.Fax) string { return f.ErrorMessage }),
		rest: []output.Column[T]{
			Wide(text("currency", func(f fax.Fax) string { return currency(f.Price) })),
			Wide(text("quality", func(f fax.Fax) string { return f.Quality })),
			Wide(whole(text("media_id", func(f fax.Fax) string { return f.MediaID }))),
			Wide(TimeColumn("updated", func(v T) time.Time { return get(v).Updated })),
			Wide(text("error_code", func(f fax.Fax) string { return f.ErrorCode })),
		},
	}
}

// faxColumns are the columns of whatever has a fax in it. The id comes first:
// it is what the other commands take. What else there is to say follows it.
func faxColumns[T any](get func(T) fax.Fax, more ...output.Column[T]) []output.Column[T] {
	f := factsOf(get)
	columns := append([]output.Column[T]{f.id}, more...)
	columns = append(columns, f.created, f.from, f.to, f.status, f.pages, f.direction, f.duration, f.price)
	return append(append(columns, f.rest...), Wide(f.detail))
}

// longestPhone is how many digits and the sign E.164 permits.
const longestPhone = len("+123456789012345")

func statusStyle(f fax.Fax) output.Style {
	switch {
	case f.Status.Unsuccessful():
		return output.Bad
	case f.Status.Terminal():
		return output.Good
	}
	return output.Warn
}

// count is a number that need not be known.
func count(n *int) string {
	if n == nil {
		return ""
	}
	return strconv.Itoa(*n)
}

// onTheLine is a duration in seconds for people.
func onTheLine(seconds *int) string {
	if seconds == nil {
		return ""
	}
	return (time.Duration(*seconds) * time.Second).String()
}

// RecordType describes a fax record with its documents.
func RecordType() output.Type[Record] {
	t := output.Type[Record]{
		ID:  func(r Record) string { return r.ID },
		Raw: func(r Record) json.RawMessage { return r.Raw },
	}
	t.Columns = append(faxColumns(func(r Record) fax.Fax { return r.Fax }), output.Column[Record]{
		Name: "media", Wide: true,
		Value: func(r Record) string {
			var all []string
			for _, m := range r.Media {
				all = append(all, m.ID+" ("+m.ContentType+")")
			}
			return strings.Join(all, ", ")
		},
	})
	return t
}

// MediaType describes a document at the provider.
func MediaType() output.Type[fax.Media] {
	return output.Type[fax.Media]{
		ID: func(m fax.Media) string { return m.ID },
		Columns: []output.Column[fax.Media]{
			{Name: "id", Value: func(m fax.Media) string { return m.ID }, Whole: true, Style: Accent[fax.Media]},
			{Name: "content_type", Value: func(m fax.Media) string { return m.ContentType }},
			TimeColumn("created", func(m fax.Media) time.Time { return m.Created }),
			{Name: "fax_id", Value: func(m fax.Media) string { return m.FaxID }, Wide: true, Whole: true},
			Wide(TimeColumn("updated", func(m fax.Media) time.Time { return m.Updated })),
		},
	}
}

// UsageType describes sums; by says what they are made by, and name is as in [FaxType].
func UsageType(by usage.Grouping, name func(phone string) string) output.Type[usage.Usage] {
	number := func(name string, value func(usage.Usage) int) output.Column[usage.Usage] {
		return output.Column[usage.Usage]{Name: name, Right: true, Value: func(u usage.Usage) string { return strconv.Itoa(value(u)) }}
	}
	of := func(part func(*fax.Money) string) func(usage.Usage) string { // a word for each currency, in one order
		return func(u usage.Usage) string {
			var all []string
			for _, m := range u.Cost {
				all = append(all, part(&m))
			}
			return strings.Join(all, " ")
		}
	}
	key := output.Column[usage.Usage]{Name: string(by), Value: func(u usage.Usage) string { return u.Key }, Whole: true, Style: Accent[usage.Usage]}
	if by == usage.ByNumber {
		key.Show = func(u usage.Usage, _ output.Human) string { return name(u.Key) }
	}
	return output.Type[usage.Usage]{
		ID: func(u usage.Usage) string { return u.Key },
		Columns: []output.Column[usage.Usage]{
			key,
			number("faxes", func(u usage.Usage) int { return u.Faxes }),
			number("pages", func(u usage.Usage) int { return u.Pages }),
			{Name: "minutes", Right: true, Value: func(u usage.Usage) string { return fmt.Sprintf("%.1f", float64(u.Seconds)/60) }},
			{Name: "cost", Right: true, Whole: true, Value: of(Amount), Show: func(u usage.Usage, _ output.Human) string { return Cost(u) }},
			number("unsuccessful", func(u usage.Usage) int { return u.Unsuccessful }),
			number("inbound", func(u usage.Usage) int { return u.Inbound }),
			number("outbound", func(u usage.Usage) int { return u.Outbound }),
			number("unknown_cost", func(u usage.Usage) int { return u.UnknownCost }),
			Wide(output.Column[usage.Usage]{Name: "currency", Value: of(currency)}),
			Wide(number("unknown_pages", func(u usage.Usage) int { return u.UnknownPages })),
			Wide(number("unknown_seconds", func(u usage.Usage) int { return u.UnknownSeconds })),
		},
	}
}

// sums is what is known of a cost, one amount for each currency, for people.
func sums(u usage.Usage) string {
	var all []string
	for _, m := range u.Cost {
		all = append(all, m.String())
	}
	return strings.Join(all, " + ")
}

// Cost is a cost for people, who must see when it is not all.
func Cost(u usage.Usage) string {
	switch {
	case len(u.Cost) == 0:
		return "unknown"
	case u.UnknownCost > 0:
		return "at least " + sums(u)
	}
	return sums(u)
}

// ExpiringType describes a fax that will be gone; name is as in [FaxType].
func ExpiringType(name func(phone string) string) output.Type[Expiring] {
	get := func(e Expiring) fax.Fax { return e.Fax }
	expires := TimeColumn("expires", func(e Expiring) time.Time { return e.Expires })
	expires.Short, expires.ShortTitle = func(e Expiring, h output.Human) string { return h.Age(e.Expires) }, "LEFT"
	archived := output.Column[Expiring]{
		Name: "archived", Value: func(e Expiring) string {
			if e.Uncounted {
				return "uncounted"
			}
			return yesNo(e.Archived)
		}, Style: func(e Expiring) output.Style {
			if e.Archived != nil && *e.Archived && !e.Uncounted {
				return output.Good
			}
			return output.Warn
		},
	}
	columns := faxColumns(get, expires, archived)
	// When it goes is what matters: when it was made comes after whose it is.
	created := slices.IndexFunc(columns, func(c output.Column[Expiring]) bool { return c.Name == "created" })
	status := slices.IndexFunc(columns, func(c output.Column[Expiring]) bool { return c.Name == "status" })
	columns = slices.Insert(slices.Delete(slices.Clone(columns), created, created+1), status, columns[created])
	d := drawnOf(get, name)
	d.status.Spare = spareDetail // what is old has ended
	return output.Type[Expiring]{
		ID:      func(e Expiring) string { return e.ID },
		Raw:     func(e Expiring) json.RawMessage { return e.Raw },
		Columns: columns,
		Drawn:   []output.Column[Expiring]{expires, d.other, d.number, d.pages, archived, d.status, d.id},
	}
}

// yesNo is an answer that need not be known.
func yesNo(b *bool) string {
	switch {
	case b == nil:
		return ""
	case *b:
		return "yes"
	}
	return "no"
}

// DownloadedType describes a downloaded document.
func DownloadedType() output.Type[Downloaded] {
	return output.Type[Downloaded]{
		ID: func(d Downloaded) string { return d.ID },
		Columns: []output.Column[Downloaded]{
			{Name: "path", Value: func(d Downloaded) string { return d.Path }, Style: Accent[Downloaded], Whole: true},
			{Name: "pages", Right: true, Value: func(d Downloaded) string {
				if d.Pages == 0 && d.Uncounted != "" {
					return ""
				}
				return strconv.Itoa(d.Pages)
			}},
			{
				Name: "size", Right: true, Value: func(d Downloaded) string { return strconv.FormatInt(d.Size, 10) },
				Show: func(d Downloaded, _ output.Human) string { return term.Bytes(d.Size) },
			},
			YesColumn("existed", func(d Downloaded) bool { return d.Existed }),
			{Name: "id", Value: func(d Downloaded) string { return d.ID }, Whole: true},
			{Name: "sha256", Value: func(d Downloaded) string { return d.SHA256 }, Wide: true},
			{Name: "uncounted", Value: func(d Downloaded) string { return d.Uncounted }, Wide: true},
		},
	}
}

// Downloaded is a document in a file.
type Downloaded struct {
	ID    string `json:"id"`
	Pages int    `json:"pages"` // counted in the document; 0: it has none, or they could not be
	fetch.File
	Uncounted string `json:"uncounted,omitempty"` // why the pages could not be counted
}

// Expiring is a fax that the provider will drop.
type Expiring struct {
	retention.Expiry
	Archived  *bool `json:"archived,omitempty"`  // a copy is kept; nil: no archive was named
	Uncounted bool  `json:"uncounted,omitempty"` // the pages of the copy cannot be counted: it may not be whole
}

// Record is a fax with its documents.
type Record struct {
	fax.Fax
	Media []fax.Media `json:"media"`
}
