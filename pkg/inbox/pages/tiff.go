package pages

import (
	"context"
	"errors"
	"image"
	"image/color"

	"github.com/faxctl/faxctl/pkg/archive/document"
)

// Tags of a TIFF page (TIFF 6.0).
const (
	tagWidth        = 256
	tagLength       = 257
	tagBits         = 258
	tagCompression  = 259
	tagPhotometric  = 262
	tagFillOrder    = 266
	tagStripOffsets = 273
	tagSamples      = 277
	tagRowsPerStrip = 278
	tagStripCounts  = 279
	tagXResolution  = 282
	tagYResolution  = 283
	tagPlanar       = 284
	tagT4Options    = 292
	tagPredictor    = 317
	tagColorMap     = 320
	tagTileWidth    = 322
	tagTileLength   = 323
	tagTileOffsets  = 324
	tagTileCounts   = 325
)

// Values of the photometric interpretation.
const (
	whiteIsZero = 0
	blackIsZero = 1
	rgb         = 2
	paletted    = 3
)

// tiffPages draws the pages of a TIFF file.
type tiffPages struct{ *document.TIFFPages }

func (t tiffPages) draw(ctx context.Context, n int) (picture, error) {
	d, err := t.Page(n)
	if err != nil {
		return picture{}, err
	}
	p, err := describe(d)
	if err != nil {
		return picture{}, err
	}
	rows, err := p.rows(ctx, d)
	if err != nil && !errors.Is(err, ErrDamaged) {
		return picture{}, err
	}
	return picture{p.image(rows), p.x, p.y}, err
}

// page is how the picture of a page is written.
type page struct {
	wide, high      int // pixels
	partWide        int // of a strip or a tile
	partHigh        int
	tiled           bool
	offsets, counts []int64 // of the strips or tiles, row by row
	bits, samples   int     // of a pixel: bits of a sample, samples
	planes          int     // the samples are apart from each other, in as many pictures; or 1
	compression     int64
	photometric     int64
	fillOrder       int64
	predictor       int64
	t4Options       int64
	palette         []int64
	x, y            float64 // pixels to the length
}

// describe reads what a directory says, as far as it can be drawn.
func describe(d document.Directory) (*page, error) {
	p := &page{}
	var wide, high, bits, samples, planar int64
	numbers := []struct {
		tag       uint16
		otherwise int64
		to        *int64
	}{
		{tagWidth, 0, &wide}, {tagLength, 0, &high}, {tagBits, 1, &bits}, {tagSamples, 1, &samples}, {tagPlanar, 1, &planar},
		{tagCompression, 1, &p.compression}, {tagPhotometric, whiteIsZero, &p.photometric}, {tagFillOrder, 1, &p.fillOrder},
		{tagPredictor, 1, &p.predictor}, {tagT4Options, 0, &p.t4Options},
	}
	for _, n := range numbers {
		var err error
		if *n.to, err = d.Number(n.tag, n.otherwise); err != nil {
			return nil, err
		}
	}
	p.wide, p.high, p.bits, p.samples, p.planes = int(wide), int(high), int(bits), int(samples), 1
	if err := affordable(wide, high, p.bytesPerPixel()); err != nil {
		return nil, err
	}
	var err1, err2, err3 error
	p.x, err1 = d.Fraction(tagXResolution)
	p.y, err2 = d.Fraction(tagYResolution)
	p.palette, err3 = d.Numbers(tagColorMap, 3<<8)
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	if err := p.drawable(); err != nil {
		return nil, err
	}
	if planar == 2 { // TIFF 6.0, section 8: all red, then all green, then all blue
		p.planes = p.samples
	}
	return p, p.findParts(d)
}

// bytesPerPixel is how many bytes a pixel of the picture takes.
func (p *page) bytesPerPixel() int64 {
	if p.photometric == rgb || p.photometric == paletted {
		return 4
	}
	return 1
}

// drawable fails when pixels are of a kind that is not drawn.
func (p *page) drawable() error {
	gray := p.photometric == whiteIsZero || p.photometric == blackIsZero
	switch {
	case gray && p.samples == 1 && (p.bits == 1 || p.bits == 2 || p.bits == 4 || p.bits == 8):
	case p.photometric == rgb && (p.samples == 3 || p.samples == 4) && p.bits == 8:
	case p.photometric == paletted && p.samples == 1 && p.bits == 8 && len(p.palette) == 3<<8:
	default:
		return unreadable("pixels of kind %d with %d times %d bits are not read", p.photometric, p.samples, p.bits)
	}
	if p.isFax() && p.bits*p.samples != 1 {
		return unreadable("it is a fax in color")
	}
	if p.predictor != 1 && (p.predictor != 2 || p.bits != 8) {
		return unreadable("its predictor is not known")
	}
	return nil
}

// findParts finds the strips or the tiles.
func (p *page) findParts(d document.Directory) error {
	offsets, counts := uint16(tagStripOffsets), uint16(tagStripCounts)
	partWide, partHigh := int64(p.wide), int64(p.high)
	var err error
	if tile, err := d.Number(tagTileWidth, 0); err != nil {
		return err
	} else if tile != 0 {
		offsets, counts, partWide = tagTileOffsets, tagTileCounts, tile
		if partHigh, err = d.Number(tagTileLength, 0); err != nil {
			return err
		}
		if p.tiled = true; partWide%16 != 0 || partHigh%16 != 0 { // TIFF 6.0, section 15
			return unreadable("its tiles are of %d by %d pixels", partWide, partHigh)
		}
		if err := affordable(partWide, partHigh, p.bytesPerPixel()); err != nil {
			return err
		}
	} else if partHigh, err = d.Number(tagRowsPerStrip, partHigh); err != nil {
		return err
	} else if partHigh <= 0 || partHigh > int64(p.high) {
		partHigh = int64(p.high)
	}
	p.partWide, p.partHigh = int(partWide), int(partHigh)
	n := p.parts() * p.planes
	if p.offsets, err = d.Numbers(offsets, n); err != nil {
		return err
	}
	p.counts, err = d.Numbers(counts, n)
	return err
}

// parts is how many strips or tiles a picture has.
func (p *page) parts() int { return p.across() * ((p.high + p.partHigh - 1) / p.partHigh) }

// across is how many strips or tiles are beside each other.
func (p *page) across() int { return (p.wide + p.partWide - 1) / p.partWide }

// stride is how many bytes a line of so many pixels takes.
func (p *page) stride(wide int) int { return (wide*p.bits*p.samples + 7) / 8 }

// rows unpacks the strips or tiles, and puts them together. What is missing stays white.
func (p *page) rows(ctx context.Context, d document.Directory) ([]byte, error) {
	if p.planes > 1 {
		return p.mixed(ctx, d)
	}
	stride := p.stride(p.wide)
	rows := p.blank(stride * p.high)
	table, damage, i := newCodes(), error(nil), 0
	for y := 0; y < p.high; y += p.partHigh {
		band := rows[y*stride : min(y+p.partHigh, p.high)*stride]
		for x := 0; x < p.wide; x += p.partWide {
			switch err := p.part(ctx, d, table, i, band, x); {
			case errors.Is(err, ErrDamaged):
				damage = err
			case err != nil:
				return nil, err
			}
			i++
		}
	}
	return rows, damage
}

// mixed puts samples together that are apart from each other.
func (p *page) mixed(ctx context.Context, d document.Directory) (rows []byte, damage error) {
	rows = make([]byte, p.stride(p.wide)*p.high)
	one := *p
	one.samples, one.planes, one.photometric = 1, 1, blackIsZero
	for k := range p.samples {
		first, after := k*p.parts(), (k+1)*p.parts()
		one.offsets = p.offsets[min(first, len(p.offsets)):min(after, len(p.offsets))]
		one.counts = p.counts[min(first, len(p.counts)):min(after, len(p.counts))]
		plane, err := one.rows(ctx, d)
		switch {
		case errors.Is(err, ErrDamaged):
			damage = err
		case err != nil:
			return nil, err
		}
		for i, v := range plane {
			rows[i*p.samples+k] = v
		}
	}
	return rows, damage
}

// part unpacks strip or tile i to where it belongs in a band of lines.
func (p *page) part(ctx context.Context, d document.Directory, table *codes, i int, band []byte, x int) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if i >= len(p.offsets) {
		return ErrDamaged
	}
	packed, err := d.Bytes(p.offsets[i], p.count(i))
	if err != nil {
		return err
	}
	if !p.tiled {
		return p.unpack(ctx, table, packed, band)
	}
	tile := p.blank(p.stride(p.partWide) * p.partHigh)
	err = p.unpack(ctx, table, packed, tile)
	from, to := p.stride(p.partWide), p.stride(p.wide)
	for at := x * p.bits * p.samples / 8; len(band) > 0; band, tile = band[to:], tile[from:] {
		copy(band[at:to], tile[:from])
	}
	return err
}

// count is how many bytes a strip or tile has; -1 when that is not written.
func (p *page) count(i int) int64 {
	if i < len(p.counts) {
		return p.counts[i]
	}
	return -1
}

// blank is n bytes of white.
func (p *page) blank(n int) []byte {
	b := make([]byte, n)
	if p.photometric != whiteIsZero {
		for i := range b {
			b[i] = 0xff
		}
	}
	return b
}

// image makes a picture of unpacked rows.
func (p *page) image(rows []byte) image.Image {
	all := image.Rect(0, 0, p.wide, p.high)
	switch {
	case p.bits == 1:
		if p.photometric == blackIsZero {
			invert(rows)
		}
		return blackAndWhite(rows, p.wide, p.high)
	case p.bits < 8:
		rows = p.widened(rows)
	}
	switch p.photometric {
	case whiteIsZero:
		invert(rows)
		fallthrough
	case blackIsZero:
		return &image.Gray{Pix: rows, Stride: p.wide, Rect: all}
	}
	img := image.NewRGBA(all)
	for i := range p.wide * p.high {
		c := color.RGBA{A: 0xff}
		if p.photometric == paletted {
			v := int(rows[i])
			c.R, c.G, c.B = uint8(p.palette[v]>>8), uint8(p.palette[v+256]>>8), uint8(p.palette[v+512]>>8)
		} else {
			v := rows[i*p.samples:]
			c.R, c.G, c.B = v[0], v[1], v[2]
		}
		copy(img.Pix[4*i:], []byte{c.R, c.G, c.B, c.A})
	}
	return img
}

// widened are rows of gray with a byte for each pixel, in place of a few bits.
func (p *page) widened(rows []byte) []byte {
	all := make([]byte, 0, p.wide*p.high)
	most := 1<<p.bits - 1
	for stride := p.stride(p.wide); len(rows) > 0; rows = rows[stride:] {
		for x := range p.wide {
			at := x * p.bits
			all = append(all, byte(int(rows[at/8])>>(8-p.bits-at%8)&most*0xff/most))
		}
	}
	return all
}

func invert(b []byte) {
	for i := range b {
		b[i] = ^b[i]
	}
}
