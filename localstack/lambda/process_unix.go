//go:build unix

package lambda

import "syscall"

// Signals go to the whole group: a function's children end and freeze with it.
// They fail only where there is nobody left to hear them.

func (p *process) signal(s syscall.Signal) { _ = syscall.Kill(-p.cmd.Process.Pid, s) }

func (p *process) kill()      { p.signal(syscall.SIGKILL) }
func (p *process) terminate() { p.signal(syscall.SIGTERM) }
func (p *process) freeze()    { p.signal(syscall.SIGSTOP) }
func (p *process) thaw()      { p.signal(syscall.SIGCONT) }
