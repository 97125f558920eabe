package conformance

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	management "github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
	mgmttypes "github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi/types"
	"github.com/aws/smithy-go"
	"github.com/coder/websocket"
)

func TestConnections(t *testing.T) { check(t, connectionsClaims) }

var connectionsClaims = []claim{
	{says: "POST is 200 with content-type application-json, no body and AWS's two ids", sources: "[BREF]", test: managePost},
	{says: "DELETE is 204 without content-type", sources: "[BREF]", test: manageDelete},
	{says: "GET is 200 with connectedAt, identity and lastActiveAt in milliseconds", sources: "[BREF]", test: manageGet},
	{says: "GET gives userAgent null for a client that sent none", sources: "[BREF]", test: manageGetBare},
	{says: "a connection that is gone is 410 with an empty body, and GoneException to the SDK", sources: "[BREF] [GORUN]", test: manageGone},
	{says: "a well-formed id that never was is 410", sources: "[BREF] [ISS:localstack#4694]", test: manageUnknown},
	{says: "a malformed id is 400 Invalid connectionId, BadRequestException to the SDK", sources: "[BREF] [GORUN]", test: manageMalformed},
	{says: "a connection is 410 while its $connect runs, and there once it has returned", sources: "[WEB:repost.aws 410-gone-api-gateway]", test: manageDuringConnect},
	{says: "a connection whose $connect refused it is 410", sources: "[WEB:repost.aws 410-gone-api-gateway]", test: manageRefused},
	{says: "DELETE, then POST, GET and DELETE are 410", sources: "[BOTO:apigatewaymanagementapi GoneException]", test: manageAfterDelete},
	{says: "a payload of 131072 bytes is taken, one byte more is 413 PayloadTooLargeException", sources: "[BOTO:apigatewaymanagementapi PayloadTooLargeException]", test: manageTooLarge},
	{says: "a payload of 32 to 128 KB comes in frames of at most 32 KB", sources: "[WEB:apigateway-execution-service-websocket-limits-table]", test: manageLarge},
	{says: "what is posted comes as text", sources: "[DG:websocket-api-develop-binary-media-types]", unverified: true, test: manageText},
	{says: "a client whose buffer is full is 429 LimitExceededException, for others nothing changes", sources: "[BOTO:apigatewaymanagementapi LimitExceededException]", test: manageBufferFull},
	{says: "the paths @connections and %40connections are the same", sources: "[GORUN]", test: manageSpellings},
	{says: "another stage and another API do not know the connection", sources: "[BREF]", test: manageOtherAPI},
	{says: "@connections without a stage is ForbiddenException", sources: "[ISS:aws-sdk-js-v3#1830]", test: manageWithoutStage},
}

var deployer = aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}

// manage sends a signed request to a URL, whose path is sent as it is spelled.
func manage(t *testing.T, method, target, body string, keys aws.Credentials) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	sign(t, req, body, "execute-api", keys)
	return send(t, req)
}

func sign(t *testing.T, req *http.Request, body, service string, keys aws.Credentials) {
	t.Helper()
	hash := sha256.Sum256([]byte(body))
	if err := v4.NewSigner().SignHTTP(t.Context(), keys, req, hex.EncodeToString(hash[:]), service, region, time.Now()); err != nil {
		t.Fatal(err)
	}
}

func send(t *testing.T, req *http.Request) answer {
	t.Helper()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(got)}
}

// connectionURL is a connection's, with the id escaped as the SDKs do.
func (a *api) connectionURL(id string) string {
	return strings.Replace(a.url, "ws://", "http://", 1) + "/@connections/" + strings.ReplaceAll(url.QueryEscape(id), "+", "%20")
}

func (a *api) manage(method, id, body string) answer {
	a.t.Helper()
	return manage(a.t, method, a.connectionURL(id), body, deployer)
}

// wantManaged checks the status and returns the answer.
func (a *api) wantManaged(method, id, body string, want int) answer {
	a.t.Helper()
	got := a.manage(method, id, body)
	if got.status != want {
		a.t.Errorf("%s: HTTP %d %s, want %d", method, got.status, got.body, want)
	}
	if got.header.Get("x-amzn-requestid") == "" || got.header.Get("x-amz-apigw-id") == "" {
		a.t.Errorf("%s: headers %v lack x-amzn-requestid or x-amz-apigw-id", method, got.header)
	}
	return got
}

// client is the SDK's, without retries.
func (a *api) client() *management.Client {
	return management.New(management.Options{
		Region: region, BaseEndpoint: aws.String(strings.Replace(a.url, "ws://", "http://", 1)), Retryer: aws.NopRetryer{},
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	})
}

func (a *api) post(id string, data []byte) error {
	_, err := a.client().PostToConnection(context.Background(), &management.PostToConnectionInput{ConnectionId: &id, Data: data})
	return err
}

func managePost(t *testing.T) {
	a := shared(t).deploy(t, spec{})
	s := a.dial()
	got := a.wantManaged("POST", s.id, "hello", 200)
	if got.header.Get("Content-Type") != "application/json" || got.header.Get("Content-Length") != "0" {
		t.Errorf("headers %v", got.header)
	}
	if err := a.post(s.id, []byte("by SDK")); err != nil {
		t.Error(err)
	}
	if one, two := s.read(), s.read(); one != "hello" || two != "by SDK" {
		t.Errorf("the client got %q, %q", one, two)
	}
}

func manageDelete(t *testing.T) {
	a := shared(t).deploy(t, spec{})
	if got := a.wantManaged("DELETE", a.dial().id, "", 204); len(got.header.Values("Content-Type")) > 0 || got.body != "" {
		t.Errorf("headers %v, body %q", got.header, got.body)
	}
}

const isoMillis = "2006-01-02T15:04:05.000Z"

func manageGet(t *testing.T) {
	a := shared(t).deploy(t, spec{})
	conn, _ := a.handshake("", &websocket.DialOptions{HTTPHeader: http.Header{"User-Agent": {"conformance"}}})
	if conn == nil {
		t.Fatal("the upgrade was refused")
	}
	got := a.wantManaged("GET", a.next("$connect").Context.ConnectionID, "", 200)
	var info map[string]any
	if err := json.Unmarshal([]byte(got.body), &info); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"connectedAt", "lastActiveAt"} {
		text, _ := info[name].(string)
		if at, err := time.Parse(isoMillis, text); err != nil || time.Since(at) > time.Minute {
			t.Errorf("%s is %v: %v", name, info[name], err)
		}
	}
	identity, _ := info["identity"].(map[string]any)
	if ip, _ := identity["sourceIp"].(string); !placeholders["ip"].MatchString(ip) || identity["userAgent"] != "conformance" || len(info) != 3 {
		t.Errorf("answer %s", got.body)
	}
}

func manageGetBare(t *testing.T) {
	a := shared(t).deploy(t, spec{})
	a.dialRaw()
	if got := a.wantManaged("GET", a.next("$connect").Context.ConnectionID, "", 200); !strings.Contains(got.body, `"userAgent":null`) {
		t.Errorf("answer %s", got.body)
	}
}

// wantGone checks the answer of a connection that is not there.
func (a *api) wantGone(method, id string) {
	a.t.Helper()
	if got := a.wantManaged(method, id, "x", 410); got.body != "" || got.header.Get("x-amzn-errortype") != "GoneException" {
		a.t.Errorf("%s: body %q, error type %q", method, got.body, got.header.Get("x-amzn-errortype"))
	}
}

func manageGone(t *testing.T) {
	a := shared(t).deploy(t, spec{})
	s := a.dial()
	if err := s.c.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Fatal(err)
	}
	a.next("$disconnect")
	a.wantGone("POST", s.id)
	if _, ok := errors.AsType[*mgmttypes.GoneException](a.post(s.id, []byte("x"))); !ok {
		t.Error("the SDK knows no GoneException")
	}
}

func manageUnknown(t *testing.T) {
	a := shared(t).deploy(t, spec{})
	for _, id := range []string{"R1kmxc2VNjMCFIA=", "JC1dgf9yoAMCK-g=", "R0oX+/AdfD0kwCA="} {
		for _, method := range []string{"POST", "GET", "DELETE"} {
			a.wantGone(method, id)
		}
	}
}

func manageMalformed(t *testing.T) {
	a := shared(t).deploy(t, spec{})
	for _, id := range []string{"x", "not a connection", "R1kmxc2VNjMCFIA=="} {
		got := a.wantManaged("POST", id, "x", 400)
		if want := `{"message":"Invalid connectionId: ` + id + `"}`; got.body != want || got.header.Get("x-amzn-errortype") != "BadRequestException" {
			t.Errorf("answer %s, want %s; error type %s", got.body, want, got.header.Get("x-amzn-errortype"))
		}
	}
	e, ok := errors.AsType[smithy.APIError](a.post("x", []byte("x")))
	if !ok || e.ErrorCode() != "BadRequestException" {
		t.Errorf("the SDK's error is %v", e)
	}
}

func manageDuringConnect(t *testing.T) {
	g := newGate(t)
	a := shared(t).deploy(t, spec{do: func(c call) order { g.hold(c); return ok("") }})
	opened := make(chan *raw)
	go func() { opened <- a.request("", handshakeLines) }()
	id := g.wait(t).Context.ConnectionID
	a.wantGone("POST", id)
	a.wantGone("GET", id)
	g.open()
	<-opened
	a.wantManaged("POST", id, "x", 200)
}

func manageRefused(t *testing.T) {
	a := shared(t).deploy(t, spec{do: func(call) order { return status(403, "") }})
	a.refused("", 403, "")
	a.wantGone("POST", a.next("$connect").Context.ConnectionID)
}

func manageAfterDelete(t *testing.T) {
	a := shared(t).deploy(t, spec{})
	s := a.dial()
	a.wantManaged("DELETE", s.id, "", 204)
	for _, method := range []string{"POST", "GET", "DELETE"} {
		a.wantGone(method, s.id)
	}
}

func manageTooLarge(t *testing.T) {
	a := shared(t).deploy(t, spec{})
	s := a.dial()
	if err := a.post(s.id, bytes.Repeat([]byte("x"), 131072)); err != nil {
		t.Error(err)
	}
	if got := len(s.read()); got != 131072 {
		t.Errorf("%d bytes came", got)
	}
	err := a.post(s.id, bytes.Repeat([]byte("x"), 131073))
	if _, ok := errors.AsType[*mgmttypes.PayloadTooLargeException](err); !ok {
		t.Errorf("the SDK's error is %v", err)
	}
	a.wantManaged("POST", s.id, strings.Repeat("x", 131073), 413)
}

func manageLarge(t *testing.T) {
	a := shared(t).deploy(t, spec{})
	c := a.dialRaw()
	a.wantManaged("POST", a.next("$connect").Context.ConnectionID, strings.Repeat("x", 100*kb), 200)
	total := 0
	for final := false; !final; {
		first, payload := c.frame()
		if len(payload) > 32*kb {
			t.Errorf("a frame of %d bytes", len(payload))
		}
		total, final = total+len(payload), first&finalBit != 0
	}
	if total != 100*kb {
		t.Errorf("%d bytes came", total)
	}
}

func manageText(t *testing.T) {
	a := shared(t).deploy(t, spec{})
	c := a.dialRaw()
	a.wantManaged("POST", a.next("$connect").Context.ConnectionID, "x", 200)
	if first, payload := c.frame(); first != finalBit|opText || string(payload) != "x" {
		t.Errorf("frame %#x %q", first, payload)
	}
}

func manageBufferFull(t *testing.T) {
	a := shared(t).deploy(t, spec{})
	a.dialRaw() // reads nothing
	slow := a.next("$connect").Context.ConnectionID
	other := a.dial()
	data := bytes.Repeat([]byte("x"), 128*kb)
	var err error
	for range 500 { // 64 MB: more than the kernel keeps for it
		if err = a.post(slow, data); err != nil {
			break
		}
	}
	if _, ok := errors.AsType[*mgmttypes.LimitExceededException](err); !ok {
		t.Errorf("the SDK's error is %v", err)
	}
	a.wantManaged("POST", slow, string(data), 429)
	a.wantManaged("POST", other.id, "x", 200)
	if got := other.read(); got != "x" {
		t.Errorf("another client got %q", got)
	}
}

func manageSpellings(t *testing.T) {
	a := shared(t).deploy(t, spec{})
	s := a.dial()
	at := a.connectionURL(s.id)
	for _, target := range []string{at, strings.Replace(at, "@", "%40", 1), strings.Replace(at, "%3D", "=", 1)} {
		if got := manage(t, "POST", target, "x", deployer); got.status != 200 {
			t.Errorf("%s: HTTP %d %s", target, got.status, got.body)
		}
	}
}

func manageOtherAPI(t *testing.T) {
	c := shared(t)
	id := c.deploy(t, spec{}).dial().id
	c.deploy(t, spec{}).wantGone("POST", id)
}

func manageWithoutStage(t *testing.T) {
	a := shared(t).deploy(t, spec{})
	id := a.dial().id
	got := manage(t, "POST", strings.Replace(a.connectionURL(id), "/live", "", 1), "x", deployer)
	if got.status != http.StatusForbidden || got.header.Get("x-amzn-errortype") != "ForbiddenException" {
		t.Errorf("HTTP %d %s %s", got.status, got.header.Get("x-amzn-errortype"), got.body)
	}
}
