package suite

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"fanfare/scripts/stack"
)

// composeProject is another one than the file's own, whose cloud and volume are
// the user's.
const composeProject = "fanfare-suite"

// runCompose deploys from outside to the cloud that localstack/compose.yaml
// brings up, takes it down and brings it up again: the suite runs on what came
// back from the volume. It deploys anew each time, because the volume goes with it.
func runCompose(ctx context.Context, run func() int) (int, error) {
	command, err := findCompose(ctx)
	if err != nil {
		return runAbsent(run, err), nil
	}
	platform, err := enginePlatform(ctx)
	if err != nil {
		return runAbsent(run, err), nil
	}
	if err := buildImage(ctx, platform); err != nil {
		return 0, err
	}
	s, err := stack.Up(ctx, stack.Options{
		Root: root, Dir: ".local/compose", Port: cloudPort, Out: os.Stderr, Platform: platform, Fresh: true,
		Start: func(ctx context.Context, _ string) (stack.Cloud, error) { return startCompose(ctx, command) },
	})
	if err != nil {
		return 0, err
	}
	defer s.Close(context.WithoutCancel(ctx))
	deployed = onStack(s, s.Outputs, movingClock, faultRules, ownAPI)
	asking, stop := context.WithCancel(ctx)
	defer stop()
	deployed.asked = gather(asking, deployed.Cloud)
	return run(), nil
}

// findCompose returns how Compose is called on this machine: as Docker's plugin
// or by itself.
func findCompose(ctx context.Context) ([]string, error) {
	old := ""
	for _, command := range [][]string{{"docker", "compose"}, {"docker-compose"}} {
		out, err := exec.CommandContext(ctx, command[0], slices.Concat(command[1:], []string{"version", "--short"})...).Output()
		switch version := strings.TrimPrefix(strings.TrimSpace(string(out)), "v"); {
		case err != nil:
		case strings.HasPrefix(version, "1."):
			old = version
		default:
			return command, nil
		}
	}
	if old != "" {
		return nil, fmt.Errorf("there is only Compose %s, which does not know the file's format: install Compose 2", old)
	}
	return nil, errors.New("there is no Docker Compose (docker compose version)")
}

// composed is a cloud of Compose's.
type composed struct {
	command  []string
	endpoint string
}

func startCompose(ctx context.Context, command []string) (stack.Cloud, error) {
	c := &composed{command, fmt.Sprintf("http://127.0.0.1:%d", cloudPort)}
	// What an earlier run left that was killed.
	if err := c.do(ctx, "down", "--volumes"); err != nil {
		return nil, err
	}
	if err := c.up(ctx); err != nil {
		return nil, errors.Join(err, c.Close(ctx))
	}
	return c, nil
}

// URL is where the file publishes the port.
func (c *composed) URL() string { return c.endpoint }

// up starts the cloud and waits until its health check passes.
func (c *composed) up(ctx context.Context) error {
	if err := c.do(ctx, "up", "--detach", "--wait"); err != nil {
		return err
	}
	return c.follow()
}

// Save stops the cloud, which saves it to the volume, removes the container, and
// brings another one up from that.
func (c *composed) Save() error {
	ctx := context.Background()
	if err := c.do(ctx, "down"); err != nil {
		return err
	}
	return c.up(ctx)
}

// Close removes the container and what it saved.
func (c *composed) Close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removalTimeout)
	defer cancel()
	return c.do(ctx, "down", "--volumes")
}

// follow keeps what the cloud prints, as long as its container lives.
func (c *composed) follow() error {
	cmd := c.compose(context.Background(), "logs", "--follow", "--no-color", "--no-log-prefix")
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	go func() {
		lines := bufio.NewScanner(out)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			_, _ = cloudLog.Write(append(lines.Bytes(), '\n')) // which cannot fail
		}
		_ = cmd.Wait() // the container has ended, and its log with it
	}()
	return nil
}

func (c *composed) do(ctx context.Context, args ...string) error {
	if out, err := c.compose(ctx, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", strings.Join(c.command, " "), strings.Join(args, " "), err, out)
	}
	return nil
}

func (c *composed) compose(ctx context.Context, args ...string) *exec.Cmd {
	project := []string{"--project-name", composeProject, "--file", "localstack/compose.yaml"}
	cmd := exec.CommandContext(ctx, c.command[0], slices.Concat(c.command[1:], project, args)...)
	cmd.Dir = root
	// A half-started container is left if it is killed.
	cmd.Cancel, cmd.WaitDelay = func() error { return cmd.Process.Signal(os.Interrupt) }, 20*time.Second
	return cmd
}
