// Command function is the Lambda of the conformance suite. It reports each
// event to the suite, at DIRECTOR, and does what it is told there, so that a
// test says in one place what its function does. INIT=exit ends it at its
// start; SIGTERM has it register for the signal.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"fanfare/localstack/conformance/testdata/script"
)

// client keeps no connection open: between two events the process may be
// frozen.
var client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

var (
	beats   atomic.Int64
	beating sync.Once
)

func main() {
	if os.Getenv("INIT") == "exit" {
		fmt.Println("this function cannot start")
		os.Exit(1)
	}
	if os.Getenv("SIGTERM") == "" {
		lambda.Start(handle)
		return
	}
	lambda.StartWithOptions(handle, lambda.WithEnableSIGTERM(func() {
		if _, err := report(context.Background(), script.Report{SIGTERM: true}); err != nil {
			fmt.Println("report SIGTERM:", err)
		}
	}))
}

func handle(ctx context.Context, event json.RawMessage) (any, error) {
	lc, _ := lambdacontext.FromContext(ctx)
	deadline, _ := ctx.Deadline()
	trace, _ := ctx.Value("x-amzn-trace-id").(string)
	o, err := report(ctx, script.Report{
		RequestID: lc.AwsRequestID, ARN: lc.InvokedFunctionArn, Trace: trace,
		DeadlineMS: deadline.UnixMilli(), NowMS: time.Now().UnixMilli(), Beats: beats.Load(),
		Environment: environment(), Event: event,
	})
	if err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	for _, line := range o.Print {
		fmt.Println(line)
	}
	if o.Beat {
		beating.Do(func() { go beat() })
	}
	switch {
	case o.Exit != 0:
		os.Exit(o.Exit)
	case o.Panic != "":
		panic(o.Panic)
	case o.Hang:
		select {}
	case o.Error != "":
		return nil, errors.New(o.Error)
	}
	return o.Answer, nil
}

func beat() {
	for range time.Tick(time.Millisecond) {
		beats.Add(1)
	}
}

// report sends r and returns the order that the suite answers with.
func report(ctx context.Context, r script.Report) (o script.Order, err error) {
	r.Key, r.PID = os.Getenv("KEY"), os.Getpid()
	body, err := json.Marshal(r)
	if err != nil {
		return o, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, os.Getenv("DIRECTOR"), bytes.NewReader(body))
	if err != nil {
		return o, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return o, err
	}
	defer resp.Body.Close()
	return o, json.NewDecoder(resp.Body).Decode(&o)
}

func environment() map[string]string {
	all := map[string]string{}
	for _, kv := range os.Environ() {
		name, value, _ := strings.Cut(kv, "=")
		all[name] = value
	}
	return all
}
