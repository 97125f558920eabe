// Localstack is the local cloud as a program: API Gateway WebSocket APIs, Go
// Lambdas, DynamoDB, SQS, IAM, STS and CloudWatch on one port, without an
// account, a token or Docker.
//
//	go run ./localstack [-addr 127.0.0.1:4566] [-data DIR]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"fanfare/localstack/emulator"
	"fanfare/localstack/lambda"
)

// closeTimeout bounds how long sockets and functions may take to end.
const closeTimeout = 10 * time.Second

func main() {
	addr := flag.String("addr", emulator.DefaultAddr, "`address` to listen at")
	data := flag.String("data", "", "`directory` to load the state from and, at a clean stop, save it to; empty keeps nothing")
	quiet := flag.Bool("quiet", false, "log only what fails or is not supported")
	flag.Usage = usage
	flag.Parse()
	if flag.NArg() > 0 {
		usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	err := run(ctx, *addr, *data, *quiet)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "localstack:", err)
		os.Exit(1)
	}
}

func usage() {
	w := flag.CommandLine.Output()
	fmt.Fprint(w, `A local cloud for WebSocket APIs with Lambda functions that are bootstrap binaries.

usage: go run ./localstack [-addr 127.0.0.1:4566] [-data DIR] [-quiet]

Point anything that speaks to AWS at it:
  export AWS_ENDPOINT_URL=http://127.0.0.1:4566 AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_REGION=us-east-1
  terraform apply

`)
	flag.PrintDefaults()
}

func run(ctx context.Context, addr, data string, quiet bool) error {
	cloud, err := emulator.New(emulator.Options{
		Addr: addr, DataDir: data, SaveOnClose: data != "", LogRequests: !quiet,
		Logger:      slog.New(slog.NewTextHandler(os.Stderr, nil)),
		FunctionLog: func(l lambda.LogLine) { fmt.Printf("%s %s\n", l.Group, l.Text) },
	})
	if err != nil {
		return err
	}
	err = cloud.Start()
	if used, ok := errors.AsType[*emulator.PortInUseError](err); ok {
		return fmt.Errorf("%w (-addr)", used)
	}
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "ready at", cloud.URL())
	<-ctx.Done()

	end, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	return cloud.Close(end)
}
