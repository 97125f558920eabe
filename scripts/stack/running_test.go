package stack

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"fanfare/localstack/emulator"
)

func TestWhatRunsIsFoundByItsManifest(t *testing.T) {
	root := t.TempDir()
	if _, _, err := Running(t.Context(), root); err == nil || !strings.Contains(err.Error(), "make local") {
		t.Errorf("nothing deployed: %v", err)
	}
	answer := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/_localstack/health" {
			t.Errorf("asked %s", r.URL.Path)
		}
		w.WriteHeader(answer)
	}))
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		t.Fatal(err)
	}
	m := manifest{Port: port, Inputs: "x", Outputs: Outputs{WebSocketURL: "ws://localhost", TableName: "t"}}
	write(t, filepath.Join(root, ".local", "cloud", emulator.SnapshotFile), "x")
	if err := m.save(filepath.Join(root, ".local")); err != nil {
		t.Fatal(err)
	}
	if endpoint, o, err := Running(t.Context(), root); err != nil || endpoint != server.URL || o != m.Outputs {
		t.Errorf("%s %+v, error %v; want %s", endpoint, o, err, server.URL)
	}
	answer = http.StatusNotFound
	if _, _, err := Running(t.Context(), root); err == nil || !strings.Contains(err.Error(), "does not answer") {
		t.Errorf("another program on its port: %v", err)
	}
	server.Close()
	if _, _, err := Running(t.Context(), root); err == nil || !strings.Contains(err.Error(), u.Port()) {
		t.Errorf("nothing on its port: %v", err)
	}
}
