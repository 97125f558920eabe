package suite

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"fanfare/localstack/emulator"
)

// command is scripts/broadcast, built once and run on the deployment as a user
// runs it on AWS: by flags and the SDK's own environment.
type command struct {
	s      *scenario
	binary string
}

// buildCommand is for all scenarios together: linking takes a processor for seconds.
var buildCommand = sync.OnceValues(func() (binary string, err error) {
	if binary, err = filepath.Abs(filepath.Join(root, ".build", "suite", "broadcast")); err != nil {
		return "", err
	}
	if out, err := exec.Command("go", "build", "-o", binary, "fanfare/scripts/broadcast").CombinedOutput(); err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	return binary, nil
})

func (s *scenario) command() command {
	s.Helper()
	binary, err := buildCommand()
	if err != nil {
		s.Fatal(err)
	}
	return command{s, binary}
}

// run returns what the command printed and its exit code.
func (c command) run(args ...string) (output string, code int) {
	c.s.Helper()
	ctx, cancel := context.WithTimeout(c.s.Context(), 2*patience)
	defer cancel()
	o := c.s.stack.Outputs
	cmd := exec.CommandContext(ctx, c.binary, append(args, "-queue-url", o.BroadcastQueueURL, "-table", o.TableName)...)
	cmd.Env = emulator.Env(c.s.stack.Cloud.URL())
	out, err := cmd.CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return string(out), exit.ExitCode()
	} else if err != nil {
		c.s.Fatalf("%v\n%s", err, out)
	}
	return string(out), 0
}

// want fails unless the command ends with the code and prints all of it.
func (c command) want(output string, got, code int, all ...string) {
	c.s.Helper()
	for _, text := range all {
		if !strings.Contains(output, text) {
			c.s.Errorf("printed, without %q,\n%s", text, output)
		}
	}
	if got != code {
		c.s.Errorf("exit code %d, want %d, after\n%s", got, code, output)
	}
}

var queuedID = regexp.MustCompile(`(?m)^queued +([A-Z2-7]{26}) `)

func TestTheCommandPublishesAndFollows(t *testing.T) {
	s := begin(t, ownAPI)
	c := s.command()
	ann, bob, eve := s.dial("ann", s.tenant), s.dial("bob", s.tenant), s.dial("ann", s.other)
	s.ghost("GhostOfCommand_=", 2*time.Minute)

	out, code := c.run("-tenant", s.tenant, "-all", "-data", `{"n":1}`, "-dry-run")
	c.want(out, code, 0, "recipients   3", "32 KB units  3", "nothing is sent")
	ann.silent("a client before a dry run")

	out, code = c.run("-tenant", s.tenant, "-all", "-data", `{"n":1}`, "-key", "k")
	c.want(out, code, 0, "audience     3", "units        1 of 1 done", "delivered    2", "gone         1", "failed       0", "waiting      0", "last client", "done:")
	first := queuedID.FindStringSubmatch(out)
	if first == nil {
		t.Fatalf("no messageId in\n%s", out)
	}
	for _, client := range []*client{ann, bob} {
		if f := client.message(); f.MessageID != first[1] || !jsonEqual(f.Data, `{"n":1}`) || f.From != nil {
			t.Errorf("got %s, want message %s", f.raw, first[1])
		}
	}

	out, code = c.run("-tenant", s.tenant, "-all", "-data", `{ "n": 1 }`, "-key", "k")
	c.want(out, code, 0, "repeated", "receipt    "+first[1], "delivered    2")
	out, code = c.run("-tenant", s.tenant, "-all", "-data", `{"n":2}`, "-key", "k")
	c.want(out, code, 1, "nothing was queued", first[1])
	out, code = c.run("-status", first[1])
	c.want(out, code, 0, "to everybody of "+s.tenant, "delivered    2")
	out, code = c.run("-tenant", s.tenant, "-channel", "nobody", "-data", "1")
	c.want(out, code, 0, "audience     0", "nobody was there")
	allSilent(t, map[string]*client{"ann": ann, "bob": bob, "the other tenant": eve})
}

// Members without a socket, more than a unit of them, make a broadcast that is
// split; each answers 410.
func TestTheCommandFollowsASplitBroadcast(t *testing.T) {
	s := begin(t, ownAPI)
	c := s.command()
	ann := s.dial("ann", s.tenant)
	for i := range crowd {
		s.ghost(fmt.Sprintf("GhostOfSplit%03d=", i), 2*time.Minute)
	}
	out, code := c.run("-tenant", s.tenant, "-all", "-data", "1")
	c.want(out, code, 0, "audience     601", "units        2 of 2 done", "delivered    1", "gone         600", "done:")
	ann.message()
	ann.silent("a client after its frame")
}
