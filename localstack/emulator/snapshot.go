package emulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// SnapshotFile is the file in DataDir that holds the cloud.
const SnapshotFile = "cloud.json"

// snapshotVersion changes when older files can no longer be read.
const snapshotVersion = 1

// snapshot is the file's form: each service's state, opaque to the others.
type snapshot struct {
	Version int `json:"version"`
	// Clock is how far the clock had been moved. The times in the services'
	// states are the cloud's: without it, TTL, visibility and tokens would all
	// be as much longer as the clock had been ahead.
	Clock    Duration                   `json:"clock"`
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

// Save writes the state of all services to DataDir, whole or not at all:
// tables, queues with their messages (those in flight too), functions with
// their code, APIs, roles, logs, alarms, and how far the clock was moved. Open
// sockets, running functions, fault rules and the kept requests are not part of
// it.
func (e *Emulator) Save() error {
	if e.opts.DataDir == "" {
		return errors.New("the local cloud has no data directory to save to (-data)")
	}
	path := filepath.Join(e.opts.DataDir, SnapshotFile)
	if err := writeFile(path, e.writeSnapshot); err != nil {
		return fmt.Errorf("save to %s: %w", path, err)
	}
	return nil
}

// writeSnapshot writes a snapshot's JSON one service after another, because the
// functions' code makes it large.
func (e *Emulator) writeSnapshot(w io.Writer) error {
	if _, err := fmt.Fprintf(w, `{"version":%d,"clock":%q,"services":{`, snapshotVersion, e.clock.Offset()); err != nil {
		return err
	}
	for i, k := range e.keepers() {
		state, err := k.Snapshot()
		if err != nil {
			return fmt.Errorf("%s: %w", k.name, err)
		}
		separator := ","
		if i == 0 {
			separator = ""
		}
		if _, err := fmt.Fprintf(w, "%s\n%q:%s", separator, k.name, state); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, "\n}}\n")
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
		return fmt.Errorf("%s was written by another version of the local cloud (%d, this one writes %d): remove it to start empty", path, s.Version, snapshotVersion)
	}
	if d := time.Duration(s.Clock); d < 0 || d > maxAdvance {
		return fmt.Errorf("%s has its clock %v ahead: remove it to start empty", path, d)
	}
	// First, because the services' timers are set by it.
	e.clock.Advance(time.Duration(s.Clock) - e.clock.Offset())
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
