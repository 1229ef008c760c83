package child

import (
	"slices"
	"strings"
)

// Environ are the variables of env that a program needs to run at all, and no others:
// secrets may be in those. More are of such names.
func Environ(env []string, more ...string) []string {
	var kept []string
	for _, v := range env {
		switch name, _, _ := strings.Cut(v, "="); name {
		case "PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ", "TMPDIR", "SHELL",
			"SYSTEMROOT", "TEMP", "TMP", "USERPROFILE", "PATHEXT", "COMSPEC":
			kept = append(kept, v)
		default:
			if slices.Contains(more, name) {
				kept = append(kept, v)
			}
		}
	}
	return kept
}
