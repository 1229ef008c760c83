// Package picture shows pictures on a terminal.
//
// Use it for pages and the like. [Write] puts a picture between the lines of a terminal: as
// it is where the terminal has a way for that (kitty, iTerm2, sixel), else in half blocks,
// two pixels to a character. [Leaf] gives the screen to pictures in half blocks, and to
// somebody who leafs through them and comes nearer. What a terminal can is known by its
// environment ([Known], [KnownShades]); it is not asked.
package picture

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/color"
	"image/color/palette"
	"image/draw"
	"image/png"
	"io"
	"strings"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/ansi/iterm2"
	"github.com/charmbracelet/x/ansi/kitty"
	"github.com/charmbracelet/x/ansi/sixel"
)

// Way is how a terminal is made to show a picture.
type Way string

// The ways.
const (
	Kitty  Way = "kitty"  // sw.kovidgoyal.net/kitty/graphics-protocol
	ITerm2 Way = "iterm2" // iterm2.com/documentation-images.html
	Sixel  Way = "sixel"  // VT340; 16 grays, or 216 colors
	Blocks Way = "blocks" // characters, gray
)

// Ways are all of them.
func Ways() []Way { return []Way{Kitty, ITerm2, Sixel, Blocks} }

// Known is the best way that a terminal is known to have. Between us and one that is seen
// through tmux or screen, pictures get lost.
func Known(getenv func(string) string) Way {
	name, program := getenv("TERM"), getenv("TERM_PROGRAM")
	is := func(names ...string) bool {
		for _, n := range names {
			if name == n || strings.HasPrefix(name, n+"-") || name == "xterm-"+n || program == n {
				return true
			}
		}
		return false
	}
	switch {
	case getenv("TMUX") != "", getenv("STY") != "", getenv("ZELLIJ") != "", is("tmux", "screen"):
		return Blocks
	case is("kitty", "ghostty"), getenv("KITTY_WINDOW_ID") != "" && strings.HasPrefix(name, "xterm"):
		return Kitty
	case is("iTerm.app", "WezTerm", "wezterm", "mintty"), getenv("LC_TERMINAL") == "iTerm2":
		return ITerm2
	case is("foot", "mlterm", "contour", "yaft"):
		return Sixel
	}
	return Blocks
}

// Screen is what a picture is written for.
type Screen struct {
	Columns int
	Pixels  int // in all columns; 0: that is not known
	Shades  Shades
}

// cell is how many pixels a column is taken to have where the terminal does not tell.
const cell = 8

// Write writes a picture as wide as the screen, and a new line. By Kitty and ITerm2 the
// terminal gets it whole, and fits it; by Sixel it gets what fits; in half blocks it is gray.
func Write(w io.Writer, img image.Image, way Way, s Screen) error {
	var b bytes.Buffer
	var err error
	wide := s.Pixels
	if wide <= 0 {
		wide = s.Columns * cell
	}
	switch way {
	case Kitty:
		err = kitty.EncodeGraphics(&b, img, &kitty.Options{Action: kitty.TransmitAndPut, Transmission: kitty.Direct, Format: kitty.PNG, Quiet: 2, Columns: s.Columns, Chunk: true})
	case ITerm2:
		var file bytes.Buffer
		if err = png.Encode(&file, img); err == nil {
			content := []byte(base64.StdEncoding.EncodeToString(file.Bytes()))
			b.WriteString(ansi.ITerm2(iterm2.File{Inline: true, Width: iterm2.Cells(s.Columns), Size: int64(file.Len()), Content: content}))
		}
	case Sixel:
		var data bytes.Buffer
		if err = (&sixel.Encoder{}).Encode(&data, few(sourceOf(img).fitted(wide))); err == nil {
			b.WriteString(ansi.SixelGraphics(0, 1, 0, data.Bytes()))
		}
	default:
		for _, line := range blocks(inked(sourceOf(img).fitted(s.Columns)), s.Shades) {
			b.WriteString(line + "\n")
		}
	}
	if err != nil {
		return err
	}
	if way != Blocks {
		b.WriteString("\n")
	}
	_, err = w.Write(b.Bytes())
	return err
}

// few reduces the colors of a picture to as many as sixels may have: 16 grays, or 216
// colors.
func few(img image.Image) *image.Paletted {
	gray, is := img.(*image.Gray)
	if !is {
		out := image.NewPaletted(img.Bounds(), palette.WebSafe)
		draw.FloydSteinberg.Draw(out, out.Rect, img, image.Point{})
		return out
	}
	var grays color.Palette
	for v := range 16 {
		grays = append(grays, color.Gray{Y: uint8(17 * v)})
	}
	out := image.NewPaletted(gray.Rect, grays)
	for i, v := range gray.Pix {
		out.Pix[i] = uint8((int(v) + 8) / 17)
	}
	return out
}
