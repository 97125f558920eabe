package emulator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"time"
)

// SnapshotFile is the file in DataDir that holds the cloud.
const SnapshotFile = "cloud.json"

// snapshotVersion changes when older files can no longer be read.
const snapshotVersion = 2

// A snapshot is JSON with one service a line:
//
//	{"version":2,"clock":"2h0m0s","services":{
//	"iam":{…},
//	"lambda":{…}
//	}}
//
// The lines let it be read without going through the functions' code, which is
// most of it, once more than the lambda service itself does. Each service's
// state is opaque to the others.
type snapshotHead struct {
	Version int `json:"version"`
	// Clock is how far the clock had been moved. The times in the services'
	// states are the cloud's: without it, TTL, visibility and tokens would all
	// be as much longer as the clock had been ahead.
	Clock Duration `json:"clock"`
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
	go giveBack()
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
		if _, err := fmt.Fprintf(w, "%s\n%q:", separator, k.name); err != nil {
			return err
		}
		if _, err := w.Write(state); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, "\n}}\n")
	return err
}

// giveBack returns memory to the system after a snapshot, for which the
// functions' code was there several times. The first collection empties what
// encoding/json pools, the second frees it.
func giveBack() {
	runtime.GC()
	debug.FreeOSMemory()
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
	head, states, err := parseSnapshot(data)
	if err != nil {
		return fmt.Errorf("%s %w: remove it to start empty", path, err)
	}
	if d := time.Duration(head.Clock); d < 0 || d > maxAdvance {
		return fmt.Errorf("%s has its clock %v ahead: remove it to start empty", path, d)
	}
	// First, because the services' timers are set by it.
	e.clock.Advance(time.Duration(head.Clock) - e.clock.Offset())
	for _, k := range e.keepers() {
		state, ok := states[k.name]
		if !ok {
			return fmt.Errorf("%s lacks the service %s: remove it to start empty", path, k.name)
		}
		if err := k.Restore(state); err != nil {
			return fmt.Errorf("%s: restore %s: %w: remove it to start empty", path, k.name, err)
		}
	}
	go giveBack()
	return nil
}

// errSnapshot is what every file that is not a snapshot of this version gives.
var errSnapshot = errors.New("is damaged or was written by another version of the local cloud")

// parseSnapshot takes a snapshot apart. The states are parts of data; whether
// each is right, its service tells.
func parseSnapshot(data []byte) (head snapshotHead, states map[string][]byte, err error) {
	first, rest, _ := bytes.Cut(data, []byte("\n"))
	opening, ok := bytes.CutSuffix(first, []byte(`,"services":{`))
	if !ok || json.Unmarshal(append(bytes.Clone(opening), '}'), &head) != nil || head.Version != snapshotVersion {
		return snapshotHead{}, nil, errSnapshot
	}
	states = map[string][]byte{}
	for {
		line, after, ok := bytes.Cut(rest, []byte("\n"))
		if !ok {
			return snapshotHead{}, nil, errSnapshot // it ends in the middle
		}
		if string(line) == "}}" {
			return head, states, nil
		}
		name, state, ok := bytes.Cut(line, []byte(`":`))
		if !ok || len(name) < 2 || name[0] != '"' {
			return snapshotHead{}, nil, errSnapshot
		}
		states[string(name[1:])] = bytes.TrimSuffix(state, []byte(","))
		rest = after
	}
}
