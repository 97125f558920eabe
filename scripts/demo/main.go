// Demo is `make demo`: it deploys Fanfare to the local cloud with Terraform,
// connects clients of two tenants, broadcasts to each kind of audience, from a
// client and from the queue, shows each frame as it arrives, and takes
// everything down. It ends with 0 only if every client got exactly the frames
// it should and no other.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"fanfare/scripts/stack"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	begin := time.Now()
	err := run(ctx)
	interrupted := ctx.Err() != nil
	stop()
	switch {
	case interrupted:
		fmt.Fprintln(os.Stderr, "interrupted: everything is down")
		os.Exit(130)
	case err != nil:
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
	fmt.Printf("\ndemo passed in %.0f s: every client got exactly what it should, the other tenant got nothing of it\n", time.Since(begin).Seconds())
}

func run(ctx context.Context) (err error) {
	port, err := stack.Port()
	if err != nil {
		return err
	}
	s, err := stack.Up(ctx, stack.Options{
		Root: ".", Dir: ".local/demo", Port: port, Out: os.Stdout, Fresh: true,
		Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		return err
	}
	defer s.Close(context.WithoutCancel(ctx))

	err = play(ctx, s)
	if ctx.Err() != nil {
		return ctx.Err() // the cloud ends with us; the next start forgets what is left
	}
	fmt.Println()
	return errors.Join(err, s.Destroy(ctx))
}
