//go:build !unix

package emulator

import "os"

// lockFile locks nothing: only unix systems have flock.
func lockFile(*os.File) error { return nil }
