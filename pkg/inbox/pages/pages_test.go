package pages

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/image/ccitt"
	"golang.org/x/image/tiff"

	"github.com/faxctl/faxctl/pkg/archive/document"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/sandbox/paper"
)

// TestSquare: a fax machine's pixels are higher than they are wide.
func TestSquare(t *testing.T) {
	for quality, want := range map[paper.Quality]image.Point{paper.Standard: {1728, 2244}, paper.Fine: {1728, 2244}, paper.Superfine: {3320, 4312}} {
		p := open(t, read(t, sheet(t, paper.TIFF, paper.Sheet{Quality: quality})))
		img, err := p.Page(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		if got := img.Bounds().Size(); got != want {
			t.Errorf("%s: %v, want %v", quality, got, want)
		}
	}
}

// TestEnlarged: every pixel of the file is in the picture, as often as the others, and in its place.
func TestEnlarged(t *testing.T) {
	small := image.NewPaletted(image.Rect(0, 0, 2, 2), color.Palette{color.White, color.Black})
	small.Pix = []uint8{0, 1, 1, 0}
	for _, c := range []struct {
		x, y float64
		want []uint8
	}{
		{200, 100, []uint8{0, 1, 0, 1, 1, 0, 1, 0}},
		{100, 200, []uint8{0, 0, 1, 1, 1, 1, 0, 0}},
		{0, 100, []uint8{0, 1, 1, 0}},
		{100, 100, []uint8{0, 1, 1, 0}},
	} {
		got, err := picture{small, c.x, c.y}.square()
		if err != nil || !slices.Equal(got.(*image.Paletted).Pix, c.want) {
			t.Errorf("%v: %v, %v", c, got, err)
		}
	}
	for name, p := range map[string]picture{"wide": {small, 1e-9, 1e9}, "high": {small, 4294967295, 1. / 4294967295}, "more": {small, 100, 801}} {
		if got, err := p.square(); err != nil || got.Bounds() != small.Rect {
			t.Errorf("%s: %v, %v: a resolution that no machine has counts for nothing", name, got, err)
		}
	}
	long := image.NewPaletted(image.Rect(0, 0, 1<<10, 1<<18), small.Palette)
	if _, err := (picture{long, 800, 100}).square(); !errors.Is(err, ErrUnreadable) {
		t.Errorf("a picture that would be too large: %v", err)
	}
}

// TestColors compares pages of gray and of colors with somebody else's reader.
func TestColors(t *testing.T) {
	gray := image.NewGray(image.Rect(0, 0, 37, 21))
	full := image.NewRGBA(gray.Rect)
	few := image.NewPaletted(gray.Rect, color.Palette{color.Black, color.RGBA{200, 10, 30, 255}, color.White})
	for i := range gray.Pix {
		gray.Pix[i] = uint8(i)
		full.Set(i%37, i/37, color.RGBA{uint8(i), uint8(3 * i), uint8(i / 7), 255})
		few.Pix[i] = uint8(i % 3)
	}
	for _, img := range []image.Image{gray, full, few} {
		for _, how := range []tiff.Options{{}, {Compression: tiff.Deflate}, {Compression: tiff.Deflate, Predictor: true}} {
			var b bytes.Buffer
			if err := tiff.Encode(&b, img, &how); err != nil {
				t.Fatal(err)
			}
			if _, paletted := img.(*image.Paletted); paletted && how.Predictor {
				continue // it writes no such
			}
			got := drawn(t, open(t, b.Bytes()), 0)
			for i := range gray.Pix {
				r1, g1, b1, _ := got.At(i%37, i/37).RGBA()
				r2, g2, b2, _ := img.At(i%37, i/37).RGBA()
				if r1 != r2 || g1 != g2 || b1 != b2 {
					t.Fatalf("%T, %+v: at %d it is %v; want %v", img, how, i, got.At(i%37, i/37), img.At(i%37, i/37))
				}
			}
		}
	}
}

// TestGrays: gray of two and of four bits is what libtiff makes of it.
func TestGrays(t *testing.T) {
	for _, bits := range []int{2, 4} {
		for _, photometric := range []uint32{whiteIsZero, blackIsZero} {
			data := make([]byte, (37*bits+7)/8*21)
			for i := range data {
				data[i] = byte(i * 37)
			}
			content := assemble(tiffPage{wide: 37, high: 21, compression: plain, data: data, more: map[uint16]uint32{tagBits: uint32(bits), tagPhotometric: photometric}})
			same(t, drawn(t, open(t, content), 0), byLibtiff(t, file(t, content), 0))
		}
	}
}

// TestPlanes: colors that are apart from each other are the same colors.
func TestPlanes(t *testing.T) {
	full := image.NewRGBA(image.Rect(0, 0, 137, 90))
	for i := range 137 * 90 {
		full.Set(i%137, i/137, color.RGBA{uint8(i), uint8(3 * i), uint8(i / 7), 255})
	}
	var b bytes.Buffer
	if err := tiff.Encode(&b, full, nil); err != nil {
		t.Fatal(err)
	}
	from := file(t, b.Bytes())
	for _, how := range []string{"-c none", "-c lzw:2 -r 16", "-c zip -t -w 32 -l 16", "-c packbits -B -r 7"} {
		name := filepath.Join(t.TempDir(), "apart.tif")
		tool(t, "tiffcp", append(append([]string{"-p", "separate"}, strings.Fields(how)...), from, name)...)
		same(t, drawn(t, open(t, read(t, name)), 0), full)
	}
}

// TestDamaged: of a page that is damaged there is a picture, and that it is damaged is told.
func TestDamaged(t *testing.T) {
	want := noise(1728, 200)
	var marked encoder
	for y := range 200 {
		marked.put("000000000001")
		if y == 100 {
			marked.put("1000" + "000000001") // three white pixels, and no code
		}
		marked.line(want, y)
	}
	content := assemble(tiffPage{wide: 1728, high: 200, compression: faxT4, data: marked.out})
	p := open(t, content)
	img, err := p.Page(t.Context(), 0)
	if !errors.Is(err, ErrDamaged) {
		t.Fatal(err)
	}
	got := img.(*image.Paletted).Pix
	for y := range 200 {
		line, whole := got[y*1728:(y+1)*1728], want.Pix[y*1728:(y+1)*1728]
		if y == 100 && slices.Max(line) != 0 || y != 100 && !bytes.Equal(line, whole) {
			t.Fatalf("line %d", y)
		}
	}
	// The end of the page is missing.
	for compression, data := range map[int64][]byte{faxT4: marked.out, plain: packed(want), packBits: {0x85, 0xff, 0}, lempelZiv: {0x80, 0}, deflate: {1, 2, 3}, faxT6: {0xff, 0xff}} {
		content := assemble(tiffPage{wide: 1728, high: 200, compression: compression, data: data[:len(data)/2]})
		img, err := open(t, content).Page(t.Context(), 0)
		if !errors.Is(err, ErrDamaged) || img == nil {
			t.Fatalf("%d: %v", compression, err)
		}
		if got := img.(*image.Paletted).Pix; slices.Max(got[199*1728:]) != 0 {
			t.Errorf("%d: what is missing is not white", compression)
		}
	}
	// Lines that are missing are white in a page whose zero is black, too.
	black := assemble(tiffPage{wide: 1728, high: 200, compression: faxT4, data: marked.out[:300], more: map[uint16]uint32{tagPhotometric: blackIsZero}})
	img, err = open(t, black).Page(t.Context(), 0)
	if got := img.(*image.Paletted).Pix; !errors.Is(err, ErrDamaged) || slices.Max(got[199*1728:]) != 0 {
		t.Error(err)
	}
}

// TestLines are lines that no encoder at hand writes.
func TestLines(t *testing.T) {
	for name, c := range map[string]struct {
		how  coding
		data string
		want string // of two lines of eight pixels
	}{
		// Horizontal, 5 white and none black; then below the end of the line above, twice.
		"a run of no pixels is no change": {coding{group4: true}, "001" + "1100" + "0000110111" + "1" + "1", "[00000000 00000000]"},
		"fill of more than a word":        {coding{}, strings.Repeat("0", 66) + "1" + "1011" + "011" + strings.Repeat("0", 40) + "1" + "10011", "[00001111 00000000]"},
		"no mark at all":                  {coding{}, "1011" + "011" + "10011", "[00001111 00000000]"},
		"a page that ends before its end": {coding{}, "000000000001" + "1011" + "011" + strings.Repeat("000000000001", 6), "[00001111 11111111] damaged"},
	} {
		var e encoder
		e.put(c.data)
		out := []byte{0xff, 0xff}
		err := faxLines(t.Context(), newCodes(), c.how, e.out, 8, out)
		got := fmt.Sprintf("%08b", out)
		if errors.Is(err, ErrDamaged) {
			got += " damaged"
		} else if err != nil {
			t.Fatal(err)
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// TestUnreadable: what is not drawn is said to be so, and why.
func TestUnreadable(t *testing.T) {
	with := func(tag uint16, value uint32) []byte {
		return assemble(tiffPage{wide: 64, high: 64, compression: plain, data: make([]byte, 512), more: map[uint16]uint32{tag: value}})
	}
	for name, c := range map[string]struct {
		content []byte
		why     string
	}{
		"JPEG":                {with(tagCompression, 7), "its compression, 7, is not read"},
		"much too high":       {with(tagLength, 1<<30), "64 by 1073741824 pixels are more than are drawn"},
		"too high":            {with(tagLength, 900_000), "64 by 900000 pixels are more than are drawn"},
		"16 bits":             {with(tagBits, 16), "pixels of kind 0 with 1 times 16 bits are not read"},
		"no width":            {with(tagWidth, 0), "it has no size"},
		"tiles within a byte": {with(tagTileWidth, 12), "its tiles are of 12 by 0 pixels"},
		"palette without it":  {with(tagPhotometric, paletted), "pixels of kind 3 with 1 times 1 bits are not read"},
	} {
		_, err := open(t, c.content).Page(t.Context(), 0)
		if !errors.Is(err, ErrUnreadable) || !errors.Is(err, problem.ErrUnsupported) || !strings.HasSuffix(err.Error(), c.why) {
			t.Errorf("%s: %v", name, err)
		}
	}
	p := open(t, with(tagBits, 1))
	for _, n := range []int{-1, 1} {
		if _, err := p.Page(t.Context(), n); !errors.Is(err, problem.ErrNotFound) {
			t.Errorf("page %d: %v", n, err)
		}
	}
	for _, content := range []string{"", "hello"} {
		if _, err := Open(t.Context(), strings.NewReader(content), int64(len(content))); !errors.Is(err, document.ErrNotDocument) {
			t.Errorf("%q: %v", content, err)
		}
	}
}

// TestInterrupted: a page is no longer drawn than its context lasts.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p := open(t, read(t, sheet(t, paper.TIFF, paper.Sheet{})))
	if img, err := p.Page(ctx, 0); !errors.Is(err, context.Canceled) || img != nil {
		t.Error(err)
	}
	if err := faxLines(ctx, newCodes(), coding{}, make([]byte, 10), 16, make([]byte, 20)); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestBounded draws pages that are built to waste time and memory.
func TestBounded(t *testing.T) {
	const high = 27_000 // the most lines of this width
	for name, p := range map[string]tiffPage{
		"zeros in T.4":      {compression: faxT4, data: make([]byte, 8<<20)},
		"zeros in T.6":      {compression: faxT6, data: make([]byte, 8<<20)},
		"ones in T.6":       {compression: faxT6, data: bytes.Repeat([]byte{0xff}, 8<<20)},
		"empty runs":        {compression: faxT4, data: bytes.Repeat([]byte{0b00110101, 0b00001101, 0b11001101, 0b01000011, 0b01110000}, 2<<20)},
		"to and fro in T.6": {compression: faxT6, data: bytes.Repeat([]byte{0b01001001, 0b00100100, 0b10010010}, 3<<20)},
		"deflate of itself": {compression: deflate, data: bytes.Repeat([]byte{0x78, 0x9c}, 4<<20)},
		"nothing":           {compression: faxT4, data: []byte{0}},
	} {
		p.wide, p.high = 1728, high
		content := assemble(p)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		begin := time.Now()
		_, err := open(t, content).Page(t.Context(), 0)
		took := time.Since(begin)
		runtime.ReadMemStats(&after)
		if err != nil && !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
		if most := uint64(2*MaxPixels + 64<<20); after.TotalAlloc-before.TotalAlloc > most || took > time.Minute {
			t.Errorf("%s: it took %v and %d MB", name, took, (after.TotalAlloc-before.TotalAlloc)>>20)
		}
	}
}

// FuzzPage draws whatever comes: it must end, and a picture is of the size it should be.
// It starts no pdftoppm, which is for [TestOthers].
func FuzzPage(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("..", "..", "archive", "document", "testdata", "cases", "*"))
	if err != nil || len(files) == 0 {
		f.Fatal(files, err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add(bilevel(noise(33, 9), ruled(100, 20)))
	for _, how := range []int64{faxRuns, faxT4, faxT6, lempelZiv, deflate, packBits} {
		f.Add(assemble(tiffPage{wide: 40, high: 20, compression: how, data: []byte{0x80, 0x0b, 0x78, 0x9c, 1, 2, 3, 0x35}, more: map[uint16]uint32{tagT4Options: 1, tagFillOrder: 2}}))
	}
	for _, filter := range []string{"", "/Filter/FlateDecode", "/Filter/DCTDecode", "/Filter/CCITTFaxDecode/DecodeParms<</K -1/Columns 90/Rows 2>>"} {
		f.Add(onePage("/Width 90/Height 2/ColorSpace/DeviceGray/BitsPerComponent 1"+filter, []byte{0x78, 0x9c, 0xa0, 0x5f}, "q 500 0 0 400 0 0 cm /Im Do Q", ""))
	}
	f.Setenv("PATH", "") // a process for each document would be most of the time
	f.Fuzz(func(t *testing.T, content []byte) {
		p, err := Open(t.Context(), bytes.NewReader(content), int64(len(content)))
		if err != nil {
			return
		}
		for n := range min(p.Len(), 3) {
			img, err := p.Page(t.Context(), n)
			if (img == nil) != (err != nil && !errors.Is(err, ErrDamaged)) {
				t.Fatalf("page %d: %v, %v", n, img, err)
			}
			if img != nil && (img.Bounds().Empty() || img.Bounds().Dx()*img.Bounds().Dy() > MaxPixels) {
				t.Fatalf("page %d: it is %v", n, img.Bounds())
			}
		}
	})
}

// FuzzFaxLines reads what comes as lines of every coding.
func FuzzFaxLines(f *testing.F) {
	var e encoder
	for y := range 9 {
		e.put("000000000001")
		e.line(noise(33, 9), y)
	}
	f.Add(e.out, uint16(33), false, false, false)
	f.Add([]byte{0x26, 0xa0, 0x5f, 0x00, 0x10, 0x01}, uint16(16), true, false, false)
	f.Add([]byte{0x00, 0x18, 0x4d, 0x00, 0x10, 0x01}, uint16(7), false, true, true)
	table := newCodes()
	f.Fuzz(func(t *testing.T, data []byte, wide uint16, group4, twoWay, aligned bool) {
		how := coding{group4: group4, twoWay: twoWay}
		if aligned {
			how.onto = 8
		}
		w := int(wide%4000) + 1
		out := make([]byte, (w+7)/8*20)
		if err := faxLines(t.Context(), table, how, data, w, out); err != nil && !errors.Is(err, ErrDamaged) {
			t.Fatal(err)
		}
		for y := 0; w%8 > 0 && y < 20; y++ { // nothing is drawn beside the page
			if last := out[(y+1)*((w+7)/8)-1]; last<<(w%8) != 0 {
				t.Fatalf("line %d ends with %08b", y, last)
			}
		}
	})
}

// BenchmarkG4 reads a page of Group 4, and tells how long that takes next to
// golang.org/x/image/ccitt, of which it may take twice the time:
//
//	go test ./pkg/inbox/pages -run - -bench G4
func BenchmarkG4(b *testing.B) {
	data, high := groupFour(b)
	table, out := newCodes(), make([]byte, 1728/8*high)
	var ours, theirs time.Duration
	for b.Loop() {
		begin := time.Now()
		if err := faxLines(b.Context(), table, coding{group4: true}, data, 1728, out); err != nil {
			b.Fatal(err)
		}
		between := time.Now()
		other, err := io.ReadAll(ccitt.NewReader(bytes.NewReader(data), ccitt.MSB, ccitt.Group4, 1728, high, &ccitt.Options{Invert: true}))
		if err != nil || !bytes.Equal(out, other) {
			b.Fatal("they differ", err)
		}
		ours, theirs = ours+between.Sub(begin), theirs+time.Since(between)
	}
	b.ReportMetric(float64(ours)/float64(theirs), "ours/theirs")
	if ours > 2*theirs {
		b.Errorf("a page takes %v; golang.org/x/image/ccitt takes %v", ours, theirs)
	}
}

// groupFour is the data of a page.
func groupFour(b *testing.B) (data []byte, high int) {
	name := sheet(b, paper.TIFF, paper.Sheet{Quality: paper.Fine, Seed: 3, Bytes: 60 << 10})
	pages := open(b, read(b, name))
	d, err := pages.drawer.(tiffPages).Page(0)
	if err != nil {
		b.Fatal(err)
	}
	p, err := describe(d)
	if err != nil {
		b.Fatal(err)
	}
	data, err = d.Bytes(p.offsets[0], p.counts[0])
	if err != nil {
		b.Fatal(err)
	}
	return data, p.high
}
