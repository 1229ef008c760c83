package pages

import (
	"image"
	"image/color"
	"math"
)

// affordable fails for pictures that are too large to be drawn: see [MaxPixels].
func affordable(wide, high int64, bytes int64) error {
	const most = 1 << 20 // pixels at one side
	if wide <= 0 || high <= 0 {
		return unreadable("it has no size")
	}
	if wide > most || high > most || wide*high*bytes > MaxPixels {
		return unreadable("%d by %d pixels are more than are drawn", wide, high)
	}
	return nil
}

// blackAndWhite is a picture of bits: each line begins with a byte, the highest bit
// first. A bit that is set is black.
func blackAndWhite(bits []byte, wide, high int) *image.Paletted {
	img := image.NewPaletted(image.Rect(0, 0, wide, high), color.Palette{color.Gray{Y: 0xff}, color.Gray{}})
	stride := (wide + 7) / 8
	for y := range high {
		row, line := img.Pix[y*wide:(y+1)*wide], bits[y*stride:(y+1)*stride]
		for i, b := range line {
			if b == 0 {
				continue
			}
			for j, eight := 0, row[8*i:min(8*i+8, wide)]; j < len(eight); j++ {
				eight[j] = b >> (7 - j) & 1
			}
		}
	}
	return img
}

// square makes the pixels of a picture square: fax machines have 204 to the inch in a line,
// and 98, 196 or 391 lines. The direction with fewer is drawn larger.
func (p picture) square() (image.Image, error) {
	size := p.image.Bounds().Size()
	const most = 8 // pixels in one direction to one in the other: fax machines write 2, who claims more errs
	ratio := p.x / p.y
	if p.x <= 0 || p.y <= 0 || ratio == 1 || ratio > most || ratio < 1./most {
		return p.image, nil
	}
	wide, high := float64(size.X), float64(size.Y)
	if p.x > p.y {
		high = math.Round(high * p.x / p.y)
	} else {
		wide = math.Round(wide * p.y / p.x)
	}
	bytes := int64(1)
	if _, colored := p.image.(*image.RGBA); colored {
		bytes = 4
	}
	if err := affordable(int64(min(wide, math.MaxInt32)), int64(min(high, math.MaxInt32)), bytes); err != nil {
		return nil, err
	}
	return enlarge(p.image, int(wide), int(high)), nil
}

// enlarge repeats columns and lines of a picture.
func enlarge(from image.Image, wide, high int) image.Image {
	to := image.Rect(0, 0, wide, high)
	switch from := from.(type) {
	case *image.Paletted:
		img := image.NewPaletted(to, from.Palette)
		repeat(img.Pix, wide, high, from.Pix, from.Bounds().Dx(), from.Bounds().Dy(), 1)
		return img
	case *image.Gray:
		img := image.NewGray(to)
		repeat(img.Pix, wide, high, from.Pix, from.Bounds().Dx(), from.Bounds().Dy(), 1)
		return img
	case *image.RGBA:
		img := image.NewRGBA(to)
		repeat(img.Pix, wide, high, from.Pix, from.Bounds().Dx(), from.Bounds().Dy(), 4)
		return img
	}
	return from
}

// repeat fills lines of pixels of so many bytes from fewer of them.
func repeat(to []byte, wide, high int, from []byte, fromWide, fromHigh, bytes int) {
	for y := range high {
		at := y * fromHigh / high
		line := from[at*fromWide*bytes : (at+1)*fromWide*bytes]
		row := to[y*wide*bytes : (y+1)*wide*bytes]
		if wide == fromWide {
			copy(row, line)
			continue
		}
		for x := range wide {
			copy(row[x*bytes:(x+1)*bytes], line[x*fromWide/wide*bytes:])
		}
	}
}
