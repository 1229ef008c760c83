//go:build unix

package postgrestest

import (
	"os"
	"os/exec"
	"strconv"
	"syscall"
)

// as has a program run as a user of the system, where root would run it, and in a group
// of its own: what ends the test by the keyboard ends it in its turn.
func as(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if os.Geteuid() != 0 {
		return
	}
	u := systemUser()
	uid, _ := strconv.ParseUint(u.Uid, 10, 32) // of the system
	gid, _ := strconv.ParseUint(u.Gid, 10, 32)
	cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}
