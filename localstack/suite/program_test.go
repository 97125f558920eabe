package suite

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"fanfare/shared/telemetry"
)

// program is a client that somebody else wrote, while it runs. It is typed to and
// read as a person does; the programs of testdata/clients speak as wscat, which
// begins its lines with "Connected", "< " and a frame, "Disconnected" or "error:".
type program struct {
	*client // whose conn is nil: what it writes is typed
	cmd     *exec.Cmd
	keys    io.WriteCloser
	said    chan string // lines that are no frames

	lines sync.Mutex
	all   []string
	group int // of the processes to kill, where it is not the program's own
}

// start runs the program in a process group of its own, so that nothing of it
// is left when the test ends.
func (s *scenario) start(cmd *exec.Cmd) *program {
	s.Helper()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	keys, err := cmd.StdinPipe()
	if err != nil {
		s.Fatal(err)
	}
	screen, printed, err := os.Pipe()
	if err != nil {
		s.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = printed, printed
	if err := errors.Join(cmd.Start(), printed.Close()); err != nil {
		s.Fatal(err)
	}
	p := &program{
		client: &client{
			t: s.TB, name: s.rec.name(filepath.Base(cmd.Args[0])), rec: s.rec,
			replies: make(chan frame, 64), messages: make(chan frame, 64), closed: make(chan struct{}),
		},
		cmd: cmd, keys: keys, said: make(chan string, 64),
	}
	p.write = func(text string) error { _, err := io.WriteString(keys, text+"\n"); return err }
	go p.watch(screen)
	s.Cleanup(func() {
		select {
		case <-p.closed:
		default:
			p.kill()
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // gone already, if kill has met it
			<-p.closed
		}
		if s.Failed() {
			p.lines.Lock()
			defer p.lines.Unlock()
			s.Logf("%s printed\n%s", cmd.Args[0], telemetry.Redact(strings.Join(p.all, "\n"))) // an error may name the URL
		}
	})
	return p
}

// watch reads what the program prints until it has ended.
func (p *program) watch(screen io.ReadCloser) {
	defer close(p.closed)
	lines := bufio.NewScanner(screen)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		p.read(shown(lines.Text()))
	}
	err := errors.Join(lines.Err(), screen.Close(), p.cmd.Wait())
	if err == nil {
		err = errors.New("exit status 0")
	}
	p.mu.Lock()
	p.end = fmt.Errorf("the program ended: %w", err)
	p.mu.Unlock()
	close(p.said)
}

var terminalCodes = regexp.MustCompile(`\x1b\[[0-9;?]*[A-Za-z]`)

// shown is what is left to see of a line: a terminal's is written over from its
// beginning.
func shown(line string) string {
	line = strings.TrimRight(terminalCodes.ReplaceAllString(line, ""), "\r")
	return line[strings.LastIndex(line, "\r")+1:]
}

func (p *program) read(line string) {
	p.lines.Lock()
	p.all = append(p.all, line)
	p.lines.Unlock()
	if text, ok := strings.CutPrefix(line, "< {"); ok {
		p.arrived("{" + text)
		return
	}
	if id, ok := strings.CutPrefix(line, "Process "); ok {
		p.lines.Lock()
		p.group, _ = strconv.Atoi(id) // 0 is the program's own
		p.lines.Unlock()
	}
	p.said <- line
}

// says waits for a line that matches, and forgets those before it.
func (p *program) says(pattern string) {
	p.t.Helper()
	wanted := regexp.MustCompile(pattern)
	timeout := time.After(patience)
	for {
		select {
		case line, more := <-p.said:
			if !more {
				p.t.Fatalf("%v, and it did not say %s", p.reason(), pattern)
			}
			if wanted.MatchString(line) {
				return
			}
		case <-timeout:
			p.t.Fatalf("it does not say %s within %v", pattern, patience)
		}
	}
}

// leave ends the input, as Ctrl-D does.
func (p *program) leave() {
	p.t.Helper()
	if err := p.keys.Close(); err != nil {
		p.t.Fatal(err)
	}
}

// exitCode waits for the program's end.
func (p *program) exitCode() int {
	p.t.Helper()
	select {
	case <-p.closed:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(patience):
		p.t.Fatalf("it runs after %v", patience)
		return -1
	}
}

// kill ends the program without giving it time for anything. For one that runs on
// a terminal, it is the terminal that goes.
func (p *program) kill() {
	p.lines.Lock()
	group := p.group
	p.lines.Unlock()
	if group == 0 {
		group = p.cmd.Process.Pid
	}
	_ = syscall.Kill(-group, syscall.SIGKILL) // it may have ended by itself
}
