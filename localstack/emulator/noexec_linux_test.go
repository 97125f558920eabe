package emulator

import (
	"os"
	"strings"
	"testing"
)

func TestAFolderThatIsMountedNoexecRunsNoPrograms(t *testing.T) {
	if dir := t.TempDir(); !runsPrograms(dir) {
		t.Errorf("%s passes for noexec", dir)
	}
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(mounts)) { // device, directory, type, options
		f := strings.Fields(line)
		if info, err := os.Stat(f[1]); err == nil && info.IsDir() && strings.Contains(","+f[3]+",", ",noexec,") {
			if runsPrograms(f[1]) {
				t.Errorf("%s passes for one that runs programs: %s", f[1], line)
			}
			return
		}
	}
	t.Skip("nothing here is mounted noexec")
}
