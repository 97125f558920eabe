package emulator

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestASnapshotIsOneJSONDocumentWithAServiceALine(t *testing.T) {
	dir := t.TempDir()
	e, err := New(Options{Addr: "127.0.0.1:0", DataDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close(t.Context()) })
	e.clock.Advance(90 * time.Minute)
	if err := e.Save(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dir, SnapshotFile))
	if err != nil {
		t.Fatal(err)
	}
	var whole struct {
		snapshotHead
		Services map[string]json.RawMessage
	}
	if err := json.Unmarshal(data, &whole); err != nil {
		t.Fatal(err)
	}
	head, states, err := parseSnapshot(data)
	if err != nil || head != whole.snapshotHead || time.Duration(head.Clock) != 90*time.Minute || len(states) != len(e.keepers()) {
		t.Errorf("head %+v, %d states, error %v", head, len(states), err)
	}
	for name, state := range states {
		if string(state) != string(whole.Services[name]) {
			t.Errorf("%s is %s, want %s", name, state, whole.Services[name])
		}
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*.tmp")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestASaveThatFailsLeavesTheOldFile(t *testing.T) {
	dir := t.TempDir()
	e, err := New(Options{Addr: "127.0.0.1:0", DataDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close(t.Context()) })
	path := filepath.Join(dir, SnapshotFile)
	if err := os.MkdirAll(filepath.Join(path, "in the way"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := e.Save(); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v", err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*.tmp")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func FuzzParseSnapshot(f *testing.F) {
	const whole = `{"version":2,"clock":"1h0m0s","services":{` + "\n\"iam\":{},\n\"sqs\":{\"queues\":[]}\n}}\n"
	if _, states, err := parseSnapshot([]byte(whole)); err != nil || len(states) != 2 || string(states["iam"]) != "{}" {
		f.Fatalf("%v, %v", states, err)
	}
	for _, text := range []string{
		"", "{", whole[:len(whole)-3], strings.Replace(whole, `"version":2`, `"version":1`, 1),
		strings.Replace(whole, `"1h0m0s"`, `1`, 1), strings.Replace(whole, `"iam":`, `iam:`, 1), `{"version":1,"services":{}}`,
	} {
		if _, _, err := parseSnapshot([]byte(text)); !errors.Is(err, errSnapshot) {
			f.Errorf("%q: %v", text, err)
		}
		f.Add(text)
	}
	f.Add(whole)
	f.Fuzz(func(t *testing.T, text string) {
		_, states, err := parseSnapshot([]byte(text))
		if (err == nil) != (states != nil) {
			t.Errorf("%v, %v", states, err)
		}
	})
}
