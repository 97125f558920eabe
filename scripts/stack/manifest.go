package stack

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"fanfare/localstack/emulator"
	"fanfare/scripts/artifact"
	"fanfare/shared/auth/authtest"
)

// manifest says what the state in a Dir was deployed from. It is written last
// and removed first, so that a Dir with one is whole.
type manifest struct {
	Port    int     `json:"port"`
	Inputs  string  `json:"inputs"`  // SHA-256 of all that a deployment depends on
	Sources string  `json:"sources"` // SHA-256 of all that Inputs is made from: the same, and nothing needs to be built
	Outputs Outputs `json:"outputs"`
}

const manifestFile = "manifest.json"

func (m manifest) same(other manifest) bool {
	return m.Inputs != "" && m.Inputs == other.Inputs && m.Port == other.Port
}

func (m manifest) sameSources(sources string) bool { return m.Inputs != "" && m.Sources == sources }

// hashSources hashes the code that the functions are built from, the compiler's
// version, the Terraform code and the key. Functions import only shared/
// (scripts/structure holds them to it) and modules, which go.sum pins.
func hashSources(root string, p artifact.Platform, port int, key *authtest.Key) (string, error) {
	h := sha256.New()
	fmt.Fprintf(h, "port %d\nkey %s\n%s %+v\n", port, key.PublicPEM(), runtime.Version(), p)
	isCode := func(name string) bool { return !strings.HasSuffix(name, "_test.go") }
	err := errors.Join(hashFile(h, "go.mod", filepath.Join(root, "go.mod")), hashFile(h, "go.sum", filepath.Join(root, "go.sum")))
	for _, folder := range []string{"functions", "shared"} {
		err = errors.Join(err, hashFolder(h, filepath.Join(root, folder), "testdata", isCode))
	}
	err = errors.Join(err, hashFolder(h, filepath.Join(root, "infra"), "tests", isTerraformInput))
	return hex.EncodeToString(h.Sum(nil)), err
}

// describe hashes the zips, the Terraform code and the key.
func describe(root string, port int, zips []artifact.Zip, key *authtest.Key) (manifest, error) {
	h := sha256.New()
	fmt.Fprintf(h, "port %d\nkey %s\n", port, key.PublicPEM())
	for _, z := range zips {
		fmt.Fprintf(h, "%s %s\n", z.Function, z.SHA256)
	}
	err := hashFolder(h, filepath.Join(root, "infra"), "tests", isTerraformInput)
	return manifest{Port: port, Inputs: hex.EncodeToString(h.Sum(nil))}, err
}

// hashFolder hashes the files that count below a folder, except those in
// folders called without and in Terraform's own.
func hashFolder(h io.Writer, folder, without string, counts func(name string) bool) error {
	return filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if d.Name() == ".terraform" || d.Name() == without {
				return fs.SkipDir
			}
			return nil
		}
		if !counts(d.Name()) {
			return nil
		}
		rel, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		return hashFile(h, rel, path)
	})
}

func isTerraformInput(name string) bool {
	for _, suffix := range []string{".tf", ".tfvars", ".json"} {
		if strings.HasSuffix(name, suffix) {
			return true
		}
	}
	return false
}

func hashFile(h io.Writer, name, path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(h, "%s %d\n%s\n", name, len(data), data)
	return err
}

func loadManifest(dir string) (manifest, bool) {
	data, err := os.ReadFile(filepath.Join(dir, manifestFile))
	var m manifest
	if err != nil || json.Unmarshal(data, &m) != nil || m.Outputs.WebSocketURL == "" {
		return manifest{}, false
	}
	// Without the cloud's own file there is nothing behind the manifest.
	_, err = os.Stat(filepath.Join(dir, "cloud", emulator.SnapshotFile))
	return m, err == nil
}

func (m manifest) save(dir string) error {
	data, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	path := filepath.Join(dir, manifestFile)
	if err := os.WriteFile(path+".tmp", data, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".tmp", path)
}

func removeManifest(dir string) error {
	err := os.Remove(filepath.Join(dir, manifestFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// stateFiles are what a deployment leaves in a Dir; Terraform's own data
// (the initialised provider) may stay.
var stateFiles = []string{manifestFile, "cloud", stateFile, stateFile + ".backup"}

// deployedBefore reports whether Dir holds what a deployment leaves, whole or
// not.
func deployedBefore(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, stateFile))
	return err == nil
}

// forget removes a deployment's state.
func forget(dir string) error {
	for _, name := range stateFiles {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return nil
}
