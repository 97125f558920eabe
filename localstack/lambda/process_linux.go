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

// memoryFile is /proc/pid/statm of a process, kept open because it is read after
// every invoke.
type memoryFile struct{ file *os.File }

// openMemory may fail; then the memory is unknown.
func openMemory(pid int) memoryFile {
	file, err := os.Open("/proc/" + strconv.Itoa(pid) + "/statm")
	if err != nil {
		return memoryFile{}
	}
	return memoryFile{file}
}

func (m memoryFile) close() { _ = m.file.Close() } // a nil file says that it is invalid, no more

// residentMB is how much of its memory the process has in use, 0 if unknown
// (proc(5), /proc/pid/statm: the second field, in pages).
func (m memoryFile) residentMB() int {
	var buf [128]byte
	n, _ := m.file.ReadAt(buf[:], 0) // it is shorter than buf, so there is always an error
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
