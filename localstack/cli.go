package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"fanfare/localstack/emulator"
)

// command carries out one command on a cloud that runs.
func (p program) command(ctx context.Context, name string, args []string) error {
	commands := map[string]func(context.Context, []string) error{
		"clock": p.clock, "fault": p.fault, "requests": p.requests, "iam": p.iam, "alarms": p.alarms,
		"snapshot": p.snapshot, "health": p.health, "info": p.info,
		"help": func(context.Context, []string) error { _, err := io.WriteString(p.stdout, help); return err },
	}
	c, ok := commands[name]
	if !ok {
		return p.misused("there is no command %q: see go run ./localstack --help", name)
	}
	return c(ctx, args)
}

// misused says on stderr what is wrong with the command line.
func (p program) misused(format string, args ...any) error {
	fmt.Fprintf(p.stderr, "localstack: "+format+"\n", args...)
	return errUsage
}

// open parses a command's arguments and returns the cloud that it is for.
func (p program) open(f *flag.FlagSet, addr *string, args []string, usage string) (rest []string, c cloud, err error) {
	if rest, err = p.parse(f, args, usage); err != nil {
		return nil, cloud{}, err
	}
	c, err = p.cloud(*addr)
	return rest, c, err
}

// parse parses flags before, between and behind the other arguments, which it
// returns.
func (p program) parse(f *flag.FlagSet, args []string, usage string) (rest []string, err error) {
	f.SetOutput(p.stderr)
	f.Usage = func() {
		w := p.stdout // asked for
		fmt.Fprint(w, usage)
		f.SetOutput(w)
		fmt.Fprintln(w, "\nFlags:")
		f.PrintDefaults()
	}
	for {
		switch err := f.Parse(args); {
		case errors.Is(err, flag.ErrHelp):
			return nil, err
		case err != nil:
			return nil, errUsage // flag has said why
		}
		if f.NArg() == 0 {
			return rest, nil
		}
		rest, args = append(rest, f.Arg(0)), f.Args()[1:]
	}
}

// cloud is a client of the cloud's own API.
type cloud struct{ base string }

// flags returns the flags of a command, with -addr.
func (p program) flags(name string) (*flag.FlagSet, *string) {
	f := flag.NewFlagSet("localstack "+name, flag.ContinueOnError)
	addr := p.getenv("AWS_ENDPOINT_URL")
	if addr == "" {
		addr = emulator.DefaultAddr
	}
	return f, f.String("addr", addr, "`address` or URL of the cloud; the default is $AWS_ENDPOINT_URL, else "+emulator.DefaultAddr)
}

func (p program) cloud(addr string) (cloud, error) {
	base := addr
	if !strings.Contains(base, "://") {
		base = "http://" + base
	}
	u, err := url.Parse(base)
	if err != nil || u.Host == "" {
		return cloud{}, p.misused("-addr %s is neither an address such as %s nor a URL", addr, emulator.DefaultAddr)
	}
	return cloud{u.Scheme + "://" + u.Host}, nil
}

// answerTimeout is far more than any command needs.
const answerTimeout = 30 * time.Second

// call sends in as JSON, if it is not nil, and decodes the answer into out, if
// that is not nil.
func (c cloud) call(ctx context.Context, method, path string, in, out any) error {
	body := io.Reader(http.NoBody)
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(data)
	}
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, c.base+"/_localstack/"+path, body)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("there is no local cloud at %s: start one with go run ./localstack, or name its address with -addr (%w)", c.base, errors.Unwrap(err))
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	return c.decode(resp.StatusCode, answer, out)
}

func (c cloud) decode(status int, answer []byte, out any) error {
	var failed struct {
		Error string `json:"error"`
	}
	switch {
	case status >= 400 && json.Unmarshal(answer, &failed) == nil && failed.Error != "":
		return errors.New(failed.Error)
	case status >= 400, out != nil && json.Unmarshal(answer, out) != nil:
		return fmt.Errorf("what answers at %s is not this local cloud (HTTP %d): name its address with -addr", c.base, status)
	}
	return nil
}
