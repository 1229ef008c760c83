package output

import (
	"slices"
	"strings"

	"github.com/clipperhouse/displaywidth"
)

const (
	gap      = 2 // spaces between columns
	leastCut = 8 // a column is not cut below this width, or its own
)

// field is what fit has to know of a column.
type field struct {
	width int  // cells of the widest value
	least int  // not cut below this
	asked bool // it is not left out, whatever the room
	spare int  // the field with most of this is left out first
}

// fit chooses the columns and their widths so that a row takes at most total
// cells; 0 is no limit. First the widest columns that may be cut are cut, down to
// their least; when that is not enough the last column that nobody asked for is
// left out, and so on. The first one stays. Alone it is cut as far as need be;
// where several were asked for that find no room side by side, the rows are
// longer than total. The places of the columns that stay are returned, and
// their widths; all tells whether that is all of them, with room enough.
func fit(fields []field, total int) (at, widths []int, all bool) {
	at = make([]int, len(fields))
	for i := range at {
		at[i] = i
	}
	for {
		var stay []field
		for _, i := range at {
			stay = append(stay, fields[i])
		}
		widths, fits := squeeze(stay, total)
		if fits {
			return at, widths, len(at) == len(fields)
		}
		leaves := 0
		for i := 1; i < len(at); i++ {
			if !stay[i].asked && (leaves == 0 || stay[i].spare >= stay[leaves].spare) {
				leaves = i
			}
		}
		switch {
		case leaves > 0:
			at = slices.Delete(at, leaves, leaves+1)
		case len(at) == 1:
			return at, []int{min(stay[0].width, total)}, false
		default:
			return at, widths, false
		}
	}
}

// squeeze lowers one ceiling over all columns that may be cut until they fit. When
// they do not, the widths are the smallest.
func squeeze(fields []field, total int) ([]int, bool) {
	widths := make([]int, len(fields))
	highest := leastCut
	for _, f := range fields {
		highest = max(highest, f.width)
	}
	for ceiling := highest; ceiling >= leastCut; ceiling-- {
		sum := gap * (len(fields) - 1)
		for i, f := range fields {
			widths[i] = min(f.width, max(ceiling, f.least))
			sum += widths[i]
		}
		if total <= 0 || sum <= total {
			return spread(fields, widths, total-sum), true
		}
	}
	return widths, false
}

// spread gives the cells that the ceiling left over to the columns it cut,
// the first ones first.
func spread(fields []field, widths []int, spare int) []int {
	for i, f := range fields {
		if more := min(spare, f.width-widths[i]); more > 0 {
			widths[i] += more
			spare -= more
		}
	}
	return widths
}

// width is how many cells s takes. Runes are measured one by one: an emoji made of
// several may then be given more room than it takes, but never less, and no row breaks.
func width(s string) int {
	n := 0
	for _, r := range s {
		if r < 0x7f {
			n++
		} else {
			n += displaywidth.Rune(r)
		}
	}
	return n
}

// cut shortens s to at most room cells, the last of which is then "…". What
// makes one character together stays together.
func cut(s string, room int) string {
	if len(s) <= room || width(s) <= room {
		return s
	}
	if room <= 0 {
		return ""
	}
	var b strings.Builder
	used := 0
	for clusters := displaywidth.StringGraphemes(s); clusters.Next(); {
		used += width(clusters.Value())
		if used > room-1 {
			break
		}
		b.WriteString(clusters.Value())
	}
	return strings.TrimRight(b.String(), " ") + "…"
}

// split divides s after the last word that fits into room cells. A word that is
// longer than that is divided itself.
func split(s string, room int) (first, rest string) {
	if len(s) <= room || width(s) <= room {
		return s, ""
	}
	used, space := 0, 0
	for clusters, at := displaywidth.StringGraphemes(s), 0; clusters.Next(); at += len(clusters.Value()) {
		if clusters.Value() == " " {
			space = at
		}
		if used += width(clusters.Value()); used > room && at > 0 {
			if space > 0 {
				return s[:space], s[space+1:]
			}
			return s[:at], s[at:]
		}
	}
	return s, ""
}
