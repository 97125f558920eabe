package emulator_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"fanfare/localstack/emulator"
	"fanfare/localstack/lambda"
)

// concurrency is how many messages are under way at a time, each on a socket
// of its own, and so how many processes a function has.
const concurrency = 16

// messagesInRound are sent before the next kind gets its turn.
const messagesInRound = 3000

// BenchmarkMessages measures how many messages a second go through warm
// functions: one way, with a route response, and answered by the function with
// a signed POST to @connections. Beside them stands a bare Runtime API loop:
// the same binary with nothing around it, the wall for all of them. Each
// iteration has a round of each kind, and the median counts.
func BenchmarkMessages(b *testing.B) {
	reports := make(chan struct{}, 4*messagesInRound)
	var counting atomic.Bool
	s := newMessages(b, func(l lambda.LogLine) {
		if counting.Load() && strings.HasPrefix(l.Text, "REPORT ") {
			reports <- struct{}{}
		}
	})
	bare := startBare(b, concurrency)
	perSecond := map[string][]float64{}
	kinds := map[string]func(){
		"bare/s":   func() { bare.round(messagesInRound) },
		"echo/s":   func() { s.answered("echo") },
		"posted/s": func() { s.answered("post") },
		"oneway/s": func() { counting.Store(true); s.oneWay(reports); counting.Store(false) },
	}
	for _, run := range kinds {
		run() // starts the processes
	}
	for b.Loop() {
		for kind, run := range kinds {
			begin := time.Now()
			run()
			perSecond[kind] = append(perSecond[kind], messagesInRound/time.Since(begin).Seconds())
		}
	}
	for kind, figures := range perSecond {
		b.ReportMetric(median(figures), kind)
	}
	b.ReportMetric(0, "ns/op")
}

// messages are open sockets of an API with a function.
type messages struct {
	b       *testing.B
	sockets []*websocket.Conn
}

func newMessages(b *testing.B, log func(lambda.LogLine)) messages {
	b.Helper()
	_, r := embed(b, emulator.New, emulator.Options{FunctionLog: log})
	f := r.function("bench", r.role(), benchZip(b), nil)
	return dialMessages(b, "ws://"+r.api(map[string]string{"oneway": f, "echo": f, "post": f}, "echo"))
}

func dialMessages(b *testing.B, url string) messages {
	b.Helper()
	s := messages{b: b}
	for range concurrency {
		c, _, err := websocket.Dial(b.Context(), url, nil)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = c.CloseNow() })
		s.sockets = append(s.sockets, c)
	}
	return s
}

// answered has each socket send its next message when the last was answered.
func (s messages) answered(action string) {
	var left atomic.Int64
	left.Store(messagesInRound)
	var workers sync.WaitGroup
	for _, c := range s.sockets {
		workers.Go(func() {
			for n := left.Add(-1); n >= 0; n = left.Add(-1) {
				frame := fmt.Sprintf(`{"action":%q,"n":%d}`, action, n)
				got, err := ask(s.b.Context(), c, []byte(frame))
				if err != nil || got != frame {
					s.b.Errorf("sent %s, got %s, error %v", frame, got, err)
					return
				}
			}
		})
	}
	workers.Wait()
}

// oneWay sends a message for each one that the function has done: only its
// REPORT line tells of that.
func (s messages) oneWay(reports <-chan struct{}) {
	for n := range messagesInRound {
		if n >= concurrency {
			<-reports
		}
		if err := s.sockets[n%concurrency].Write(s.b.Context(), websocket.MessageText, []byte(`{"action":"oneway"}`)); err != nil {
			s.b.Fatal(err)
		}
	}
	for range concurrency {
		<-reports
	}
}

// The offered load of BenchmarkRoundTrip.
const (
	offeredPerSecond = 1000
	offeredFor       = 3 * time.Second
)

// BenchmarkRoundTrip offers 1,000 messages a second, whatever comes back, and
// measures each answer from the moment at which its message was due, not at
// which it was sent: a stall counts for everyone who would have waited. What
// this program itself is late by counts too.
func BenchmarkRoundTrip(b *testing.B) {
	s := newMessages(b, nil)
	s.answered("echo") // starts the processes
	var p50, p99 []float64
	for b.Loop() {
		latencies := s.offer()
		slices.Sort(latencies)
		p50 = append(p50, latencies[len(latencies)/2].Seconds()*1e3)
		p99 = append(p99, latencies[len(latencies)*99/100].Seconds()*1e3)
	}
	b.ReportMetric(median(p50), "ms-p50")
	b.ReportMetric(median(p99), "ms-p99")
	b.ReportMetric(0, "ns/op")
}

// offer sends at fixed times, round the sockets, and returns how long each
// answer took.
func (s messages) offer() []time.Duration {
	const total = int(offeredPerSecond * offeredFor / time.Second)
	ctx, cancel := context.WithTimeout(s.b.Context(), 10*offeredFor)
	defer cancel()
	latencies := make([]time.Duration, total)
	begin := time.Now().Add(10 * time.Millisecond)
	due := func(n int) time.Time { return begin.Add(time.Duration(n) * time.Second / offeredPerSecond) }
	var readers sync.WaitGroup
	for i, c := range s.sockets {
		readers.Go(func() {
			for n := i; n < total; n += len(s.sockets) { // so many answers, in any order
				got, err := read(ctx, c)
				if err != nil {
					s.b.Error(err)
					return
				}
				_, number, _ := strings.Cut(got, `"n":`)
				sent, err := strconv.Atoi(strings.TrimSuffix(number, "}"))
				if err != nil || sent < 0 || sent >= total {
					s.b.Errorf("answer %s", got)
					return
				}
				latencies[sent] = time.Since(due(sent))
			}
		})
	}
	for n := range total {
		time.Sleep(time.Until(due(n)))
		frame := fmt.Appendf(nil, `{"action":"echo","n":%d}`, n)
		if err := s.sockets[n%len(s.sockets)].Write(ctx, websocket.MessageText, frame); err != nil {
			s.b.Error(err)
			break
		}
	}
	readers.Wait()
	return latencies
}

// bare plays the Runtime API for processes of the benchmarks' function, as
// little as they need of it.
type bare struct {
	work chan struct{} // one for each invoke
	done chan struct{}
}

func startBare(b *testing.B, processes int) *bare {
	b.Helper()
	exe := filepath.Join(b.TempDir(), "bootstrap")
	if err := build(exe, "./testdata/bench"); err != nil {
		b.Fatal(err)
	}
	r := &bare{work: make(chan struct{}, processes), done: make(chan struct{}, processes)}
	for range processes {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			b.Fatal(err)
		}
		server := &http.Server{Handler: r}
		go func() { _ = server.Serve(l) }() // ends with Close
		cmd := exec.Command(exe)
		cmd.Env = []string{"AWS_LAMBDA_RUNTIME_API=" + l.Addr().String()}
		if err := cmd.Start(); err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait() // "killed", as it was
			_ = server.Close()
		})
	}
	return r
}

// bareEvent is a message's event as API Gateway makes it.
const bareEvent = `{"requestContext":{"routeKey":"echo","messageId":"VOHUyeOCAMgCGdA=","eventType":"MESSAGE","extendedRequestId":"VOHUyeOCAMgCGdA=",` +
	`"requestTime":"24/Nov/2026:10:23:00 +0000","messageDirection":"IN","stage":"live","connectedAt":1795515780000,"requestTimeEpoch":1795515780000,` +
	`"identity":{"userAgent":"Go-http-client/1.1","sourceIp":"127.0.0.1"},"requestId":"VOHUyeOCAMgCGdA=","domainName":"localhost:4566",` +
	`"connectionId":"VOHUyeOCAMgCGdA=","apiId":"a1b2c3d4e5"},"body":"{\"action\":\"echo\",\"n\":1}","isBase64Encoded":false}`

func (r *bare) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if req.Method == http.MethodPost { // a response
		_, err := io.Copy(io.Discard, req.Body)
		w.WriteHeader(http.StatusAccepted)
		if err == nil {
			r.done <- struct{}{}
		}
		return
	}
	select {
	case <-r.work:
	case <-req.Context().Done():
		return
	}
	h := w.Header()
	h.Set("Lambda-Runtime-Aws-Request-Id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd")
	h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(time.Now().Add(30*time.Second).UnixMilli(), 10))
	h.Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-west-1:000000000000:function:bench")
	_, _ = io.WriteString(w, bareEvent) // a process that has gone is noticed by the count
}

// round has the processes serve n events.
func (r *bare) round(n int) {
	go func() {
		for range n {
			r.work <- struct{}{}
		}
	}()
	for range n {
		<-r.done
	}
}
