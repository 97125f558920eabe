package conformance

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"fanfare/localstack/emulator"
)

func TestLocal(t *testing.T) { check(t, localClaims) }

var localClaims = []claim{
	{says: "POST _localstack clock advance moves the clock of all services", test: clockByHTTP},
	{says: "a fault rule throttles an operation as its service does, as often as it says", test: faultThrottles},
	{says: "a fault rule answers 410 for a connection that lives", test: faultGone},
	{says: "a fault rule drops a socket without $disconnect", test: faultDrops},
	{says: "a fault rule kills a function in the middle of its invoke", test: faultKills},
	{says: "a fault rule delays the messages of a queue", test: faultDelays},
	{says: "a fault rule adds latency", test: faultLatency},
	{says: "a fault rule with a probability strikes some calls, the same ones in every run with the same seed", test: faultSeeded},
	{says: "_localstack requests lists what was asked and how it was answered", test: requestsByHTTP},
	{says: "a Lambda, SQS and the same Lambda in a loop stop after 16 hops", sources: "[LDG:invocation-recursion]", test: recursionStops},
}

// admin calls the cloud's own API.
func (c *cloud) admin(t *testing.T, method, path, body string) answer {
	t.Helper()
	req := must(http.NewRequestWithContext(t.Context(), method, c.URL()+"/_localstack/"+path, strings.NewReader(body)))(t)
	got := send(t, req)
	if got.status > 299 {
		t.Fatalf("%s %s: HTTP %d %s", method, path, got.status, got.body)
	}
	return got
}

func clockByHTTP(t *testing.T) {
	q := fresh(t).newQueue(t, map[string]string{"VisibilityTimeout": "3600"})
	q.send(t, "x")
	q.receive(t, 0)
	q.admin(t, "POST", "clock/advance", `{"duration":"1h"}`)
	if got := q.receive(t, 1); len(got) != 1 {
		t.Errorf("%d messages after an hour", len(got))
	}
}

func faultThrottles(t *testing.T) {
	c := fresh(t)
	c.admin(t, "POST", "faults", `{"service":"dynamodb","operation":"ListTables","throttle":true,"count":2}`)
	for i := range 3 {
		_, err := c.dynamodb.ListTables(t.Context(), &dynamodb.ListTablesInput{})
		if throttled := err != nil && strings.Contains(err.Error(), "ExceededException"); throttled != (i < 2) {
			t.Errorf("call %d: error %v", i+1, err)
		}
	}
}

func faultGone(t *testing.T) {
	a := fresh(t).deploy(t, spec{})
	s := a.dial()
	a.admin(t, "POST", "faults", fmt.Sprintf(`{"service":"execute-api","operation":"PostToConnection","resource":%q,"status":410,"count":1}`, s.id))
	if got := a.manage("POST", s.id, "x"); got.status != 410 || got.header.Get("x-amzn-errortype") != "GoneException" {
		t.Errorf("HTTP %d %s", got.status, got.header.Get("x-amzn-errortype"))
	}
	a.wantManaged("POST", s.id, "x", 200)
}

func faultDrops(t *testing.T) {
	a := fresh(t).deploy(t, spec{do: func(call) order { return ok("here") }})
	a.admin(t, "POST", "faults", `{"service":"execute-api","operation":"$default","drop":true,"count":1}`)
	c := a.dialRaw()
	c.write(finalBit|opText, []byte("x"))
	if rest, err := io.ReadAll(c.r); len(rest) > 0 {
		t.Errorf("the client got %q before the end, error %v", rest, err)
	}
	conn, _ := a.handshake("", nil)
	(&socket{t: t, c: conn}).ask("x")
	a.never("$disconnect")
}

func faultKills(t *testing.T) {
	c := fresh(t)
	name, _ := c.newFunction(t, nil, nil, nil)
	c.admin(t, "POST", "faults", fmt.Sprintf(`{"service":"lambda","operation":"Invoke","resource":%q,"kill":true,"count":1}`, name))
	if f := wantFailure(t, c.invoke(t, name)); f.ErrorType == "" {
		t.Errorf("payload %+v", f)
	}
	if out := c.invoke(t, name); out.FunctionError != nil {
		t.Errorf("afterwards: %s", out.Payload)
	}
}

func faultDelays(t *testing.T) {
	q := fresh(t).newQueue(t, nil)
	q.admin(t, "POST", "faults", fmt.Sprintf(`{"service":"sqs","operation":"SendMessage","resource":%q,"delay":"5m"}`, q.name))
	q.send(t, "x")
	if got := q.receive(t, 0); len(got) != 0 {
		t.Errorf("at once: %d messages", len(got))
	}
	q.admin(t, "POST", "clock/advance", `{"duration":"5m"}`)
	if got := q.receive(t, 1); len(got) != 1 {
		t.Errorf("after the delay: %d messages", len(got))
	}
}

func faultLatency(t *testing.T) {
	c := fresh(t)
	c.admin(t, "POST", "faults", `{"service":"dynamodb","operation":"ListTables","latency":"200ms","count":1}`)
	began := time.Now()
	must(c.dynamodb.ListTables(t.Context(), &dynamodb.ListTablesInput{}))(t)
	if took := time.Since(began); took < 200*time.Millisecond {
		t.Errorf("it took %v", took)
	}
}

func faultSeeded(t *testing.T) {
	run := func(seed uint64) string {
		c := freshWith(t, emulator.Options{FaultSeed: seed})
		c.admin(t, "POST", "faults", `{"service":"dynamodb","operation":"ListTables","status":500,"probability":0.5}`)
		var fates strings.Builder
		for range 40 {
			_, err := c.dynamodb.ListTables(t.Context(), &dynamodb.ListTablesInput{})
			fmt.Fprint(&fates, httpStatus(err), " ")
		}
		return fates.String()
	}
	first, again, other := run(1), run(1), run(2)
	if first != again {
		t.Errorf("with one seed %s and %s", first, again)
	}
	if first == other || !strings.Contains(first, "500") || !strings.Contains(first, "0 0") {
		t.Errorf("with one seed %s, with another %s", first, other)
	}
}

func requestsByHTTP(t *testing.T) {
	c := fresh(t)
	q := c.newQueue(t, nil)
	got := c.admin(t, "GET", "requests?service=sqs&operation=CreateQueue", "")
	var list struct {
		Requests []struct {
			Service, Operation, Resource string
			Status                       int
		}
	}
	if err := json.Unmarshal([]byte(got.body), &list); err != nil {
		t.Fatal(err)
	}
	if len(list.Requests) != 1 || list.Requests[0].Operation != "CreateQueue" || list.Requests[0].Status != 200 || !strings.Contains(list.Requests[0].Resource, q.name) {
		t.Errorf("requests %s", got.body)
	}
}

// recursionStops sends each message on to the queue that it came from, with the
// trace header that the SDK inside a function passes on.
func recursionStops(t *testing.T) {
	c := fresh(t)
	work, dead := c.withDeadLetters(t, "1", "30")
	var hops atomic.Int64
	m := mapQueue(t, work, nil, func(call call) order {
		hops.Add(1)
		_, err := c.sqs.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &work.url, MessageBody: aws.String("again")},
			func(o *sqs.Options) {
				o.APIOptions = append(o.APIOptions, smithyhttp.SetHeaderValue("X-Amzn-Trace-Id", call.Trace))
			})
		if err != nil {
			return order{Error: err.Error()}
		}
		return ok("")
	})
	m.send(t, "first")
	// What is stopped stays, and so goes to the dead-letter queue in time.
	eventually(t, func() string {
		if n := hops.Load(); n < 16 {
			return fmt.Sprintf("the function ran %d times", n)
		}
		return ""
	})
	work.becomes(t, "0 waiting, 1 in flight")
	c.Clock().Advance(31 * time.Second)
	dead.becomes(t, "1 waiting, 0 in flight")
	if hops.Load() != 16 {
		t.Errorf("the function ran %d times", hops.Load())
	}
}
