// Local is `make local`: it brings Fanfare up on this machine, prints what is
// needed to talk to it, shows the functions' logs, and takes everything down on
// Ctrl-C.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path"
	"syscall"
	"time"

	"fanfare/localstack/emulator"
	"fanfare/localstack/lambda"
	"fanfare/scripts/stack"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	err := run(ctx)
	interrupted := ctx.Err() != nil
	stop()
	switch {
	case err != nil && interrupted:
		fmt.Fprintln(os.Stderr, "interrupted: everything is down")
		os.Exit(130)
	case err != nil:
		fmt.Fprintln(os.Stderr, "local:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	port, err := stack.Port()
	if err != nil {
		return err
	}
	begin := time.Now()
	s, err := stack.Up(ctx, stack.Options{
		Root: ".", Dir: ".local", Port: port, Out: os.Stdout, FunctionLog: show,
		Logger: slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		return err
	}
	defer func() {
		s.Close(context.Background())
		fmt.Println("everything is down; the deployed stack is kept in .local/ for the next time")
	}()
	fmt.Printf("\nup in %.1f s\n\n", time.Since(begin).Seconds())
	printGuide(s)
	<-ctx.Done()
	fmt.Println()
	return nil
}

// people are the ready-made tokens: two of a tenant, one of another.
var people = []struct{ user, tenant string }{{"ann", "acme"}, {"bob", "acme"}, {"gil", "globex"}}

func printGuide(s *stack.Stack) {
	o := s.Outputs
	fmt.Println("url        ", o.WebSocketURL)
	fmt.Println("endpoint   ", s.Cloud.URL(), "(any access key); for go run ./localstack, aws and SDKs:")
	fmt.Println("            export AWS_ENDPOINT_URL=" + s.Cloud.URL())
	fmt.Println("queue      ", o.BroadcastQueueURL)
	fmt.Println("table      ", o.TableName)
	for _, p := range people {
		token := s.Token(p.user, p.tenant, "broadcast:*", "subscribe:*")
		fmt.Printf("\n# %s of %s\n%s\n", p.user, p.tenant, stack.Wscat(o.WebSocketURL, token))
	}
	fmt.Println("\nTry, once connected:")
	fmt.Println(`  {"action":"ping","id":"1"}`)
	fmt.Println(`  {"action":"subscribe","channel":"orders","id":"2"}`)
	fmt.Println(`  {"action":"broadcast","to":{"channel":"orders"},"data":{"hello":"world"},"id":"3"}`)
	fmt.Println("\nFurther tokens: go run ./scripts/token -sub u1 -tenant t1 -permissions 'broadcast:*,subscribe:*'")
	fmt.Println("Ctrl-C takes everything down. The functions' logs follow.")
}

// show prints one line of a function's log under the function's name.
func show(l lambda.LogLine) {
	fmt.Printf("%s %-24s %s\n", l.Time.Local().Format("15:04:05.000"), path.Base(l.Group), emulator.Printable(l.Text, "\t"))
}
