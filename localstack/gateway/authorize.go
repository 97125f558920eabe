package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"

	"fanfare/localstack/awsproto"
	"fanfare/localstack/policy"
)

const (
	maxAuthorizerResult = 8 << 10
	// authorizerTimeout is that of a WebSocket API's integrations; AWS documents
	// one of its own for HTTP APIs only.
	authorizerTimeout = 29 * time.Second
)

// refusal is the answer to an upgrade that the authorizer does not let pass.
// The bodies are those of a REST API, whose authorizers these are; the one of
// an explicit deny is in AWS's newer wording.
type refusal struct {
	status    int
	errorType string
	body      string
}

var (
	errUnauthorized  = refusal{http.StatusUnauthorized, "UnauthorizedException", `{"message":"Unauthorized"}`}
	errExplicitDeny  = refusal{http.StatusForbidden, "AccessDeniedException", `{"Message":"User is not authorized to access this resource with an explicit deny in an identity-based policy"}`}
	errImplicitDeny  = refusal{http.StatusForbidden, "AccessDeniedException", `{"Message":"User is not authorized to access this resource"}`}
	errAuthorization = refusal{http.StatusInternalServerError, "AuthorizerConfigurationException", `{"message":"Internal server error"}`}
)

func (r refusal) Error() string { return r.body }

// authorizerEvent is what a REQUEST authorizer gets. Unlike in a proxy event its
// maps are there even when they are empty ("Control access to WebSocket APIs
// with AWS Lambda REQUEST authorizers").
type authorizerEvent struct {
	Type              string              `json:"type"`
	MethodARN         string              `json:"methodArn"`
	Headers           map[string]string   `json:"headers"`
	MultiValueHeaders map[string][]string `json:"multiValueHeaders"`
	Query             map[string]string   `json:"queryStringParameters"`
	MultiValueQuery   map[string][]string `json:"multiValueQueryStringParameters"`
	StageVariables    map[string]string   `json:"stageVariables"`
	RequestContext    requestContext      `json:"requestContext"`
}

// newAuthorizerEvent makes it of the event that $connect is to get. Only the
// authorizer sees the headers of the connection itself.
func newAuthorizerEvent(methodARN string, connect proxyEvent) authorizerEvent {
	headers := map[string][]string{"Connection": {"upgrade"}, "Upgrade": {"websocket"}, "content-length": {"0"}}
	maps.Copy(headers, connect.MultiValueHeaders)
	e := authorizerEvent{
		Type: "REQUEST", MethodARN: methodARN,
		Headers: lastValues(headers), MultiValueHeaders: headers,
		Query: orEmpty(connect.Query), MultiValueQuery: connect.MultiValueQuery,
		StageVariables: orEmpty(connect.StageVariables), RequestContext: connect.RequestContext,
	}
	if e.MultiValueQuery == nil {
		e.MultiValueQuery = map[string][]string{}
	}
	return e
}

// has reports whether an identity source is present and not empty.
func (e authorizerEvent) has(source string) bool {
	if name, ok := strings.CutPrefix(source, "route.request.header."); ok {
		for header, value := range e.Headers {
			if strings.EqualFold(header, name) {
				return value != ""
			}
		}
		return false
	}
	if name, ok := strings.CutPrefix(source, "route.request.querystring."); ok {
		return e.Query[name] != ""
	}
	if name, ok := strings.CutPrefix(source, "stageVariables."); ok {
		return e.StageVariables[name] != ""
	}
	return e.RequestContext.has(strings.TrimPrefix(source, "context."))
}

// has finds a member by its path: "identity.sourceIp".
func (c requestContext) has(path string) bool {
	var value any
	text, _ := json.Marshal(c) // strings and numbers can always be encoded
	_ = json.Unmarshal(text, &value)
	for name := range strings.SplitSeq(path, ".") {
		object, _ := value.(map[string]any)
		value = object[name]
	}
	return value != nil && value != ""
}

// authorize asks the authorizer of $connect, and returns what it says of the
// client: the members of requestContext.authorizer in all the events of the
// connection. An error that is no refusal means that the authorizer is broken.
func (s *Service) authorize(ctx context.Context, t target, au servedAuthorizer, connect proxyEvent, traceID string) (map[string]any, error) {
	api := fmt.Sprintf("arn:aws:execute-api:%s:%s:%s", t.region, awsproto.AccountID, t.api)
	event := newAuthorizerEvent(api+"/"+t.stage+"/$connect", connect)
	for _, source := range au.IdentitySource {
		if !event.has(source) {
			return nil, errUnauthorized
		}
	}
	arn, err := functionARN(au.FunctionURI, t.variables)
	if err != nil {
		return nil, err
	}
	payload, _ := json.Marshal(event)
	start := time.Now() // real time, as the function is a real process
	result, err := s.askAuthorizer(ctx, Invocation{FunctionARN: arn, SourceARN: api + "/authorizers/" + au.ID, Payload: payload, TraceID: traceID})
	if err != nil {
		return nil, err
	}
	if err := result.permits(event, s.clock.Now()); err != nil {
		return nil, err
	}
	result.context["integrationLatency"] = time.Since(start).Milliseconds()
	return result.context, nil
}

// refusalOf is the answer to an upgrade that authorize has not let pass.
func (s *Service) refusalOf(au servedAuthorizer, err error) refusal {
	if no, ok := errors.AsType[refusal](err); ok {
		return no
	}
	s.log.Warn("authorizer failed", "authorizer", au.ID, "function", au.FunctionURI, "error", err)
	return errAuthorization
}

// askAuthorizer invokes the function and reads its result.
func (s *Service) askAuthorizer(ctx context.Context, inv Invocation) (authorizerResult, error) {
	ctx, cancel := context.WithTimeout(ctx, authorizerTimeout)
	defer cancel()
	defer context.AfterFunc(s.stopping, cancel)() // a second reason to end, not another context
	res, err := s.invoke(ctx, inv)
	switch {
	case err != nil:
		return authorizerResult{}, err
	case res.Failed:
		return authorizerResult{}, functionError(res.Payload)
	}
	return parseAuthorizerResult(res.Payload)
}

// functionError: a function that fails with exactly this message refuses the
// client; with any other it is broken.
func functionError(payload []byte) error {
	var failure struct{ ErrorMessage string }
	if json.Unmarshal(payload, &failure) == nil && failure.ErrorMessage == "Unauthorized" {
		return errUnauthorized
	}
	return errors.New("the function failed")
}

// authorizerResult is what an authorizer says of a client.
type authorizerResult struct {
	policy  *policy.Document
	context map[string]any // strings, principalId among them
}

// parseAuthorizerResult reads {principalId, policyDocument, [context]}. Members
// are spelled as AWS spells them, so that a "policydocument" is found here
// rather than there.
func parseAuthorizerResult(payload []byte) (authorizerResult, error) {
	if len(payload) > maxAuthorizerResult {
		return authorizerResult{}, fmt.Errorf("the result has %d bytes, more than %d", len(payload), maxAuthorizerResult)
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(payload, &members); err != nil {
		return authorizerResult{}, fmt.Errorf("the result is no object: %w", err)
	}
	var principal string
	if err := json.Unmarshal(members["principalId"], &principal); err != nil || principal == "" {
		return authorizerResult{}, errors.New("the result has no principalId")
	}
	doc, err := policy.Parse(string(members["policyDocument"]))
	if err != nil {
		return authorizerResult{}, fmt.Errorf("policyDocument: %w", err)
	}
	values, err := flatContext(members["context"])
	if err != nil {
		return authorizerResult{}, fmt.Errorf("context: %w", err)
	}
	values["principalId"] = principal
	return authorizerResult{doc, values}, nil
}

// flatContext reads the context. Its values are strings, numbers or booleans,
// and strings from here on, as $context.authorizer has them.
func flatContext(raw json.RawMessage) (map[string]any, error) {
	values := map[string]any{}
	if len(raw) == 0 {
		return values, nil
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber() // 1.50 stays 1.50
	if err := d.Decode(&values); err != nil {
		return nil, err
	}
	if values == nil { // null
		return map[string]any{}, nil
	}
	for key, value := range values {
		switch v := value.(type) {
		case string:
		case json.Number:
			values[key] = v.String()
		case bool:
			values[key] = strconv.FormatBool(v)
		default:
			return nil, fmt.Errorf("%q is neither a string nor a number nor a boolean", key)
		}
	}
	return values, nil
}

// permits asks the result's policy whether the client may connect.
func (r authorizerResult) permits(event authorizerEvent, now time.Time) error {
	who := event.RequestContext.Identity
	d := policy.Evaluate(policy.Request{
		Action: "execute-api:Invoke", Resource: event.MethodARN,
		Context: map[string][]string{
			"aws:SourceIp": {who.SourceIP}, "aws:UserAgent": {who.UserAgent}, "aws:CurrentTime": {now.UTC().Format(time.RFC3339)},
		},
	}, r.policy)
	switch d.Outcome {
	case policy.Allowed:
		return nil
	case policy.ExplicitDeny:
		return errExplicitDeny
	}
	return errImplicitDeny
}
