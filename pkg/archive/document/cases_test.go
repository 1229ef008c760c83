package document_test

import (
	"bytes"
	"cmp"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/faxctl/faxctl/pkg/archive/document"
)

func fileOf(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "cases", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestCases are small files of every way to write a document, and of every way
// to lose a part of one. None of them may be uncounted.
func TestCases(t *testing.T) {
	cut := map[string]bool{
		"pdf-inc-cut10.pdf":   true, // the end of the update is missing, the end mark before it is not
		"lin-6-cut900.pdf":    true, // linearized: an end mark stands near the beginning
		"lin-6-cut2400.pdf":   true,
		"tiff-1-cut10.tif":    true, // the values of a field are missing, strips and directories are not
		"tiff-3-cut4.tif":     true,
		"tiff-3-cut16.tif":    true,
		"tiff-wrongorder.tif": true, // the mark of the byte order lies
	}
	pages := map[string]int{
		"pdf-0pages.pdf": 0, "pdf-3.pdf": 3, "pdf-xrefstream-2.pdf": 2, "pdf-inc-4.pdf": 4, "lin-6.pdf": 6,
		"pdf-newline.pdf": 3, "pdf-bom.pdf": 3, "pdf-junk-line.pdf": 3, "pdf-pjl.pdf": 3,
		"pdf-a3-classic-2.pdf": 2, "pdf-a3-xrefstream-2.pdf": 2, "pdf-portfolio-xs-1.pdf": 1, "pdf-js-xs-2.pdf": 2,
		"tiff-1.tif": 1, "tiff-3.tif": 3, "tiff-mm-2.tif": 2,
	}
	files, err := os.ReadDir(filepath.Join("testdata", "cases"))
	if err != nil || len(files) != len(cut)+len(pages) {
		t.Fatalf("%d files for %d cases, %v", len(files), len(cut)+len(pages), err)
	}
	for _, f := range files {
		info, err := inspect(fileOf(t, f.Name()))
		want, whole := pages[f.Name()]
		switch {
		case cut[f.Name()]:
			if !errors.Is(err, document.ErrTruncated) {
				t.Errorf("%s: %+v, %v; it is cut", f.Name(), info, err)
			}
		case err != nil || !whole || info.Pages != want || info.Uncounted != "":
			t.Errorf("%s: %+v, %v; it is whole, of %d pages", f.Name(), info, err, want)
		}
	}
}

// addCases has a fuzz test begin with the files of a kind.
func addCases(f *testing.F, ext string) {
	files, err := filepath.Glob(filepath.Join("testdata", "cases", "*"+ext))
	if err != nil || len(files) == 0 {
		f.Fatal(files, err)
	}
	for _, name := range files {
		f.Add(fileOf(f, filepath.Base(name)))
	}
}

// TestCutUpdate cuts files whose beginning passes for a document of its own: an
// update, and a linearized file. Only what ends before the update begins is the
// document as it was.
func TestCutUpdate(t *testing.T) {
	whole := fileOf(t, "pdf-3.pdf")
	for _, name := range []string{"pdf-inc-4.pdf", "lin-6.pdf"} {
		file := bytes.TrimRight(fileOf(t, name), "\n")
		for n := 8; n < len(file); n++ {
			info, err := inspect(file[:n])
			before := name == "pdf-inc-4.pdf" && bytes.HasPrefix(whole, bytes.TrimRight(file[:n], "\n")) && n >= len(whole)-1
			if before != (err == nil) {
				t.Fatalf("%s: the first %d of %d bytes are %+v, %v", name, n, len(file), info, err)
			}
		}
	}
}

// TestAfterTheEnd: what follows the end mark is not always the beginning of an
// update.
func TestAfterTheEnd(t *testing.T) {
	pdf := fileOf(t, "pdf-3.pdf")
	for _, rest := range []string{"", "\r\n", strings.Repeat("\x00", 512), "\x1b%-12345X", "\x1a"} {
		if info, err := inspect(append(bytes.Clone(pdf), rest...)); err != nil || info.Pages != 3 {
			t.Errorf("followed by %q: %+v, %v", rest, info, err)
		}
	}
	for _, rest := range []string{"7", "\n6 0 obj", "%", "xref\n", "\nstartx", "trailer<<"} {
		if info, err := inspect(append(bytes.Clone(pdf), rest...)); !errors.Is(err, document.ErrTruncated) {
			t.Errorf("followed by %q: %+v, %v", rest, info, err)
		}
	}
}

// TestHeaderWithin: readers look for the header in the first 1,024 bytes, in a
// line of its own.
func TestHeaderWithin(t *testing.T) {
	pdf := fileOf(t, "pdf-xrefstream-2.pdf")
	for n, want := range map[int]bool{1: true, 1019: true, 1020: false, 3000: false} {
		before := append(bytes.Repeat([]byte{'@'}, n-1), '\n')
		info, err := inspect(append(before, pdf...))
		if want != (err == nil && info.Pages == 2) || !want && !errors.Is(err, document.ErrNotDocument) {
			t.Errorf("%d bytes before: %+v, %v", n, info, err)
		}
	}
	// Their offsets may count from the beginning of the file as well.
	file := tabled("\x1b%-12345X@PJL JOB\n", onePage...)
	if info, err := inspect(file); err != nil || info.Pages != 1 {
		t.Errorf("counted from the beginning: %+v, %v", info, err)
	}
}

// onePage are the objects of a document, from number 1 on; the first is its root.
var onePage = []string{
	"<</Type/Catalog/Pages 2 0 R>>",
	"<</Type/Pages/Kids[3 0 R]/Count 1>>",
	"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]>>",
}

// tabled writes a PDF file with a plain table, whose offsets count what stands
// before the header.
func tabled(before string, objects ...string) []byte {
	b := []byte(before + "%PDF-2.0\n")
	table := []byte("0000000000 65535 f \n")
	for i, o := range objects {
		table = fmt.Appendf(table, "%010d 00000 n \n", len(b))
		b = fmt.Appendf(b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	return fmt.Appendf(b, "xref\n0 %d\n%strailer\n<</Size %[1]d/Root 1 0 R>>\nstartxref\n%[3]d\n%%%%EOF\n", len(objects)+1, table, len(b))
}

// packed writes a PDF file whose objects are in an object stream, and whose table
// is one with rows filtered as PNG does, all in the same way.
func packed(filter byte, objects ...string) []byte {
	b := []byte("%PDF-1.5\n")
	stream := func(num int, entries string, content []byte) {
		var z bytes.Buffer
		w := zlib.NewWriter(&z)
		_, _ = w.Write(content)
		_ = w.Close()
		b = fmt.Appendf(b, "%d 0 obj\n<<%s/Filter/FlateDecode/Length %d>>\nstream\n%s\nendstream\nendobj\n", num, entries, z.Len(), z.Bytes())
	}
	var heads, bodies string
	for i, o := range objects {
		heads += fmt.Sprintf("%d %d ", i+1, len(bodies))
		bodies += o + "\n"
	}
	n := len(objects)
	at := len(b)
	stream(n+1, fmt.Sprintf("/Type/ObjStm/N %d/First %d", n, len(heads)), []byte(heads+bodies))
	rows := [][]byte{{0, 0, 0, 0, 0}}
	for i := range objects {
		rows = append(rows, []byte{2, 0, 0, byte(n + 1), byte(i)})
	}
	rows = append(rows, []byte{1, 0, byte(at >> 8), byte(at), 0})
	start := len(b)
	stream(n+2, fmt.Sprintf("/Type/XRef/Size %d/W[1 3 1]/Root 1 0 R/DecodeParms<</Predictor 15/Columns 5>>", len(rows)), filtered(filter, rows))
	return fmt.Appendf(b, "startxref\n%d\n%%%%EOF\n", start)
}

// filtered applies a filter of PNG to rows, of one byte a pixel (PNG, 9.2).
func filtered(kind byte, rows [][]byte) (out []byte) {
	above := make([]byte, len(rows[0]))
	for _, row := range rows {
		out = append(out, kind)
		for i, c := range row {
			var left, corner int
			if i > 0 {
				left, corner = int(row[i-1]), int(above[i-1])
			}
			up := int(above[i])
			guess := []int{0, left, up, (left + up) / 2, nearest(left+up-corner, left, up, corner)}[kind]
			out = append(out, c-byte(guess))
		}
		above = row
	}
	return out
}

func nearest(to int, of ...int) int {
	return slices.MinFunc(of, func(a, b int) int { return cmp.Compare(max(a-to, to-a), max(b-to, to-b)) })
}

// TestWays counts pages in files that a validator does not like, and in every
// way to write a table.
func TestWays(t *testing.T) {
	form := []string{"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields 9>>/DSS<</VRI(no)>>>>", onePage[1], onePage[2]}
	elsewhere := []string{onePage[0], "<</Type/Pages/Kids 4 0 R/Count 1>>", onePage[2], "[3 0 R]"}
	more := bytes.Replace(tabled("", onePage...), []byte("/Size 4"), []byte("/Size 4/Prev 9"), 1)
	for name, c := range map[string]struct {
		file  []byte
		pages int
		why   string
	}{
		"a form that is none":            {tabled("", form...), 1, ""},
		"kids elsewhere":                 {tabled("", elsewhere...), 1, ""},
		"packed":                         {packed(0, form...), 1, ""},
		"packed, sub":                    {packed(1, form...), 1, ""},
		"packed, up":                     {packed(2, elsewhere...), 1, ""},
		"packed, average":                {packed(3, elsewhere...), 1, ""},
		"packed, paeth":                  {packed(4, onePage...), 1, ""},
		"a table before it that is none": {more, 0, "the PDF reader does not understand it"},
		"pages that are not there":       {tabled("", onePage[0], "<</Type/Pages/Kids[]/Count 2>>"), 0, "the PDF reader does not understand it"},
		"pages in a circle":              {tabled("", onePage[0], "<</Type/Pages/Kids[2 0 R]/Count 1>>"), 0, "the PDF reader does not understand it"},
	} {
		info, err := inspect(c.file)
		if err != nil || info.Pages != c.pages || info.Uncounted != c.why {
			t.Errorf("%s: %+v, %v; want %d pages, %q", name, info, err, c.pages, c.why)
		}
	}
}

// TestEmptyPage: a page of some size whose picture has no bytes was never
// finished; one of no size may have none.
func TestEmptyPage(t *testing.T) {
	whole := fileOf(t, "tiff-1.tif")
	entry := bytes.Index(whole, []byte{0x17, 1, 4, 0, 1, 0, 0, 0}) // StripByteCounts
	empty := bytes.Clone(whole)
	binary.LittleEndian.PutUint32(empty[entry+8:], 0)
	if info, err := inspect(empty); !errors.Is(err, document.ErrTruncated) {
		t.Errorf("a page without its picture: %+v, %v", info, err)
	}
	height := bytes.Index(whole, []byte{1, 1, 3, 0, 1, 0, 0, 0})
	binary.LittleEndian.PutUint16(empty[height+8:], 0)
	if info, err := inspect(empty); err != nil || info.Pages != 1 {
		t.Errorf("a page of no size: %+v, %v", info, err)
	}
	strips := bytes.Index(whole, []byte{0x11, 1, 4, 0, 1, 0, 0, 0})
	none := bytes.Clone(whole)
	none[strips] = 0x12 // another tag
	if info, err := inspect(none); err != nil || info.Uncounted == "" {
		t.Errorf("a page of some size with no picture that we know: %+v, %v", info, err)
	}
}
