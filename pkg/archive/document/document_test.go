package document_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pdfcpu/pdfcpu/pkg/api"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/model"

	"github.com/faxctl/faxctl/pkg/archive/document"
	"github.com/faxctl/faxctl/pkg/sandbox/paper"
)

func inspect(b []byte) (document.Info, error) {
	return document.Inspect(bytes.NewReader(b), int64(len(b)))
}

func fax(t testing.TB, kind paper.Kind, pages int) []byte {
	t.Helper()
	var b bytes.Buffer
	err := paper.Write(&b, kind, paper.Sheet{
		From: "+14155550123", To: "+16285550147", Pages: pages, Seed: 3, Time: time.Unix(1.7e9, 0).UTC(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// rewritten is the document as pdfcpu writes it: object streams, and a
// cross-reference stream in place of the table.
func rewritten(t testing.TB, pdf []byte) []byte {
	t.Helper()
	api.DisableConfigDir()
	var b bytes.Buffer
	if err := api.Optimize(bytes.NewReader(pdf), &b, model.NewDefaultConfiguration()); err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(b.Bytes(), []byte("\nxref")) {
		t.Fatal("the rewritten file has a plain table")
	}
	return b.Bytes()
}

func encrypted(t testing.TB, pdf []byte) []byte {
	t.Helper()
	api.DisableConfigDir()
	var b bytes.Buffer
	if err := api.Encrypt(bytes.NewReader(pdf), &b, model.NewAESConfiguration("user", "owner", 256)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// appended is the document with its first page replaced by an update at the
// end, as editors save (ISO 32000-1, 7.5.6).
func appended(t testing.TB, pdf []byte) []byte {
	t.Helper()
	old := bytes.LastIndex(pdf, []byte("\nxref")) + 1
	b := bytes.Clone(pdf)
	at := len(b)
	b = append(b, "2 0 obj\n<</Type/Pages/Count 1/Kids[4 0 R]>>\nendobj\n"...)
	start := len(b)
	return fmt.Appendf(b, "xref\n2 1\n%010d 00000 n \ntrailer\n<</Size 6/Root 1 0 R/Prev %d>>\nstartxref\n%d\n%%%%EOF\n", at, old, start)
}

// tiff makes a file of any byte order and width: each page one strip of four
// bytes, with a thumbnail after the first.
func tiff(order binary.AppendByteOrder, big bool, pages int) []byte {
	b := []byte("II")
	if order == binary.AppendByteOrder(binary.BigEndian) {
		b = []byte("MM")
	}
	offset := func(b []byte, v int) []byte {
		if big {
			return order.AppendUint64(b, uint64(v))
		}
		return order.AppendUint32(b, uint32(v))
	}
	if big {
		for _, v := range []uint16{43, 8, 0} {
			b = order.AppendUint16(b, v)
		}
		b = order.AppendUint64(b, 16)
	} else {
		b = order.AppendUint32(order.AppendUint16(b, 42), 8)
	}
	for i := range pages + 1 {
		thumbnail := 0
		if i == 1 {
			thumbnail = 1
		}
		counter, entry, wide := 2, 12, 4
		if big {
			counter, entry, wide = 8, 20, 8
		}
		data := len(b) + counter + 3*entry + wide
		if big {
			b = order.AppendUint64(b, 3)
		} else {
			b = order.AppendUint16(b, 3)
		}
		for _, f := range [][2]int{{254, thumbnail}, {273, data}, {279, 4}} {
			b = order.AppendUint16(order.AppendUint16(b, uint16(f[0])), 4)
			b = offset(b, 1)
			b = order.AppendUint32(b, uint32(f[1]))
			if big {
				b = append(b, 0, 0, 0, 0)
			}
		}
		if i == pages {
			b = offset(b, 0)
		} else {
			b = offset(b, data+4)
		}
		b = append(b, "data"...)
	}
	return b
}

func TestDocuments(t *testing.T) {
	pdf := fax(t, paper.PDF, 3)
	lying := bytes.Replace(pdf, []byte("/Count 3/"), []byte("/Count 9/"), 1)
	isPDF := document.Info{Kind: document.PDF, ContentType: "application/pdf", Ext: ".pdf"}
	isTIFF := document.Info{Kind: document.TIFF, ContentType: "image/tiff", Ext: ".tiff"}
	with := func(i document.Info, pages int, why string) document.Info {
		i.Pages, i.Uncounted = pages, why
		return i
	}
	for name, c := range map[string]struct {
		file []byte
		want document.Info
	}{
		"a fax of one page":     {fax(t, paper.PDF, 1), with(isPDF, 1, "")},
		"a fax of many":         {fax(t, paper.PDF, 40), with(isPDF, 40, "")},
		"a count that lies":     {lying, with(isPDF, 3, "")},
		"a page that is none":   {bytes.Replace(pdf, []byte("/Page/Parent"), []byte("/Font/Parent"), 1), with(isPDF, 0, "the PDF reader does not understand it")},
		"saved again":           {appended(t, pdf), with(isPDF, 1, "")},
		"object streams":        {rewritten(t, pdf), with(isPDF, 3, "")},
		"encrypted":             {encrypted(t, pdf), with(isPDF, 3, "")},
		"encrypted tables":      {bytes.Replace(rewritten(t, pdf), []byte("/Root"), []byte("/Encrypt 99 0 R/Root"), 1), with(isPDF, 0, "it is encrypted")},
		"space before":          {append([]byte("\r\n"), pdf...), with(isPDF, 3, "")},
		"nonsense inside":       {[]byte("%PDF-1.4\nhello\nstartxref\n9\n%%EOF"), with(isPDF, 0, "the PDF reader does not understand it")},
		"TIFF":                  {fax(t, paper.TIFF, 7), with(isTIFF, 7, "")},
		"TIFF, Motorola":        {tiff(binary.BigEndian, false, 2), with(isTIFF, 2, "")},
		"TIFF, Intel":           {tiff(binary.LittleEndian, false, 2), with(isTIFF, 2, "")},
		"BigTIFF, Motorola":     {tiff(binary.BigEndian, true, 3), with(isTIFF, 3, "")},
		"BigTIFF, Intel":        {tiff(binary.LittleEndian, true, 3), with(isTIFF, 3, "")},
		"TIFF in a circle":      {circle(), with(isTIFF, 0, "its chain of pages runs in a circle")},
		"TIFF without pictures": {append([]byte("II*\x00\x08\x00\x00\x00\x00\x00"), 0, 0, 0, 0), with(isTIFF, 0, "")},
		"PDF without pages":     {fileOf(t, "pdf-0pages.pdf"), with(isPDF, 0, "")},
	} {
		got, err := inspect(c.file)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// circle is a TIFF file whose second directory is followed by the first.
func circle() []byte {
	b := tiff(binary.LittleEndian, false, 1)
	binary.LittleEndian.PutUint32(b[len(b)-8:], 8)
	return b
}

func TestNotDocuments(t *testing.T) {
	for file, what := range map[string]string{
		"":                                      "nothing: it is empty",
		"\n\n":                                  "nothing: it is empty",
		"<!DOCTYPE html><p>502 Bad Gateway":     "an HTML page",
		"\ufeff<?xml version='1.0'?><Error/>":   "an XML document",
		"<?xml version='1.0'?>\n<!-- --><html>": "an HTML page",
		`{"code":20404,"status":404}`:           "a JSON answer",
		"try again later, naïve user":           "plain text",
		"say %PDF-1.4 and be done":              "plain text",
		"\x89PNG\r\n\x1a\n":                     "a PNG image",
		"\x00\x01\x02\x03":                      "binary data of some other kind",
		"\x1f\x8b\x08":                          "gzip data",
	} {
		_, err := inspect([]byte(file))
		if !errors.Is(err, document.ErrNotDocument) || !strings.HasSuffix(err.Error(), what) {
			t.Errorf("%q: %v, want %s", file, err, what)
		}
	}
}

// TestCut cuts a document at every byte: no piece passes for a whole.
func TestCut(t *testing.T) {
	pdf, tif := fax(t, paper.PDF, 1), fax(t, paper.TIFF, 1)
	for name, file := range map[string][]byte{
		"PDF":                bytes.TrimRight(pdf, "\n"),
		"PDF, other tables":  bytes.TrimRight(rewritten(t, pdf), "\r\n"),
		"TIFF":               bytes.TrimRight(tif, "\x00"),
		"BigTIFF of 3 pages": tiff(binary.BigEndian, true, 3),
	} {
		if _, err := inspect(file); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for n := 8; n < len(file); n++ {
			if info, err := inspect(file[:n]); !errors.Is(err, document.ErrTruncated) {
				t.Fatalf("%s: the first %d of %d bytes are %+v, %v", name, n, len(file), info, err)
			}
		}
	}
}

// TestHole: the end is there, the middle is not.
func TestHole(t *testing.T) {
	pdf := fax(t, paper.PDF, 3)
	holed := append(bytes.Clone(pdf[:1000]), pdf[len(pdf)-600:]...)
	if _, err := inspect(holed); !errors.Is(err, document.ErrTruncated) {
		t.Errorf("a PDF without its middle: %v", err)
	}
}

type brokenDisk struct{}

func (brokenDisk) ReadAt([]byte, int64) (int, error) { return 0, io.ErrClosedPipe }

func TestReadError(t *testing.T) {
	if _, err := document.Inspect(brokenDisk{}, 100); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("the reader's error came back as %v", err)
	}
	if _, err := document.Inspect(bytes.NewReader(fax(t, paper.PDF, 1)), 1<<40); !errors.Is(err, document.ErrTruncated) {
		t.Errorf("a file smaller than said: %v", err)
	}
}

// TestSideBySide gives the race detector something to look at.
func TestSideBySide(t *testing.T) {
	file := rewritten(t, fax(t, paper.PDF, 2))
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if info, err := inspect(file); err != nil || info.Pages != 2 {
				t.Errorf("%+v, %v", info, err)
			}
		})
	}
	wg.Wait()
}

func FuzzPDF(f *testing.F) {
	pdf := fax(f, paper.PDF, 1)
	images := bytes.Index(pdf, []byte("/CCITTFaxDecode"))
	f.Add(append(bytes.Clone(pdf[:images+200]), pdf[len(pdf)-400:]...))
	f.Add(appended(f, pdf))
	f.Add(rewritten(f, pdf))
	f.Add([]byte("%PDF-1.4\n1 0 obj<</Pages 1 0 R/Kids[1 0 R]>>\nxref\n0 2\n0000000000 65535 f \n0000000009 00000 n \ntrailer<</Root 1 0 R/Prev 45>>\nstartxref\n45\n%%EOF"))
	for filter := range byte(5) {
		f.Add(packed(filter, onePage...))
	}
	addCases(f, ".pdf")
	f.Fuzz(func(t *testing.T, file []byte) { check(t, file) })
}

func FuzzTIFF(f *testing.F) {
	f.Add(tiff(binary.BigEndian, false, 2))
	f.Add(tiff(binary.LittleEndian, false, 2))
	f.Add(tiff(binary.BigEndian, true, 2))
	f.Add(circle())
	addCases(f, ".tif")
	f.Fuzz(func(t *testing.T, file []byte) { check(t, file) })
}

func check(t *testing.T, file []byte) {
	info, err := inspect(file)
	switch {
	case err != nil:
		if !errors.Is(err, document.ErrNotDocument) && !errors.Is(err, document.ErrTruncated) {
			t.Fatalf("an error of no kind: %v", err)
		}
	case info.Pages > 0 && info.Uncounted != "", info.Pages < 0:
		t.Fatalf("counted, and told why not: %+v", info)
	}
}

func BenchmarkInspect(b *testing.B) {
	pdf := fax(b, paper.PDF, 3)
	for name, file := range map[string][]byte{
		"PDF": pdf, "TIFF": fax(b, paper.TIFF, 3), "PDF/streams": rewritten(b, pdf),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := inspect(file); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
