// Broadcast publishes a broadcast as a back end does, by the broadcast queue,
// and follows its receipt to the end; or tells beforehand what it would take.
//
//	go run ./scripts/broadcast -tenant acme -channel orders -data '{"total":5}'
//	go run ./scripts/broadcast -tenant acme -all -data @news.json -dry-run
//	go run ./scripts/broadcast -status MESSAGEID
//
// It goes to the running `make local`, or to AWS where -outputs, -queue-url and
// -table, or BROADCAST_QUEUE_URL and TABLE_NAME name a deployment. It ends with
// 0 only if nothing failed and nothing is open, with 2 where it is called wrong.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"fanfare/shared/queue"
	"fanfare/shared/store"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	err := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	interrupted := ctx.Err() != nil
	stop()
	_, misused := errors.AsType[*usageError](err)
	switch {
	case err == nil || errors.Is(err, flag.ErrHelp):
	case interrupted:
		fmt.Fprintln(os.Stderr, "broadcast:", err)
		os.Exit(130)
	case misused:
		fmt.Fprintln(os.Stderr, "broadcast:", err, "(-help lists the flags)")
		os.Exit(2)
	default:
		fmt.Fprintln(os.Stderr, "broadcast:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, in io.Reader, out, help io.Writer) error {
	o, err := parseOptions(args, in, help)
	if err != nil {
		return err
	}
	where, err := findTarget(ctx, o, os.Getenv)
	if err != nil {
		return err
	}
	t := &tool{
		options: o, target: where, out: out, view: newView(out), now: time.Now,
		table: store.NewDynamoDB(dynamodb.NewFromConfig(where.config), where.table, store.Options{}),
		queue: queue.NewPublisher(sqs.NewFromConfig(where.config), where.queueURL),
	}
	switch {
	case o.status != "":
		return t.status(ctx)
	case o.dryRun:
		return t.dryRun(ctx)
	default:
		return t.publish(ctx)
	}
}
