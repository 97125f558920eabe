package emulator

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
)

// Build compiles a Go function for this machine and returns the zip that
// CreateFunction takes for provided.al2023:
//
//	zip := emulator.Build(t, "./cmd/orders")
//
// The package is named as for `go build` in the folder of the test. Each is built
// once for all tests of a run. For AWS build with GOOS=linux and the function's
// own processor; the local cloud runs functions as they are, on this one.
func Build(t TB, pkg string) []byte {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatalf("build %s: %v", pkg, err)
	}
	build, _ := builds.LoadOrStore(dir+"\x00"+pkg, sync.OnceValues(func() ([]byte, error) { return build(dir, pkg) }))
	code, err := build.(func() ([]byte, error))()
	if err != nil {
		t.Fatalf("%v", err)
	}
	return code
}

// builds are what Build has built, or builds right now, by folder and package.
var builds sync.Map

// build compiles as is usual for Lambda: static, without symbols, and without
// the RPC mode of the retired go1.x runtime. What GOFLAGS says otherwise stays,
// except the race detector, which needs C.
func build(dir, pkg string) (_ []byte, err error) {
	tmp, err := os.MkdirTemp("", "localstack-build-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(tmp)) }()
	exe := filepath.Join(tmp, "bootstrap")
	cmd := exec.Command("go", "build", "-race=false", "-buildvcs=false", "-tags", "lambda.norpc", "-ldflags", "-s -w", "-o", exe, pkg)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+runtime.GOOS, "GOARCH="+runtime.GOARCH)
	if output, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build function %s: %w\n%s", pkg, err, bytes.TrimSpace(output))
	}
	code, err := os.ReadFile(exe)
	if err != nil {
		return nil, err
	}
	if bytes.HasPrefix(code, []byte(archive)) {
		return nil, fmt.Errorf("build function %s: it is not package main", pkg)
	}
	return zipBootstrap(code)
}

// archive begins what go build writes for a package without func main.
const archive = "!<arch>\n"

func zipBootstrap(code []byte) ([]byte, error) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	header := &zip.FileHeader{Name: "bootstrap", Method: zip.Deflate}
	header.SetMode(0o755)
	entry, err := w.CreateHeader(header)
	if err == nil {
		_, err = entry.Write(code)
	}
	if err = errors.Join(err, w.Close()); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
