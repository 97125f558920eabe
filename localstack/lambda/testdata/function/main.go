// Command function is the bootstrap of the package's tests. BEHAVIOUR chooses
// what it does; the event is a JSON object.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

type event struct {
	Value  string `json:"value"`
	Millis int    `json:"millis"`
}

func main() {
	behaviour := os.Getenv("BEHAVIOUR")
	switch behaviour {
	case "init-exit":
		fmt.Println("CONNECTION_TTL is missing")
		os.Exit(1)
	case "init-slow":
		time.Sleep(400 * time.Millisecond)
	case "init-hang":
		select {}
	case "sigterm":
		// After the callback the process keeps running: SIGKILL must end it.
		lambda.StartWithOptions(echo, lambda.WithEnableSIGTERM(func() { fmt.Println("SIGTERM heard") }))
		return
	}
	handlers := map[string]any{
		"": echo, "init-slow": echo, "sleep": sleep, "exit": exit, "panic": panics, "error": fails,
		"print": prints, "environment": environment, "large": large, "half": half, "context": inContext,
		"clock": clock, "left behind": leavesBehind, "get": gets,
	}
	lambda.Start(handlers[behaviour])
}

func echo(_ context.Context, e json.RawMessage) (json.RawMessage, error) { return e, nil }

func sleep(ctx context.Context, e event) (map[string]any, error) {
	time.Sleep(time.Duration(e.Millis) * time.Millisecond)
	return map[string]any{"pid": os.Getpid()}, nil
}

func exit(context.Context, event) error {
	fmt.Println("last words")
	os.Exit(3)
	return nil
}

func panics(context.Context, event) error { panic("out of cheese") }

func fails(context.Context, event) error {
	fmt.Println("attempt")
	return errors.New("not today")
}

func prints(_ context.Context, e event) (string, error) {
	for line := range strings.SplitSeq(e.Value, "|") {
		fmt.Println(line)
	}
	fmt.Fprint(os.Stderr, "no line end")
	return "printed", nil
}

func environment(context.Context, event) (map[string]string, error) {
	all := map[string]string{}
	for _, kv := range os.Environ() {
		name, value, _ := strings.Cut(kv, "=")
		all[name] = value
	}
	wd, err := os.Getwd()
	all["working directory"] = wd
	return all, err
}

func large(context.Context, event) (string, error) { return strings.Repeat("x", 7<<20), nil }

// half fails in the middle of a streamed response: its error is in the trailers.
func half(context.Context, event) (io.Reader, error) {
	return io.MultiReader(strings.NewReader(`{"half":`), broken{}), nil
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("pipe burst") }

// clock tells the wall clock, and how long a nap took by each clock.
func clock(ctx context.Context, _ event) (map[string]any, error) {
	before := time.Now()
	time.Sleep(20 * time.Millisecond)
	after := time.Now()
	deadline, _ := ctx.Deadline()
	return map[string]any{
		"pid": os.Getpid(), "unixMillis": before.UnixMilli(), "left": time.Until(deadline).Milliseconds(),
		"wall": after.Round(0).Sub(before.Round(0)).Milliseconds(), "monotonic": after.Sub(before).Milliseconds(),
	}, nil
}

// gets asks the server whose URL is the event's value.
func gets(ctx context.Context, e event) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, e.Value, http.NoBody)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}

var beats atomic.Int64

// leavesBehind starts, once, a goroutine that goes on after the answer, and
// tells how far it has come.
func leavesBehind(_ context.Context, e event) (map[string]int64, error) {
	if beats.CompareAndSwap(0, 1) {
		go func() {
			for {
				time.Sleep(time.Millisecond)
				beats.Add(1)
			}
		}()
	}
	before := beats.Load()
	time.Sleep(time.Duration(e.Millis) * time.Millisecond)
	return map[string]int64{"before": before, "after": beats.Load()}, nil
}

func inContext(ctx context.Context, _ event) (map[string]any, error) {
	lc, _ := lambdacontext.FromContext(ctx)
	deadline, _ := ctx.Deadline()
	return map[string]any{
		"arn": lc.InvokedFunctionArn, "request": lc.AwsRequestID, "trace": ctx.Value("x-amzn-trace-id"),
		"left": time.Until(deadline).Milliseconds(), "client": lc.ClientContext.Custom["k"],
		"version": lambdacontext.FunctionVersion,
	}, nil
}
