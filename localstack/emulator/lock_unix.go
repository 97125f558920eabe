//go:build unix

package emulator

import (
	"os"

	"golang.org/x/sys/unix"
)

// locksFiles: a file whose lock is free has no owner that runs.
const locksFiles = true

// lockFile takes the lock that ends with the process, or fails at once.
func lockFile(f *os.File) error { return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) }
