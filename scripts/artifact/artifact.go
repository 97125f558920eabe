// Package artifact builds the functions into the zips that Lambda takes: one
// executable named bootstrap each. The same source gives the same zip, byte for
// byte, wherever and whenever it is built with the same Go version.
package artifact

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

// Platform is what the functions are built for.
type Platform struct{ OS, Arch string }

// The platforms that matter: this machine runs the local cloud's functions,
// and Lambda's arm64 is the cheaper of AWS's two.
var (
	Host = Platform{runtime.GOOS, runtime.GOARCH}
	AWS  = Platform{"linux", "arm64"}
)

// LambdaArchitecture is the platform's processor as Lambda names it.
func (p Platform) LambdaArchitecture() string {
	if p.Arch == "amd64" {
		return "x86_64"
	}
	return p.Arch
}

// Zip is one built function.
type Zip struct {
	Function string // folder below functions/
	Path     string
	SHA256   string // of the executable in it, hex
	Size     int64  // of the executable in it, bytes
}

// Build builds every folder of <root>/functions into <out>/<function>.zip. A
// zip whose executable has not changed is left as it is. On error, the
// compiler's own words are in it.
func Build(ctx context.Context, root, out string, p Platform) ([]Zip, error) {
	names, err := functions(root)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return nil, err
	}
	// The executables stay, because the go command does not link again what is
	// up to date.
	bin := filepath.Join(out, "bin")
	if err := Compile(ctx, root, bin, p, "./functions/..."); err != nil {
		return nil, err
	}
	zips := make([]Zip, len(names))
	errs := make([]error, len(names))
	var wg sync.WaitGroup
	for i, name := range names {
		wg.Go(func() { zips[i], errs[i] = pack(filepath.Join(bin, name), out, name) })
	}
	wg.Wait()
	return zips, errors.Join(errs...)
}

func functions(root string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(root, "functions"))
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() {
			names = append(names, e.Name())
		}
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("no functions below %s", root)
	}
	slices.Sort(names)
	return names, nil
}

// Tags are the build tags of the functions. lambda.norpc leaves out the RPC
// mode of the retired go1.x runtime.
const Tags = "lambda.norpc"

// Compile builds programs into the folder bin as Build does functions, all in
// one go. Nothing of the machine gets into the executables: no paths and no
// version control state, and so their build ids are the same everywhere too.
func Compile(ctx context.Context, root, bin string, p Platform, packages ...string) error {
	cmd := exec.CommandContext(ctx, "go", append([]string{"build", "-trimpath", "-buildvcs=false",
		"-tags", Tags, "-ldflags", "-s -w", "-o", bin + string(filepath.Separator)}, packages...)...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOOS="+p.OS, "GOARCH="+p.Arch, "GOARM64=v8.0", "GOAMD64=v1")
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build functions for %s/%s: %w\n%s", p.OS, p.Arch, err, strings.TrimSpace(string(output)))
	}
	return nil
}

// pack zips an executable, unless the zip there holds it already.
func pack(exe, out, name string) (Zip, error) {
	sum, size, err := sumFile(exe)
	if err != nil {
		return Zip{}, err
	}
	z := Zip{Function: name, Path: filepath.Join(out, name+".zip"), SHA256: sum, Size: size}
	note := filepath.Join(out, name+".sha256") // of the executable in the zip
	if was, err := os.ReadFile(note); err == nil && string(was) == sum {
		if _, err := os.Stat(z.Path); err == nil {
			return z, nil
		}
	}
	// The note goes first and comes back last: a crash leaves a zip to redo.
	if err := os.Remove(note); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Zip{}, err
	}
	if err := writeZip(z.Path, exe); err != nil {
		return Zip{}, fmt.Errorf("pack %s: %w", name, err)
	}
	return z, os.WriteFile(note, []byte(sum), 0o644)
}

// zipTime is the earliest that a zip can hold: it says nothing of when.
var zipTime = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

func writeZip(path, exe string) (err error) {
	src, err := os.Open(exe)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	dst, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dst.Close()) }()
	w := zip.NewWriter(dst)
	header := &zip.FileHeader{Name: "bootstrap", Method: zip.Deflate, Modified: zipTime}
	header.SetMode(0o755)
	entry, err := w.CreateHeader(header)
	if err != nil {
		return err
	}
	if _, err := io.Copy(entry, src); err != nil {
		return err
	}
	return w.Close()
}

func sumFile(path string) (sum string, size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	h := sha256.New()
	if size, err = io.Copy(h, f); err != nil {
		return "", 0, err
	}
	return hex.EncodeToString(h.Sum(nil)), size, nil
}
