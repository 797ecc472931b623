//go:build !unix

package stack

import "syscall"

func attributes() *syscall.SysProcAttr { return nil }
