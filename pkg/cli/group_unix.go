//go:build !windows

package cli

import (
	"os/exec"
	"syscall"
)

// ownGroup keeps the terminal's ^C away from a program we run: whether it ends
// is ours to say.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
