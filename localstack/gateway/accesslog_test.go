package gateway

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
	"github.com/coder/websocket"
)

const (
	logGroupARN = "arn:aws:logs:eu-west-1:000000000000:log-group:/aws/apigateway/chat"
	giveRole    = `{"patchOperations":[{"op":"replace","path":"/cloudwatchRoleArn","value":"arn:aws:iam::000000000000:role/logs"}]}`
	jsonFormat  = `{"requestId":"$context.requestId","event":"$context.eventType","route":"$context.routeKey","status":"$context.status",` +
		`"connection":"$context.connectionId","message":"$context.messageId","ip":"$context.identity.sourceIp","agent":"$context.identity.userAgent",` +
		`"code":"$context.disconnectStatusCode","reason":"$context.disconnectReason","error":"$context.error.message","quoted":$context.error.messageString,` +
		`"function":"$context.integration.status","lambda":"$context.integrationStatus","latency":"$context.integrationLatency","stage":"$context.stage",` +
		`"api":"$context.apiId","principal":"$context.authorizer.principalId","nothing":"$context.no.such","time":"$context.requestTimeEpoch"}`
)

// logged is an API whose access log the test reads.
type logged struct {
	*deployed
	lines chan map[string]any
}

func newLogged(t *testing.T) *logged {
	t.Helper()
	l := &logged{lines: make(chan map[string]any, 64)}
	c := newCloudWith(t, Options{AccessLog: func(_, group, line string, at time.Time) {
		fields := map[string]any{}
		if err := json.Unmarshal([]byte(line), &fields); err != nil || group != "/aws/apigateway/chat" || at.IsZero() {
			t.Errorf("%v: %s at %v: %s", err, group, at, line)
		}
		l.lines <- fields
	}})
	c.raw(t, "PATCH", "/account", giveRole)
	c.set("fails", fails)
	l.deployed = &deployed{cloud: c, id: c.createAPI(t)}
	c.set("echo", echo)
	for key, name := range map[string]string{"$connect": "connect", "$disconnect": "disconnect", "$default": "echo", "fails": "fails"} {
		l.route(t, key, l.integrate(t, name, 29000), true)
	}
	l.release(t, &sdk.CreateStageInput{AccessLogSettings: &types.AccessLogSettings{DestinationArn: ptr(logGroupARN), Format: ptr(jsonFormat + "\n")}})
	return l
}

// wantLine waits for a line and checks what it says.
func (l *logged) wantLine(t *testing.T, want map[string]string) map[string]any {
	t.Helper()
	select {
	case line := <-l.lines:
		for name, value := range want {
			if line[name] != value {
				t.Errorf("%s is %q, want %q, in %v", name, line[name], value, line)
			}
		}
		return line
	case <-time.After(patience):
		t.Fatal("no line")
		return nil
	}
}

// [WEB:websocket-api-logging]
func TestAnAccessLogHasALineForEachEvent(t *testing.T) {
	l := newLogged(t)
	c, _, err := l.tryDial(t, "?token=secret", &websocket.DialOptions{HTTPHeader: http.Header{"User-Agent": {`a "browser"\`}}})
	must(t, err)
	connect := l.event(t, "connect").RequestContext
	l.wantLine(t, map[string]string{
		"requestId": connect.RequestID, "event": "CONNECT", "route": "$connect", "status": "200", "connection": connect.ConnectionID,
		"message": "-", "ip": "127.0.0.1", "agent": `a "browser"\`, "code": "-", "reason": "-", "error": "-", "function": "200", "lambda": "200",
		"stage": "live", "api": l.id, "principal": "-", "nothing": "-",
	})
	c.ping()
	message := l.event(t, "echo").RequestContext
	l.wantLine(t, map[string]string{"requestId": message.RequestID, "event": "MESSAGE", "route": "$default", "status": "200", "message": message.MessageID, "connection": connect.ConnectionID})
	c.send(`{"action":"fails"}`)
	_, err = c.receive()
	must(t, err)
	l.wantLine(t, map[string]string{"route": "fails", "status": "502", "error": "Internal server error", "quoted": "Internal server error", "lambda": "-", "function": "-"})
	must(t, c.conn.Close(4001, `say "bye"`))
	l.wantLine(t, map[string]string{"event": "DISCONNECT", "route": "$disconnect", "status": "200", "code": "4001", "reason": `say "bye"`})
}

func TestARefusedConnectIsInTheAccessLog(t *testing.T) {
	l := newLogged(t)
	l.set("connect", answers(401, "who?"))
	_, response, _ := l.tryDial(t, "", nil)
	_, _ = io.Copy(io.Discard, response.Body)
	l.wantLine(t, map[string]string{"event": "CONNECT", "status": "401", "function": "401", "error": "-"})
}

func TestAccessLogSettingsAreCheckedAsByAWS(t *testing.T) {
	tests := map[string]struct{ destination, format, text string }{
		"extendedRequestId will do [ISS:sst#1556]": {logGroupARN, "$context.extendedRequestId", ""},
		"a log group with its streams":             {logGroupARN + ":*", "$context.requestId", ""},
		"3 KB":                                     {logGroupARN, strings.Repeat("a", 3072-18) + "$context.requestId", ""},
		"more than 3 KB [DG:limits]":               {logGroupARN, strings.Repeat("a", 3072-17) + "$context.requestId", "3072"},
		"no request id [ISS:sst#1556]":             {logGroupARN, "$context.requestTime $context.requestIds", "$context.requestId or $context.extendedRequestId"},
		"no format":                                {logGroupARN, "", "$context.requestId"},
		"several lines":                            {logGroupARN, "$context.requestId\n$context.status", "single line"},
		"no destination":                           {"", "$context.requestId", "Invalid ARN specified in the request"},
		"another service's ARN":                    {"arn:aws:sqs:eu-west-1:000000000000:q", "$context.requestId", "Invalid ARN specified in the request"},
		"a delivery stream":                        {"arn:aws:firehose:eu-west-1:000000000000:deliverystream/amazon-apigateway-x", "$context.requestId", "Invalid ARN"},
		"a log stream":                             {logGroupARN + ":log-stream:x", "$context.requestId", "Invalid ARN"},
	}
	d := newCloud(t).deploy(t, chat)
	d.raw(t, "PATCH", "/account", giveRole)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			in := &sdk.UpdateStageInput{ApiId: &d.id, StageName: ptr(testStage), AccessLogSettings: &types.AccessLogSettings{DestinationArn: ptr(tt.destination), Format: ptr(tt.format)}}
			out, err := d.UpdateStage(t.Context(), in)
			if tt.text != "" {
				wantFault(t, err, "BadRequestException", 400, tt.text)
				return
			}
			must(t, err)
			if *out.AccessLogSettings.Format != tt.format || *out.AccessLogSettings.DestinationArn != tt.destination {
				t.Errorf("answered %v", out.AccessLogSettings)
			}
		})
	}
}

func TestAccessLogsAreSwitchedOff(t *testing.T) {
	for name, off := range map[string]func(l *logged) error{
		"by DeleteAccessLogSettings": func(l *logged) error {
			_, err := l.DeleteAccessLogSettings(t.Context(), &sdk.DeleteAccessLogSettingsInput{ApiId: &l.id, StageName: ptr(testStage)})
			return err
		},
		"by empty settings, as Terraform does": func(l *logged) error {
			_, err := l.UpdateStage(t.Context(), &sdk.UpdateStageInput{ApiId: &l.id, StageName: ptr(testStage), AccessLogSettings: &types.AccessLogSettings{}})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLogged(t)
			must(t, off(l))
			out, err := l.GetStage(t.Context(), &sdk.GetStageInput{ApiId: &l.id, StageName: aws.String(testStage)})
			must(t, err)
			if out.AccessLogSettings != nil {
				t.Errorf("answered %v", out.AccessLogSettings)
			}
			l.dial(t)
			if len(l.lines) != 0 {
				t.Error("a line was written")
			}
		})
	}
}

func TestVariablesOfAnAccessLog(t *testing.T) {
	context := map[string]any{"requestId": "id", "stage": "live", "n": json.Number("7"), "identity": map[string]any{"sourceIp": "::1"}, "quoted": "a\"b\n\u00e4<"}
	for format, want := range map[string]string{
		"plain":                             "plain",
		"$context.requestId":                "id",
		"[$context.requestId].":             "[id].",
		"$context.requestId.":               "id.",
		"$context.requestId-$context.stage": "id-live",
		"$context.n $context.identity.sourceIp $context.identity $context.identity.sourceIp.x": "7 ::1 - -",
		`{"q":"$context.quoted"}`:    `{"q":"a\"b\nä<"}`,
		"$context. $contextx $$":     "$context. $contextx $$",
		"$context.unknown$context.n": "-7",
	} {
		if got := expand(format, context); got != want {
			t.Errorf("%q gives %q, want %q", format, got, want)
		}
	}
}
