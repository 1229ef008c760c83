// Package spell finds the word that was meant by one that does not exist.
//
// Use it wherever a person's word is not among the known ones: a flag, a
// format, a column, a key of a file.
package spell

import "strings"

// Nearest is the known word that given was most likely meant to be: the one
// that begins with it, or that differs in at most two letters and fewer than
// half of them; "" when none is near. Capitals do not matter.
func Nearest[T ~string](given string, known []T) T {
	given = strings.ToLower(given)
	var best T
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

// distance is the Levenshtein distance in bytes: the words are ASCII.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
