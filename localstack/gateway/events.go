package gateway

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/textproto"
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
}

type identity struct {
	UserAgent string `json:"userAgent,omitempty"`
	SourceIP  string `json:"sourceIp"`
}

// clfTime is the Common Log Format's time, which requestTime has.
const clfTime = "02/Jan/2006:15:04:05 -0700"

// context fills in what every event of the socket has.
func (k *socket) context(routeKey, eventType, requestID string, now time.Time) requestContext {
	now = now.UTC()
	return requestContext{
		RouteKey: routeKey, EventType: eventType, MessageDirection: "IN",
		RequestID: requestID, ExtendedRequestID: requestID,
		RequestTime: now.Format(clfTime), RequestTimeEpoch: now.UnixMilli(),
		Stage: k.stage, APIID: k.api, DomainName: k.domain,
		ConnectionID: k.id, ConnectedAt: k.connectedAt.UnixMilli(),
		Identity: identity{UserAgent: k.userAgent, SourceIP: k.sourceIP},
	}
}

func (k *socket) connectEvent(r *http.Request, requestID, traceID string, variables map[string]string) ([]byte, error) {
	headers := connectHeaders(r, traceID)
	e := proxyEvent{
		Headers: lastValues(headers), MultiValueHeaders: headers, StageVariables: variables,
		RequestContext: k.context("$connect", "CONNECT", requestID, k.connectedAt),
	}
	if query := r.URL.Query(); len(query) > 0 {
		e.Query, e.MultiValueQuery = lastValues(query), query
	}
	return json.Marshal(e)
}

func (k *socket) messageEvent(routeKey, requestID, body string, now time.Time, variables map[string]string) ([]byte, error) {
	e := proxyEvent{Body: &body, StageVariables: variables, RequestContext: k.context(routeKey, "MESSAGE", requestID, now)}
	e.RequestContext.MessageID = newRequestID()
	return json.Marshal(e)
}

func (k *socket) disconnectEvent(requestID string, code int, reason string, now time.Time, variables map[string]string) ([]byte, error) {
	headers := map[string][]string{"Host": {k.domain}, "x-api-key": {""}, "X-Forwarded-For": {""}, "x-restapi": {""}}
	e := proxyEvent{
		Headers: lastValues(headers), MultiValueHeaders: headers, StageVariables: variables,
		RequestContext: k.context("$disconnect", "DISCONNECT", requestID, now),
	}
	e.RequestContext.DisconnectStatusCode, e.RequestContext.DisconnectReason = code, &reason
	return json.Marshal(e)
}

// connectHeaders returns the client's headers with those that API Gateway
// adds, and without those of the connection itself. net/http has lost the
// client's own case, but for the names that every client writes alike.
func connectHeaders(r *http.Request, traceID string) map[string][]string {
	h := map[string][]string{
		"Host":              {r.Host},
		"X-Amzn-Trace-Id":   {traceID},
		"X-Forwarded-For":   {remoteIP(r)},
		"X-Forwarded-Port":  {"443"},
		"X-Forwarded-Proto": {"https"},
	}
	for name, values := range r.Header {
		switch name {
		case "Connection", "Upgrade", "X-Amzn-Trace-Id", "X-Forwarded-For", "X-Forwarded-Port", "X-Forwarded-Proto":
			continue
		}
		h[usualCase(name)] = values
	}
	return h
}

func usualCase(name string) string {
	const canonical = "Sec-Websocket-"
	if len(name) > len(canonical) && name[:len(canonical)] == canonical {
		return "Sec-WebSocket-" + textproto.CanonicalMIMEHeaderKey(name[len(canonical):])
	}
	return name
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

// newRequestID returns an id in the shape of API Gateway's connection, request
// and message ids: 11 random bytes in URL-safe base64 with one '='.
func newRequestID() string {
	var b [11]byte
	rand.Read(b[:]) // never fails since Go 1.24
	return base64.URLEncoding.EncodeToString(b[:])
}

// isConnectionID reports whether id could be one of ours or AWS's. Both base64
// alphabets occur.
func isConnectionID(id string) bool {
	for _, enc := range []*base64.Encoding{base64.URLEncoding, base64.StdEncoding} {
		if b, err := enc.DecodeString(id); err == nil && len(b) == 11 {
			return true
		}
	}
	return false
}

// newTraceID returns a root in the form Root=1-<8 hex of the time>-<24 hex>.
func newTraceID(now time.Time) string {
	var b [12]byte
	rand.Read(b[:]) // never fails since Go 1.24
	return fmt.Sprintf("Root=1-%08x-%x", now.Unix(), b)
}
