package twilio

import (
	"time"

	"github.com/go-faster/jx"

	"github.com/faxctl/faxctl/pkg/fax"
)

// readFax reads a fax record in one pass, without a struct between: an account
// has hundreds of thousands of them, and encoding/json takes several times as
// long. What one dialect writes as a number the other writes as a string; either
// is taken. What is null or missing stays empty. A fax whose document has an id
// has its link only with links. It holds nothing of the answer in memory.
func readFax(d *jx.Decoder, shared *common, links bool) (fax.Fax, error) {
	var f fax.Fax
	var price, currency string
	link := shared.link[:0]
	shared.owner = ""
	err := d.ObjBytes(func(d *jx.Decoder, key []byte) error {
		text, err := literal(d)
		if err != nil {
			return err
		}
		switch string(key) {
		case "sid":
			f.ID = string(text)
		case "account_sid":
			shared.owner = shared.word(text)
		case "from":
			f.From = shared.word(text)
		case "to":
			f.To = shared.word(text)
		case "direction":
			f.Direction = fax.Direction(shared.word(text))
		case "status":
			f.Status = fax.Status(shared.word(text))
		case "quality":
			f.Quality = shared.word(text)
		case "media_sid":
			f.MediaID = string(text)
		case "media_url":
			link = append(link[:0], text...)
		case "num_pages":
			f.Pages = shared.whole(text)
		case "duration":
			f.Duration = shared.whole(text)
		case "price":
			price = shared.word(text)
		case "price_unit":
			currency = shared.word(text)
		case "date_created":
			f.Created = instant(text)
		case "date_updated":
			f.Updated = instant(text)
		case "error_code":
			f.ErrorCode = shared.word(text)
		case "error_message":
			f.ErrorMessage = shared.word(text)
		}
		return nil
	})
	f.Price = shared.price(price, currency)
	if links || f.MediaID == "" {
		f.MediaURL = string(link)
	}
	shared.link = link
	return f, err
}

// literal is the next value: a string, or a number as it is written; anything
// else is nothing. It may point into the answer.
func literal(d *jx.Decoder) ([]byte, error) {
	switch d.Next() {
	case jx.String:
		return d.StrBytes()
	case jx.Number:
		return d.Num()
	}
	return nil, d.Skip()
}

// instant is [timeOf] for what comes by the thousand, nearly always in one
// format.
func instant(text []byte) time.Time {
	var t time.Time
	if t.UnmarshalText(text) == nil {
		return possible(t)
	}
	return timeOf(string(text))
}

// common is what the records of an answer have in common: a thousand faxes have
// a few numbers, statuses and prices, which are kept once. That saves 7 of 11
// allocations a fax (BenchmarkPage), and the memory of lists that are held. Nobody
// may change what it points to.
type common struct {
	words  map[string]string
	wholes map[string]*int
	prices map[[2]string]*fax.Money

	owner string // of the record read last

	link []byte // room for that of the record at hand, which is kept of few
}

func inCommon() *common {
	return &common{words: map[string]string{}, wholes: map[string]*int{}, prices: map[[2]string]*fax.Money{}}
}

func (c *common) word(text []byte) string {
	kept, known := c.words[string(text)]
	if !known {
		kept = string(text)
		c.words[kept] = kept
	}
	return kept
}

// whole is wholeOf, once for each number.
func (c *common) whole(text []byte) *int {
	n, known := c.wholes[string(text)]
	if !known {
		word := c.word(text)
		n = wholeOf(word)
		c.wholes[word] = n
	}
	return n
}

// price is moneyOf, once for each amount.
func (c *common) price(amount, currency string) *fax.Money {
	m, known := c.prices[[2]string{amount, currency}]
	if !known {
		m = moneyOf(amount, currency)
		c.prices[[2]string{amount, currency}] = m
	}
	return m
}
