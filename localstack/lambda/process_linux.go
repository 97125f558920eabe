package lambda

import (
	"bytes"
	"os"
	"strconv"
	"syscall"
)

// processAttributes: a group of its own, and death with the local cloud, however
// that ends. Pdeathsig reaches the process itself, not what it has started.
func processAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// memoryMB returns the resident memory of the process, 0 if unknown
// (proc(5), /proc/pid/statm: the second field, in pages).
// It is read after every invoke, so without what os.ReadFile costs.
func (p *process) memoryMB() int {
	fd, err := syscall.Open("/proc/"+strconv.Itoa(p.cmd.Process.Pid)+"/statm", syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return 0
	}
	defer syscall.Close(fd) //nolint:errcheck // nothing was written
	var buf [128]byte
	n, err := syscall.Read(fd, buf[:])
	if err != nil {
		return 0
	}
	fields := bytes.Fields(buf[:n])
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.Atoi(string(fields[1]))
	if err != nil {
		return 0
	}
	return (pages*os.Getpagesize() + 1<<20 - 1) >> 20
}
