package stack

import "syscall"

// attributes keep the terminal's Ctrl-C from the process, which its starter
// stops in order, and end the process if its starter dies without doing so.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
