package picture

import (
	"image"
	"image/color"
	"image/draw"
)

// source is a picture as bytes: gray, or red, green, blue and alpha.
type source struct {
	pix        []byte
	wide, high int
	channels   int // 1 or 4
}

// sourceOf is a picture as bytes, those of its own where they are such.
func sourceOf(img image.Image) source {
	size := img.Bounds().Size()
	s := source{wide: size.X, high: size.Y, channels: 1}
	switch img := img.(type) {
	case *image.Gray:
		if img.Stride == s.wide {
			s.pix = img.Pix
			return s
		}
	case *image.RGBA:
		if s.channels = 4; img.Stride == 4*s.wide {
			s.pix = img.Pix
			return s
		}
	case *image.Paletted:
		grays, is := grays(img.Palette)
		if is && img.Stride == s.wide {
			s.pix = make([]byte, len(img.Pix))
			for i, v := range img.Pix {
				s.pix[i] = grays[v]
			}
			return s
		}
	}
	all := image.NewRGBA(image.Rectangle{Max: size})
	draw.Draw(all, all.Rect, img, img.Bounds().Min, draw.Src)
	s.pix, s.channels = all.Pix, 4
	return s
}

// grays are the values of a palette, if all of it is gray.
func grays(p color.Palette) (values [256]byte, are bool) {
	for i, c := range p {
		r, g, b, _ := c.RGBA()
		if r != g || g != b {
			return values, false
		}
		values[i] = byte(r >> 8)
	}
	return values, true
}

// fitted is the whole picture, no wider than so many pixels.
func (s source) fitted(wide int) image.Image {
	scale := min(float64(wide)/float64(s.wide), 1)
	return s.part(scale, 0, 0, min(wide, s.wide), max(int(float64(s.high)*scale), 1))
}

// part is what the picture has at x and y, wide by high pixels, when it is drawn scale times
// as large: each pixel is the mean of those that it stands for, or the one that is there.
func (s source) part(scale float64, x, y, wide, high int) image.Image {
	out := make([]byte, wide*high*s.channels)
	columns, sums := spans(x, wide, scale, s.wide), make([]int, wide*s.channels)
	for i, rows := range spans(y, high, scale, s.high) {
		clear(sums)
		for line := rows[0]; line < rows[1]; line++ {
			s.add(sums, s.pix[line*s.wide*s.channels:(line+1)*s.wide*s.channels], columns)
		}
		for j, sum := range sums {
			span := columns[j/s.channels]
			out[i*len(sums)+j] = byte(sum / max((rows[1]-rows[0])*(span[1]-span[0]), 1))
		}
	}
	all := image.Rect(0, 0, wide, high)
	if s.channels == 1 {
		return &image.Gray{Pix: out, Stride: wide, Rect: all}
	}
	return &image.RGBA{Pix: out, Stride: 4 * wide, Rect: all}
}

// spans are the pixels, of so many, that each of n from a first on stands for.
func spans(first, n int, scale float64, of int) [][2]int {
	all := make([][2]int, n)
	for i := range all {
		from := min(int(float64(first+i)/scale), of-1)
		all[i] = [2]int{from, min(max(int(float64(first+i+1)/scale), from+1), of)}
	}
	return all
}

// add adds the pixels of a line to the sums of their spans.
func (s source) add(sums []int, line []byte, columns [][2]int) {
	if s.channels == 1 {
		for j, span := range columns {
			sum := 0
			for _, v := range line[span[0]:span[1]] {
				sum += int(v)
			}
			sums[j] += sum
		}
		return
	}
	for j, span := range columns {
		for at := 4 * span[0]; at < 4*span[1]; at += 4 {
			for k := range 4 {
				sums[4*j+k] += int(line[at+k])
			}
		}
	}
}
