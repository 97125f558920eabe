// Infratest is `make infra-test`: formatting, validation and the mocked tests of
// the Terraform root module and of each module, with the provider found as for the
// other verbs; and, at the same time, the tests that apply the root to local
// clouds (infra/integration), which mostly wait.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"time"

	"fanfare/scripts/stack"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "infra-test:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer) error {
	var applied error
	var text bytes.Buffer // shown afterwards, in one piece
	var wg sync.WaitGroup
	wg.Go(func() { applied = applyToLocalClouds(ctx, &text) })
	mocked := stack.TestInfra(ctx, ".", out)
	begin := time.Now()
	wg.Wait()
	_, err := fmt.Fprintf(out, "%s  waited %.0f s longer for the tests that apply than for the mocked ones\n", &text, time.Since(begin).Seconds())
	return errors.Join(mocked, applied, err)
}

// applyToLocalClouds runs infra/integration.
func applyToLocalClouds(ctx context.Context, out io.Writer) error {
	cmd := exec.CommandContext(ctx, "go", "test", "-count=1", "-v", "-timeout", "15m", "./infra/integration", "-live")
	cmd.Stdout, cmd.Stderr = out, out
	// Interrupted, it stops Terraform, which saves its state.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 30 * time.Second
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("infra/integration: %w", err)
	}
	return nil
}
