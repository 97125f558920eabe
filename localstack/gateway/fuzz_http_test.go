package gateway

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"fanfare/localstack/clock"
)

// serve answers one request, if the URL can be one at all.
func serve(h http.Handler, method, path, body string, header ...string) *httptest.ResponseRecorder {
	r, err := http.NewRequest(method, "http://localhost:4566", strings.NewReader(body))
	if err != nil {
		return nil
	}
	u, err := r.URL.Parse(path)
	if err != nil || u.Host != "localhost:4566" {
		return nil
	}
	r.URL = u
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	frontDoor(h).ServeHTTP(w, r)
	return w
}

// fuzzAPI is an API with a stage, made without HTTP.
func fuzzAPI(s *Service) (id string) {
	make := func(path, body string) map[string]any {
		var out map[string]any
		_ = json.Unmarshal(serve(s, "POST", "/v2/apis"+path, body).Body.Bytes(), &out)
		return out
	}
	id = make("", `{"name":"chat","protocolType":"WEBSOCKET","routeSelectionExpression":"$request.body.action"}`)["apiId"].(string)
	i := make("/"+id+"/integrations", `{"integrationType":"AWS_PROXY","integrationUri":"`+*invokeARN("f")+`"}`)["integrationId"].(string)
	make("/"+id+"/routes", `{"routeKey":"$default","target":"integrations/`+i+`"}`)
	make("/"+id+"/stages", `{"stageName":"live","autoDeploy":true}`)
	return id
}

// Whatever the control plane gets, it answers, and never with an error of its own.
func FuzzControlPlane(f *testing.F) {
	f.Add("POST", "apis/API/stages", `{"stageName":"x","accessLogSettings":{"destinationArn":"`+logGroupARN+`","format":"$context.requestId"}}`)
	f.Add("PATCH", "apis/API/stages/live", `{"routeSettings":{"a":null},"accessLogSettings":null,"stageVariables":{"a":""}}`)
	f.Add("POST", "apis/API/routes", `{"routeKey":"a","target":"integrations/"}`)
	f.Add("POST", "apis/API/deployments", `{"stageName":"live"}`)
	f.Add("DELETE", "apis/API/stages/live/routesettings/%2F", ``)
	f.Add("POST", "tags/arn:aws:apigateway:eu-west-1::%2Fapis%2FAPI%2Fstages%2Flive", `{"Tags":{"a":"b"}}`)
	f.Add("PATCH", "../account", giveRole)
	f.Fuzz(func(t *testing.T, method, path, body string) {
		s := New(Options{})
		w := serve(s, method, "/v2/"+strings.ReplaceAll(path, "API", fuzzAPI(s)), body)
		if w == nil {
			return
		}
		if w.Code >= 500 {
			t.Fatalf("%s %q %q: %d %s", method, path, body, w.Code, w.Body)
		}
		snapshot, err := s.Snapshot()
		if err == nil {
			err = s.Restore(snapshot)
		}
		if err != nil {
			t.Fatalf("after %s %q %q: %v", method, path, body, err)
		}
	})
}

// Without a connection to hijack, the data plane can only refuse.
func FuzzDataPlane(f *testing.F) {
	f.Add("GET", "/live", "websocket", "dGhlIHNhbXBsZSBub25jZQ==", "")
	f.Add("POST", "/live/@connections/R1kmxc2VNjMCFIA=", "", "", "hello")
	f.Add("DELETE", "/live/%40connections/%00", "", "", "")
	f.Add("GET", "/live", "websocket", "dGhlIHNhbXBsZSBub25jZQ==", "a body")
	s := New(Options{})
	id := fuzzAPI(s)
	f.Fuzz(func(t *testing.T, method, path, upgrade, key, body string) {
		if body == "" && upgrade == "websocket" && len(key) == 24 { // goes on to Accept, which FuzzHandshake is for
			return
		}
		w := serve(s, method, DataPath+id+path, body, "Upgrade", upgrade, "Connection", "Upgrade",
			"Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", key,
			"Authorization", "AWS4-HMAC-SHA256 Credential=test/20240120/eu-west-1/execute-api/aws4_request, SignedHeaders=host, Signature=0")
		if w != nil && strings.HasPrefix(path, "/live/@connections/") && (w.Code < 400 || w.Code >= 500) {
			t.Fatalf("%s %q: %d %s", method, path, w.Code, w.Body)
		}
		if body != "" && len(s.sockets.list()) > 0 {
			t.Fatalf("%s %q with a body was admitted: %d %s", method, path, w.Code, w.Body)
		}
	})
}

// Whatever a handshake's header says, it is answered without another byte from
// the client, and nothing is left of it when the client has gone.
func FuzzHandshake(f *testing.F) {
	f.Add("X-A: b")
	f.Add("Content-Length: 100")
	f.Add("Transfer-Encoding: chunked")
	f.Add("Expect: 100-continue\r\nContent-Length: 1")
	f.Add("Sec-WebSocket-Protocol: a, b\r\nConnection: close")
	f.Add("X-Amzn-Trace-Id: Root=1-x;Lineage=a87bd80c:16")
	s := New(Options{})
	path := DataPath + fuzzAPI(s) + "/live"
	at := newPipeListener()
	server := &http.Server{Handler: frontDoor(s), ErrorLog: log.New(io.Discard, "", 0)}
	go func() { _ = server.Serve(at) }() // until the process ends
	f.Fuzz(func(t *testing.T, header string) {
		ours := at.dial()
		must(t, ours.SetDeadline(time.Now().Add(patience)))
		go func() {
			_, _ = io.WriteString(ours, "GET "+path+" HTTP/1.1\r\nHost: localhost:4566\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
				"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"+header+"\r\n\r\n")
		}()
		if _, err := http.ReadResponse(bufio.NewReader(ours), nil); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("no answer to %q", header)
		}
		list := s.sockets.list()
		_ = ours.Close()
		for _, k := range list {
			select {
			case <-k.done:
			case <-time.After(patience):
				t.Fatalf("the socket of %q does not end with its client", header)
			}
		}
	})
}

// list returns all sockets, admitted or not.
func (s *sockets) list() []*socket {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Collect(maps.Values(s.byID))
}

// pipeListener takes connections of this process.
type pipeListener struct{ conns chan net.Conn }

func newPipeListener() pipeListener { return pipeListener{make(chan net.Conn)} }

func (l pipeListener) dial() net.Conn {
	ours, theirs := net.Pipe()
	l.conns <- theirs
	return ours
}

func (l pipeListener) Accept() (net.Conn, error) { return <-l.conns, nil }
func (l pipeListener) Close() error              { return nil }
func (l pipeListener) Addr() net.Addr            { return &net.TCPAddr{} }

func FuzzProxyResult(f *testing.F) {
	f.Add(`{"statusCode":200,"headers":{"a":"b"},"multiValueHeaders":{"c":["d"]},"body":"x"}`)
	f.Add(`{"statusCode":1e2}`)
	f.Add(`null`)
	f.Fuzz(func(t *testing.T, payload string) {
		p, err := parseProxyResult([]byte(payload))
		if err == nil && (p.StatusCode < 200 || p.StatusCode > 599 || !json.Valid([]byte(payload))) {
			t.Fatalf("%q gives %+v", payload, p)
		}
		_ = p.header("Sec-WebSocket-Protocol")
	})
}

func FuzzFunctionARN(f *testing.F) {
	f.Add(*invokeARN("a-${stageVariables.x}"), "blue")
	f.Add(*invokeARN("${stageVariables.x}${stageVariables."), "${stageVariables.x}")
	f.Fuzz(func(t *testing.T, uri, value string) {
		arn, err := functionARN(uri, map[string]string{"x": value})
		if err == nil && len(arn) > len(uri)*(len(value)+1) {
			t.Fatalf("%q with %q gives %q", uri, value, arn)
		}
	})
}

// A JSON format stays JSON, whatever the values are.
func FuzzAccessLogFormat(f *testing.F) {
	f.Add("$context.requestId $context.a.b", "x")
	f.Add(`{"a":"$context.requestId","b":"$context.a.b."}`, "\"\\\x00\xff\u2028</script>")
	f.Fuzz(func(t *testing.T, format, value string) {
		line := expand(format, map[string]any{"requestId": value, "a": map[string]any{"b": value}})
		if json.Valid([]byte(format)) && !json.Valid([]byte(line)) {
			t.Fatalf("%q with %q gives %q", format, value, line)
		}
		_ = accessLogSettings{format, value}.group()
	})
}

func FuzzHead(f *testing.F) {
	f.Add("GET / HTTP/1.1\r\nSec-WebSocket-Key: k\r\nx-A: b\r\n\r\nrest", 3)
	f.Add("GET \r\n:\r\n\r\n", 1)
	f.Fuzz(func(t *testing.T, stream string, piece int) {
		piece = max(1, piece)
		c := &spellingConn{recording: true}
		for rest := stream; rest != "" && c.recording; rest = rest[min(piece, len(rest)):] {
			c.record([]byte(rest[:min(piece, len(rest))]))
		}
		r := &http.Request{Header: http.Header{"Sec-Websocket-Key": {"k"}}}
		if len(c.head) > maxHead+1 {
			t.Fatalf("%d bytes are kept", len(c.head))
		}
		for canonical, name := range spellingOf(r.WithContext(ConnContext(context.Background(), c))) {
			if !strings.EqualFold(canonical, name) || !strings.Contains(stream, name) {
				t.Fatalf("%q is spelt %q", canonical, name)
			}
		}
	})
}

// Whatever a client sends after the handshake, the socket ends with the stream,
// and what it takes for messages is within the limits.
func FuzzSocket(f *testing.F) {
	f.Add(maskedFrame(frameFinal|frameText, "hello"))
	f.Add(append(maskedFrame(frameText, "a"), maskedFrame(frameFinal|frameContinuation, "b")...))
	f.Add(append(maskedFrame(frameFinal|framePing, "x"), maskedFrame(frameFinal|frameClose, closePayload(1000, ""))...))
	f.Add(maskedFrame(frameFinal|frameClose, closePayload(1000, "by\xffe")))
	f.Add([]byte{0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, stream []byte) {
		ours, theirs := net.Pipe()
		k := &socket{clock: clock.New(), done: make(chan struct{})}
		k.admit()
		w := &upgradeWriter{ResponseWriter: &hijacked{ResponseRecorder: httptest.NewRecorder(), conn: ours}, tooLarge: func() { k.close(closedBySize) }}
		r := httptest.NewRequest("GET", "/", nil)
		for name, value := range map[string]string{"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="} {
			r.Header.Set(name, value)
		}
		conn, err := websocket.Accept(w, r, acceptOptions(""))
		must(t, err)
		k.open(conn, ours)
		go func() { _, _ = io.Copy(io.Discard, theirs) }()
		go func() { _, _ = theirs.Write(stream); _ = theirs.Close() }()
		ended := time.AfterFunc(patience, func() { panic("the socket does not end") })
		defer ended.Stop()
		k.read(context.Background(), func(message []byte) {
			if len(message) > maxMessage {
				t.Errorf("a message of %d bytes", len(message))
			}
		})
		_ = conn.CloseNow()
		k.work.Wait()
	})
}

// hijacked is a ResponseWriter over a connection.
type hijacked struct {
	*httptest.ResponseRecorder
	conn net.Conn
}

func (h *hijacked) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return h.conn, bufio.NewReadWriter(bufio.NewReader(h.conn), bufio.NewWriter(h.conn)), nil
}
