package sqs_test

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	"fanfare/localstack/clock"
	"fanfare/localstack/sqs"
)

// local is the service without sockets, which a synctest bubble can not hold.
type local struct {
	*sqs.Service
	t testing.TB
}

func bubble(t testing.TB) (local, *clock.Clock) {
	c := clock.New()
	return local{sqs.New(sqs.Options{Clock: c}), t}, c
}

// call does one operation by its JSON and returns the answer.
func (l local) call(operation, body string) string {
	l.t.Helper()
	w := httptest.NewRecorder()
	r := httptest.NewRequest("POST", "/", strings.NewReader(body))
	r.Header.Set("X-Amz-Target", "AmazonSQS."+operation)
	l.ServeHTTP(w, r)
	if w.Code != 200 {
		l.t.Fatalf("%s: %d %s", operation, w.Code, w.Body)
	}
	return w.Body.String()
}

func (l local) queue(name, redrivePolicy string) (arn string) {
	l.t.Helper()
	body, _ := json.Marshal(map[string]any{"QueueName": name, "Attributes": map[string]string{"RedrivePolicy": redrivePolicy}})
	l.call("CreateQueue", string(body))
	return "arn:aws:sqs:us-east-1:000000000000:" + name
}

// ended is the context of a client that has gone.
func ended(t testing.TB) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

func (l local) send(arn, body string) {
	l.t.Helper()
	if _, err := l.Send(l.t.Context(), arn, body); err != nil {
		l.t.Fatal(err)
	}
}
