package pages

import (
	"bytes"
	"compress/zlib"
	"context"
	"errors"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"io"

	"github.com/faxctl/faxctl/pkg/archive/document"
)

// pdfPages draws the pages of a PDF file: those that are one image, as fax machines and
// scanners make them, are read here; the others are for pdftoppm.
type pdfPages struct {
	*document.PDFPages
	r       io.ReaderAt
	size    int64
	poppler string // where pdftoppm is; empty: nowhere
}

func (p pdfPages) draw(ctx context.Context, n int) (picture, error) {
	scan, isOne, err := p.Scan(n)
	if err != nil {
		return picture{}, err
	}
	if !isOne {
		return byPoppler(ctx, p.poppler, io.NewSectionReader(p.r, 0, p.size), n)
	}
	img, err := drawScan(ctx, scan)
	switch {
	case errors.Is(err, errOtherScan):
		return byPoppler(ctx, p.poppler, io.NewSectionReader(p.r, 0, p.size), n)
	case err != nil && !errors.Is(err, ErrDamaged):
		return picture{}, err
	}
	return picture{img, float64(scan.Wide) / scan.PageWide, float64(scan.High) / scan.PageHigh}, err
}

// errOtherScan is of an image that is not read here.
var errOtherScan = errors.New("an image of another kind")

// drawScan draws the image that a page consists of.
func drawScan(ctx context.Context, s document.Scan) (image.Image, error) {
	if err := affordable(s.Wide, s.High, int64(s.Colors)); err != nil {
		return nil, err
	}
	p := &page{wide: int(s.Wide), high: int(s.High), bits: int(s.Bits), samples: s.Colors, photometric: blackIsZero, partWide: int(s.Wide), predictor: 1}
	if s.Colors == 3 {
		p.photometric = rgb
	}
	if s.Inverted {
		p.photometric = whiteIsZero
	}
	switch s.Filter {
	case "CCITTFaxDecode":
		if s.Bits != 1 || s.Colors != 1 || s.Fax.Columns != s.Wide {
			return nil, errOtherScan
		}
		p.compression = faxT4
		// What the filter makes of a black line is 0, if not told otherwise, and 0 is black.
		p.photometric = whiteIsZero
		if s.Fax.BlackIs1 != s.Inverted {
			p.photometric = blackIsZero
		}
		return p.drawFax(ctx, s)
	case "DCTDecode":
		if s.Inverted {
			return nil, errOtherScan
		}
		return drawJPEG(s)
	case "FlateDecode", "":
	default:
		return nil, errOtherScan
	}
	if p.drawable() != nil {
		return nil, errOtherScan
	}
	rows := p.blank(p.stride(p.wide) * p.high)
	var r io.Reader = bytes.NewReader(s.Data)
	if s.Filter != "" {
		inflated, err := zlib.NewReader(r)
		if err != nil {
			return p.image(rows), ErrDamaged
		}
		r = inflated
	}
	n, err := readWithin(ctx, r, rows)
	if err == nil && n < len(rows) {
		err = ErrDamaged
	}
	return p.image(rows), err
}

// drawFax draws lines of T.4 or T.6.
func (p *page) drawFax(ctx context.Context, s document.Scan) (image.Image, error) {
	how := coding{group4: s.Fax.K < 0, twoWay: s.Fax.K > 0}
	if s.Fax.ByteAlign {
		how.onto = 8
	}
	rows := p.blank(p.stride(p.wide) * p.high)
	err := faxLines(ctx, newCodes(), how, s.Data, p.wide, rows)
	return p.image(rows), err
}

// drawJPEG draws a JPEG image, which is gray or of red, green and blue.
func drawJPEG(s document.Scan) (image.Image, error) {
	is, err := jpeg.DecodeConfig(bytes.NewReader(s.Data))
	if err != nil || int64(is.Width) != s.Wide || int64(is.Height) != s.High || is.ColorModel == color.CMYKModel {
		return nil, errOtherScan
	}
	img, err := jpeg.Decode(bytes.NewReader(s.Data))
	if err != nil {
		return nil, errOtherScan // others draw a part
	}
	if gray, ok := img.(*image.Gray); ok {
		return &image.Gray{Pix: tight(gray), Stride: is.Width, Rect: gray.Rect}, nil
	}
	out := image.NewRGBA(img.Bounds())
	draw.Draw(out, out.Rect, img, image.Point{}, draw.Src)
	return out, nil
}

// tight are the pixels of a picture without what lies between its lines.
func tight(img *image.Gray) []byte {
	wide, high := img.Rect.Dx(), img.Rect.Dy()
	all := make([]byte, 0, wide*high)
	for y := range high {
		all = append(all, img.Pix[y*img.Stride:y*img.Stride+wide]...)
	}
	return all
}
