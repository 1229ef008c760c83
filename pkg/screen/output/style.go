package output

import (
	"io"
	"strings"

	"github.com/charmbracelet/lipgloss"
	"github.com/muesli/termenv"
)

// Style says what a piece of text means. How it looks is decided here, once.
type Style uint8

// The meanings. None is plain text.
const (
	None   Style = iota
	Good         // as it should be
	Warn         // look at this
	Bad          // broken or refused
	Dim          // of little weight
	Accent       // what one looks for first
	Head         // heads of columns and names of fields
)

// Painter returns what puts a style on text: with color in the sixteen colors
// of the terminal's own palette, which the person chose to be readable on
// their background, and without color not at all.
//
// It never asks the terminal anything.
func Painter(color bool) func(Style, string) string {
	if !color {
		return func(_ Style, s string) string { return s }
	}
	r := lipgloss.NewRenderer(io.Discard)
	r.SetColorProfile(termenv.ANSI)
	marks := map[Style][2]string{} // what goes before and after; asking for it once is cheaper than per cell
	for style, look := range map[Style]lipgloss.Style{
		Good:   r.NewStyle().Foreground(lipgloss.Color("2")),
		Warn:   r.NewStyle().Foreground(lipgloss.Color("5")), // not yellow: hard to read on white
		Bad:    r.NewStyle().Foreground(lipgloss.Color("1")).Bold(true),
		Dim:    r.NewStyle().Faint(true),
		Accent: r.NewStyle().Bold(true), // not cyan: hard to read on white
		Head:   r.NewStyle().Bold(true),
	} {
		before, after, _ := strings.Cut(look.Render("x"), "x")
		marks[style] = [2]string{before, after}
	}
	return func(s Style, text string) string {
		if mark, styled := marks[s]; styled && text != "" {
			return mark[0] + text + mark[1]
		}
		return text
	}
}
