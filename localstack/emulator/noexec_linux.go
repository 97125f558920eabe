package emulator

import "golang.org/x/sys/unix"

// runsPrograms reports whether a program in dir can be started: not where it is
// mounted noexec, as hardened machines mount /tmp and `docker run --tmpfs` does.
func runsPrograms(dir string) bool {
	var s unix.Statfs_t
	return unix.Statfs(dir, &s) != nil || s.Flags&unix.ST_NOEXEC == 0
}
