package gateway_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"

	"fanfare/shared/connection"
	"fanfare/shared/gateway"
)

const (
	benchID     = "R0oX+/AdfD0kwCH6w="
	benchFrame  = `{"type":"message","messageId":"DJW6JNVJPYJ4IQMQTC5YUIWTRW","to":{"tenant":true},"data":{"hello":"world"},"time":1795531971573}`
	postsInPair = 2000
)

// BenchmarkPost compares one post of ours with the SDK's PostToConnection and
// with an unsigned POST by net/http, interleaved in one run: one round of each
// per iteration, -benchtime=15x, the median of the ratios. The stub they post
// to does next to nothing and allocates nothing.
func BenchmarkPost(b *testing.B) {
	for _, concurrency := range []int{1, 32} {
		b.Run("concurrency-"+strconv.Itoa(concurrency), func(b *testing.B) {
			posters := newPosters(b)
			var toPlain, toSDK, allocsToPlain []float64
			for _, p := range posters.all() {
				p.round(b, concurrency) // connections and caches
			}
			for b.Loop() {
				ours, sdk, plain := posters.ours.round(b, concurrency), posters.sdk.round(b, concurrency), posters.plain.round(b, concurrency)
				toPlain = append(toPlain, ours.seconds/plain.seconds)
				toSDK = append(toSDK, ours.seconds/sdk.seconds)
				allocsToPlain = append(allocsToPlain, ours.allocs/plain.allocs)
			}
			b.ReportMetric(median(toPlain), "x-plain")
			b.ReportMetric(median(toSDK), "x-SDK")
			b.ReportMetric(median(allocsToPlain), "x-plain-allocs")
			b.ReportMetric(0, "ns/op")
		})
	}
}

type poster func(ctx context.Context) error

type posters struct{ ours, sdk, plain poster }

func (p posters) all() []poster { return []poster{p.ours, p.sdk, p.plain} }

func newPosters(b *testing.B) posters {
	b.Helper()
	endpoint := "http://" + stub(b) + "/live"
	creds := credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "a-session-token-as-every-lambda-has-one")
	client, err := gateway.New(gateway.Options{Endpoint: endpoint, Region: "us-east-1", Credentials: creds})
	if err != nil {
		b.Fatal(err)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConns, transport.MaxIdleConnsPerHost = 256, 256
	httpClient := &http.Client{Transport: transport}
	api := apigatewaymanagementapi.New(apigatewaymanagementapi.Options{
		BaseEndpoint: aws.String(endpoint), Region: "us-east-1", Credentials: creds, HTTPClient: httpClient,
	})
	message := connection.NewMessage([]byte(benchFrame))
	url := endpoint + "/@connections/R0oX%2B%2FAdfD0kwCH6w%3D"
	return posters{
		ours: func(ctx context.Context) error { return client.Post(ctx, benchID, message) },
		sdk: func(ctx context.Context) error {
			_, err := api.PostToConnection(ctx, &apigatewaymanagementapi.PostToConnectionInput{ConnectionId: aws.String(benchID), Data: []byte(benchFrame)})
			return err
		},
		plain: func(ctx context.Context) error {
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader([]byte(benchFrame)))
			if err != nil {
				return err
			}
			resp, err := httpClient.Do(req)
			if err != nil {
				return err
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			return resp.Body.Close()
		},
	}
}

// round is what a round of posts cost.
type round struct{ seconds, allocs float64 }

func (p poster) round(b *testing.B, concurrency int) round {
	b.Helper()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	begin := time.Now()
	var left atomic.Int64
	left.Store(postsInPair)
	var workers sync.WaitGroup
	for range concurrency {
		workers.Go(func() {
			for left.Add(-1) >= 0 {
				if err := p(b.Context()); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	workers.Wait()
	seconds := time.Since(begin).Seconds()
	runtime.ReadMemStats(&after)
	return round{seconds: seconds, allocs: float64(after.Mallocs - before.Mallocs)}
}

// stub answers every request on a kept-alive connection as @connections does.
func stub(b *testing.B) (addr string) {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go serveStub(conn)
		}
	}()
	return l.Addr().String()
}

var (
	stubAnswer    = []byte("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 0\r\nx-amzn-requestid: R1kmxEhANjMFkMg=\r\n\r\n")
	contentLength = []byte("Content-Length: ")
)

func serveStub(conn net.Conn) {
	defer conn.Close()
	r := bufio.NewReader(conn)
	for {
		length := 0
		for {
			line, err := r.ReadSlice('\n')
			if err != nil {
				return
			}
			if v, ok := bytes.CutPrefix(line, contentLength); ok {
				for _, d := range bytes.TrimSpace(v) {
					length = length*10 + int(d-'0')
				}
			}
			if len(line) == 2 {
				break
			}
		}
		if _, err := r.Discard(length); err != nil {
			return
		}
		if _, err := conn.Write(stubAnswer); err != nil {
			return
		}
	}
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}
