package emulator

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// SnapshotFile is the file in DataDir that holds the cloud.
const SnapshotFile = "cloud.zip"

// formerSnapshotFile is what versions 1 and 2 were kept in.
const formerSnapshotFile = "cloud.json"

// snapshotVersion changes when older files can no longer be read.
const snapshotVersion = 3

// A snapshot is a zip whose entries are not compressed, so that what is large
// is used where it lies in the file:
//
//	cloud.json                {"version":3,"clock":"2h0m0s","addresses":[{"public":"localhost:4566",…}]}
//	iam.json … lambda.json    each service's state, opaque to the others
//	lambda/<SHA-256>.zip      the functions' code
//
// The entries' checksums tell damage, and the list of entries at its end a file
// that was cut off.
type snapshotHead struct {
	Version int `json:"version"`
	// Clock is how far the clock had been moved. The times in the services'
	// states are the cloud's: without it, TTL, visibility and tokens would all
	// be as much longer as the clock had been ahead.
	Clock Duration `json:"clock"`
	// Addresses are those that the state was served under until then: functions
	// may have URLs with them in their environment.
	Addresses []addresses `json:"addresses,omitempty"`
}

const headEntry = "cloud.json"

// blobs is what of a service's state is too large for JSON, by names that are
// fit for a file. They never change.
type blobs = map[string]*io.SectionReader

// keeper is a service with state. What Restore got stays readable until the
// cloud is closed.
type keeper interface {
	Snapshot() (state []byte, large blobs, err error)
	Restore(state []byte, large blobs) error
}

// jsonKeeper is a service whose state is JSON alone.
type jsonKeeper interface {
	Snapshot() ([]byte, error)
	Restore([]byte) error
}

// withoutBlobs makes a keeper of a jsonKeeper.
type withoutBlobs struct{ jsonKeeper }

func (k withoutBlobs) Snapshot() ([]byte, blobs, error) {
	state, err := k.jsonKeeper.Snapshot()
	return state, nil, err
}

func (k withoutBlobs) Restore(state []byte, _ blobs) error { return k.jsonKeeper.Restore(state) }

// keepers are all services whose state is kept (issued credentials end with the
// functions that have them), in the order in which they are restored:
// lambda last, because its event sources start to poll.
func (e *Emulator) keepers() []namedKeeper {
	return []namedKeeper{
		{"iam", withoutBlobs{e.iam}}, {"logs", withoutBlobs{e.logs}}, {"cloudwatch", withoutBlobs{e.cloudwatch}},
		{"dynamodb", withoutBlobs{e.dynamodb}}, {"sqs", withoutBlobs{e.sqs}}, {"apigateway", withoutBlobs{e.gateway}},
		{"lambda", e.lambda},
	}
}

type namedKeeper struct {
	name string
	keeper
}

func (k namedKeeper) stateEntry() string           { return k.name + ".json" }
func (k namedKeeper) blobEntry(name string) string { return k.name + "/" + name }

// Save writes the state of all services to DataDir, whole or not at all:
// tables, queues with their messages (those in flight too), functions with
// their code, APIs, roles, log groups, alarms, and how far the clock was moved.
// What was logged, open sockets, running functions, fault rules and the kept
// requests are not part of it.
func (e *Emulator) Save() error {
	if e.opts.DataDir == "" {
		return errors.New("the local cloud has no data directory to save to (-data)")
	}
	return e.SaveTo(filepath.Join(e.opts.DataDir, SnapshotFile))
}

// SaveTo is Save to a file anywhere, for Options.Snapshot.
func (e *Emulator) SaveTo(path string) error {
	if err := writeFile(path, e.writeSnapshot); err != nil {
		return fmt.Errorf("save to %s: %w", path, err)
	}
	return nil
}

// writeSnapshot writes a snapshot's zip, one service after another.
func (e *Emulator) writeSnapshot(w io.Writer) error {
	z := zip.NewWriter(w)
	head, err := json.Marshal(snapshotHead{Version: snapshotVersion, Clock: Duration(e.clock.Offset()), Addresses: e.allAddresses()})
	if err == nil {
		err = writeEntry(z, headEntry, bytes.NewReader(head))
	}
	for _, k := range e.keepers() {
		if err == nil {
			err = k.write(z)
		}
	}
	if err != nil {
		return err
	}
	return z.Close()
}

func (k namedKeeper) write(z *zip.Writer) error {
	state, large, err := k.Snapshot()
	if err != nil {
		return fmt.Errorf("%s: %w", k.name, err)
	}
	if err := writeEntry(z, k.stateEntry(), bytes.NewReader(state)); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(large)) {
		blob := large[name]
		if err := writeEntry(z, k.blobEntry(name), io.NewSectionReader(blob, 0, blob.Size())); err != nil {
			return fmt.Errorf("%s: %w", k.name, err)
		}
	}
	return nil
}

func writeEntry(z *zip.Writer, name string, r io.Reader) error {
	w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store, Modified: time.Now()})
	if err != nil {
		return err
	}
	_, err = io.Copy(w, r)
	return err
}

// writeFile replaces a file in one step: whoever reads it sees the old or the
// new one, also after a crash.
func writeFile(path string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // gone already once it is renamed
	if err = write(f); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// load restores what Save wrote, if anything. The file is then open until the
// cloud is closed, because the functions' code is read from it.
func (e *Emulator) load() error {
	path := e.opts.Snapshot
	if path == "" && e.opts.DataDir != "" {
		path = filepath.Join(e.opts.DataDir, SnapshotFile)
	}
	if path == "" {
		return nil
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) && e.opts.Snapshot == "" {
		return refuseFormerSnapshot(e.opts.DataDir)
	}
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err == nil {
		err = e.restore(f, info.Size())
	}
	if err != nil {
		return errors.Join(fmt.Errorf("%s %w: %s", path, err, e.withoutSnapshot()), f.Close())
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.files = append(e.files, f)
	return nil
}

// withoutSnapshot is what to do about a snapshot that cannot be read.
func (e *Emulator) withoutSnapshot() string {
	if e.opts.Snapshot != "" {
		return "save it anew"
	}
	return "remove it to start empty"
}

// errSnapshot is what every file that is not a snapshot of this version gives.
var errSnapshot = errors.New("is damaged or was written by another version of the local cloud")

// refuseFormerSnapshot keeps a state that can no longer be read from being
// taken for none.
func refuseFormerSnapshot(dir string) error {
	path := filepath.Join(dir, formerSnapshotFile)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil // nothing was ever saved here
	}
	return fmt.Errorf("%s %w: remove it to start empty", path, errSnapshot)
}

func (e *Emulator) restore(file io.ReaderAt, size int64) error {
	snap, err := openSnapshot(file, size)
	if err != nil {
		return err
	}
	if d := time.Duration(snap.head.Clock); d < 0 || d > maxAdvance {
		return fmt.Errorf("has its clock %v ahead", d)
	}
	// First, because the services' timers are set by it.
	e.clock.Advance(time.Duration(snap.head.Clock) - e.clock.Offset())
	e.mu.Lock()
	e.former = snap.head.Addresses
	e.mu.Unlock()
	for _, k := range e.keepers() {
		state, large, err := snap.stateOf(k)
		if err == nil {
			err = k.Restore(state, large)
		}
		if err != nil {
			return fmt.Errorf("cannot be restored: %w", err)
		}
	}
	return nil
}
