package paper

import (
	"bytes"
	"io"
	"math/rand/v2"
	"testing"

	"golang.org/x/image/ccitt"
)

// decode reads Group 4 data with somebody else's decoder.
func decode(t testing.TB, data []byte, height int) []row {
	t.Helper()
	raw, err := io.ReadAll(ccitt.NewReader(bytes.NewReader(data), ccitt.MSB, ccitt.Group4, width, height, &ccitt.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	rows := make([]row, height)
	for y := range rows {
		for x := range width {
			if raw[y*width/8+x/8]>>(7-x%8)&1 == 0 { // 0 is black
				rows[y][x/64] |= 1 << (63 - x%64)
			}
		}
	}
	return rows
}

func roundTrip(t testing.TB, rows []row) {
	t.Helper()
	got := decode(t, newEncoder().encode(rows), len(rows))
	for y := range rows {
		if got[y] != rows[y] {
			t.Fatalf("row %d came back different\n got %x\nwant %x", y, got[y], rows[y])
		}
	}
}

func TestG4EveryRunLength(t *testing.T) {
	// A white row between makes every run a horizontal code.
	var rows bitmap = make([]row, 0, 4*width)
	for n := 1; n <= width; n++ {
		for _, x := range []int{0, width - n} {
			rows = append(rows, row{}, row{})
			rows.box(x, len(rows)-1, n, 1)
		}
	}
	roundTrip(t, rows)
}

func TestG4Noise(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, density := range []int{1, 10, 200, 1728} {
		rows := make(bitmap, 100)
		for y := range rows {
			if y > 0 && y%3 != 0 {
				rows[y] = rows[y-1]
			}
			for range density {
				rows.box(r.IntN(width), y, 1+r.IntN(9), 1)
			}
		}
		roundTrip(t, rows)
	}
}

func TestG4Pages(t *testing.T) {
	roundTrip(t, nil)
	roundTrip(t, make([]row, 1))
	full := make(bitmap, 50)
	full.box(0, 0, width, 50)
	roundTrip(t, full)
}

func FuzzG4(f *testing.F) {
	f.Add([]byte{0xff, 0, 3, 200, 17})
	f.Add(bytes.Repeat([]byte{0xaa, 0x55}, 300))
	f.Fuzz(func(t *testing.T, pixels []byte) {
		rows := make([]row, min(40, 1+len(pixels)/(width/8)))
		for i, p := range pixels {
			y, x := i/(width/8), i%(width/8)
			if y < len(rows) {
				rows[y][x/8] |= uint64(p) << (56 - x%8*8)
			}
		}
		roundTrip(t, rows)
	})
}
