package lambda

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// rawClient plays a process that writes its HTTP by hand.
type rawClient struct {
	t testing.TB
	net.Conn
	in *bufio.Reader
}

func (c runtimeClient) dial() rawClient {
	c.t.Helper()
	conn, err := net.Dial("tcp", c.api.address())
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil { // a test that hangs fails
		c.t.Fatal(err)
	}
	return rawClient{c.t, conn, bufio.NewReader(conn)}
}

func (c rawClient) send(text string) {
	c.t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		c.t.Fatal(err)
	}
}

func (c rawClient) receive() (*http.Response, string) {
	c.t.Helper()
	res, err := http.ReadResponse(c.in, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return res, string(body)
}

const (
	askNext   = "GET " + nextPath + " HTTP/1.1\r\nHost: x\r\n\r\n"
	postOfID  = "POST " + invocationPath + "id/response HTTP/1.1\r\nHost: x\r\n"
	knownBody = "Content-Length: 4\r\n\r\n\"ok\""
)

func (a *runtimeAPI) isWaiting() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.waiting != nil
}

func (c runtimeClient) begin(inv *invocation) bool {
	return c.api.begin(<-c.api.asking, inv, time.Now().Add(time.Minute))
}

// Each way in which a client may write its response [LDG:runtimes-api].
func TestResponsesInEveryShapeOfHTTP(t *testing.T) {
	for _, tt := range []struct {
		what, request         string
		answer, functionError string
		status                int
		closes, continues     bool
	}{
		{what: "with its length", request: postOfID + knownBody, answer: `"ok"`, status: 202},
		{what: "in chunks", request: postOfID + "Transfer-Encoding: chunked\r\n\r\n1\r\n\"\r\n3\r\nok\"\r\n0\r\n\r\n", answer: `"ok"`, status: 202},
		{
			what: "in chunks with an error as trailer",
			request: postOfID + "Transfer-Encoding: chunked\r\nTrailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\r\n\r\n" +
				"1\r\n1\r\n0\r\nLambda-Runtime-Function-Error-Type: Oops\r\nLambda-Runtime-Function-Error-Body: e30=\r\n\r\n",
			answer: `{}`, functionError: unhandled, status: 202,
		},
		{what: "to be told to go on", request: postOfID + "Expect: 100-continue\r\n" + knownBody, answer: `"ok"`, status: 202, continues: true},
		{what: "as the last of its connection", request: postOfID + "Connection: close\r\n" + knownBody, answer: `"ok"`, status: 202, closes: true},
		{what: "in HTTP/1.0", request: strings.Replace(postOfID, "1.1", "1.0", 1) + knownBody, answer: `"ok"`, status: 202, closes: true},
		{what: "with a query", request: strings.Replace(postOfID, "/response", "/response?x=y", 1) + knownBody, answer: `"ok"`, status: 202},
		{what: "without a body", request: postOfID + "Content-Length: 0\r\n\r\n", status: 202},
	} {
		t.Run(tt.what, func(t *testing.T) {
			c := newRuntimeClient(t)
			inv := anInvocation("id")
			c.next(inv)
			raw := c.dial()
			raw.send(tt.request)
			if tt.continues {
				if res, _ := raw.receive(); res.StatusCode != http.StatusContinue {
					t.Fatalf("status %d, want 100", res.StatusCode)
				}
			}
			res, body := raw.receive()
			if res.StatusCode != tt.status || body != `{"status":"OK"}`+"\n" || res.Header.Get("Date") == "" {
				t.Errorf("%d %v %q", res.StatusCode, res.Header, body)
			}
			answer, functionError, ok := c.api.outcome(inv)
			if string(answer) != tt.answer || functionError != tt.functionError || !ok {
				t.Errorf("outcome %q %q %v", answer, functionError, ok)
			}
			if res.Close != tt.closes {
				t.Errorf("the connection is to be closed: %v, want %v", res.Close, tt.closes)
			}
			if tt.closes {
				if _, err := raw.in.ReadByte(); err != io.EOF {
					t.Errorf("the connection's end: %v", err)
				}
			}
		})
	}
}

func TestRequestsThatAreNoneOfTheRuntimeAPI(t *testing.T) {
	for _, tt := range []struct {
		what, request string
		status        int
	}{
		{"no HTTP", "hello\r\n\r\n", 400},
		{"an unknown path", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 404},
		{"an unknown verb of an invocation", "POST " + invocationPath + "id/answer HTTP/1.1\r\nHost: x\r\n\r\n", 404},
		{"the wrong method", "POST " + nextPath + " HTTP/1.1\r\nHost: x\r\n\r\n", 405},
		{"an expectation that nobody knows", postOfID + "Expect: wonders\r\n" + knownBody, 417},
		{"a coding that nobody knows", postOfID + "Transfer-Encoding: gzip\r\n\r\n", 400},
		{"headers without end", "GET / HTTP/1.1\r\nX: " + strings.Repeat("x", maxHead), 431},
	} {
		t.Run(tt.what, func(t *testing.T) {
			raw := newRuntimeClient(t).dial()
			raw.send(tt.request)
			if res, body := raw.receive(); res.StatusCode != tt.status {
				t.Errorf("%d %q, want %d", res.StatusCode, body, tt.status)
			}
		})
	}
}

// A body that is refused unread does not cost the client the answer.
func TestARefusedBodyIsAnsweredWhileItIsBeingSent(t *testing.T) {
	raw := newRuntimeClient(t).dial()
	const size = 4 << 20
	raw.send(fmt.Sprintf("POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", size))
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		_, _ = raw.Write(make([]byte, size)) // may be cut short
	}()
	if res, _ := raw.receive(); res.StatusCode != 404 || !res.Close {
		t.Errorf("%d, closes: %v", res.StatusCode, res.Close)
	}
	<-sent
}

// A client that loses its connection while it waits asks anew on another, and
// gets the event that would have come on the first.
func TestALostCallOfNextIsForgotten(t *testing.T) {
	c := newRuntimeClient(t)
	first := c.dial()
	first.send(askNext)
	<-c.api.ready
	lost := <-c.api.asking
	_ = first.Close()
	eventually(t, "its end is noticed", func() bool { return !c.api.isWaiting() })
	if c.api.begin(lost, anInvocation("lost"), time.Now()) {
		t.Error("the event went to a client that had gone")
	}
	c.next(anInvocation("id"))
}

// An answer that is sent ahead waits for its turn: what comes back is in order.
func TestRequestsSentAheadAreAnsweredInOrder(t *testing.T) {
	c := newRuntimeClient(t)
	inv := anInvocation("id")
	raw := c.dial()
	raw.send(askNext + postOfID + knownBody)
	if !c.begin(inv) {
		t.Fatal("the event was not taken")
	}
	if _, event := raw.receive(); event != string(inv.payload) {
		t.Errorf("first %q", event)
	}
	if res, body := raw.receive(); res.StatusCode != 202 {
		t.Errorf("then %d %q", res.StatusCode, body)
	}
}

// A process that does not read its event holds nobody up for longer than its
// invoke may take.
func TestALargeEventThatNobodyReadsIsGivenUp(t *testing.T) {
	c := newRuntimeClient(t)
	raw := c.dial()
	raw.send(askNext)
	inv := anInvocation("id")
	inv.payload = make([]byte, 64<<20) // more than any socket buffers
	if !c.api.begin(<-c.api.asking, inv, time.Now().Add(50*time.Millisecond)) {
		t.Error("the event was not begun")
	}
}

func TestAHeaderOfAnEventStaysInItsLine(t *testing.T) {
	c := newRuntimeClient(t)
	inv := anInvocation("id")
	inv.clientContext = "{}\r\nLambda-Runtime-Trace-Id: other"
	res := c.next(inv)
	if got := res.Header.Values("Lambda-Runtime-Trace-Id"); len(got) != 1 || got[0] != "Root=1" {
		t.Errorf("trace %q", got)
	}
}

// owing is a runtimeAPI that tells when it owes an answer.
type owing struct {
	*runtimeAPI
	owed chan struct{}
}

func (o owing) serve(c *runtimeConn, r *http.Request) *reply {
	answer := o.runtimeAPI.serve(c, r)
	if answer == nil {
		close(o.owed) // once: a connection owes one answer at a time, and nobody fulfils it
	}
	return answer
}

// Whatever a process sends, it gets HTTP back or the end of its connection, and
// close ends what waits.
func FuzzRuntimeServer(f *testing.F) {
	for _, seed := range []string{
		askNext, askNext + askNext, postOfID + knownBody, "POST " + initErrorPath + " HTTP/1.0\r\n\r\n",
		postOfID + "Transfer-Encoding: chunked\r\n\r\n1\r\n1\r\n0\r\nA: b\r\n\r\n", postOfID + "Expect: 100-continue\r\nContent-Length: 9\r\n\r\n",
		"GET " + extensionPath + " HTTP/1.1\r\n\r\n", "POST " + registerPath + " HTTP/1.1\r\n" + extensionName + ": x\r\nContent-Length: 2\r\n\r\n{}",
	} {
		f.Add([]byte(seed))
	}
	dir, err := os.MkdirTemp("", "fuzz") // a socket's path must be short
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = os.RemoveAll(dir) })
	var run atomic.Int64
	f.Fuzz(func(t *testing.T, sent []byte) {
		// Not TCP: thousands of connections a second would use up the ports.
		l, err := net.Listen("unix", filepath.Join(dir, strconv.Itoa(os.Getpid())+"-"+strconv.FormatInt(run.Add(1), 10)))
		if err != nil {
			t.Fatal(err)
		}
		api := owing{makeRuntimeAPI(registration{"f", latest, "main"}), make(chan struct{})}
		server := serveRuntime(l, api)
		end := sync.OnceFunc(server.close)
		defer end()
		conn, err := net.Dial("unix", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
		_, _ = conn.Write(sent) // the server may hang up in the middle
		_ = conn.(*net.UnixConn).CloseWrite()
		ended := make(chan struct{})
		go func() {
			select {
			case <-api.owed:
				end()
			case <-ended:
			}
		}()
		got, err := io.ReadAll(conn)
		close(ended)
		if ne, ok := err.(net.Error); ok && ne.Timeout() {
			t.Fatalf("no end after %q", sent)
		}
		if len(got) > 0 && !strings.HasPrefix(string(got), "HTTP/1.1 ") {
			t.Fatalf("answer %q", got)
		}
	})
}
