package lambda

import (
	"bytes"
	"os"
	"strconv"
	"sync"
)

// What a function starts with setsid or nohup leaves its process group, and in
// AWS it ends with its environment all the same. Such processes are found by the
// environment variable that names their log stream, which no two have in common.
//
// Nobody becomes a child subreaper for this: that would make orphans of the
// program that embeds the local cloud its own, for it to wait for. After the end
// of a local cloud by SIGKILL these processes are left.

// orphans are the marks of environments whose process has ended.
var orphans struct {
	sweeping sync.Mutex

	mu    sync.Mutex
	marks map[string]bool
}

// endDescendants kills whatever has mark, NAME=value, in its environment. Many
// who call it at the same time share a look through /proc.
func endDescendants(mark string) {
	orphans.mu.Lock()
	if orphans.marks == nil {
		orphans.marks = map[string]bool{}
	}
	orphans.marks[mark] = true
	orphans.mu.Unlock()

	orphans.sweeping.Lock()
	defer orphans.sweeping.Unlock()
	orphans.mu.Lock()
	marks := orphans.marks
	orphans.marks = nil
	orphans.mu.Unlock()
	for range maxSweeps {
		if len(marks) == 0 || !killMarked(marks) {
			return
		}
	}
}

// maxSweeps bounds how often the same marks are looked for: who is found may
// have forked meanwhile, and who was killed may take a moment to go.
const maxSweeps = 100

// killMarked reports whether it has killed a process.
func killMarked(marks map[string]bool) (found bool) {
	proc, err := os.Open("/proc")
	if err != nil {
		return false
	}
	defer func() { _ = proc.Close() }()
	names, _ := proc.Readdirnames(-1) // what could be read
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil || pid == os.Getpid() || !isMarked(pid, marks) {
			continue
		}
		// Looked at again with a handle on the process: its number may be another's by now.
		if p, err := os.FindProcess(pid); err == nil {
			found = isMarked(pid, marks) && p.Kill() == nil || found
			_ = p.Release()
		}
	}
	return found
}

// isMarked is false for who has ended and for other users' processes, whose
// environments cannot be read.
func isMarked(pid int, marks map[string]bool) bool {
	environment, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/environ")
	if err != nil {
		return false
	}
	for variable := range bytes.SplitSeq(environment, []byte{0}) {
		if marks[string(variable)] {
			return true
		}
	}
	return false
}
