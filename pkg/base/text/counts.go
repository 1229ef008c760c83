package text

import "fmt"

// Plural is "1 number" or "3 numbers".
func Plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// Remark is "3 failed", or "" when none did.
func Remark(n int, what string) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%d %s", n, what)
}

// Remarks puts remarks after a sentence: ", 3 failed, 1 skipped".
func Remarks(all ...string) string {
	out := ""
	for _, r := range all {
		if r != "" {
			out += ", " + r
		}
	}
	return out
}

// Words are words of any type as plain ones.
func Words[T ~string](in []T) []string {
	out := make([]string, len(in))
	for i, w := range in {
		out[i] = string(w)
	}
	return out
}
