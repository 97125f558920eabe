package lambda

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// elfHeader is a program of no instructions for Linux and another processor.
func elfHeader(machine uint16) []byte {
	h := make([]byte, 64)
	copy(h, "\x7fELF\x02\x01\x01")
	binary.LittleEndian.PutUint16(h[16:], 2) // executable
	binary.LittleEndian.PutUint16(h[18:], machine)
	binary.LittleEndian.PutUint32(h[20:], 1)
	binary.LittleEndian.PutUint16(h[52:], 64)
	return h
}

func machoHeader(cpu uint32) []byte {
	h := make([]byte, 32)
	binary.LittleEndian.PutUint32(h, 0xfeedfacf)
	binary.LittleEndian.PutUint32(h[4:], cpu)
	binary.LittleEndian.PutUint32(h[12:], 2)
	return h
}

// many are n empty files.
func many(n int, name string) (all []entry) {
	for i := range n {
		all = append(all, entry{fmt.Sprintf(name, i) + "x", 0o644, nil})
	}
	return all
}

// corrupt changes a text in a zip, which must be stored.
func corrupt(data []byte, text string) []byte {
	return bytes.Replace(data, []byte(text), []byte(strings.ToUpper(text)), 1)
}

// A zip for provided.al2023 needs an executable bootstrap at its root
// [LDG:runtimes-custom]; each refusal says what is wrong.
func TestOpenArchiveRefuses(t *testing.T) {
	good := entry{bootstrap, 0o755, []byte("#!/bin/sh\n")}
	for _, tt := range []struct {
		what string
		zip  []byte
		want string
	}{
		{"nothing", nil, "takes code only as ZipFile"},
		{"no zip", []byte("hello"), "Could not unzip uploaded file"},
		{"an empty zip", mustZip(t), "no executable file called bootstrap at its root"},
		{"a bootstrap in a folder", mustZip(t, entry{"bin/bootstrap", 0o755, good.data}), "no executable file called bootstrap at its root"},
		{"a folder called bootstrap", mustZip(t, entry{"bootstrap/", os.ModeDir | 0o755, nil}), "no executable file called bootstrap at its root"},
		{"a bootstrap that is not executable", mustZip(t, entry{bootstrap, 0o644, good.data}), "not executable (mode -rw-r--r--)"},
		{"a path that climbs out", mustZip(t, good, entry{"../evil", 0o644, nil}), "outside of the function's folder"},
		{"an absolute path", mustZip(t, good, entry{"/etc/passwd", 0o644, nil}), "outside of the function's folder"},
		{"a Windows path", mustZip(t, good, entry{`..\evil`, 0o644, nil}), "outside of the function's folder"},
		{"a symbolic link", mustZip(t, good, entry{"link", os.ModeSymlink | 0o777, []byte("/etc")}), "only files and folders"},
		{"a bootstrap that is a folder too", mustZip(t, good, entry{"bootstrap/x", 0o644, nil}), `"bootstrap" is a file and a folder`},
		{"a folder that is a file too", mustZip(t, good, entry{"a/b/c", 0o644, nil}, entry{"a/b", 0o644, nil}), `"a/b" is a file and a folder`},
		{"a file called as the root", mustZip(t, good, entry{".", 0o644, nil}), `"." is a file and a folder`},
		{"two files of one name", mustZip(t, good, entry{"./bootstrap", 0o755, elfHeader(0)}), `more than one file called "bootstrap"`},
		{"a name of 300 bytes", mustZip(t, good, entry{"a/" + strings.Repeat("x", 300), 0o644, nil}), "more than 255 bytes"},
		{"a name with a zero byte", mustZip(t, good, entry{"a\x00b", 0o644, nil}), "outside of the function's folder"},
		{"60,000 empty files", mustZip(t, many(60_000, "%d")...), "at most 25000"},
		{"as many folders", mustZip(t, many(500, strings.Repeat("%[1]d/", 100))...), "more folders"},
		{"a file that does not match its checksum", corrupt(mustZip(t, good, entry{"data", 0o644, []byte("precious")}), "precious"), `entry "data": zip: checksum error`},
		{"a text", mustZip(t, entry{bootstrap, 0o755, []byte("console.log(1)")}), "no program for any system known here"},
	} {
		t.Run(tt.what, func(t *testing.T) {
			_, err := openArchive(tt.zip)
			wantFault(t, err, "InvalidParameterValueException", tt.want)
		})
	}
}

// AWS takes it and fails each invoke with "exec format error"; the local cloud
// says at create what to build [LDG:runtimes-custom].
func TestABootstrapMustBeForThisMachine(t *testing.T) {
	const arm, intel = 183, 62
	for _, tt := range []struct {
		what         string
		binary       []byte
		goos, goarch string
		found        string // "" if it may run
	}{
		{"Linux on Intel, here", elfHeader(intel), "linux", "amd64", ""},
		{"Linux on Arm, on an Intel machine", elfHeader(arm), "linux", "amd64", "linux/arm64"},
		{"Linux on Arm, on a Mac", elfHeader(arm), "darwin", "arm64", "linux/arm64"},
		{"macOS on Arm, here", machoHeader(0x0100000c), "darwin", "arm64", ""},
		{"macOS on Arm, on Linux", machoHeader(0x0100000c), "linux", "arm64", "darwin/arm64"},
		{"Windows", []byte("MZ\x90\x00"), "linux", "amd64", "windows"},
		{"a script", []byte("#!/bin/sh\n"), "linux", "amd64", ""},
	} {
		t.Run(tt.what, func(t *testing.T) {
			err := checkBinary(bytes.NewReader(tt.binary), tt.goos, tt.goarch)
			if tt.found == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			wantFault(t, err, "InvalidParameterValueException", "built for "+tt.found+",")
			wantFault(t, err, "InvalidParameterValueException", "GOOS="+tt.goos+" GOARCH="+tt.goarch)
		})
	}
	if err := checkBinary(bytes.NewReader(bootstrapFile), runtime.GOOS, runtime.GOARCH); err != nil {
		t.Errorf("a program of this machine: %v", err)
	}
}

func TestUnpack(t *testing.T) {
	a, err := openArchive(mustZip(t,
		entry{bootstrap, 0o755, []byte("#!/bin/sh\n")},
		entry{"data/", os.ModeDir | 0o755, nil},
		entry{"data/keys.json", 0o644, []byte("{}")}))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := a.unpack(dir); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, bootstrap))
	if err != nil || info.Mode().Perm()&0o111 == 0 {
		t.Errorf("bootstrap: %v %v", info, err)
	}
	if data, err := os.ReadFile(filepath.Join(dir, "data", "keys.json")); err != nil || string(data) != "{}" {
		t.Errorf("keys.json = %q, %v", data, err)
	}
}

func FuzzOpenArchive(f *testing.F) {
	f.Add(mustZip(f, entry{bootstrap, 0o755, []byte("#!/bin/sh\n")}))
	f.Add(mustZip(f, entry{bootstrap, 0o755, elfHeader(62)}, entry{"../x", 0o644, nil}))
	f.Add(mustZip(f, entry{bootstrap, 0o755, machoHeader(7)}))
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := openArchive(data)
		if err != nil {
			return
		}
		outside := t.TempDir()
		dir := filepath.Join(outside, "in")
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := a.unpack(dir); err != nil {
			t.Errorf("what was accepted cannot be unpacked: %v", err)
		}
		if rest, _ := os.ReadDir(outside); len(rest) != 1 {
			t.Errorf("unpacking wrote outside: %v", rest)
		}
	})
}
