package lambda

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"
)

// A process reads the wall clock without a system call, in code that the kernel
// maps into it: the vDSO (vdso(7)). A process whose clock is to be ahead is
// started as a traced one, which stops right after exec, and gets another code
// at the vDSO's entries: a stub that makes the system call and adds the offset.
// It works for every program that takes the time through libc or as Go does,
// static or not. Monotonic clocks stay, so that waiting takes as long as ever.
//
// What stays on the machine's time: a program that makes the system call itself,
// what a function starts by exec, because that maps a fresh vDSO, and waits of C
// code until a moment of the wall clock, because the kernel knows no offset. A
// bootstrap that execs again before its first event is found out (isShifted).

// clockStub is machine code with two or three entries and, at its end, the
// offset: seconds, then the rest in nanoseconds and in microseconds, 8 bytes
// each, all little-endian.
type clockStub struct {
	machine elf.Machine
	code    []byte
	offset  int            // where the offset's three numbers are in code
	entries map[string]int // vDSO function -> its replacement in code
	jump    func(from, to uint64) []byte
}

// with returns the code with the offset filled in.
func (s clockStub) with(offset time.Duration) []byte {
	code := bytes.Clone(s.code)
	seconds, rest := offset/time.Second, offset%time.Second
	for i, n := range []time.Duration{seconds, rest, rest / time.Microsecond} {
		binary.LittleEndian.PutUint64(code[s.offset+8*i:], uint64(n))
	}
	return code
}

// startShifted starts cmd, which the caller's thread must be locked for, with its
// clock ahead by offset. errUnshifted means that cmd runs with the machine's
// time; after any other error it does not run.
func startShifted(cmd *exec.Cmd, offset time.Duration) error {
	cmd.SysProcAttr.Ptrace = true
	if err := cmd.Start(); err != nil {
		return err
	}
	pid := cmd.Process.Pid
	err := awaitExec(pid)
	if err == nil {
		err = shiftClock(pid, offset)
	}
	if err = errors.Join(err, syscall.PtraceDetach(pid)); err != nil {
		return fmt.Errorf("%w: %w", errUnshifted, err)
	}
	return nil
}

// awaitExec waits for the stop that follows a traced process's exec.
func awaitExec(pid int) error {
	var status syscall.WaitStatus
	for {
		_, err := syscall.Wait4(pid, &status, syscall.WALL, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case err != nil:
			return fmt.Errorf("wait for exec: %w", err)
		case !status.Stopped():
			return fmt.Errorf("process ended before exec: status %#x", uint32(status))
		}
		return nil
	}
}

// shiftClock puts the stub into a process that is stopped.
func shiftClock(pid int, offset time.Duration) error {
	image, base, err := openVDSO(pid)
	if err != nil {
		return err
	}
	defer func() { _ = image.Close() }() // only read from
	patches, err := stub.patches(io.NewSectionReader(image, int64(base), maxVDSO), offset)
	if err != nil {
		return err
	}
	for _, p := range patches {
		if _, err := syscall.PtracePokeText(pid, uintptr(base+p.at), p.code); err != nil {
			return fmt.Errorf("write into the vDSO: %w", err)
		}
	}
	return nil
}

// openVDSO returns the memory of a process and where in it the vDSO begins.
func openVDSO(pid int) (memory *os.File, base uint64, err error) {
	proc := "/proc/" + strconv.Itoa(pid)
	auxv, err := os.ReadFile(proc + "/auxv")
	if err != nil {
		return nil, 0, err
	}
	base, ok := vdsoBase(auxv)
	if !ok {
		return nil, 0, errors.New("the kernel gives processes no vDSO")
	}
	memory, err = os.Open(proc + "/mem")
	return memory, base, err
}

// isShifted reports whether the vDSO of a process that was started shifted is
// still the one with the stub. What cannot be read counts as unchanged.
func (p *process) isShifted() bool {
	image, base, err := openVDSO(p.cmd.Process.Pid)
	if err != nil {
		return true
	}
	defer func() { _ = image.Close() }() // only read from
	vdso := make([]byte, maxVDSO)
	n, _ := image.ReadAt(vdso, int64(base)) // ends early, where its pages end
	return n == 0 || bytes.Contains(vdso[:n], stub.with(p.wanted))
}

// vdsoBase finds where the vDSO begins in a process's auxiliary vector: pairs of
// a type and a value (getauxval(3), AT_SYSINFO_EHDR).
func vdsoBase(auxv []byte) (base uint64, ok bool) {
	const atSysinfoEHDR = 33
	for ; len(auxv) >= 16; auxv = auxv[16:] {
		if binary.NativeEndian.Uint64(auxv) == atSysinfoEHDR {
			base = binary.NativeEndian.Uint64(auxv[8:])
			return base, base != 0
		}
	}
	return 0, false
}

// maxVDSO is more than any kernel's vDSO has, in bytes.
const maxVDSO = 1 << 20

// patch is code to be written, at bytes after the vDSO's beginning.
type patch struct {
	at   uint64
	code []byte
}

// patches returns what must be written into the vDSO: the stub, behind what is
// needed at run time and still in its last page, and jumps to it.
func (s clockStub) patches(image io.ReaderAt, offset time.Duration) ([]patch, error) {
	f, err := elf.NewFile(image)
	if err != nil {
		return nil, fmt.Errorf("read the vDSO: %w", err)
	}
	if f.Machine != s.machine || f.Class != elf.ELFCLASS64 {
		return nil, fmt.Errorf("the vDSO is for %v, %v", f.Machine, f.Class)
	}
	begin, end, ok := loaded(f)
	if !ok {
		return nil, errors.New("the vDSO has no segment to load")
	}
	home := (end + 15) &^ 15
	page := uint64(os.Getpagesize())
	if room := (end+page-1)&^(page-1) - begin; home-begin+uint64(len(s.code)) > room {
		return nil, errors.New("the vDSO's last page has no room for a clock stub")
	}
	symbols, err := f.DynamicSymbols()
	if err != nil {
		return nil, fmt.Errorf("read the vDSO: %w", err)
	}
	all := []patch{{home - begin, s.with(offset)}}
	for _, symbol := range symbols {
		entry, ok := s.entries[symbol.Name]
		if !ok {
			continue
		}
		jump := s.jump(symbol.Value, home+uint64(entry))
		if symbol.Size < uint64(len(jump)) || symbol.Value < begin || symbol.Value+symbol.Size > end {
			return nil, fmt.Errorf("the vDSO's %s has no room for a jump", symbol.Name)
		}
		all = append(all, patch{symbol.Value - begin, jump})
	}
	if len(all) != 1+len(s.entries) {
		return nil, fmt.Errorf("the vDSO has %d of the %d functions that tell the time", len(all)-1, len(s.entries))
	}
	return all, nil
}

// loaded returns the addresses between which the vDSO needs its pages.
func loaded(f *elf.File) (begin, end uint64, ok bool) {
	for _, segment := range f.Progs {
		if segment.Type == elf.PT_LOAD {
			return segment.Vaddr, segment.Vaddr + segment.Filesz, segment.Filesz < maxVDSO
		}
	}
	return 0, 0, false
}
