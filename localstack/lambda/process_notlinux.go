//go:build unix && !linux

package lambda

import "syscall"

// processAttributes: a group of its own. Other systems than Linux cannot tie a
// child's life to its parent's; Close does, a killed local cloud does not.
func processAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
