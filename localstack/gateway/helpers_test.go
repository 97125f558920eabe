package gateway

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	management "github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
	sdk "github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
	"github.com/aws/smithy-go"
	"github.com/coder/websocket"

	"fanfare/localstack/awsproto"
	"fanfare/localstack/clock"
)

const testStage = "live"

// patience bounds what a test waits for; nothing waits for it to pass.
const patience = 20 * time.Second

// function is a fake Lambda function: an event in, a proxy result out.
type function func(ctx context.Context, inv Invocation) (Result, error)

// cloud is a Service behind HTTP, with fake functions and real SDK clients.
type cloud struct {
	*Service
	*sdk.Client
	url   string // http://127.0.0.1:port
	clock *clock.Clock
	close func()

	mu        sync.Mutex
	functions map[string]function
	events    map[string]chan event
	counts    map[string]int
}

// event is what a function got.
type event struct {
	Invocation
	proxyEvent
}

func newCloud(t *testing.T) *cloud {
	t.Helper()
	return newCloudWith(t, Options{})
}

// newCloudWith is newCloud with more than a clock and functions.
func newCloudWith(t *testing.T, o Options) *cloud {
	t.Helper()
	c := &cloud{clock: clock.New(), functions: map[string]function{}, events: map[string]chan event{}, counts: map[string]int{}}
	o.Clock, o.Invoke = c.clock, c.invokeFake
	c.Service = New(o)
	server := httptest.NewUnstartedServer(frontDoor(c.Service))
	server.Listener, server.Config.ConnContext = Listener(server.Listener), ConnContext
	server.Start()
	c.url = server.URL
	c.Client = sdk.New(sdk.Options{
		Region: "eu-west-1", BaseEndpoint: &c.url, Retryer: aws.NopRetryer{},
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	})
	c.close = sync.OnceFunc(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := c.Service.Close(ctx); err != nil {
			t.Errorf("Close: %v", err)
		}
		server.Close()
		wantNoGoroutines(t)
	})
	t.Cleanup(c.close)
	return c
}

// frontDoor gives requests their Call, as the emulator does.
func frontDoor(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(awsproto.WithCall(r.Context(), awsproto.NewCall(r, ""))))
	})
}

// wantNoGoroutines fails if a goroutine of this package runs on, the test's
// own aside. It is called after Close, which has waited for them.
func wantNoGoroutines(t *testing.T) {
	t.Helper()
	var left string
	for end := time.Now().Add(patience); time.Now().Before(end); runtime.Gosched() {
		if left = strayGoroutine(); left == "" {
			return
		}
	}
	t.Errorf("a goroutine is left after Close:\n%s", left)
}

func strayGoroutine() string {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	for stack := range strings.SplitSeq(string(stacks), "\n\n") {
		if strings.Contains(stack, "gateway.(*socket)") || strings.Contains(stack, "gateway.(*Service)") {
			return stack
		}
	}
	return ""
}

func (c *cloud) invokeFake(ctx context.Context, inv Invocation) (Result, error) {
	name := inv.FunctionARN[strings.LastIndexByte(inv.FunctionARN, ':')+1:]
	e := event{Invocation: inv}
	if err := json.Unmarshal(inv.Payload, &e.proxyEvent); err != nil {
		return Result{}, err
	}
	c.mu.Lock()
	f := c.functions[name]
	c.counts[name]++
	c.mu.Unlock()
	select {
	case c.eventsOf(name) <- e:
	default: // a test that sends so many does not look at them
	}
	if f == nil {
		return answers(200, "")(ctx, inv)
	}
	return f(ctx, inv)
}

func (c *cloud) eventsOf(name string) chan event {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.events[name] == nil {
		c.events[name] = make(chan event, 64)
	}
	return c.events[name]
}

func (c *cloud) set(name string, f function) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.functions[name] = f
}

func (c *cloud) count(name string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.counts[name]
}

// event returns the next event that the function got.
func (c *cloud) event(t *testing.T, name string) event {
	t.Helper()
	select {
	case e := <-c.eventsOf(name):
		return e
	case <-time.After(patience):
		t.Fatalf("%s was not invoked", name)
		return event{}
	}
}

// answers is a function with always the same proxy result.
func answers(status int, body string) function {
	payload, _ := json.Marshal(map[string]any{"statusCode": status, "body": body})
	return returns(string(payload))
}

func returns(payload string) function {
	return func(context.Context, Invocation) (Result, error) { return Result{Payload: []byte(payload)}, nil }
}

func fails(context.Context, Invocation) (Result, error) {
	return Result{Payload: []byte(`{"errorMessage":"boom"}`), Failed: true}, nil
}

// echo answers with the message's body.
func echo(_ context.Context, inv Invocation) (Result, error) {
	var e proxyEvent
	if err := json.Unmarshal(inv.Payload, &e); err != nil {
		return Result{}, err
	}
	payload, err := json.Marshal(map[string]any{"statusCode": 200, "body": *e.Body})
	return Result{Payload: payload}, err
}

func invokeARN(function string) *string {
	return aws.String("arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-west-1:000000000000:function:" + function + "/invocations")
}

// chat is the routing that most tests use: a function per kind of event, and an
// echo on $default that answers.
var chat = map[string]string{"$connect": "connect", "$disconnect": "disconnect", "$default": "echo"}

// deployed is an API with a stage that serves.
type deployed struct {
	*cloud
	id string
}

// deploy makes an API whose route keys are served by the functions of those
// names, all of them two-way, with a deployment and a stage.
func (c *cloud) deploy(t *testing.T, routes map[string]string) *deployed {
	t.Helper()
	c.set("echo", echo)
	d := &deployed{cloud: c, id: c.createAPI(t)}
	for key, name := range routes {
		d.route(t, key, d.integrate(t, name, 29000), true)
	}
	d.release(t, &sdk.CreateStageInput{})
	return d
}

func (c *cloud) createAPI(t *testing.T) string {
	t.Helper()
	out, err := c.CreateApi(t.Context(), &sdk.CreateApiInput{
		Name: aws.String("chat"), ProtocolType: types.ProtocolTypeWebsocket,
		RouteSelectionExpression: aws.String("$request.body.action"),
	})
	must(t, err)
	return *out.ApiId
}

func (d *deployed) integrate(t *testing.T, function string, timeoutMS int32) (id string) {
	t.Helper()
	out, err := d.CreateIntegration(t.Context(), &sdk.CreateIntegrationInput{
		ApiId: &d.id, IntegrationType: types.IntegrationTypeAwsProxy, IntegrationUri: invokeARN(function),
		TimeoutInMillis: &timeoutMS,
	})
	must(t, err)
	return *out.IntegrationId
}

func (d *deployed) route(t *testing.T, key, integration string, twoWay bool) (id string) {
	t.Helper()
	in := &sdk.CreateRouteInput{ApiId: &d.id, RouteKey: &key, Target: aws.String("integrations/" + integration)}
	if twoWay {
		in.RouteResponseSelectionExpression = aws.String("$default")
	}
	out, err := d.CreateRoute(t.Context(), in)
	must(t, err)
	if twoWay {
		_, err = d.CreateRouteResponse(t.Context(), &sdk.CreateRouteResponseInput{ApiId: &d.id, RouteId: out.RouteId, RouteResponseKey: aws.String("$default")})
		must(t, err)
	}
	return *out.RouteId
}

// release deploys the routes to a stage, which it makes of in.
func (d *deployed) release(t *testing.T, in *sdk.CreateStageInput) {
	t.Helper()
	deployment, err := d.CreateDeployment(t.Context(), &sdk.CreateDeploymentInput{ApiId: &d.id})
	must(t, err)
	in.ApiId, in.DeploymentId = &d.id, deployment.DeploymentId
	if in.StageName == nil {
		in.StageName = aws.String(testStage)
	}
	_, err = d.CreateStage(t.Context(), in)
	must(t, err)
}

func (d *deployed) endpoint() string { return d.url + DataPath + d.id + "/" + testStage }

func (d *deployed) management() *management.Client {
	return management.New(management.Options{
		Region: "eu-west-1", BaseEndpoint: aws.String(d.endpoint()), Retryer: aws.NopRetryer{},
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	})
}

func (d *deployed) post(id, message string) error {
	_, err := d.management().PostToConnection(context.Background(), &management.PostToConnectionInput{ConnectionId: &id, Data: []byte(message)})
	return err
}

func (d *deployed) hangUp(t *testing.T, id string) {
	t.Helper()
	_, err := d.management().DeleteConnection(t.Context(), &management.DeleteConnectionInput{ConnectionId: &id})
	must(t, err)
}

// client is a WebSocket client of the library.
type client struct {
	t    *testing.T
	conn *websocket.Conn
	tcp  net.Conn
	id   string // of the connection, if the API has a $connect route
}

// tryDial connects, or returns the answer to the refused upgrade.
func (d *deployed) tryDial(t *testing.T, query string, o *websocket.DialOptions) (*client, *http.Response, error) {
	t.Helper()
	c := &client{t: t}
	if o == nil {
		o = &websocket.DialOptions{}
	}
	o.HTTPClient = &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			tcp, err := new(net.Dialer).DialContext(ctx, network, addr)
			c.tcp = tcp
			return tcp, err
		},
	}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	conn, response, err := websocket.Dial(ctx, strings.Replace(d.endpoint(), "http", "ws", 1)+query, o)
	if err != nil {
		return nil, response, err
	}
	conn.SetReadLimit(-1)
	t.Cleanup(func() { _ = conn.CloseNow() })
	c.conn = conn
	return c, response, nil
}

// dial connects, and waits until the socket is open on our side too.
func (d *deployed) dial(t *testing.T) *client {
	t.Helper()
	c, _, err := d.tryDial(t, "", nil)
	must(t, err)
	c.id = d.event(t, "connect").RequestContext.ConnectionID
	c.ping()
	return c
}

// ping makes a round trip over $default, which must be the echo.
func (c *client) ping() {
	c.t.Helper()
	c.send(`"ping"`)
	c.want(`"ping"`)
}

func (c *client) send(message string) {
	c.t.Helper()
	must(c.t, c.conn.Write(c.t.Context(), websocket.MessageText, []byte(message)))
}

func (c *client) receive() (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	kind, message, err := c.conn.Read(ctx)
	if err == nil && kind != websocket.MessageText {
		err = fmt.Errorf("a frame of kind %v", kind)
	}
	return string(message), err
}

func (c *client) want(message string) {
	c.t.Helper()
	got, err := c.receive()
	must(c.t, err)
	if got != message {
		c.t.Fatalf("got %.200q, want %.200q", got, message)
	}
}

// wantClose reads until the end and checks what the client sees of it.
func (c *client) wantClose(code websocket.StatusCode, reason string) {
	c.t.Helper()
	message, err := c.receive()
	e, ok := errors.AsType[websocket.CloseError](err)
	if !ok || e.Code != code || e.Reason != reason {
		c.t.Fatalf("got %q, %v; want the close frame %d %q", message, err, code, reason)
	}
}

// wantDisconnect checks that $disconnect ran once, with this code and reason.
func (d *deployed) wantDisconnect(t *testing.T, code int, reason string) {
	t.Helper()
	e := d.event(t, "disconnect")
	if got := e.RequestContext; got.DisconnectStatusCode != code || got.DisconnectReason == nil || *got.DisconnectReason != reason {
		t.Errorf("$disconnect got %s; want code %d and reason %q", e.Payload, code, reason)
	}
	d.close()
	if n := d.count("disconnect"); n != 1 {
		t.Errorf("$disconnect ran %d times", n)
	}
}

// rawClient speaks WebSocket frame by frame, and breaks the rules if told to.
type rawClient struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
}

// rawDial sends a handshake with the given header lines, and reads the answer.
func (d *deployed) rawDial(t *testing.T, query string, header ...string) (*rawClient, *http.Response) {
	t.Helper()
	c := d.rawHandshake(t, query, header...)
	response, err := http.ReadResponse(c.in, nil)
	must(t, err)
	return c, response
}

func (d *deployed) rawHandshake(t *testing.T, query string, header ...string) *rawClient {
	t.Helper()
	u, err := url.Parse(d.endpoint())
	must(t, err)
	conn, err := net.Dial("tcp", u.Host)
	must(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	must(t, conn.SetDeadline(time.Now().Add(patience)))
	lines := append([]string{
		"GET " + u.Path + query + " HTTP/1.1", "Host: " + u.Host, "Connection: Upgrade", "Upgrade: websocket",
		"Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
	}, header...)
	_, err = io.WriteString(conn, strings.Join(lines, "\r\n")+"\r\n\r\n")
	must(t, err)
	return &rawClient{t: t, conn: conn, in: bufio.NewReader(conn)}
}

// Opcodes of RFC 6455, with the bit that ends a message.
const (
	frameContinuation = 0x0
	frameText         = 0x1
	frameBinary       = 0x2
	frameClose        = 0x8
	framePing         = 0x9
	framePong         = 0xa
	frameFinal        = 0x80
)

// write sends one frame, masked with zeros.
func (c *rawClient) write(head byte, payload string) {
	c.t.Helper()
	_, err := c.conn.Write(maskedFrame(head, payload))
	must(c.t, err)
}

func maskedFrame(head byte, payload string) []byte {
	b := []byte{head}
	switch n := len(payload); {
	case n < 126:
		b = append(b, 0x80|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(n))
	}
	b = append(b, 0, 0, 0, 0)
	return append(b, payload...)
}

// read returns the next frame.
func (c *rawClient) read() (head byte, payload string) {
	c.t.Helper()
	var f frameParser
	for {
		b, err := c.in.ReadByte()
		must(c.t, err)
		head = b
		if f.have > 0 {
			head = f.header[0]
		}
		f.header[f.have] = b
		f.have++
		if size, ok := f.size(); ok {
			data := make([]byte, size)
			_, err := io.ReadFull(c.in, data)
			must(c.t, err)
			return head, string(data)
		}
	}
}

// wantClose reads the next frame, which must be a close frame with that code.
func (c *rawClient) wantClose(code websocket.StatusCode) {
	c.t.Helper()
	head, payload := c.read()
	if head != frameFinal|frameClose || len(payload) < 2 || binary.BigEndian.Uint16([]byte(payload)) != uint16(code) {
		c.t.Fatalf("got the frame %#x %q, want a close frame with %d", head, payload, code)
	}
}

func closePayload(code websocket.StatusCode, reason string) string {
	return string(binary.BigEndian.AppendUint16(nil, uint16(code))) + reason
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantFault checks an error's code and status, and that its message has the text.
func wantFault(t *testing.T, err error, code string, status int, text string) {
	t.Helper()
	var fault smithy.APIError
	var response interface{ HTTPStatusCode() int }
	switch {
	case !errors.As(err, &fault) || !errors.As(err, &response):
		t.Errorf("got %v, want %s", err, code)
	case fault.ErrorCode() != code || response.HTTPStatusCode() != status || !strings.Contains(fault.ErrorMessage(), text):
		t.Errorf("got %d %s %q, want %d %s about %q", response.HTTPStatusCode(), fault.ErrorCode(), fault.ErrorMessage(), status, code, text)
	}
}
