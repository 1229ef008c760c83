package profile

import (
	"strconv"
	"strings"
	"unicode"
)

// quote writes what a person typed so that it can be shown on any terminal,
// and not much of it.
func quote(s string) string {
	const most = 60
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return strconv.Quote(s)
}

// clean is the text of another program on one line, without colours and other
// control characters, and not much of it.
func clean(s string) string {
	const most = 200
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r) || r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, withoutColour(s))
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return s
}

// withoutColour drops terminal control sequences: ESC [ up to a letter.
// Source: ECMA-48, 5.4.
func withoutColour(s string) string {
	var out strings.Builder
	for {
		before, rest, more := strings.Cut(s, "\x1b[")
		out.WriteString(before)
		if !more {
			return out.String()
		}
		end := strings.IndexFunc(rest, func(r rune) bool { return r >= '@' && r <= '~' })
		s = rest[end+1:]
	}
}

// suggest is "; did you mean x?" for the nearest of the known words, or "" when
// none is near.
func suggest(word string, known []string) string {
	if len(word) > 64 {
		return ""
	}
	best, least := "", 3
	for _, k := range known {
		if d := distance(strings.ToLower(word), k); d < least && d < len(k) {
			best, least = k, d
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean " + best + "?"
}

// distance counts the letters to insert, delete, replace or swap with their
// neighbour to turn a into b.
func distance(a, b string) int {
	row := func() []int { return make([]int, len(b)+1) }
	before, last, cur := row(), row(), row()
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(last[j]+1, cur[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], before[j-2]+1)
			}
		}
		before, last, cur = last, cur, before
	}
	return last[len(b)]
}
