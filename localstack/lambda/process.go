package lambda

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"sync/atomic"
	"time"
)

// launcher starts processes from one locked OS thread. On Linux the kernel
// kills a process when the thread that started it ends (Pdeathsig), and a
// thread of Go's scheduler may end at any time; this one lives as long as the
// service, so only the end of the whole local cloud, even by SIGKILL, ends the
// functions. It goes back to the scheduler when the service is closed: before, it
// may have started what is not the service's, a Terraform say, which its end
// would kill.
type launcher struct {
	jobs chan func()
	done chan struct{}
	log  *slog.Logger

	warned atomic.Bool // that processes have another time than the cloud
}

// errUnshifted: a process runs, but with the machine's time.
var errUnshifted = errors.New("cannot give a function the cloud's time")

func newLauncher(log *slog.Logger) *launcher {
	l := &launcher{jobs: make(chan func()), done: make(chan struct{}), log: log}
	go func() {
		defer close(l.done)
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		for job := range l.jobs {
			job()
		}
	}()
	return l
}

// close gives the thread back. No process may be left, and none may be started.
func (l *launcher) close() {
	close(l.jobs)
	<-l.done
}

// do runs f on the launcher's thread.
func (l *launcher) do(f func() error) (err error) {
	finished := make(chan struct{})
	l.jobs <- func() {
		defer close(finished)
		err = f()
	}
	<-finished
	return err
}

// process is a running bootstrap with its process group.
type process struct {
	cmd    *exec.Cmd
	log    *functionLog
	memory memoryFile
	wanted time.Duration // how far its clock was to be ahead of the machine's
	offset time.Duration // how far it is: as far, or not at all
	exited chan struct{} // closed when it is gone and all it printed has been read
	reason string        // why it ended, in Lambda's words; read after exited
}

// logStreamVariable tells a process its log stream, and marks those it starts.
const logStreamVariable = "AWS_LAMBDA_LOG_STREAM_NAME"

// drainTime is how long output may still come in once a process has ended: from
// children that have left its process group.
const drainTime = time.Second

// start runs dir/bootstrap with its clock ahead by offset, or by nothing where
// that cannot be done. What it prints goes to log, which start takes over.
func (l *launcher) start(dir string, environment []string, log *functionLog, offset time.Duration) (*process, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	p := &process{log: log, wanted: offset, exited: make(chan struct{})}
	command := func() *exec.Cmd {
		cmd := exec.Command("./" + bootstrap)
		cmd.Dir, cmd.Env = dir, environment
		cmd.Stdout, cmd.Stderr = w, w // one pipe, so that the order stays
		cmd.SysProcAttr = processAttributes()
		return cmd
	}
	err = l.do(func() error {
		p.cmd, p.offset, err = l.run(command, offset)
		return err
	})
	if err != nil {
		_ = r.Close()
		_ = w.Close()
		return nil, err
	}
	p.memory = openMemory(p.cmd.Process.Pid)
	log.start(r, w)
	go p.wait(r, w)
	return p, nil
}

// run starts a command, on the launcher's thread, and returns how far its clock
// is ahead.
func (l *launcher) run(command func() *exec.Cmd, offset time.Duration) (*exec.Cmd, time.Duration, error) {
	cmd := command()
	if offset == 0 {
		return cmd, 0, cmd.Start()
	}
	shiftErr := startShifted(cmd, offset)
	if shiftErr == nil {
		return cmd, offset, nil
	}
	if cmd.Process == nil { // cannot be started at all, or not as a traced process
		cmd = command()
		if err := cmd.Start(); err != nil {
			return nil, 0, err
		}
	}
	l.warnUnshifted(shiftErr)
	return cmd, 0, nil
}

// warnUnshifted says once that processes keep the machine's time. Whether the
// next can be given another is tried all the same.
func (l *launcher) warnUnshifted(err error) {
	if !l.warned.Swap(true) {
		l.log.Warn("functions keep the machine's time, although the cloud's clock was advanced", "error", err)
	}
}

// errExecAgain: a script that begins with "/usr/bin/env python3", or ends with
// exec, becomes another program, for which the kernel maps its clock anew.
var errExecAgain = fmt.Errorf("%w: it has started another program in its place; let bootstrap be that program, "+
	"or a script whose first line names the interpreter itself", errUnshifted)

// settleClock looks whether a process that has come up still has the cloud's
// time. If not, its deadlines will be in the machine's, which it sees.
func (l *launcher) settleClock(p *process) {
	if p.offset != 0 && !p.isShifted() {
		p.offset = 0
		l.warnUnshifted(errExecAgain)
	}
}

func (p *process) wait(r, w *os.File) {
	defer close(p.exited)
	p.reason = exitReason(p.cmd.Wait())
	p.memory.close()
	p.kill() // what the process has left behind in its group
	if stream := p.log.template.Stream; stream != "" {
		endDescendants(logStreamVariable + "=" + stream)
	}
	_ = w.Close()
	_ = r.SetReadDeadline(time.Now().Add(drainTime))
	<-p.log.ended
	_ = r.Close()
}

func exitReason(err error) string {
	if err == nil {
		return "Runtime exited without providing a reason"
	}
	return fmt.Sprintf("Runtime exited with error: %v", err)
}
