package gateway

import (
	"encoding/json"
	"net"
	"net/http"
	"time"
)

// proxyEvent is the event of a Lambda proxy integration. Its three kinds differ
// in what is absent, so every field but isBase64Encoded is left out when empty.
// Source: "Set up WebSocket API integration requests" and published dumps of
// real events.
type proxyEvent struct {
	Headers           map[string]string   `json:"headers,omitempty"`
	MultiValueHeaders map[string][]string `json:"multiValueHeaders,omitempty"`
	Query             map[string]string   `json:"queryStringParameters,omitempty"`
	MultiValueQuery   map[string][]string `json:"multiValueQueryStringParameters,omitempty"`
	StageVariables    map[string]string   `json:"stageVariables,omitempty"`
	RequestContext    requestContext      `json:"requestContext"`
	Body              *string             `json:"body,omitempty"`
	IsBase64Encoded   bool                `json:"isBase64Encoded"`
}

type requestContext struct {
	RouteKey             string   `json:"routeKey"`
	MessageID            string   `json:"messageId,omitempty"`
	DisconnectStatusCode int      `json:"disconnectStatusCode,omitempty"`
	EventType            string   `json:"eventType"`
	ExtendedRequestID    string   `json:"extendedRequestId"`
	RequestTime          string   `json:"requestTime"`
	MessageDirection     string   `json:"messageDirection"`
	DisconnectReason     *string  `json:"disconnectReason,omitempty"`
	Stage                string   `json:"stage"`
	ConnectedAt          int64    `json:"connectedAt"`
	RequestTimeEpoch     int64    `json:"requestTimeEpoch"`
	Identity             identity `json:"identity"`
	RequestID            string   `json:"requestId"`
	DomainName           string   `json:"domainName"`
	ConnectionID         string   `json:"connectionId"`
	APIID                string   `json:"apiId"`

	Authorizer map[string]any `json:"authorizer,omitempty"` // of all events of the connection
}

type identity struct {
	UserAgent string `json:"userAgent,omitempty"`
	SourceIP  string `json:"sourceIp"`
}

// clfTime is the Common Log Format's time, which requestTime has.
const clfTime = "02/Jan/2006:15:04:05 -0700"

// contextOf fills in what every event of the socket has.
func (k *socket) contextOf(routeKey, eventType, requestID string, now time.Time) requestContext {
	now = now.UTC()
	return requestContext{
		RouteKey: routeKey, EventType: eventType, MessageDirection: "IN",
		RequestID: requestID, ExtendedRequestID: requestID,
		RequestTime: now.Format(clfTime), RequestTimeEpoch: now.UnixMilli(),
		Stage: k.stage, APIID: k.api, DomainName: k.domain,
		ConnectionID: k.id, ConnectedAt: k.connectedAt.UnixMilli(),
		Identity: identity{UserAgent: k.userAgent, SourceIP: k.sourceIP}, Authorizer: k.authorizer,
	}
}

func (k *socket) connectEvent(r *http.Request, traceID string, variables map[string]string) proxyEvent {
	headers := connectHeaders(r, traceID)
	e := proxyEvent{
		Headers: lastValues(headers), MultiValueHeaders: headers, StageVariables: variables,
		RequestContext: k.contextOf("$connect", "CONNECT", newRequestID(), k.connectedAt),
	}
	if query := r.URL.Query(); len(query) > 0 {
		e.Query, e.MultiValueQuery = lastValues(query), query
	}
	return e
}

func (k *socket) messageEvent(routeKey, requestID, body string, now time.Time, variables map[string]string) []byte {
	e := proxyEvent{Body: &body, StageVariables: variables, RequestContext: k.contextOf(routeKey, "MESSAGE", requestID, now)}
	e.RequestContext.MessageID = newRequestID()
	return e.encode()
}

func (k *socket) disconnectEvent(end closing, now time.Time, variables map[string]string) []byte {
	headers := map[string][]string{"Host": {k.domain}, "x-api-key": {""}, "X-Forwarded-For": {""}, "x-restapi": {""}}
	e := proxyEvent{
		Headers: lastValues(headers), MultiValueHeaders: headers, StageVariables: variables,
		RequestContext: k.contextOf("$disconnect", "DISCONNECT", newRequestID(), now),
	}
	e.RequestContext.DisconnectStatusCode, e.RequestContext.DisconnectReason = int(end.code), &end.reason
	return e.encode()
}

func (e proxyEvent) encode() []byte {
	event, _ := json.Marshal(e) // maps, strings and numbers can always be encoded
	return event
}

// connectHeaders returns the client's headers in its own case, with those that
// API Gateway adds, and without those of the connection itself.
func connectHeaders(r *http.Request, traceID string) map[string][]string {
	h := map[string][]string{
		"Host":              {r.Host},
		"X-Amzn-Trace-Id":   {traceID},
		"X-Forwarded-For":   {remoteIP(r)},
		"X-Forwarded-Port":  {"443"},
		"X-Forwarded-Proto": {"https"},
	}
	spelt := spellingOf(r)
	for name, values := range r.Header {
		switch name {
		case "Connection", "Upgrade", "X-Amzn-Trace-Id", "X-Forwarded-For", "X-Forwarded-Port", "X-Forwarded-Proto":
			continue
		}
		h[spelt.of(name)] = values
	}
	return h
}

// lastValues is how API Gateway folds repeated values into the plain maps.
func lastValues(m map[string][]string) map[string]string {
	flat := make(map[string]string, len(m))
	for k, v := range m {
		if len(v) > 0 {
			flat[k] = v[len(v)-1]
		}
	}
	return flat
}

func remoteIP(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
