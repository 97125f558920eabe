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

// One test, because each build links five executables, which takes seconds.
func TestBuild(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	zips := build(t, first)
	if len(zips) != 5 {
		t.Fatalf("%d zips, want one for each function: %+v", len(zips), zips)
	}
	build(t, second)
	for _, z := range zips {
		t.Run("the same source gives the same zip: "+z.Function, func(t *testing.T) {
			if !bytes.Equal(read(t, z.Path), read(t, filepath.Join(second, z.Function+".zip"))) {
				t.Error("two builds differ")
			}
		})
		t.Run("an executable is at most 12 MB, which Lambda loads at each cold start: "+z.Function, func(t *testing.T) {
			if z.Size == 0 || z.Size > 12e6 {
				t.Errorf("it has %d bytes", z.Size)
			}
		})
		t.Run("a zip holds one executable named bootstrap: "+z.Function, func(t *testing.T) {
			r, err := zip.OpenReader(z.Path)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			if len(r.File) != 1 || r.File[0].Name != "bootstrap" || r.File[0].Mode().Perm() != 0o755 {
				t.Errorf("it holds %v", r.File)
			}
		})
	}

	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(zips[0].Path, old, old); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(zips[1].Path); err != nil {
		t.Fatal(err)
	}
	build(t, first)
	t.Run("an unchanged zip is left alone", func(t *testing.T) {
		if info, err := os.Stat(zips[0].Path); err != nil || time.Since(info.ModTime()) < time.Minute {
			t.Errorf("written again: %v, error %v", info, err)
		}
	})
	t.Run("a zip that was taken away is made again", func(t *testing.T) {
		read(t, zips[1].Path)
	})
}

func build(t *testing.T, dir string) []artifact.Zip {
	t.Helper()
	zips, err := artifact.Build(t.Context(), "../..", dir, artifact.Host)
	if err != nil {
		t.Fatal(err)
	}
	return zips
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
