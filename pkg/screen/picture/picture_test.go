package picture

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// page is a picture in black and white, or in gray, or in color.
func page(kind string, wide, high int) image.Image {
	r := rand.New(rand.NewPCG(uint64(wide), uint64(high)))
	all := image.Rect(0, 0, wide, high)
	switch kind {
	case "black and white":
		img := image.NewPaletted(all, color.Palette{color.Gray{Y: 0xff}, color.Gray{}})
		for i := range img.Pix {
			img.Pix[i] = uint8(r.IntN(5) / 4)
		}
		return img
	case "gray":
		img := image.NewGray(all)
		for i := range img.Pix {
			img.Pix[i] = uint8(r.IntN(16) * 17)
		}
		return img
	}
	img := image.NewRGBA(all)
	for i := range wide * high {
		img.SetRGBA(i%wide, i/wide, color.RGBA{uint8(51 * r.IntN(6)), uint8(51 * r.IntN(6)), uint8(51 * r.IntN(6)), 255})
	}
	return img
}

// same fails where pictures differ by more than near.
func same(t *testing.T, got, want image.Image, near uint32) {
	t.Helper()
	size := want.Bounds().Size()
	if got.Bounds().Size() != size {
		t.Fatalf("%v, want %v", got.Bounds(), want.Bounds())
	}
	for i := range size.X * size.Y {
		x, y := i%size.X, i/size.X
		r1, g1, b1, a1 := got.At(x, y).RGBA()
		r2, g2, b2, a2 := want.At(x, y).RGBA()
		off := func(a, b uint32) bool { return max(a, b)>>8-min(a, b)>>8 > near }
		if off(r1, r2) || off(g1, g2) || off(b1, b2) || a1 != a2 {
			t.Fatalf("at %d,%d it is %v, want %v", x, y, got.At(x, y), want.At(x, y))
		}
	}
}

// TestWays reads what a terminal is sent, and finds the pixels in it again.
func TestWays(t *testing.T) {
	for _, kind := range []string{"black and white", "gray", "color"} {
		img := page(kind, 301, 97)
		sent := func(way Way) string {
			var b bytes.Buffer
			if err := Write(&b, img, way, Screen{Columns: 80, Pixels: 640}); err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(b.String(), "\n") || strings.Count(b.String(), "\n") != 1 {
				t.Errorf("%s: it does not end with its only new line", way)
			}
			return b.String()
		}
		t.Run("kitty, "+kind, func(t *testing.T) {
			var content strings.Builder
			parts := regexp.MustCompile(`\x1b_G([^;]*);([^\x1b]*)\x1b\\`).FindAllStringSubmatch(sent(Kitty), -1)
			for i, part := range parts {
				if more := strings.Contains(","+part[1]+",", ",m=1,"); more != (i < len(parts)-1) || len(part[2]) > 4096 {
					t.Errorf("part %d of %d: %s, %d bytes", i, len(parts), part[1], len(part[2]))
				}
				content.WriteString(part[2])
			}
			for _, option := range []string{"a=T", "f=100", "q=2", "c=80"} {
				if !strings.Contains(","+parts[0][1]+",", ","+option+",") {
					t.Errorf("%s: no %s", parts[0][1], option)
				}
			}
			same(t, decoded(t, content.String()), img, 0)
		})
		t.Run("iTerm2, "+kind, func(t *testing.T) {
			part := regexp.MustCompile(`^\x1b\]1337;File=size=(\d+);width=80;inline=1:([^\a]*)\a\n$`).FindStringSubmatch(sent(ITerm2))
			if part == nil {
				t.Fatalf("%.80q", sent(ITerm2))
			}
			same(t, decoded(t, part[2]), img, 0)
		})
		t.Run("sixel, "+kind, func(t *testing.T) {
			part := regexp.MustCompile(`^\x1bP0;1q([^\x1b]*)\x1b\\\n$`).FindStringSubmatch(sent(Sixel))
			if part == nil {
				t.Fatalf("%.80q", sent(Sixel))
			}
			same(t, bySixels(t, part[1], img.Bounds()), img, 1) // a color of a sixel is exact to a percent
		})
	}
}

// bySixels is the picture that sixels make: # chooses or, with five numbers, defines a color, each
// sign from ? on is six pixels below each other, ! repeats it, $ goes back and - goes on
// (DEC's VT330/VT340 manual, chapter 14).
func bySixels(t *testing.T, data string, all image.Rectangle) image.Image {
	t.Helper()
	img, colors := image.NewRGBA(all), map[int]color.RGBA{}
	x, y, at, again := 0, 0, 0, 1
	for _, token := range regexp.MustCompile(`["#!][0-9;]*|.`).FindAllString(data, -1) {
		var n []int
		for field := range strings.SplitSeq(token[1:], ";") {
			v, _ := strconv.Atoi(field) // none is 0
			n = append(n, v)
		}
		switch token[0] {
		case '"':
			if want := []int{1, 1, all.Dx(), all.Dy()}; !slices.Equal(n, want) {
				t.Errorf("its size is told as %v, want %v", n, want)
			}
		case '#':
			if at = n[0]; len(n) == 5 && n[1] == 2 {
				colors[at] = color.RGBA{percent(n[2]), percent(n[3]), percent(n[4]), 255}
			}
		case '$':
			x = 0
		case '-':
			x, y = 0, y+6
		case '!':
			again = n[0]
			continue
		default:
			for range again {
				for i := range 6 {
					if (token[0]-'?')>>i&1 == 1 {
						img.SetRGBA(x, y+i, colors[at])
					}
				}
				x++
			}
		}
		again = 1
	}
	return img
}

func percent(n int) uint8 { return uint8((n*255 + 50) / 100) }

func decoded(t *testing.T, content string) image.Image {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(content)
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// TestFitted: a pixel of a smaller picture is the mean of those that it stands for, and no
// pixel is left out or counted twice.
func TestFitted(t *testing.T) {
	gray := image.NewGray(image.Rect(0, 0, 4, 4))
	gray.Pix = []byte{0, 100, 255, 255, 100, 200, 255, 255, 9, 9, 0, 0, 9, 9, 0, 255}
	got := sourceOf(gray).fitted(2).(*image.Gray)
	if want := []byte{100, 255, 9, 63}; !bytes.Equal(got.Pix, want) {
		t.Error(got.Pix)
	}
	full := image.NewRGBA(image.Rect(0, 0, 2, 1))
	full.Pix = []byte{10, 20, 30, 255, 30, 40, 50, 255}
	if got := sourceOf(full).fitted(1).(*image.RGBA); !bytes.Equal(got.Pix, []byte{20, 30, 40, 255}) {
		t.Error(got.Pix)
	}
	for _, wide := range []int{1, 7, 80, 199, 1727, 1728, 4000} {
		n, after := 0, 0
		for _, span := range spans(0, min(wide, 1728), min(float64(wide)/1728, 1), 1728) {
			if span[0] != after {
				t.Fatalf("%d of 1728: after %d comes %d", wide, after, span[0])
			}
			n, after = n+span[1]-span[0], span[1]
		}
		if n != 1728 {
			t.Errorf("%d of 1728 stand for %d", wide, n)
		}
	}
}

// TestThinLines: a line of two pixels' width can be seen on 80 columns, where ten times as
// many pixels are one.
func TestThinLines(t *testing.T) {
	img := image.NewGray(image.Rect(0, 0, 1728, 2200))
	for i := range img.Pix {
		img.Pix[i] = 0xff
	}
	for i := range 1728 * 3 {
		img.Pix[1000*1728+i] = 0
	}
	darkest := byte(0xff)
	for _, v := range inked(sourceOf(img).fitted(80)).Pix {
		darkest = min(darkest, v)
	}
	if darkest > 200 {
		t.Errorf("the darkest is %d", darkest)
	}
}

// TestBlocks: what each terminal is sent for the same pixels.
func TestBlocks(t *testing.T) {
	img := image.NewGray(image.Rect(0, 0, 4, 3))
	img.Pix = []byte{0, 255, 0, 255, 0, 255, 255, 0, 128, 255, 255, 0}
	for shades, want := range map[Shades][]string{
		NoShades:  {"█ ▀▄", "▀  ▀"},
		FewShades: {"\x1b[38;5;16;48;5;16m \x1b[38;5;231;48;5;231m \x1b[38;5;16;48;5;231m▀\x1b[38;5;231;48;5;16m▀\x1b[0m", "\x1b[38;5;244;48;5;231m▀\x1b[38;5;231;48;5;231m  \x1b[38;5;16;48;5;231m▀\x1b[0m"},
		FullShades: {"\x1b[38;2;0;0;0;48;2;0;0;0m \x1b[38;2;255;255;255;48;2;255;255;255m \x1b[38;2;0;0;0;48;2;255;255;255m▀\x1b[38;2;255;255;255;48;2;0;0;0m▀\x1b[0m",
			"\x1b[38;2;132;132;132;48;2;255;255;255m▀\x1b[38;2;255;255;255;48;2;255;255;255m  \x1b[38;2;0;0;0;48;2;255;255;255m▀\x1b[0m"},
	} {
		if got := blocks(img, shades); fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
			t.Errorf("%s:\n%q, want\n%q", shades, got, want)
		}
	}
	// The color that is taken is the nearest one.
	for v := range 256 {
		c := few256(byte(v))
		near, best := byte(0), 256
		for code, gray := range map[byte]int{16: 0, 231: 255} {
			if d := max(gray-v, v-gray); d < best {
				near, best = code, d
			}
		}
		for i := range 24 {
			if d := max(8+10*i-v, v-8-10*i); d < best {
				near, best = byte(232+i), d
			}
		}
		if c != near {
			value := map[byte]int{16: 0, 231: 255}[c]
			if c >= 232 {
				value = 8 + 10*int(c-232)
			}
			if d := max(value-v, v-value); d > best {
				t.Errorf("%d is shown as %d, which is %d away; %d is %d away", v, value, d, near, best)
			}
		}
	}
}

// TestKnown: what is known of a terminal by its environment.
func TestKnown(t *testing.T) {
	for env, want := range map[string]Way{
		"TERM=xterm-kitty KITTY_WINDOW_ID=1":         Kitty,
		"TERM=xterm-256color KITTY_WINDOW_ID=1":      Kitty,
		"TERM=xterm-ghostty":                         Kitty,
		"TERM=xterm-256color TERM_PROGRAM=iTerm.app": ITerm2,
		"TERM=xterm-256color LC_TERMINAL=iTerm2":     ITerm2,
		"TERM=xterm-256color TERM_PROGRAM=WezTerm":   ITerm2,
		"TERM=foot":            Sixel,
		"TERM=foot-direct":     Sixel,
		"TERM=mlterm-256color": Sixel,
		"TERM=xterm-256color":  Blocks,
		"TERM=footing":         Blocks,
		"TERM=dumb":            Blocks,
		"":                     Blocks,
		"TERM=xterm-kitty KITTY_WINDOW_ID=1 TMUX=/tmp/t,1,0": Blocks,
		"TERM=screen-256color KITTY_WINDOW_ID=1":             Blocks,
		"TERM=tmux-256color TERM_PROGRAM=tmux":               Blocks,
		"TERM=xterm-kitty STY=1.pts":                         Blocks,
		"TERM=linux KITTY_WINDOW_ID=1":                       Blocks,
	} {
		if got := Known(environment(env)); got != want {
			t.Errorf("%s: %s, want %s", env, got, want)
		}
	}
	for env, want := range map[string]Shades{
		"TERM=xterm-256color COLORTERM=truecolor": FullShades, "TERM=xterm-256color": FewShades, "TERM=xterm": NoShades, "TERM=foot-direct": FullShades,
	} {
		if got := KnownShades(environment(env)); got != want {
			t.Errorf("%s: %s, want %s", env, got, want)
		}
	}
}

func environment(env string) func(string) string {
	return func(name string) string {
		for set := range strings.FieldsSeq(env) {
			if of, value, _ := strings.Cut(set, "="); of == name {
				return value
			}
		}
		return ""
	}
}
