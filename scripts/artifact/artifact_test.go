package artifact_test

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"fanfare/scripts/artifact"
)

func TestTheSameSourceGivesTheSameZip(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	zips, err := artifact.Build(t.Context(), "../..", first, artifact.Host)
	if err != nil {
		t.Fatal(err)
	}
	if len(zips) != 5 {
		t.Fatalf("%d zips, want one for each function: %+v", len(zips), zips)
	}
	if _, err := artifact.Build(t.Context(), "../..", second, artifact.Host); err != nil {
		t.Fatal(err)
	}
	for _, z := range zips {
		a, b := read(t, z.Path), read(t, filepath.Join(second, z.Function+".zip"))
		if !bytes.Equal(a, b) {
			t.Errorf("%s: two builds differ", z.Function)
		}
	}
}

func TestAZipHoldsOneExecutableNamedBootstrap(t *testing.T) {
	dir := t.TempDir()
	zips, err := artifact.Build(t.Context(), "../..", dir, artifact.Host)
	if err != nil {
		t.Fatal(err)
	}
	for _, z := range zips {
		r, err := zip.OpenReader(z.Path)
		if err != nil {
			t.Fatal(err)
		}
		if len(r.File) != 1 || r.File[0].Name != "bootstrap" || r.File[0].Mode().Perm() != 0o755 {
			t.Errorf("%s holds %v", z.Function, r.File)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestAnUnchangedZipIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	zips, err := artifact.Build(t.Context(), "../..", dir, artifact.Host)
	if err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(zips[0].Path, old, old); err != nil {
		t.Fatal(err)
	}
	// A zip that somebody took away is made again.
	if err := os.Remove(zips[1].Path); err != nil {
		t.Fatal(err)
	}
	if _, err := artifact.Build(t.Context(), "../..", dir, artifact.Host); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(zips[0].Path); err != nil || time.Since(info.ModTime()) < time.Minute {
		t.Errorf("an unchanged zip was written again: %v, %v", info.ModTime(), err)
	}
	read(t, zips[1].Path)
}

func TestACompilerErrorIsShown(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, "go.mod"), "module broken\n\ngo 1.26\n")
	write(t, filepath.Join(root, "functions", "f", "main.go"), "package main\n\nfunc main() { undefinedThing() }\n")
	_, err := artifact.Build(t.Context(), root, t.TempDir(), artifact.Host)
	if err == nil || !bytes.Contains([]byte(err.Error()), []byte("undefinedThing")) {
		t.Errorf("error %v, want the compiler's words", err)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
