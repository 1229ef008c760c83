//go:build !windows

package profile

import "io/fs"

// private reports whether nobody but the owner can read or write the file.
func private(m fs.FileMode) bool { return m.Perm()&0o077 == 0 }
