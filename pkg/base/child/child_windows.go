package child

import (
	"os/exec"
	"syscall"
)

// separate keeps the console's ^C away from a program.
func separate(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

func endAll(*exec.Cmd) {}
