package pages

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/archive/document"
	"github.com/faxctl/faxctl/pkg/sandbox/paper"
)

// TestPoppler compares pages of PDF files that are one image with what poppler makes of them.
func TestPoppler(t *testing.T) {
	want := noise(1001, 53)
	white := func(b []byte) []byte { // 0 is black
		b = bytes.Clone(b)
		invert(b)
		return b
	}
	var runs, aligned, marked encoder
	for y := range 53 {
		runs.line(want, y)
		aligned.line(want, y)
		aligned.align(8)
		marked.put("000000000001")
		marked.line(want, y)
	}
	gray := image.NewGray(image.Rect(0, 0, 90, 70))
	full := image.NewRGBA(gray.Rect)
	for i := range gray.Pix {
		gray.Pix[i] = uint8(i / 70 * 2)
		full.Set(i%90, i/90, color.RGBA{uint8(i % 90), uint8(i / 90 * 3), 200, 255})
	}
	full.Set(0, 0, color.Black)
	// JPEG keeps half of the differences in color, and readers differ in how they fill in the rest.
	tinted := image.NewRGBA(gray.Rect)
	for i := range gray.Pix {
		v := uint8(i%90 + i/90)
		tinted.Set(i%90, i/90, color.RGBA{v, v, v + 40, 255})
	}
	var rgb []byte
	for i := 0; i < len(full.Pix); i += 4 {
		rgb = append(rgb, full.Pix[i:i+3]...)
	}
	const bits = "/Width 1001/Height 53/ColorSpace/DeviceGray/BitsPerComponent 1"
	const small = "/Width 90/Height 70/BitsPerComponent 8"
	for name, c := range map[string]struct {
		entries string
		data    []byte
		near    int
	}{
		"plain":           {bits, white(packed(want)), 0},
		"inverted":        {bits + "/Decode[1 0]", packed(want), 0},
		"deflate":         {bits + "/Filter/FlateDecode", zipped(t, white(packed(want))), 0},
		"runs":            {bits + "/Filter/CCITTFaxDecode/DecodeParms<</K 0/Columns 1001>>", runs.out, 0},
		"runs from bytes": {bits + "/Filter[/CCITTFaxDecode]/DecodeParms[<</Columns 1001/EncodedByteAlign true>>]", aligned.out, 0},
		"marks":           {bits + "/Filter/CCITTFaxDecode/DecodeParms<</Columns 1001/EndOfLine true>>", marked.out, 0},
		"black is 1":      {bits + "/Filter/CCITTFaxDecode/DecodeParms<</Columns 1001/BlackIs1 true>>", runs.out, 0},
		"twice inverted":  {bits + "/Decode[1 0]/Filter/CCITTFaxDecode/DecodeParms<</Columns 1001/BlackIs1 true>>", runs.out, 0},
		"gray":            {small + "/ColorSpace/DeviceGray", gray.Pix, 0},
		"colors":          {small + "/ColorSpace/DeviceRGB/Filter/FlateDecode", zipped(t, rgb), 0},
		"JPEG":            {small + "/ColorSpace/DeviceRGB/Filter/DCTDecode", jpegOf(t, tinted), 2},
		"JPEG in gray":    {small + "/ColorSpace/DeviceGray/Filter/DCTDecode", jpegOf(t, gray), 2},
	} {
		t.Run(name, func(t *testing.T) {
			content := onePage(c.entries, c.data, "q 500 0 0 400 0 0 cm /Im Do Q", "")
			alike(t, drawn(t, withoutPoppler(t, content), 0), byPdfimages(t, file(t, content)), c.near)
		})
	}
	for _, quality := range []paper.Quality{paper.Standard, paper.Fine} {
		name := sheet(t, paper.PDF, paper.Sheet{Pages: 1, Seed: 9, Quality: quality})
		alike(t, drawn(t, withoutPoppler(t, read(t, name)), 0), byPdfimages(t, name), 0)
	}
}

// byPdfimages is the image of a page as poppler reads it: pdftoppm would fit its pixels
// to those of the page.
func byPdfimages(t *testing.T, name string) image.Image {
	t.Helper()
	root := filepath.Join(t.TempDir(), "image")
	tool(t, "pdfimages", "-png", name, root)
	img, err := png.Decode(bytes.NewReader(read(t, root+"-000.png")))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// TestSameSheet: a document of several pages has them in the same order as PDF and as TIFF, with the same
// pixels.
func TestSameSheet(t *testing.T) {
	s := paper.Sheet{Pages: 3, Seed: 4, Quality: paper.Fine}
	pdf, tiff := withoutPoppler(t, read(t, sheet(t, paper.PDF, s))), open(t, read(t, sheet(t, paper.TIFF, s)))
	if pdf.Len() != 3 || tiff.Len() != 3 {
		t.Fatal(pdf.Len(), tiff.Len())
	}
	for n := range 3 {
		same(t, drawn(t, pdf, n), drawn(t, tiff, n))
	}
}

// TestNoScan: a page that is anything else than one image is for pdftoppm, and is not drawn
// where there is none.
func TestNoScan(t *testing.T) {
	const (
		entries = "/Width 8/Height 2/ColorSpace/DeviceGray/BitsPerComponent 1"
		whole   = "q 500 0 0 400 0 0 cm /Im Do Q"
	)
	for name, c := range map[string]struct{ entries, draw, page string }{
		"smaller":          {entries, "q 400 0 0 400 0 0 cm /Im Do Q", ""},
		"elsewhere":        {entries, "q 500 0 0 400 10 0 cm /Im Do Q", ""},
		"turned":           {entries, "q 0 500 400 0 0 0 cm /Im Do Q", ""},
		"upside down":      {entries, "q 500 0 0 -400 0 400 cm /Im Do Q", ""},
		"twice":            {entries, whole + " " + whole, ""},
		"with text":        {entries, whole + " BT (void) Tj ET", ""},
		"with a line":      {entries, whole + " 0 0 m 500 400 l S", ""},
		"an end":           {entries, whole + " (void) '", ""},
		"restored first":   {entries, "q 2 0 0 2 0 0 cm Q q 250 0 0 200 0 0 cm /Im Do Q", ""},
		"another name":     {entries, "q 500 0 0 400 0 0 cm /Other Do Q", ""},
		"comments":         {entries, whole, "/Annots[4 0 R]"},
		"a turned page":    {entries, whole, "/Rotate 90"},
		"a cut page":       {entries, whole, "/CropBox[0 0 200 200]"},
		"a mask":           {entries + "/SMask 4 0 R", whole, ""},
		"a stencil":        {entries + "/ImageMask true", whole, ""},
		"other colors":     {strings.Replace(entries, "/DeviceGray", "[/Indexed/DeviceRGB 1<ff0000000000>]", 1), whole, ""},
		"another filter":   {entries + "/Filter/JBIG2Decode", whole, ""},
		"two filters":      {entries + "/Filter[/ASCIIHexDecode/FlateDecode]", whole, ""},
		"other columns":    {entries + "/Filter/CCITTFaxDecode/DecodeParms<</Columns 16>>", whole, ""},
		"a strange decode": {entries + "/Decode[0 0.5]", whole, ""},
	} {
		content := onePage(c.entries, []byte{0x0f, 0xff}, c.draw, c.page)
		_, err := withoutPoppler(t, content).Page(t.Context(), 0)
		if !errors.Is(err, ErrUnreadable) || !strings.Contains(err.Error(), "pdftoppm, which draws others, is not installed") {
			t.Errorf("%s: %v", name, err)
		}
	}
	img, err := withoutPoppler(t, onePage(entries, []byte{0x0f, 0xff}, whole, "")).Page(t.Context(), 0)
	if err != nil || img.Bounds().Dx() != 8 {
		t.Errorf("a whole one: %v", err)
	}
}

// TestOthers has pdftoppm draw what is no scan, and says why where it cannot.
func TestOthers(t *testing.T) {
	const entries = "/Width 8/Height 2/ColorSpace/DeviceGray/BitsPerComponent 1"
	content := onePage(entries, []byte{0, 0xff}, "q 250 0 0 200 0 0 cm /Im Do Q", "/Rotate 90")
	tool(t, "pdftoppm", "-v")
	img, err := open(t, content).Page(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	if got := img.Bounds().Size(); got.Y != popplerSide || got.X < 1919 || got.X > 1921 { // 400 by 500
		t.Error(got)
	}
	black := 0
	for i := 0; i < len(img.(*image.RGBA).Pix); i += 4 {
		if img.(*image.RGBA).Pix[i] == 0 {
			black++
		}
	}
	if share := float64(black) / float64(1920*popplerSide); share < 0.12 || share > 0.13 { // half of a quarter
		t.Errorf("%f is black", share)
	}
	locked := bytes.Replace(content, []byte("/Root 1 0 R"), []byte("/Root 1 0 R/Encrypt<</Filter/Standard/V 1/R 2/O<00>/U<00>/P 0>>"), 1)
	if _, err := open(t, locked).Page(t.Context(), 0); !errors.Is(err, ErrUnreadable) || !strings.Contains(err.Error(), "pdftoppm: ") {
		t.Error(err)
	}
}

// TestPopplerMemory: the program that draws has its limit before it reads the document.
func TestPopplerMemory(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the memory of another program is limited on Linux")
	}
	program := filepath.Join(t.TempDir(), "pdftoppm")
	if err := os.WriteFile(program, []byte("#!/bin/sh\nread first\nulimit -v >&2\nexit 1\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := byPoppler(t.Context(), program, strings.NewReader("%PDF-\n"), 0)
	if err == nil || !strings.Contains(err.Error(), "pdftoppm: "+strconv.Itoa(popplerMemory>>10)+" (exit") {
		t.Error(err)
	}
}

// BenchmarkPDF draws a page that is one image, and one that is turned and so for pdftoppm, and
// tells how long that takes next to pdftoppm alone, of which it may take twice the time:
//
//	go test ./pkg/inbox/pages -run - -bench PDF
func BenchmarkPDF(b *testing.B) {
	data, high := groupFour(b)
	entries := fmt.Sprintf("/Width 1728/Height %d/ColorSpace/DeviceGray/BitsPerComponent 1/Filter/CCITTFaxDecode/DecodeParms<</K -1/Columns 1728>>", high)
	for kind, page := range map[string]string{"image": "", "turned": "/Rotate 90"} {
		content := onePage(entries, data, "q 500 0 0 400 0 0 cm /Im Do Q", page)
		name := file(b, content)
		b.Run(kind, func(b *testing.B) {
			var ours, theirs time.Duration
			for b.Loop() {
				begin := time.Now()
				if _, err := open(b, content).Page(b.Context(), 0); err != nil {
					b.Fatal(err)
				}
				between := time.Now()
				tool(b, "pdftoppm", "-f", "1", "-l", "1", "-scale-to", strconv.Itoa(popplerSide), name, filepath.Join(b.TempDir(), "page"))
				ours, theirs = ours+between.Sub(begin), theirs+time.Since(between)
			}
			b.ReportMetric(float64(ours)/float64(theirs), "ours/theirs")
			if ours > 2*theirs {
				b.Errorf("a page takes %v; pdftoppm takes %v", ours, theirs)
			}
		})
	}
}

// TestNothingHandedOn: the program that draws gets nothing of our environment, and what
// it says is cut and safe to show.
func TestNothingHandedOn(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("SECRET_OF_OURS", "hunter2")
	for name, c := range map[string]struct{ script, want string }{
		"environment": {"echo \"$SECRET_OF_OURS\" >&2\nexit 1", "pdftoppm: "},
		"too much":    {"/bin/cat /dev/zero", "pdftoppm: "},
		"no picture":  {"echo P5", "pdftoppm wrote no picture"},
		"half":        {"printf 'P6\\n10 10\\n255\\nabc'", "pdftoppm wrote half a picture"},
		"much":        {"printf 'P6\\n100000 100000\\n255\\nabc'", "are more than are drawn"},
		"escapes":     {"printf '\\033[2Jhello' >&2; exit 3", "pdftoppm: "},
	} {
		if err := os.WriteFile(filepath.Join(dir, "pdftoppm"), []byte("#!/bin/sh\n"+c.script+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		_, err := byPoppler(t.Context(), filepath.Join(dir, "pdftoppm"), strings.NewReader("%PDF-"), 0)
		if !errors.Is(err, ErrUnreadable) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "\x1b") {
			t.Errorf("%s: %q", name, err)
		}
	}
}

// TestStrange: a PDF file that is not understood here is drawn by poppler, where that is
// installed; else it is said why it is not.
func TestStrange(t *testing.T) {
	content := onePage("/Width 90/Height 90/ColorSpace/DeviceGray/BitsPerComponent 8", bytes.Repeat([]byte{0}, 8100), "q 500 0 0 400 0 0 cm /Im Do Q", "")
	content = []byte(strings.Replace(string(content), "xref\n0 6\n", "xref\n0 x\n", 1))
	if info, err := document.Inspect(bytes.NewReader(content), int64(len(content))); err != nil || info.Uncounted == "" {
		t.Fatalf("%+v, %v: it is understood", info, err)
	}
	tool(t, "pdfinfo", "-v")
	p := open(t, content)
	if p.Len() != 1 {
		t.Errorf("it has %d pages", p.Len())
	}
	img, err := p.Page(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	if dark := slices.Min(values(img)); dark > 10 {
		t.Errorf("the darkest is %d", dark)
	}
	_, err = Open(t.Context(), bytes.NewReader([]byte("%PDF-1.4\n%%EOF\n")), 15)
	if err == nil {
		t.Error("a file without a page is taken")
	}
	t.Setenv("PATH", "")
	if _, err := Open(t.Context(), bytes.NewReader(content), int64(len(content))); !errors.Is(err, ErrUnreadable) || !strings.Contains(err.Error(), "is not installed") {
		t.Errorf("without poppler: %v", err)
	}
}

// withoutPoppler opens a document as where no pdftoppm is found.
func withoutPoppler(t *testing.T, content []byte) *Pages {
	t.Helper()
	p := open(t, content)
	pdf, ok := p.drawer.(pdfPages)
	if !ok {
		t.Fatal("it is no PDF file")
	}
	pdf.poppler = ""
	return &Pages{pdf}
}

// alike fails where two pictures differ by more than near.
func alike(t *testing.T, got, want image.Image, near int) {
	t.Helper()
	a, b := values(got), values(want)
	if len(a) != len(b) || slices.Min(a) > 90 {
		t.Fatalf("%v, want %v; the darkest is %d", got.Bounds(), want.Bounds(), slices.Min(a))
	}
	for i := range a {
		if d := int(a[i]) - int(b[i]); d > near || d < -near {
			wide := 3 * got.Bounds().Dx()
			t.Fatalf("in line %d, at %d, it is %d; want %d", i/wide, i%wide/3, a[i], b[i])
		}
	}
}

// onePage is a PDF file of a page of 500 by 400 points.
func onePage(entries string, data []byte, draw, page string) []byte {
	var b bytes.Buffer
	b.WriteString("%PDF-1.4\n")
	var at []int
	for i, object := range []string{
		"<</Type/Catalog/Pages 2 0 R>>",
		"<</Type/Pages/Count 1/Kids[3 0 R]/MediaBox[0 0 500 400.0]>>",
		"<</Type/Page/Parent 2 0 R/Resources<</XObject<</Im 5 0 R>>>>/Contents 4 0 R" + page + ">>",
		fmt.Sprintf("<</Length %d>>\nstream\n%s\nendstream", len(draw), draw),
		fmt.Sprintf("<</Type/XObject/Subtype/Image%s/Length %d>>\nstream\n%s\nendstream", entries, len(data), data),
	} {
		at = append(at, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, object)
	}
	start := b.Len()
	b.WriteString("xref\n0 6\n0000000000 65535 f \n")
	for _, at := range at {
		fmt.Fprintf(&b, "%010d 00000 n \n", at)
	}
	fmt.Fprintf(&b, "trailer\n<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", start)
	return b.Bytes()
}

func zipped(t *testing.T, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func jpegOf(t *testing.T, img image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
