//go:build !unix

package emulator

import "os"

// locksFiles: a free lock tells nothing here.
const locksFiles = false

// lockFile locks nothing: only unix systems have flock.
func lockFile(*os.File) error { return nil }
