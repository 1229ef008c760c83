// Package paper makes fax documents that look like faxes: pages of black and
// white pixels as a fax machine scans them, a header line with date, sender
// and page number on each, a cover sheet and typed letters below it.
//
// Use it wherever a document is needed that no one sent: the sandbox's faxes,
// tests, demonstrations. A [Sheet] says what is on the paper and [Write] draws
// it, as a PDF or as a TIFF; both carry the same Group 4 images (ITU-T T.6).
// The same Sheet always gives the same bytes, so a document need not be kept:
// its Sheet is enough.
//
// The people, places and cases in the letters do not exist. Telephone numbers
// in them are of the range 555-01xx, which is kept free for fiction.
package paper

import (
	"fmt"
	"io"
	"time"
)

// Kind is a file format, named by its content type.
type Kind string

// The formats fax providers deliver.
const (
	PDF  Kind = "application/pdf"
	TIFF Kind = "image/tiff"
)

// Quality is the resolution, in lines to the inch; every line has 204 pixels
// to the inch.
type Quality string

// The resolutions of ITU-T T.4.
const (
	Standard  Quality = "standard"  // 98, the default
	Fine      Quality = "fine"      // 196
	Superfine Quality = "superfine" // 392
)

// Size is the paper.
type Size string

// The papers a fax machine takes.
const (
	Letter Size = "letter" // 8.5 by 11 inches, the default
	Legal  Size = "legal"  // 8.5 by 14 inches
	A4     Size = "a4"     // 210 by 297 mm
)

// MaxPages is how many pages one document may have.
const MaxPages = 500

// Sheet describes a document. Its zero value is one page.
type Sheet struct {
	Station string    // the sending machine's name, in the header line and the letterhead; empty: one is made up
	From    string    // the sender's number
	To      string    // the recipient's number
	Time    time.Time // when it was sent; printed in its own zone. Zero: some day in January 2026
	Pages   int       // 1 to MaxPages; 0 is 1. With more than one, the first is a cover sheet
	Seed    uint64    // decides on the letter
	Quality Quality
	Size    Size

	// Bytes is about how large the file shall be: the dust of a scanner's
	// glass is added until it is. A file already larger is left alone, and
	// dust stops where the letter would be hard to read. 0 adds none.
	Bytes int
}

// page is one page, encoded.
type page struct {
	height int // lines
	data   []byte
}

// Write draws the document and writes the file to w. It fails when the sheet
// asks for what is not listed here, or with the error of w.
func Write(w io.Writer, kind Kind, s Sheet) error {
	d, err := newDesk(s)
	if err != nil {
		return err
	}
	var assemble func(*desk, []page) []byte
	switch kind {
	case PDF:
		assemble = assemblePDF
	case TIFF:
		assemble = assembleTIFF
	default:
		return fmt.Errorf("no fax document is of kind %q", kind)
	}
	pages := make([]page, d.Pages)
	for i := range pages {
		pages[i] = d.page(i)
	}
	_, err = w.Write(assemble(d, pages))
	return err
}
