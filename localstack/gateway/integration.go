package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"fanfare/localstack/awsproto"
)

// errIntegration: the function failed or did not answer as a proxy
// integration must.
var errIntegration = errors.New("integration failed")

// proxyResult is a proxy integration's answer. isBase64Encoded is not read:
// WebSocket APIs send text only, so the body goes out as it is.
type proxyResult struct {
	StatusCode        int                 `json:"statusCode"`
	Headers           map[string]string   `json:"headers"`
	MultiValueHeaders map[string][]string `json:"multiValueHeaders"`
	Body              string              `json:"body"`

	invoke string // the invoke that has answered, also with an error
}

func (p proxyResult) header(name string) string {
	for k, v := range p.Headers {
		if strings.EqualFold(k, name) {
			return v
		}
	}
	for k, v := range p.MultiValueHeaders {
		if strings.EqualFold(k, name) && len(v) > 0 {
			return v[0]
		}
	}
	return ""
}

// call invokes a route's function and reads its answer. The time-out is real
// time, whatever the cloud's clock does: the function is a real process.
func (s *Service) call(ctx context.Context, t target, rt servedRoute, event []byte, traceID string) (proxyResult, error) {
	arn, err := functionARN(rt.FunctionURI, t.variables)
	if err != nil {
		return proxyResult{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Duration(rt.TimeoutMS)*time.Millisecond)
	defer cancel()
	defer context.AfterFunc(s.stopping, cancel)() // a second reason to end, not another context
	res, err := s.invoke(ctx, Invocation{
		FunctionARN: arn, Payload: event, TraceID: traceID,
		SourceARN: fmt.Sprintf("arn:aws:execute-api:%s:%s:%s/%s/%s", t.region, awsproto.AccountID, t.api, t.stage, rt.Key),
	})
	if err != nil {
		s.log.Warn("integration could not be called", "route", rt.Key, "function", arn, "error", err)
		return proxyResult{}, err
	}
	if res.Failed {
		return proxyResult{invoke: res.RequestID}, fmt.Errorf("%w: %s answered with a function error", errIntegration, arn)
	}
	p, err := parseProxyResult(res.Payload)
	if err != nil {
		s.log.Warn("malformed proxy result", "route", rt.Key, "function", arn, "error", err)
	}
	p.invoke = res.RequestID
	return p, err
}

// parseProxyResult refuses what has no status that HTTP could send.
func parseProxyResult(payload []byte) (proxyResult, error) {
	var p proxyResult
	if err := json.Unmarshal(payload, &p); err != nil {
		return proxyResult{}, fmt.Errorf("%w: malformed proxy result: %w", errIntegration, err)
	}
	if p.StatusCode < 200 || p.StatusCode > 599 {
		return proxyResult{}, fmt.Errorf("%w: malformed proxy result: statusCode %d", errIntegration, p.StatusCode)
	}
	return p, nil
}

const (
	invokePath    = ":lambda:path/2015-03-31/functions/"
	stageVariable = "${stageVariables."
)

// functionARN reads the function's ARN out of an integration's URI,
// arn:aws:apigateway:<region>:lambda:path/2015-03-31/functions/<arn>/invocations,
// and puts in the stage's variables, once each: a variable's value is not read
// again.
func functionARN(uri string, variables map[string]string) (string, error) {
	_, rest, ok := strings.Cut(uri, invokePath)
	arn, isInvoke := strings.CutSuffix(rest, "/invocations")
	if !ok || !isInvoke || arn == "" || !strings.HasPrefix(uri, "arn:aws") {
		return "", badRequest("integrationUri must be a Lambda function's invoke ARN (arn:aws:apigateway:<region>:lambda:path/2015-03-31/functions/<function ARN>/invocations), not %q", uri)
	}
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(arn, stageVariable)
		name, after, closed := strings.Cut(rest, "}")
		if !found || !closed {
			b.WriteString(arn)
			return b.String(), nil
		}
		b.WriteString(before + variables[name])
		arn = after
	}
}
