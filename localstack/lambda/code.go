package lambda

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"debug/elf"
	"debug/macho"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
)

const (
	bootstrap = "bootstrap"

	maxZip      = 50 << 20  // direct upload
	maxUnzipped = 250 << 20 // all files together

	// AWS publishes no such limits. A function of 250 MB needs far fewer files.
	maxEntries = 25_000
	maxName    = 255 // bytes of each part of a path: what file systems take
)

// An archive is a deployment package that has passed openArchive, here or in
// the cloud whose snapshot it comes from.
type archive struct {
	zip    *io.SectionReader // shared: only its ReadAt and Size are used
	sha256 string            // base64, as CodeSha256 has it
}

// openArchive checks everything about a package that would stop it from
// running here, so that it is the deployment that fails and not an invoke.
func openArchive(data []byte) (*archive, error) {
	if len(data) == 0 {
		return nil, invalidParameter("The local cloud takes code only as ZipFile, and there is none.")
	}
	if len(data) > maxZip {
		return nil, payloadTooLarge(maxZip)
	}
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, invalidParameter("Could not unzip uploaded file. Please check your file, then try to upload again.")
	}
	if err := checkEntries(z.File); err != nil {
		return nil, err
	}
	if err := checkBootstrap(z.File); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(data)
	return &archive{
		zip:    io.NewSectionReader(bytes.NewReader(data), 0, int64(len(data))),
		sha256: base64.StdEncoding.EncodeToString(sum[:]),
	}, nil
}

// reopenArchive takes a package out of a snapshot. That it is the one which
// passed openArchive, its checksum tells, and much faster.
func reopenArchive(code *io.SectionReader, want string) (*archive, error) {
	if code == nil {
		return nil, errors.New("it is missing")
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, io.NewSectionReader(code, 0, code.Size())); err != nil {
		return nil, err
	}
	if have := base64.StdEncoding.EncodeToString(sum.Sum(nil)); have != want {
		return nil, fmt.Errorf("its SHA-256 is %s, not %s", have, want)
	}
	return &archive{zip: code, sha256: want}, nil
}

func checkEntries(files []*zip.File) error {
	if len(files) > maxEntries {
		return invalidParameter("The zip has %d entries; the local cloud unpacks at most %d.", len(files), maxEntries)
	}
	var total uint64
	for _, f := range files {
		if !filepath.IsLocal(f.Name) || strings.ContainsAny(f.Name, "\\\x00") {
			return invalidParameter("The zip's entry %q would be unpacked outside of the function's folder.", f.Name)
		}
		for part := range strings.SplitSeq(f.Name, "/") {
			if len(part) > maxName {
				return invalidParameter("The zip's entry %q has a name of more than %d bytes.", f.Name, maxName)
			}
		}
		if mode := f.Mode(); !mode.IsRegular() && !mode.IsDir() {
			return invalidParameter("The local cloud unpacks only files and folders, and the zip's entry %q is neither.", f.Name)
		}
		if total += f.UncompressedSize64; f.UncompressedSize64 > maxUnzipped || total > maxUnzipped {
			return invalidParameter("Unzipped size must be smaller than %d bytes", maxUnzipped)
		}
	}
	if err := checkTree(files); err != nil {
		return err
	}
	return checkContents(files)
}

// checkTree refuses packages in which one path is two things.
func checkTree(files []*zip.File) error {
	isFile, isFolder := map[string]bool{}, map[string]bool{".": true}
	for _, f := range files {
		name := path.Clean(f.Name)
		if isFile[name] {
			return invalidParameter("The zip has more than one file called %q.", name)
		}
		if f.Mode().IsDir() {
			isFolder[name] = true
		} else {
			isFile[name] = true
		}
		for dir := path.Dir(name); !isFolder[dir]; dir = path.Dir(dir) {
			isFolder[dir] = true
		}
		if len(isFolder) > maxEntries {
			return invalidParameter("The zip has more folders than the local cloud unpacks, which is %d.", maxEntries)
		}
	}
	for _, f := range files {
		if name := path.Clean(f.Name); isFile[name] && isFolder[name] {
			return invalidParameter("The zip's entry %q is a file and a folder.", name)
		}
	}
	return nil
}

// checkContents reads all entries to their ends, where their checksums are
// compared.
func checkContents(files []*zip.File) error {
	for _, f := range files {
		r, err := f.Open()
		if err == nil {
			_, err = io.Copy(io.Discard, io.LimitReader(r, int64(f.UncompressedSize64)+1))
			err = closeAfter(err, r)
		}
		if err != nil {
			return invalidParameter("Could not unzip uploaded file: entry %q: %v", f.Name, err)
		}
	}
	return nil
}

func checkBootstrap(files []*zip.File) error {
	for _, f := range files {
		if path.Clean(f.Name) != bootstrap || f.Mode().IsDir() {
			continue
		}
		if f.Mode()&0o111 == 0 {
			return invalidParameter("The zip's bootstrap is not executable (mode %s): zip it with mode 0755.", f.Mode().Perm())
		}
		binary, err := readEntry(f)
		if err != nil {
			return invalidParameter("Could not unzip uploaded file: %v", err)
		}
		return checkBinary(bytes.NewReader(binary), runtime.GOOS, runtime.GOARCH)
	}
	return invalidParameter("The zip has no executable file called bootstrap at its root; for %s it is what Lambda starts.", "provided.al2023")
}

func readEntry(f *zip.File) ([]byte, error) {
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	// In one piece: growing would leave several times the program behind.
	b := bytes.NewBuffer(make([]byte, 0, f.UncompressedSize64+bytes.MinRead))
	_, err = b.ReadFrom(io.LimitReader(r, maxUnzipped))
	return b.Bytes(), err
}

// checkBinary refuses a program that this machine, goos/goarch, cannot start.
func checkBinary(binary io.ReaderAt, goos, goarch string) error {
	if beginsWith(binary, "#!") {
		return nil // a script: its interpreter decides
	}
	found := platformsOf(binary)
	want := goos + "/" + goarch
	for _, platform := range found {
		if platform == want {
			return nil
		}
	}
	if len(found) == 0 {
		return invalidParameter("The zip's bootstrap is no program for any system known here; this machine runs %s: "+
			"build it with GOOS=%s GOARCH=%s.", want, goos, goarch)
	}
	return invalidParameter("The zip's bootstrap is built for %s, but the local cloud runs it as a process of this machine, "+
		"which needs %s: build it with GOOS=%s GOARCH=%s.", strings.Join(found, " and "), want, goos, goarch)
}

// platformsOf returns what a program was built for, as GOOS/GOARCH. A universal
// macOS binary has several.
func platformsOf(binary io.ReaderAt) []string {
	if f, err := elf.NewFile(binary); err == nil {
		return []string{elfSystem(f.OSABI) + "/" + elfProcessor(f.Machine)}
	}
	if f, err := macho.NewFile(binary); err == nil {
		return []string{"darwin/" + machoProcessor(f.Cpu)}
	}
	if f, err := macho.NewFatFile(binary); err == nil {
		var all []string
		for _, a := range f.Arches {
			all = append(all, "darwin/"+machoProcessor(a.Cpu))
		}
		return all
	}
	if beginsWith(binary, "MZ") {
		return []string{"windows"}
	}
	return nil
}

func beginsWith(binary io.ReaderAt, magic string) bool {
	head := make([]byte, len(magic))
	_, err := binary.ReadAt(head, 0)
	return (err == nil || err == io.EOF) && string(head) == magic
}

// elfSystem: Linux programs mostly claim plain System V.
func elfSystem(abi elf.OSABI) string {
	switch abi {
	case elf.ELFOSABI_NONE, elf.ELFOSABI_LINUX:
		return "linux"
	case elf.ELFOSABI_FREEBSD:
		return "freebsd"
	}
	return strings.ToLower(strings.TrimPrefix(abi.String(), "ELFOSABI_"))
}

func elfProcessor(m elf.Machine) string {
	switch m {
	case elf.EM_X86_64:
		return "amd64"
	case elf.EM_AARCH64:
		return "arm64"
	case elf.EM_386:
		return "386"
	case elf.EM_ARM:
		return "arm"
	case elf.EM_RISCV:
		return "riscv64"
	}
	return strings.ToLower(strings.TrimPrefix(m.String(), "EM_"))
}

func machoProcessor(c macho.Cpu) string {
	switch c {
	case macho.CpuAmd64:
		return "amd64"
	case macho.CpuArm64:
		return "arm64"
	}
	return strings.ToLower(strings.TrimPrefix(c.String(), "Cpu"))
}

// unpack writes the package's files into dir.
func (a *archive) unpack(dir string) error {
	root, err := os.OpenRoot(dir) // a second guard: no path leaves it
	if err != nil {
		return err
	}
	defer root.Close()
	z, err := zip.NewReader(a.zip, a.zip.Size())
	if err != nil {
		return err
	}
	for _, f := range z.File {
		if err := unpackEntry(root, f); err != nil {
			return fmt.Errorf("unpack %q: %w", f.Name, err)
		}
	}
	program, err := root.Open(bootstrap)
	if err != nil {
		return err
	}
	defer func() { _ = program.Close() }() // only read from
	// Once more: a snapshot may have been taken on another kind of machine.
	return checkBinary(program, runtime.GOOS, runtime.GOARCH)
}

func unpackEntry(root *os.Root, f *zip.File) error {
	name := path.Clean(f.Name)
	if f.Mode().IsDir() {
		return root.MkdirAll(name, 0o755)
	}
	if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return err
	}
	src, err := f.Open()
	if err != nil {
		return err
	}
	defer src.Close()
	// A child forked while the file is open for writing would inherit it, and
	// starting the file would fail with "text file busy" (golang.org/issue/22315).
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	dst, err := root.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, f.Mode().Perm()|0o400)
	if err != nil {
		return err
	}
	_, err = io.CopyN(dst, src, int64(f.UncompressedSize64))
	return closeAfter(err, dst)
}

// closeAfter closes c and returns the first error of the two.
func closeAfter(err error, c io.Closer) error {
	if cerr := c.Close(); err == nil {
		err = cerr
	}
	return err
}
