package emulator

import (
	"os"
	"path/filepath"
	"testing"
)

// touch makes files with their folders.
func touch(t *testing.T, dir string, names ...string) {
	t.Helper()
	for _, name := range names {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func exists(dir, name string) bool {
	_, err := os.Lstat(filepath.Join(dir, name))
	return err == nil
}

func TestADataDirectoryKeepsWhatIsNotOurs(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "data[ab]*") // read as a pattern, it matches its neighbour
	users := []string{
		"data[ab]*/lambda-project/main.go", "data[ab]*/cloud.zip.backup.tmp", "data[ab]*/cloud.zip.12.tmp.kept",
		"data[ab]*/notes.tmp", "data[ab]*/cloud.zip.34.tmp/a-folder", "dataa/lambda-project/main.go",
	}
	touch(t, parent, users...)
	ours := []string{"data[ab]*/.localstack-code/lambda-1/bootstrap", "data[ab]*/cloud.zip.1234567890.tmp"}
	touch(t, parent, ours...)

	e, err := New(Options{Addr: "127.0.0.1:0", DataDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range ours {
		if exists(parent, name) {
			t.Errorf("%s of a cloud that was killed is still there", name)
		}
	}
	if err := e.Close(t.Context()); err != nil {
		t.Error(err)
	}
	for _, name := range users {
		if !exists(parent, name) {
			t.Errorf("%s is gone", name)
		}
	}
	if exists(dir, codeFolder) {
		t.Error("the folder for functions is left behind")
	}
}

func TestTemporaryFoldersOfKilledCloudsAreRemoved(t *testing.T) {
	if !locksFiles {
		t.Skip("a lock tells nothing on this system")
	}
	parent := t.TempDir()
	running, lock, err := prepareTempDir(parent)
	if err != nil {
		t.Fatal(err)
	}
	touch(t, parent, tempPrefix+"killed/"+tempLock, tempPrefix+"killed/lambda-1/bootstrap",
		tempPrefix+"a-users/file", "another/"+tempLock, tempPrefix+"a-file")
	if err := os.Symlink("file", filepath.Join(parent, tempPrefix+"a-users", tempLock)); err != nil {
		t.Fatal(err)
	}
	next, nextLock, err := prepareTempDir(parent)
	if err != nil {
		t.Fatal(err)
	}
	if exists(parent, tempPrefix+"killed") {
		t.Error("the folder of a cloud that was killed is still there")
	}
	for _, name := range []string{filepath.Base(running), tempPrefix + "a-users/file", "another", tempPrefix + "a-file"} {
		if !exists(parent, name) {
			t.Errorf("%s is gone", name)
		}
	}
	for _, c := range []struct {
		folder string
		close  func() error
	}{{running, lock.Close}, {next, nextLock.Close}} {
		if err := c.close(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(c.folder); err == nil {
			t.Errorf("%s is left behind", c.folder)
		}
	}
}
