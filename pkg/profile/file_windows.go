package profile

import (
	"io/fs"
	"os/user"
)

// On Windows the access list of its folder decides who can read a file, and its mode says
// nothing.

func writtenByOthers(fs.FileInfo) bool { return false }

func readByOthers(fs.FileInfo) bool { return false }

func ours(fs.FileInfo) bool { return true }

func mountedReadOnly(string) bool { return false }

// userName is who we are.
func userName() string {
	u, err := user.Current()
	if err != nil {
		return "of this process"
	}
	return u.Username
}
