package text

import "strings"

// Nearest is the known word that given was most likely meant to be: the one
// that begins with it, or that differs in at most two letters and fewer than
// half of them; "" when none is near. Capitals do not matter.
func Nearest[T ~string](given string, known []T) T {
	var best T
	if len(given) > 64 {
		return best // nobody mistypes that
	}
	given = strings.ToLower(given)
	at := 3
	for _, k := range known {
		word := strings.ToLower(string(k))
		d := distance(given, word)
		if len(given) > 2 && strings.HasPrefix(word, given) {
			d = 1
		}
		if d < at && 2*d < max(len(word), len(given)) {
			best, at = k, d
		}
	}
	return best
}

// OneAway reports whether one letter too many, too few, wrong or in its neighbor's place
// makes all the difference. Capitals do not matter.
func OneAway(given, word string) bool {
	return len(given) <= len(word)+1 && distance(strings.ToLower(given), strings.ToLower(word)) <= 1
}

// distance counts the letters to insert, delete, replace or swap with their
// neighbor to turn a into b. It counts bytes: the words are ASCII.
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
