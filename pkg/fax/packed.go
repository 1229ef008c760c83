package fax

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"iter"
	"slices"
	"strings"
	"time"
)

// Packed is faxes in about a third of the memory that a slice of them takes, for hundreds
// of thousands that are held at once. They come out as they went in, their times in UTC.
// The zero value has none.
type Packed struct {
	records []string // see [packer]
	words   *words
}

// Pack is the faxes of a slice.
func Pack(faxes ...Fax) (p Packed) {
	for _, f := range faxes {
		p.Add(f)
	}
	return p
}

// Len is how many there are.
func (p Packed) Len() int { return len(p.records) }

// At is the fax at a place, from 0.
func (p Packed) At(i int) Fax { return p.unpack(p.records[i]) }

// All yields them in order; never an error.
func (p Packed) All() iter.Seq2[Fax, error] {
	return func(yield func(Fax, error) bool) {
		for _, r := range p.records {
			if !yield(p.unpack(r), nil) {
				return
			}
		}
	}
}

// Add puts a fax at the end.
func (p *Packed) Add(f Fax) {
	if p.words == nil {
		p.words = &words{numbers: map[string]uint64{}}
	}
	p.records = append(p.records, p.words.pack(f))
}

// NewestFirst sorts them by date, those of the same instant by id.
func (p Packed) NewestFirst() {
	slices.SortFunc(p.records, func(a, b string) int {
		x, y := unpacker{a, p.words}, unpacker{b, p.words}
		return cmp.Or(y.time().Compare(x.time()), strings.Compare(x.text(), y.text()))
	})
}

// Reverse puts the last first.
func (p Packed) Reverse() { slices.Reverse(p.records) }

// DeleteFunc removes those that del says, which is asked of each once and in order.
func (p *Packed) DeleteFunc(del func(Fax) bool) {
	p.records = slices.DeleteFunc(p.records, func(r string) bool { return del(p.unpack(r)) })
}

// mostWords is how many words are numbered. Of all that comes after them most is there
// once, as the numbers of people who send one fax.
const mostWords = 4096

// words numbers what many faxes have in common.
type words struct {
	known   []string
	numbers map[string]uint64
	room    []byte // for the next record
}

// pack writes down a fax: its date and id, by which they are sorted, then the rest.
func (w *words) pack(f Fax) string {
	b := appendTime(w.room[:0], f.Created)
	b = appendText(b, f.ID)
	for _, word := range []string{f.From, f.To, string(f.Direction), string(f.Status), f.Quality, f.ErrorCode, f.ErrorMessage} {
		b = w.appendWord(b, word)
	}
	b = appendCount(b, f.Pages)
	b = appendCount(b, f.Duration)
	if f.Price == nil {
		b = append(b, 0)
	} else {
		b = w.appendWord(w.appendWord(append(b, 1), f.Price.Amount), f.Price.Currency)
	}
	b = appendTime(b, f.Updated)
	b = appendText(b, f.MediaID)
	b = appendText(b, f.MediaURL)
	b = appendText(b, string(f.Raw))
	w.room = b
	return string(b)
}

func appendTime(b []byte, t time.Time) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(t.Unix()))
	return binary.BigEndian.AppendUint32(b, uint32(t.Nanosecond()))
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// appendCount writes a number that may be unknown.
func appendCount(b []byte, n *int) []byte {
	if n == nil {
		return append(b, 0)
	}
	return binary.AppendVarint(append(b, 1), int64(*n))
}

// appendWord writes the number of a word, from 1, or 0 and the word.
func (w *words) appendWord(b []byte, word string) []byte {
	n, known := w.numbers[word]
	if !known {
		if len(w.known) == mostWords {
			return appendText(append(b, 0), word)
		}
		word = strings.Clone(word)
		w.known = append(w.known, word)
		n = uint64(len(w.known))
		w.numbers[word] = n
	}
	return binary.AppendUvarint(b, n)
}

func (p Packed) unpack(record string) Fax {
	u := unpacker{record, p.words}
	f := Fax{Created: u.time(), ID: u.text()}
	f.From, f.To, f.Direction, f.Status = u.word(), u.word(), Direction(u.word()), Status(u.word())
	f.Quality, f.ErrorCode, f.ErrorMessage = u.word(), u.word(), u.word()
	f.Pages, f.Duration = u.count(), u.count()
	if u.is() {
		f.Price = &Money{Amount: u.word(), Currency: u.word()}
	}
	f.Updated, f.MediaID, f.MediaURL = u.time(), u.text(), u.text()
	if raw := u.text(); raw != "" {
		f.Raw = json.RawMessage(raw)
	}
	return f
}

// unpacker reads what is left of a record.
type unpacker struct {
	left  string
	words *words
}

// take is the next n bytes.
func (u *unpacker) take(n int) (taken string) {
	taken, u.left = u.left[:n], u.left[n:]
	return taken
}

func (u *unpacker) time() time.Time {
	seconds, rest := u.take(8), u.take(4)
	return time.Unix(int64(binary.BigEndian.Uint64([]byte(seconds))), int64(binary.BigEndian.Uint32([]byte(rest)))).UTC()
}

func (u *unpacker) is() bool { return u.take(1) == "\x01" }

func (u *unpacker) text() string { return u.take(int(u.number())) }

func (u *unpacker) word() string {
	n := u.number()
	if n == 0 {
		return u.text()
	}
	return u.words.known[n-1]
}

func (u *unpacker) count() *int {
	if !u.is() {
		return nil
	}
	v, n := binary.Varint([]byte(u.left[:min(len(u.left), binary.MaxVarintLen64)]))
	u.take(n)
	return new(int(v))
}

func (u *unpacker) number() uint64 {
	v, n := binary.Uvarint([]byte(u.left[:min(len(u.left), binary.MaxVarintLen64)]))
	u.take(n)
	return v
}
