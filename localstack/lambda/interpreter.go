package lambda

import (
	"bufio"
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// explainStart says more about a bootstrap that could not be started. That its
// file is not there cannot be: what the kernel misses is the program that it
// needs, which the error does not name.
func explainStart(dir string, err error) error {
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	program := filepath.Join(dir, bootstrap)
	if name := scriptInterpreter(program); name != "" && isMissing(name) {
		return fmt.Errorf("%w: bootstrap is a script whose first line asks for %q, which this machine does not have: "+
			"install it, or name another interpreter there", err, name)
	}
	if name := dynamicLoader(program); name != "" && isMissing(name) {
		return fmt.Errorf("%w: bootstrap is linked for %q, which this machine does not have: link it statically (in Go with CGO_ENABLED=0)", err, name)
	}
	return err
}

func isMissing(name string) bool {
	_, err := os.Stat(name)
	return errors.Is(err, fs.ErrNotExist)
}

// scriptInterpreter returns what follows #! up to a space, "" if it is no script.
// A carriage return belongs to it, for the kernel takes it so (execve(2)).
func scriptInterpreter(program string) string {
	f, err := os.Open(program)
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }()                       // only read from
	line, _ := bufio.NewReaderSize(f, 256).ReadSlice('\n') // the kernel reads no more either
	name, ok := strings.CutPrefix(string(line), "#!")
	if !ok {
		return ""
	}
	name, _, _ = strings.Cut(strings.Trim(name, " \t\n"), " ")
	return name
}

// dynamicLoader returns the program that an ELF file asks for, "" if none.
func dynamicLoader(program string) string {
	f, err := elf.Open(program)
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }() // only read from
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			name := make([]byte, min(p.Filesz, 4096))
			n, _ := p.ReadAt(name, 0)
			return strings.TrimRight(string(name[:n]), "\x00")
		}
	}
	return ""
}
