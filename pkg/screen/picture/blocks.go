package picture

import (
	"fmt"
	"image"
	"image/color"
	"strings"
)

// Shades are what a terminal shows of gray.
type Shades string

// The shades.
const (
	NoShades   Shades = "none" // ink is in the terminal's own color, paper in that behind it
	FewShades  Shades = "256"  // the grays of xterm's 256 colors
	FullShades Shades = "full" // each gray by itself
)

// KnownShades is what a terminal that may have color is known to show.
func KnownShades(getenv func(string) string) Shades {
	switch colors, name := getenv("COLORTERM"), getenv("TERM"); {
	case colors == "truecolor", colors == "24bit", strings.HasSuffix(name, "-direct"):
		return FullShades
	case strings.Contains(name, "256color"), getenv("WT_SESSION") != "":
		return FewShades
	}
	return NoShades
}

// inked is a picture in gray, in which thin lines can be seen: the mean of a line and the
// paper beside it is nearly white, so that ink counts twice.
func inked(img image.Image) *image.Gray {
	out := image.NewGray(img.Bounds())
	gray, is := img.(*image.Gray)
	for i := range out.Pix {
		var v byte
		if is {
			v = gray.Pix[i]
		} else {
			v = color.GrayModel.Convert(img.At(i%out.Stride, i/out.Stride)).(color.Gray).Y
		}
		out.Pix[i] = byte(max(0xff-2*(0xff-int(v)), 0))
	}
	return out
}

// blocks are the lines of a picture of which each character is two pixels, one below the other.
func blocks(img *image.Gray, s Shades) []string {
	wide, high := img.Rect.Dx(), img.Rect.Dy()
	var lines []string
	for y := 0; y < high; y += 2 {
		var b strings.Builder
		before := ""
		for x := range wide {
			upper, lower := img.Pix[y*wide+x], byte(0xff)
			if y+1 < high {
				lower = img.Pix[(y+1)*wide+x]
			}
			style, sign := s.character(upper, lower)
			if style != before {
				b.WriteString(style)
				before = style
			}
			b.WriteString(sign)
		}
		if before != "" {
			b.WriteString("\x1b[0m")
		}
		lines = append(lines, b.String())
	}
	return lines
}

// character is what two pixels look like.
func (s Shades) character(upper, lower byte) (style, sign string) {
	switch s {
	case FullShades:
		upper, lower = upper&^7|upper>>5, lower&^7|lower>>5 // 32 grays: fewer changes
		style = fmt.Sprintf("\x1b[38;2;%d;%[1]d;%[1]d;48;2;%[2]d;%[2]d;%[2]dm", upper, lower)
	case FewShades:
		upper, lower = few256(upper), few256(lower)
		style = fmt.Sprintf("\x1b[38;5;%d;48;5;%dm", upper, lower)
	default:
		const ink = 0xb0 // it is, below: a third of it is
		return "", map[[2]bool]string{{false, false}: " ", {true, false}: "▀", {false, true}: "▄", {true, true}: "█"}[[2]bool{upper < ink, lower < ink}]
	}
	if upper == lower {
		return style, " "
	}
	return style, "▀"
}

// few256 is the color of xterm's 256 that is next to a gray: black, 24 grays from 8 to 238, white.
func few256(v byte) byte {
	switch {
	case v < 4:
		return 16
	case v > 246:
		return 231
	}
	return 232 + min((max(v, 3)-3)/10, 23)
}
