// Package pages makes pictures of the pages of fax documents.
//
// Use it to show a fax. [Open] finds the pages of a document, and [Pages.Page] draws one.
// TIFF files are read here, in every coding that fax machines and fax servers write
// (ITU-T T.4 and T.6), and in the common ones of scanners, and so are the pages of PDF
// files that are one image. Any other page of a PDF file is drawn by pdftoppm, where
// poppler is installed, and so are files that only poppler understands. Documents come from strangers: whatever a file claims, no page costs more than [MaxPixels] bytes a few
// times over, nor longer than its context lasts.
package pages

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"os/exec"

	"github.com/faxctl/faxctl/pkg/archive/document"
	"github.com/faxctl/faxctl/pkg/base/problem"
)

// MaxPixels is the most a picture may have: an A3 page of 400 dots to the inch has 31
// million, and one pixel in color counts for four.
const MaxPixels = 48 << 20

// What is wrong with a page. Compare with [errors.Is].
var (
	// ErrDamaged: a part of the page cannot be read. There is a picture nevertheless,
	// with what could be; the rest is white.
	ErrDamaged = errors.New("a part of the page is missing or damaged")

	// ErrUnreadable: the page is written in a way that is not read here.
	ErrUnreadable = problem.Of(problem.ErrUnsupported, errors.New("the page cannot be drawn"))
)

// unreadable is an [ErrUnreadable] with the reason.
func unreadable(why string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrUnreadable, fmt.Sprintf(why, args...))
}

// Pages are the pages of a document.
type Pages struct {
	drawer
}

// drawer draws the pages of one kind of document.
type drawer interface {
	Len() int
	draw(ctx context.Context, n int) (picture, error)
}

// picture is a page as the document has it: its pixels need not be square.
type picture struct {
	image image.Image
	x, y  float64 // pixels to some length in both directions; 0: not known
}

// Open finds the pages of the document that is the first size bytes of r. It fails with
// [document.ErrNotDocument], [document.ErrTruncated] or [ErrUnreadable], or with the error
// of r, which must stay open while pages are drawn.
func Open(ctx context.Context, r io.ReaderAt, size int64) (*Pages, error) {
	info, err := document.Inspect(r, size)
	switch {
	case err != nil:
		return nil, err
	case info.Uncounted != "" && info.Kind == document.PDF:
		strange, err := openStrange(ctx, r, size, info.Uncounted)
		if err != nil {
			return nil, err
		}
		return &Pages{strange}, nil
	case info.Uncounted != "":
		return nil, unreadable("%s", info.Uncounted)
	case info.Kind == document.TIFF:
		t, err := document.OpenTIFF(r, size)
		if err != nil {
			return nil, err
		}
		return &Pages{tiffPages{t}}, nil
	}
	d, err := document.OpenPDF(r, size)
	if err != nil {
		return nil, err
	}
	poppler, err := exec.LookPath("pdftoppm")
	if err != nil {
		poppler = ""
	}
	return &Pages{pdfPages{d, r, size, poppler}}, nil
}

// Page draws a page, of which the first is 0, with square pixels. A page in black and
// white is an [image.Paletted] of white and black. With [ErrDamaged] there is a picture
// too.
func (p *Pages) Page(ctx context.Context, n int) (image.Image, error) {
	if n < 0 || n >= p.Len() {
		return nil, fmt.Errorf("%w: there is no page %d of %d", problem.ErrNotFound, n+1, p.Len())
	}
	drawn, err := p.draw(ctx, n)
	if err != nil && !errors.Is(err, ErrDamaged) {
		return nil, err
	}
	square, tooLarge := drawn.square()
	if tooLarge != nil {
		return nil, tooLarge
	}
	return square, err
}
