package paper

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// assemblePDF is a PDF file with each page one image
// (ISO 32000-1, 7.5 file structure and 7.4.6 CCITTFaxDecode).
func assemblePDF(d *desk, pages []page) []byte {
	var b bytes.Buffer
	b.WriteString("%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
	var offsets []int
	object := func(format string, args ...any) {
		offsets = append(offsets, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n", len(offsets))
		fmt.Fprintf(&b, format, args...)
		b.WriteString("\nendobj\n")
	}
	object("<</Type/Catalog/Pages 2 0 R>>")
	var kids bytes.Buffer
	for i := range pages {
		fmt.Fprintf(&kids, "%d 0 R ", 4+3*i)
	}
	object("<</Type/Pages/Count %d/Kids[%s]>>", len(pages), bytes.TrimSpace(kids.Bytes()))
	object("<</Producer(fax)/CreationDate(D:%s)>>", d.Time.UTC().Format("20060102150405+00'00'"))
	for _, p := range pages {
		n := len(offsets) + 1
		// Points, 72 to the inch.
		wide, high := width*72/204.0, float64(p.height)*72/float64(d.dotsPerInch())
		draw := fmt.Sprintf("q %.2f 0 0 %.2f 0 0 cm /Fax Do Q", wide, high)
		object("<</Type/Page/Parent 2 0 R/MediaBox[0 0 %.2f %.2f]/Resources<</XObject<</Fax %d 0 R>>>>/Contents %d 0 R>>", wide, high, n+2, n+1)
		object("<</Length %d>>\nstream\n%s\nendstream", len(draw), draw)
		object("<</Type/XObject/Subtype/Image/Width %d/Height %d/ColorSpace/DeviceGray/BitsPerComponent 1"+
			"/Filter/CCITTFaxDecode/DecodeParms<</K -1/Columns %[1]d/Rows %[2]d>>/Length %[3]d>>\nstream\n%[4]s\nendstream",
			width, p.height, len(p.data), p.data)
	}
	start := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(offsets)+1)
	for _, at := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", at)
	}
	fmt.Fprintf(&b, "trailer\n<</Size %d/Root 1 0 R/Info 3 0 R>>\nstartxref\n%d\n%%%%EOF\n", len(offsets)+1, start)
	return b.Bytes()
}

// assembleTIFF is a TIFF file of class F: one directory and one strip a page
// (TIFF 6.0, sections 2 and 11; RFC 2306).
func assembleTIFF(d *desk, pages []page) []byte {
	const (
		entries   = 17
		directory = 2 + entries*12 + 4
		values    = 2*8 + 20 // two resolutions and the date
		short     = 3
		long      = 4
		rational  = 5
		ascii     = 2
	)
	le := binary.LittleEndian
	b := append([]byte("II*\x00"), 8, 0, 0, 0)
	for i, p := range pages {
		at := len(b)
		data := at + directory + values
		end := data + len(p.data)
		end += end % 2 // directories begin on a word
		b = le.AppendUint16(b, entries)
		tag := func(id, kind uint16, count, value uint32) {
			b = le.AppendUint16(b, id)
			b = le.AppendUint16(b, kind)
			b = le.AppendUint32(b, count)
			b = le.AppendUint32(b, value)
		}
		extra := uint32(at + directory)
		tag(254, long, 1, 2) // a page of several
		tag(256, long, 1, width)
		tag(257, long, 1, uint32(p.height))
		tag(258, short, 1, 1) // bit a pixel
		tag(259, short, 1, 4) // Group 4
		tag(262, short, 1, 0) // 0 is white
		tag(266, short, 1, 1) // highest bit first
		tag(273, long, 1, uint32(data))
		tag(277, short, 1, 1)
		tag(278, long, 1, uint32(p.height))
		tag(279, long, 1, uint32(len(p.data)))
		tag(282, rational, 1, extra)
		tag(283, rational, 1, extra+8)
		tag(293, long, 1, 0)  // T6Options
		tag(296, short, 1, 2) // inches
		tag(297, short, 2, uint32(i)|uint32(len(pages))<<16)
		tag(306, ascii, 20, extra+16)
		next := uint32(end)
		if i == len(pages)-1 {
			next = 0
		}
		b = le.AppendUint32(b, next)
		for _, v := range []uint32{204, 1, uint32(d.dotsPerInch()), 1} {
			b = le.AppendUint32(b, v)
		}
		b = append(b, d.Time.UTC().Format("2006:01:02 15:04:05")+"\x00"...)
		b = append(b, p.data...)
		for len(b) < end {
			b = append(b, 0)
		}
	}
	return b
}
