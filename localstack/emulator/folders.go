package emulator

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// codeFolder is where functions are unpacked, below DataDir. It alone is ours
// to remove there: the directory is the user's, and so is all else in it.
const codeFolder = ".localstack-code"

// tempPrefix begins the names of the folders in the system's temporary
// directory that functions are unpacked into without a DataDir.
const tempPrefix = "localstack-code-"

// tempLock is the file within such a folder whose lock its cloud holds.
const tempLock = "localstack.lock"

// prepareDataDir makes the directory, locks it, because two clouds would
// overwrite one another's state, and removes what a cloud left there that was
// killed.
func prepareDataDir(dir string) (code string, lock io.Closer, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", nil, err
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return "", nil, err
	}
	if err := lockFile(f); err != nil {
		return "", nil, errors.Join(fmt.Errorf("%s is in use by another local cloud: stop it, or name another directory", dir), f.Close())
	}
	code = filepath.Join(dir, codeFolder)
	err = errors.Join(os.RemoveAll(code), removeUnfinished(dir))
	if err == nil {
		err = os.Mkdir(code, 0o700)
	}
	if err != nil {
		return "", nil, errors.Join(err, f.Close())
	}
	return code, closers{removal(code), f}, nil // unlocked once nothing is left
}

// removeUnfinished removes the snapshots that writeFile did not get to rename.
func removeUnfinished(dir string) error {
	entries, err := os.ReadDir(dir) // not Glob: dir may hold a pattern's characters
	for _, entry := range entries {
		if isUnfinished(entry) {
			err = errors.Join(err, os.Remove(filepath.Join(dir, entry.Name())))
		}
	}
	return err
}

// isUnfinished knows writeFile's temporary files: cloud.zip.<digits>.tmp.
func isUnfinished(entry fs.DirEntry) bool {
	number, ours := strings.CutPrefix(entry.Name(), SnapshotFile+".")
	number, temporary := strings.CutSuffix(number, ".tmp")
	return ours && temporary && entry.Type().IsRegular() && number != "" && strings.Trim(number, "0123456789") == ""
}

// prepareTempDir makes a folder below parent that lives as long as the cloud,
// after it has removed those of clouds that were killed.
func prepareTempDir(parent string) (code string, lock io.Closer, err error) {
	if locksFiles {
		removeAbandoned(parent)
	}
	if code, err = os.MkdirTemp(parent, tempPrefix); err != nil {
		return "", nil, err
	}
	f, err := os.CreateTemp(code, tempLock)
	if err == nil {
		// Locked before it has its name: another cloud that starts right now must
		// not find it free.
		err = errors.Join(lockFile(f), os.Rename(f.Name(), filepath.Join(code, tempLock)))
	}
	if err != nil {
		return "", nil, errors.Join(err, os.RemoveAll(code))
	}
	return code, closers{removal(code), f}, nil
}

// removeAbandoned removes the folders whose lock is free. One that cannot be
// removed is another user's, and left to them.
func removeAbandoned(parent string) {
	entries, err := os.ReadDir(parent)
	if err != nil {
		return // MkdirTemp says it better
	}
	for _, entry := range entries {
		if entry.IsDir() && strings.HasPrefix(entry.Name(), tempPrefix) {
			removeIfAbandoned(filepath.Join(parent, entry.Name()))
		}
	}
}

func removeIfAbandoned(folder string) {
	path := filepath.Join(folder, tempLock)
	if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() {
		return // not ours, or not locked yet
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return
	}
	defer func() { _ = f.Close() }() // only read from
	if lockFile(f) == nil {
		_ = os.RemoveAll(folder) // the next cloud tries again
	}
}

// removal is a folder that Close removes.
type removal string

func (path removal) Close() error { return os.RemoveAll(string(path)) }

// closers are closed in their order.
type closers []io.Closer

func (list closers) Close() error {
	var errs []error
	for _, c := range list {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}
