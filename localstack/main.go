// Localstack is the local cloud as a program: API Gateway WebSocket APIs, Go
// Lambdas, DynamoDB, SQS, IAM, STS and CloudWatch on one port, without an
// account, a token or Docker.
//
//	go run ./localstack [-addr 127.0.0.1:4566] [-data DIR]    starts it
//	go run ./localstack clock advance 2h                      commands one that runs
//	go run ./localstack --help                                tells the rest
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"syscall"
	"time"

	"fanfare/localstack/emulator"
)

// closeTimeout bounds how long sockets and functions may take to end.
const closeTimeout = 10 * time.Second

func main() {
	ctx, stop := untilSignal()
	code := program{stdout: os.Stdout, stderr: os.Stderr, getenv: os.Getenv}.run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

// untilSignal returns a context that the first Ctrl-C or the like ends. The
// second one ends the program at once, whatever it is still waiting for.
func untilSignal() (context.Context, context.CancelFunc) {
	signalled, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	ctx, cancel := context.WithCancel(context.Background())
	context.AfterFunc(signalled, func() {
		stop() // first, so that whoever sees ctx's end may send the second
		cancel()
	})
	return ctx, stop
}

// program is one run of the command line.
type program struct {
	stdout, stderr io.Writer
	getenv         func(string) string
}

// The exit codes of run.
const (
	exitOK      = 0
	exitFailed  = 1
	exitMisused = 2
)

// errUsage: the command line is wrong; what is wrong has been said.
var errUsage = errors.New("wrong usage")

// run starts a cloud and returns when ctx ends, or carries out one command.
func (p program) run(ctx context.Context, args []string) int {
	err := p.dispatch(ctx, args)
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return exitOK
	case errors.Is(err, errUsage):
		return exitMisused
	}
	fmt.Fprintln(p.stderr, "localstack:", err)
	return exitFailed
}

func (p program) dispatch(ctx context.Context, args []string) error {
	if len(args) > 0 && len(args[0]) > 0 && args[0][0] != '-' {
		return p.command(ctx, args[0], args[1:])
	}
	return p.start(ctx, args)
}

// start runs a cloud until ctx ends.
func (p program) start(ctx context.Context, args []string) error {
	f := flag.NewFlagSet("localstack", flag.ContinueOnError)
	addr := f.String("addr", emulator.DefaultAddr, "`address` to listen at; port 0 takes a free one")
	data := f.String("data", "", "`directory` to load the state from and, at a clean stop, save it to; empty keeps nothing")
	quiet := f.Bool("quiet", false, "of the requests, show only those that fail")
	asJSON := f.Bool("json", false, "log one JSON object a line, for machines")
	seed := f.Uint64("seed", 0, "of the fault rules' chances: the same seed, the same faults")
	if rest, err := p.parse(f, args, help); err != nil {
		return err
	} else if len(rest) > 0 {
		return p.misused("%q is not an address: did you mean -addr %[1]s?", rest[0])
	}
	out := newPrinter(p.stdout, *asJSON, *quiet, isTerminal(p.stdout) && p.getenv("NO_COLOR") == "")
	cloud, err := emulator.New(emulator.Options{
		Addr: *addr, DataDir: *data, SaveOnClose: *data != "", FaultSeed: *seed,
		Logger: out.logger(), OnRequest: out.request, FunctionLog: out.function,
	})
	if err != nil {
		return withRemedy(err)
	}
	if err := cloud.Start(); err != nil {
		if used, ok := errors.AsType[*emulator.PortInUseError](err); ok {
			err = fmt.Errorf("%w with -addr", used)
		}
		return errors.Join(err, cloud.Close(context.WithoutCancel(ctx))) // nothing runs in it yet
	}
	fmt.Fprintln(p.stderr, "ready at", cloud.URL())
	fmt.Fprintln(p.stderr, "Ready.") // LocalStack's own word, which Testcontainers waits for in Java and Python
	<-ctx.Done()

	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	return cloud.Close(end)
}

// withRemedy adds what to do to an error of the folders that the cloud writes to.
func withRemedy(err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: the cloud runs as user %d; make that directory this user's, run the cloud as its owner (with docker run, --user), or name another with -data", err, os.Getuid())
	case errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%w: it needs a place to write to: with docker run, --tmpfs /tmp:exec, or a volume at the directory that -data names", err)
	}
	return err
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
