package cli

import (
	"os/exec"
	"syscall"
)

// ownGroup keeps the console's ^C away from a program we run: whether it ends
// is ours to say.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}
