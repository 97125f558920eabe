//go:build !unix

package lambda

import "syscall"

// Systems without process groups and their signals: only the end of the process
// itself can be had, and functions are not frozen.

func processAttributes() *syscall.SysProcAttr { return nil }

func (p *process) kill()      { _ = p.cmd.Process.Kill() }
func (p *process) terminate() { p.kill() }
func (p *process) freeze()    {}
func (p *process) thaw()      {}
