package emulator_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"fanfare/localstack/emulator"
	"fanfare/shared/connection"
	"fanfare/shared/gateway"
)

// The load of BenchmarkPostToConnection.
const (
	posters      = 32
	postsInRound = 5000
)

// postFrame is as large as a small broadcast's frame.
const postFrame = `{"type":"message","messageId":"DJW6JNVJPYJ4IQMQTC5YUIWTRW","to":{"tenant":true},"data":{"hello":"world"},"time":1795531971573}`

// BenchmarkPostToConnection measures posts to @connections, signed and
// verified, and compares them with the same cloud without the check and a
// client that does not sign. Rounds of both take turns, and medians count.
func BenchmarkPostToConnection(b *testing.B) {
	verified := newPostTarget(b, emulator.New)
	client, err := gateway.New(gateway.Options{Endpoint: "http://" + verified.stage, Region: "eu-west-1", Credentials: benchCredentials})
	if err != nil {
		b.Fatal(err)
	}
	message := connection.NewMessage([]byte(postFrame))
	signed := func(ctx context.Context, id string) error { return client.Post(ctx, id, message) }
	unverified := newPostTarget(b, emulator.NewUnverified)
	plain := plainPoster("http://" + unverified.stage)

	verified.round(b, signed)
	unverified.round(b, plain)
	var ratios, perSecond []float64
	for b.Loop() {
		with, without := verified.round(b, signed), unverified.round(b, plain)
		ratios = append(ratios, with/without)
		perSecond = append(perSecond, with)
	}
	b.ReportMetric(median(ratios), "x-unsigned")
	b.ReportMetric(median(perSecond), "posts/s")
	b.ReportMetric(0, "ns/op")
}

// postTarget has open sockets whose clients read and drop what comes.
type postTarget struct {
	stage string // host and path
	ids   []string
}

func newPostTarget(b *testing.B, create func(emulator.Options) (*emulator.Emulator, error)) postTarget {
	b.Helper()
	_, r := embed(b, create, emulator.Options{})
	// $default tells each client who it is: the error frame of a route whose
	// function is missing names the connection.
	t := postTarget{stage: r.api(map[string]string{"$default": "arn:aws:lambda:eu-west-1:000000000000:function:missing"})}
	for range posters {
		c, _, err := websocket.Dial(b.Context(), "ws://"+t.stage, nil)
		var frame string
		if err == nil {
			frame, err = ask(b.Context(), c, []byte("{}"))
		}
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = c.CloseNow() })
		t.ids = append(t.ids, connectionID(frame))
		go func() {
			for err == nil {
				_, err = read(context.Background(), c)
			}
		}()
	}
	return t
}

// connectionID reads API Gateway's own frame.
func connectionID(frame string) string {
	_, rest, _ := strings.Cut(frame, `"connectionId":"`)
	id, _, _ := strings.Cut(rest, `"`)
	return id
}

// round posts to all sockets in turn and returns how many posts a second were
// taken. The account's own limit throttles a fast machine: such a post is sent
// again.
func (t postTarget) round(b *testing.B, post func(ctx context.Context, id string) error) float64 {
	b.Helper()
	begin := time.Now()
	var left atomic.Int64
	left.Store(postsInRound)
	var workers sync.WaitGroup
	for range posters {
		workers.Go(func() {
			for n := left.Add(-1); n >= 0; n = left.Add(-1) {
				err := post(b.Context(), t.ids[int(n)%len(t.ids)])
				for errors.Is(err, connection.ErrThrottled) {
					time.Sleep(time.Millisecond)
					err = post(b.Context(), t.ids[int(n)%len(t.ids)])
				}
				if err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	workers.Wait()
	return postsInRound / time.Since(begin).Seconds()
}

// plainPoster posts without signing: the header only says that it is signed.
func plainPoster(stage string) func(ctx context.Context, id string) error {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConns, transport.MaxIdleConnsPerHost = 256, 256
	return func(ctx context.Context, id string) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, stage+"/@connections/"+url.PathEscape(id), strings.NewReader(postFrame))
		if err != nil {
			return err
		}
		req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20261124/eu-west-1/execute-api/aws4_request, SignedHeaders=host;x-amz-date, Signature=none")
		resp, err := transport.RoundTrip(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			return err
		}
		switch resp.StatusCode {
		case http.StatusOK:
			return nil
		case http.StatusTooManyRequests:
			return connection.ErrThrottled
		}
		return fmt.Errorf("status %s", resp.Status)
	}
}
