package pages

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/image/tiff"

	"github.com/faxctl/faxctl/pkg/sandbox/paper"
)

// tool runs one of the tools of libtiff or poppler; the test is skipped where it is not
// installed.
func tool(t testing.TB, name string, args ...string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Skipf("%s is not installed: it is of Debian's libtiff-tools or poppler-utils", name)
	}
	if out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
}

// sheet is a document of the sandbox, as a file.
func sheet(t testing.TB, kind paper.Kind, s paper.Sheet) string {
	t.Helper()
	var b bytes.Buffer
	if err := paper.Write(&b, kind, s); err != nil {
		t.Fatal(err)
	}
	return file(t, b.Bytes())
}

func file(t testing.TB, content []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "document")
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func read(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func open(t testing.TB, content []byte) *Pages {
	t.Helper()
	p, err := Open(t.Context(), bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// drawn is a page as it is in the file, before its pixels are made square.
func drawn(t testing.TB, p *Pages, n int) image.Image {
	t.Helper()
	pic, err := p.draw(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	return pic.image
}

// byLibtiff is what libtiff makes of a page.
func byLibtiff(t testing.TB, name string, n int) image.Image {
	t.Helper()
	dir := t.TempDir()
	one, out := name, filepath.Join(dir, "rgba.tif")
	if n > 0 {
		one = filepath.Join(dir, "one.tif")
		tool(t, "tiffcp", fmt.Sprintf("%s,%d", name, n), one)
	}
	tool(t, "tiff2rgba", "-c", "none", one, out)
	img, err := tiff.Decode(bytes.NewReader(read(t, out)))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// same fails where two pictures differ.
func same(t testing.TB, got, want image.Image) {
	t.Helper()
	if got.Bounds().Size() != want.Bounds().Size() {
		t.Fatalf("it is %v; want %v", got.Bounds(), want.Bounds())
	}
	wide := 3 * got.Bounds().Dx()
	values, wanted := values(got), values(want)
	if slices.Min(values) > 0 {
		t.Fatal("nothing in it is black")
	}
	for i := range wanted {
		if values[i] != wanted[i] {
			t.Fatalf("in line %d, at %d, it is %d; want %d", i/wide, i%wide/3, values[i], wanted[i])
		}
	}
}

// values are the red, green and blue of each pixel.
func values(img image.Image) []byte {
	size := img.Bounds().Size()
	all := make([]byte, 0, 3*size.X*size.Y)
	switch img := img.(type) {
	case *image.Paletted: // black and white
		for _, v := range img.Pix {
			all = append(all, 0xff*(1-v), 0xff*(1-v), 0xff*(1-v))
		}
	case *image.NRGBA:
		for i := 0; i < len(img.Pix); i += 4 {
			all = append(all, img.Pix[i:i+3]...)
		}
	case *image.RGBA:
		for i := 0; i < len(img.Pix); i += 4 {
			all = append(all, img.Pix[i:i+3]...)
		}
	default:
		for i := range size.X * size.Y {
			r, g, b, _ := img.At(i%size.X, i/size.X).RGBA()
			all = append(all, byte(r>>8), byte(g>>8), byte(b>>8))
		}
	}
	return all
}

// kinds are the ways to write a black and white page that tiffcp knows.
var kinds = []string{
	"-c g3:1d", "-c g3:2d", "-c g3:1d:fill", "-c g3:2d:fill", "-c g4", "-c lzw", "-c packbits", "-c zip", "-c none",
	"-c g3:2d -f lsb2msb", "-c g3:1d:fill -f lsb2msb", "-c g4 -f lsb2msb", "-c lzw -f lsb2msb", "-c packbits -f lsb2msb", "-c zip -f lsb2msb", "-c none -f lsb2msb",
	"-c g4 -B", "-c g3:2d -B -r 32", "-c g4 -L -r 7", "-c none -B -8", "-c g4 -8", "-c g3:2d -8 -B", "-c g3:1d -r 100",
	"-c g4 -t -w 256 -l 128", "-c g3:1d -t -w 512 -l 64", "-c lzw -t -w 128 -l 256 -B", "-c none -t -w 16 -l 16", "-c packbits -p contig",
}

// TestLibtiff compares pages, pixel by pixel, with what libtiff makes of them: of the
// sandbox's paper, and of strange sizes, in every way in which tiffcp writes them.
func TestLibtiff(t *testing.T) {
	letter := sheet(t, paper.TIFF, paper.Sheet{Pages: 2, Seed: 7, Bytes: 30 << 10})
	pages := open(t, read(t, letter))
	whole := drawn(t, pages, 1)
	same(t, whole, byLibtiff(t, letter, 1))
	original := []*image.Paletted{cut(drawn(t, pages, 0), 300), noise(1, 70), noise(13, 9), noise(1001, 53), noise(5300, 33), ruled(2999, 64), cut(whole, 300)}
	from := file(t, bilevel(original...))
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			name := filepath.Join(t.TempDir(), "turned.tif")
			tool(t, "tiffcp", append(strings.Fields(kind), from, name)...)
			p := open(t, read(t, name))
			if p.Len() != len(original) {
				t.Fatalf("it has %d pages", p.Len())
			}
			for n, want := range original {
				if !bytes.Equal(drawn(t, p, n).(*image.Paletted).Pix, want.Pix) {
					t.Errorf("page %d is another", n)
				}
			}
			same(t, drawn(t, p, 0), byLibtiff(t, name, 0))
			if !strings.Contains(kind, "-8") { // the same bits, read as their opposite
				negative := turn(t, read(t, name), tagPhotometric, blackIsZero)
				same(t, drawn(t, open(t, negative), 0), byLibtiff(t, file(t, negative), 0))
			}
		})
	}
}

// cut is the upper part of a picture.
func cut(img image.Image, high int) *image.Paletted {
	part := *img.(*image.Paletted)
	part.Rect.Max.Y = high
	part.Pix = part.Pix[:high*part.Stride]
	return &part
}

// TestRuns is a page without marks between its lines, which tiffcp does not write.
func TestRuns(t *testing.T) {
	want := drawn(t, open(t, bilevel(noise(1001, 53))), 0)
	e := &encoder{}
	for y := range 53 {
		e.line(want, y)
		e.align(8)
	}
	content := assemble(tiffPage{wide: 1001, high: 53, compression: faxRuns, data: e.out})
	got := drawn(t, open(t, content), 0)
	same(t, got, want)
	same(t, got, byLibtiff(t, file(t, content), 0))
}

// noise is a picture of more and more dots.
func noise(wide, high int) *image.Paletted {
	r := rand.New(rand.NewPCG(uint64(wide), uint64(high)))
	img := blackAndWhite(make([]byte, (wide+7)/8*high), wide, high)
	for y := range high {
		for x := range wide {
			if y > 0 && y%3 > 0 && r.IntN(40) > 0 { // mostly as the line above
				img.Pix[y*wide+x] = img.Pix[(y-1)*wide+max(0, x-y%2)]
			} else if r.IntN(high) < y {
				img.Pix[y*wide+x] = 1
			}
		}
	}
	return img
}

// ruled is a picture of long lines.
func ruled(wide, high int) *image.Paletted {
	img := blackAndWhite(make([]byte, (wide+7)/8*high), wide, high)
	for y := range high {
		for x := y * 40; x < min(wide, wide-y*7); x++ {
			img.Pix[y*wide+x] = uint8(y % 2)
		}
	}
	return img
}

// packed are the rows of a picture, a bit a pixel.
func packed(img *image.Paletted) []byte {
	wide, high := img.Rect.Dx(), img.Rect.Dy()
	stride := (wide + 7) / 8
	rows := make([]byte, stride*high)
	for i, v := range img.Pix {
		rows[i/wide*stride+i%wide/8] |= v << (7 - i%wide%8)
	}
	return rows
}

// bilevel is a TIFF file of pictures that are not compressed.
func bilevel(all ...*image.Paletted) []byte {
	var list []tiffPage
	for _, img := range all {
		list = append(list, tiffPage{wide: img.Rect.Dx(), high: img.Rect.Dy(), compression: plain, data: packed(img)})
	}
	return assemble(list...)
}

// tiffPage is a page to be written: one strip of a bit a pixel.
type tiffPage struct {
	wide, high  int
	compression int64
	data        []byte
	more        map[uint16]uint32 // of other tags
}

// assemble writes a TIFF file.
func assemble(all ...tiffPage) []byte {
	b := []byte("II*\x00\x00\x00\x00\x00")
	link := 4
	for _, p := range all {
		data := len(b)
		b = append(b, p.data...)
		b = append(b, make([]byte, len(b)%2)...)
		tags := map[uint16]uint32{
			tagWidth: uint32(p.wide), tagLength: uint32(p.high), tagBits: 1, tagCompression: uint32(p.compression), tagPhotometric: whiteIsZero,
			tagStripOffsets: uint32(data), tagSamples: 1, tagRowsPerStrip: uint32(p.high), tagStripCounts: uint32(len(p.data)),
		}
		for tag, v := range p.more {
			tags[tag] = v
		}
		binary.LittleEndian.PutUint32(b[link:], uint32(len(b)))
		b = binary.LittleEndian.AppendUint16(b, uint16(len(tags)))
		for _, tag := range sortedKeys(tags) {
			b = binary.LittleEndian.AppendUint16(b, tag)
			b = binary.LittleEndian.AppendUint16(b, 4)
			b = binary.LittleEndian.AppendUint32(b, 1)
			b = binary.LittleEndian.AppendUint32(b, tags[tag])
		}
		link = len(b)
		b = append(b, 0, 0, 0, 0)
	}
	return b
}

func sortedKeys(m map[uint16]uint32) []uint16 {
	var all []uint16
	for k := range m {
		all = append(all, k)
	}
	slices.Sort(all)
	return all
}

// turn writes another number at a tag of the first page of a classic file.
func turn(t testing.TB, content []byte, tag, value uint16) []byte {
	t.Helper()
	var order binary.ByteOrder = binary.LittleEndian
	if content[0] == 'M' {
		order = binary.BigEndian
	}
	at := order.Uint32(content[4:])
	for entry := content[at+2:]; len(entry) >= 12; entry = entry[12:] {
		if order.Uint16(entry) == tag {
			order.PutUint16(entry[8:], value)
			return content
		}
	}
	t.Fatal(errors.New("there is no such tag"))
	return nil
}

// encoder writes lines of T.4 that are coded each by itself.
type encoder struct {
	out  []byte
	bits int
}

func (e *encoder) put(code string) {
	for _, c := range code {
		if e.bits%8 == 0 {
			e.out = append(e.out, 0)
		}
		if c == '1' {
			e.out[e.bits/8] |= 0x80 >> (e.bits % 8)
		}
		e.bits++
	}
}

func (e *encoder) align(n int) {
	for e.bits%n != 0 {
		e.put("0")
	}
}

func (e *encoder) line(img image.Image, y int) {
	wide := img.Bounds().Dx()
	row := img.(*image.Paletted).Pix[y*wide : (y+1)*wide]
	for color := uint8(0); len(row) > 0; color ^= 1 {
		n := 0
		for n < len(row) && row[n] == color {
			n++
		}
		row = row[n:]
		table := strings.Fields([]string{whiteCodes, blackCodes}[color])
		if n >= 64 {
			e.put(table[63+n/64])
		}
		e.put(table[n%64])
	}
}
