//go:build unix && !linux

package stack

import "syscall"

// attributes keep the terminal's Ctrl-C from the process, which its starter
// stops in order. Only Linux can end it with a starter that dies.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
