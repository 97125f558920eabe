package emulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// SnapshotFile is the file in DataDir that holds the cloud.
const SnapshotFile = "cloud.json"

// snapshotVersion changes when older files can no longer be read.
const snapshotVersion = 1

// snapshot is the file's form: each service's state, opaque to the others.
type snapshot struct {
	Version  int                        `json:"version"`
	Services map[string]json.RawMessage `json:"services"`
}

// keeper is a service with state.
type keeper interface {
	Snapshot() ([]byte, error)
	Restore([]byte) error
}

// keepers are all services whose state is kept (issued credentials end with the
// functions that have them), in the order in which they are restored:
// lambda last, because its event sources start to poll.
func (e *Emulator) keepers() []namedKeeper {
	return []namedKeeper{
		{"iam", e.iam}, {"logs", e.logs}, {"cloudwatch", e.cloudwatch}, {"dynamodb", e.dynamodb},
		{"sqs", e.sqs}, {"apigateway", e.gateway}, {"lambda", e.lambda},
	}
}

type namedKeeper struct {
	name string
	keeper
}

// Save writes the state of all services to DataDir, whole or not at all. Open
// sockets and running functions are not part of it.
func (e *Emulator) Save() error {
	if e.opts.DataDir == "" {
		return errors.New("the local cloud has no data directory to save to (-data)")
	}
	s := snapshot{Version: snapshotVersion, Services: map[string]json.RawMessage{}}
	for _, k := range e.keepers() {
		state, err := k.Snapshot()
		if err != nil {
			return fmt.Errorf("save %s: %w", k.name, err)
		}
		s.Services[k.name] = state
	}
	data, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("save: %w", err)
	}
	return writeFile(filepath.Join(e.opts.DataDir, SnapshotFile), data)
}

// writeFile replaces a file in one step: whoever reads it sees the old or the
// new one, also after a crash.
func writeFile(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // gone already once it is renamed
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// load restores what Save wrote, if anything.
func (e *Emulator) load() error {
	if e.opts.DataDir == "" {
		return nil
	}
	path := filepath.Join(e.opts.DataDir, SnapshotFile)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var s snapshot
	if err := json.Unmarshal(data, &s); err != nil {
		return fmt.Errorf("%s cannot be read (%w): remove it to start empty", path, err)
	}
	if s.Version != snapshotVersion {
		return fmt.Errorf("%s was written by another version of the local cloud: remove it to start empty", path)
	}
	for _, k := range e.keepers() {
		state, ok := s.Services[k.name]
		if !ok {
			return fmt.Errorf("%s lacks the service %s: remove it to start empty", path, k.name)
		}
		if err := k.Restore(state); err != nil {
			return fmt.Errorf("%s: restore %s: %w: remove it to start empty", path, k.name, err)
		}
	}
	return nil
}
