//go:build !linux

package lambda

// memoryFile knows nothing: the memory of another process is not cheap to learn
// on other systems than Linux.
type memoryFile struct{}

func openMemory(int) memoryFile      { return memoryFile{} }
func (m memoryFile) close()          {}
func (m memoryFile) residentMB() int { return 0 }
