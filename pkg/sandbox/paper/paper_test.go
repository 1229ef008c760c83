package paper

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/pdfcpu/pdfcpu/pkg/api"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/model"
	"golang.org/x/image/tiff"
)

func sheet(pages int) Sheet {
	return Sheet{
		From: "+14155550123", To: "+16285550147", Seed: 7, Pages: pages,
		Time: time.Date(2026, 11, 23, 14, 7, 0, 0, time.UTC),
	}
}

// TestPDF asks somebody else's validator, strict.
func TestPDF(t *testing.T) {
	api.DisableConfigDir()
	for _, q := range []Quality{Standard, Fine, Superfine} {
		for _, size := range []Size{Letter, Legal, A4} {
			s := sheet(4)
			s.Quality, s.Size = q, size
			doc := bytes.NewReader(draw(t, PDF, s))
			conf := model.NewDefaultConfiguration()
			conf.ValidationMode = model.ValidationStrict
			if err := api.Validate(doc, conf); err != nil {
				t.Errorf("%s %s: %v", q, size, err)
			}
			boxes, err := api.PageDims(doc, conf)
			if err != nil || len(boxes) != 4 {
				t.Fatalf("%s %s: %d pages, %v", q, size, len(boxes), err)
			}
			want := map[Size]float64{Letter: 11 * 72, Legal: 14 * 72, A4: 842}[size]
			if h := boxes[0].Height; h < want-1 || h > want+1 {
				t.Errorf("%s %s is %v points high, want %v", q, size, h, want)
			}
		}
	}
}

func TestTIFF(t *testing.T) {
	for _, q := range []Quality{Standard, Fine, Superfine} {
		s := sheet(3)
		s.Quality = q
		img, err := tiff.Decode(bytes.NewReader(draw(t, TIFF, s)))
		if err != nil {
			t.Fatal(err)
		}
		want := map[Quality]int{Standard: 1078, Fine: 2156, Superfine: 4312}[q]
		if b := img.Bounds(); b.Dx() != 1728 || b.Dy() != want {
			t.Errorf("%s page is %v, want 1728 by %d", q, b, want)
		}
		// 17 entries of 12 bytes from byte 10 on; that of YResolution says
		// where the fraction is.
		file, le := draw(t, TIFF, s), binary.LittleEndian
		for at := 10; at < 10+17*12; at += 12 {
			if le.Uint16(file[at:]) != 283 {
				continue
			}
			if got := le.Uint32(file[le.Uint32(file[at+8:]):]); int(got) != want/11 {
				t.Errorf("%s is said to have %d lines to the inch, want %d", q, got, want/11)
			}
		}
	}
}

// TestSamePages finds every page of the desk in both files.
func TestSamePages(t *testing.T) {
	s := sheet(5)
	pdf, tif := draw(t, PDF, s), draw(t, TIFF, s)
	d, err := newDesk(s)
	if err != nil {
		t.Fatal(err)
	}
	for i := range s.Pages {
		data := d.page(i).data
		if bytes.Count(pdf, data) != 1 || bytes.Count(tif, data) != 1 {
			t.Errorf("page %d is not in both files once", i+1)
		}
	}
}

// TestHeadline reads the line at the top of a page by drawing it again.
func TestHeadline(t *testing.T) {
	s := sheet(12)
	s.Station, s.Quality = "Alder Clinic", Fine
	d, err := newDesk(s)
	if err != nil {
		t.Fatal(err)
	}
	for i := range s.Pages {
		p := d.page(i)
		got := bitmap(decode(t, p.data, p.height))
		want := make(bitmap, p.height)
		st := machine()
		d.face.text(want, st, 72, 24, "2026-11-23 14:07  ALDER CLINIC         +14155550123 > +16285550147")
		number := fmt.Sprintf("P.%02d/12", i+1)
		d.face.text(want, st, width-72-7*st.advance(), 24, number)
		differ := 0
		for y := 24; y < 24+26; y++ {
			for x := range want[y] {
				if missing := want[y][x] &^ got[y][x]; missing != 0 {
					differ++
				}
			}
		}
		if differ > 0 {
			t.Errorf("the header of page %d does not say %s", i+1, number)
		}
	}
}

func TestSameBytes(t *testing.T) {
	s := sheet(3)
	for _, k := range []Kind{PDF, TIFF} {
		if !bytes.Equal(draw(t, k, s), draw(t, k, s)) {
			t.Errorf("%s: the same sheet gave two documents", k)
		}
		other := s
		other.Seed++
		if bytes.Equal(draw(t, k, s), draw(t, k, other)) {
			t.Errorf("%s: two seeds gave one document", k)
		}
	}
}

func TestRefused(t *testing.T) {
	for name, s := range map[string]Sheet{
		"negative":  {Pages: -1},
		"too many":  {Pages: MaxPages + 1},
		"quality":   {Quality: "splendid"},
		"page size": {Size: "a5"},
		"year":      {Time: time.Date(10_001, 1, 1, 0, 0, 0, 0, time.UTC)},
	} {
		if err := Write(io.Discard, PDF, s); err == nil {
			t.Errorf("%s: drawn", name)
		}
	}
	if err := Write(io.Discard, "image/png", Sheet{}); err == nil {
		t.Error("a PNG was written")
	}
	r, w := io.Pipe()
	r.CloseWithError(io.ErrClosedPipe)
	if err := Write(w, TIFF, Sheet{}); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("a writer's error came back as %v", err)
	}
}

// FuzzSheet: whatever the fields hold, the document is whole or refused.
func FuzzSheet(f *testing.F) {
	f.Add("A very long station name \xff\x00\u00e9 that never ends", "+1", "", int64(0), 2, uint64(1), 400)
	f.Add("", "", "sip:fax@example.com", int64(-1e12), 1, uint64(9), -5)
	f.Fuzz(func(t *testing.T, station, from, to string, at int64, pages int, seed uint64, size int) {
		s := Sheet{Station: station, From: from, To: to, Time: time.Unix(at, 0), Pages: pages % 4, Seed: seed, Bytes: size}
		var b bytes.Buffer
		if err := Write(&b, TIFF, s); err != nil {
			return
		}
		if _, err := tiff.Decode(&b); err != nil {
			t.Fatal(err)
		}
	})
}

func TestBytes(t *testing.T) {
	for _, q := range []Quality{Standard, Fine, Superfine} {
		for _, n := range []int{60_000, 90_000} {
			s := sheet(3)
			s.Quality, s.Bytes = q, n
			if got := len(draw(t, PDF, s)); got < n*88/100 || got > n*112/100 {
				t.Errorf("%s: asked for %d bytes, got %d", q, n, got)
			}
		}
	}
}

func draw(t testing.TB, k Kind, s Sheet) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, k, s); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func BenchmarkWrite(b *testing.B) {
	for _, q := range []Quality{Standard, Fine, Superfine} {
		for _, n := range []int{0, 60_000} {
			b.Run(fmt.Sprintf("%s/%d", q, n), func(b *testing.B) {
				s := sheet(3)
				s.Quality, s.Bytes = q, n
				for b.Loop() {
					s.Seed++
					if err := Write(io.Discard, PDF, s); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
