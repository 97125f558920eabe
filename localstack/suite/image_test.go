package suite

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// The image in the hands of those who grant little: platforms that choose the
// user, a root file system that cannot be written, no capability.
func TestTheImageNeedsLittle(t *testing.T) {
	s := begin(t, ownImage)
	foreign := t.TempDir() // of root or of whoever runs the test
	if err := os.Chmod(foreign, 0o700); err != nil {
		t.Fatal(err)
	}
	volume := "fanfare-test-" + s.stack.run
	t.Cleanup(func() { _, _ = docker(context.Background(), "volume", "rm", volume) })
	data := []string{"-addr", "0.0.0.0:4566", "-data", dataDir}
	const up = "Ready."
	for _, c := range []struct {
		name      string
		options   []string
		arguments []string
		says      string
		not       string
	}{
		{"nothing granted", []string{"--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--tmpfs", "/tmp:exec"}, nil, up, "noexec"},
		{"nothing granted, another user", []string{"--read-only", "--cap-drop", "ALL", "--user", "12345:12345", "--tmpfs", "/tmp:exec"}, nil, up, "noexec"},
		{"another user, a new volume", []string{"--read-only", "--cap-drop", "ALL", "--user", "12345:12345", "--volume", volume + ":" + dataDir}, data, up, "noexec"},
		{"/tmp from which nothing runs", []string{"--read-only", "--tmpfs", "/tmp"}, nil, "mounted noexec", "panic"},
		{"nowhere to write", []string{"--read-only"}, nil, "--tmpfs /tmp:exec", up},
		{"the data directory is another's", []string{"--user", "12345:12345", "--volume", foreign + ":" + dataDir}, data, "runs as user 12345", up},
	} {
		t.Run(c.name, func(t *testing.T) {
			id, err := runDetached(t.Context(), slices.Concat(c.options, []string{ourImage}, c.arguments)...)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if _, err := docker(context.Background(), "rm", "--force", "--volumes", id); err != nil {
					t.Error(err)
				}
			})
			var log string
			s.eventually(func() string {
				if log, err = docker(s.Context(), "logs", id); err != nil {
					t.Fatal(err)
				}
				if !strings.Contains(log, c.says) {
					return fmt.Sprintf("printed, without %q,\n%s", c.says, log)
				}
				return ""
			})
			if strings.Contains(log, c.not) {
				t.Errorf("printed, with %q,\n%s", c.not, log)
			}
			if c.says == up {
				// What the image's health check calls, and what Docker gives no time here to.
				if out, err := docker(t.Context(), "exec", id, "/localstack", "health"); err != nil {
					t.Errorf("health: %v\n%s", err, out)
				}
			}
		})
	}
}

// docker runs a command of Docker's and returns all that it printed.
func docker(ctx context.Context, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, "docker", args...).CombinedOutput()
	text := strings.TrimSpace(string(out))
	if err != nil {
		err = fmt.Errorf("docker %s: %w\n%s", strings.Join(args, " "), err, text)
	}
	return text, err
}
