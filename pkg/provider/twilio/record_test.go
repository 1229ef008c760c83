package twilio

import (
	"reflect"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/go-faster/jx"

	"github.com/faxctl/faxctl/pkg/fax"
)

// A fax that is kept keeps nothing of the answer it came in: that is close to a
// megabyte, and a list is long.
func TestReadFaxHoldsNothingOfTheAnswer(t *testing.T) {
	for _, answer := range []string{
		`{"sid":"FX1"}`, // an id alone
		`{"sid":"FX1","media_sid":"ME1","media_url":"https://media.example.com/ME1","from":"+14155550123",
		  "to":"+14155550124","direction":"inbound","status":"received","quality":"fine","num_pages":3,
		  "duration":"61","price":"0.02","price_unit":"USD","date_created":"2026-11-23T12:00:00Z",
		  "error_code":34004,"error_message":"partly"}`,
		`{"sid":"FX1","price":-0.02,"price_unit":"usd"}`,
	} {
		body := []byte(answer)
		f, err := readFax(jx.DecodeBytes(body), inCommon(), true)
		if err != nil || f.ID != "FX1" {
			t.Fatalf("%q of %s: %v", f.ID, answer, err)
		}
		texts := []string{}
		if f.Price != nil {
			texts = append(texts, f.Price.Amount, f.Price.Currency)
		}
		for v := range reflect.ValueOf(f).NumField() {
			if field := reflect.ValueOf(f).Field(v); field.Kind() == reflect.String {
				texts = append(texts, field.String())
			}
		}
		begin := uintptr(unsafe.Pointer(unsafe.SliceData(body)))
		for _, text := range texts {
			at := uintptr(unsafe.Pointer(unsafe.StringData(text)))
			if text != "" && at >= begin && at < begin+uintptr(len(body)) {
				t.Errorf("%q is a part of %s", text, answer)
			}
		}
	}
}

// What records share is kept once, and is what each of them says.
func TestReadFaxShares(t *testing.T) {
	shared := inCommon()
	read := func(record string) fax.Fax {
		f, err := readFax(jx.DecodeBytes([]byte(record)), shared, true)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	a := read(`{"sid":"FX1","from":"+14155550123","num_pages":3,"price":"0.02","price_unit":"USD"}`)
	b := read(`{"sid":"FX2","from":"+14155550123","num_pages":"3","price":0.02,"price_unit":"USD"}`)
	c := read(`{"sid":"FX3","from":"+14155550199","num_pages":null,"price":"0.02","price_unit":"CAD","date_created":"` +
		time.Unix(0, 0).UTC().Format(time.RFC3339) + `"}`)
	if unsafe.StringData(a.From) != unsafe.StringData(b.From) || a.Pages != b.Pages || a.Price != b.Price {
		t.Error("equal values are kept twice")
	}
	if a.ID+b.ID+c.ID != "FX1FX2FX3" || *a.Pages != 3 || *a.Price != (fax.Money{Amount: "0.02", Currency: "USD"}) {
		t.Errorf("%+v", a)
	}
	if c.Pages != nil || c.Price.Currency != "CAD" || !strings.HasSuffix(c.From, "99") || c.Created.Unix() != 0 {
		t.Errorf("%+v", c)
	}
}

// A list that wants no links has those that are all there is of a document.
func TestReadFaxWithoutLinks(t *testing.T) {
	const link = "https://media.example.com/1"
	for record, want := range map[string]string{
		`{"sid":"FX1","media_sid":"ME1","media_url":"` + link + `"}`: "",
		`{"media_url":"` + link + `","media_sid":"ME1","sid":"FX1"}`: "",
		`{"sid":"FX1","media_sid":null,"media_url":"` + link + `"}`:  link,
		`{"sid":"FX1","media_url":"` + link + `"}`:                   link,
	} {
		for links, want := range map[bool]string{true: link, false: want} {
			f, err := readFax(jx.DecodeBytes([]byte(record)), inCommon(), links)
			if err != nil || f.ID != "FX1" || f.MediaURL != want || !f.HasDocument() {
				t.Errorf("links %v: %q of %s, %v; want %q", links, f.MediaURL, record, err, want)
			}
		}
	}
}
