package suite

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/coder/websocket"

	"fanfare/localstack/gateway"
)

// limit sets a route's own rate and burst, as an operator does on a stage.
func (s *scenario) limit(route string, rate float64, burst int32) {
	s.Helper()
	api := apigatewayv2.NewFromConfig(s.config())
	apis, err := api.GetApis(s.Context(), &apigatewayv2.GetApisInput{})
	if err != nil || len(apis.Items) != 1 {
		s.Fatalf("APIs: %+v, error %v; want one", apis, err)
	}
	stages, err := api.GetStages(s.Context(), &apigatewayv2.GetStagesInput{ApiId: apis.Items[0].ApiId})
	if err != nil || len(stages.Items) != 1 {
		s.Fatalf("stages: %+v, error %v; want one", stages, err)
	}
	_, err = api.UpdateStage(s.Context(), &apigatewayv2.UpdateStageInput{
		ApiId: apis.Items[0].ApiId, StageName: stages.Items[0].StageName,
		RouteSettings: map[string]types.RouteSettings{route: {ThrottlingRateLimit: aws.Float64(rate), ThrottlingBurstLimit: aws.Int32(burst)}},
	})
	if err != nil {
		s.Fatal(err)
	}
}

// What is over a stage's rate is refused before any function runs: a connect with
// HTTP 429, a message with API Gateway's own frame, on a socket that stays open.
func TestWhatIsOverAStagesRateIsRefused(t *testing.T) {
	s := beginAlone(t, ownCloud, movingClock)
	s.limit("ping", 1.0/60, 1)
	c := s.dialFor("u", time.Hour)
	c.ask(`{"action":"ping","id":"first"}`, "pong")
	f := c.ask(`{"action":"ping","id":"second"}`, "") // it has no type
	if f.Message != "Too Many Requests" || f.ConnectionID == "" || f.RequestID == "" {
		t.Errorf("over the rate: %s", f.raw)
	}
	c.ask(`{"action":"subscribe","channel":"orders"}`, "subscribed") // another route
	s.advance(time.Minute)
	c.ask(`{"action":"ping","id":"third"}`, "pong")

	s.limit("$connect", 1.0/60, 1)
	s.dialFor("v", time.Hour)
	status, body := s.refused(s.stack.Outputs.WebSocketURL+"?token="+s.tokenFor("w", s.tenant, time.Hour), nil)
	if status != http.StatusTooManyRequests || !strings.Contains(body, "Too Many Requests") {
		t.Errorf("a connect over the rate: HTTP %d %s, want 429", status, body)
	}
	s.advance(time.Minute)
	s.dialFor("w", time.Hour)
}

// The account's rate is everybody's, and may be used up before a broadcast is
// through. What was refused then is sent by a later call, minutes after: nobody is
// left out, and nobody whose post was taken gets it again.
func TestABroadcastGoesOnWhenTheAccountsRateAllowsIt(t *testing.T) {
	const clients, burst = 60, 80 // which connecting takes most of
	s := beginAloneWithin(t, gateway.Limits{RequestRate: 0.5, RequestBurst: burst}, ownCloud, movingClock)
	there := new(attendance)
	s.connect(there, clients)
	if t.Failed() {
		t.FailNow()
	}
	id := s.publish(`{"tenant":"` + s.tenant + `","to":{"tenant":true},"data":1}`)
	left := 0
	s.eventually(func() string {
		r, err := s.table().Receipt(t.Context(), id)
		if err != nil || len(r.Units) != 1 || len(r.Units[0].Remaining) == 0 {
			return fmt.Sprintf("receipt %+v, error %v; want one unit, with some clients left", r, err)
		}
		left = len(r.Units[0].Remaining)
		return ""
	})
	if n := s.throttledPosts(); n < left {
		t.Errorf("%d clients are left, and %d posts were answered 429", left, n)
	}
	s.advance(s.visibility(broadcaster))
	for _, c := range there.now() {
		if f := c.message(); f.MessageID != id {
			t.Errorf("%s got %s, want message %s", c.name, f.raw, id)
		}
	}
	s.empty(broadcaster)
	for _, c := range there.now() {
		if len(c.messages) > 0 {
			t.Errorf("%s got more: %s", c.name, (<-c.messages).raw)
		}
	}
}

// throttledPosts is how many posts were answered 429.
func (s *scenario) throttledPosts() (n int) {
	s.Helper()
	if err := s.stack.asked.look(s.Context()); err != nil {
		s.Fatal(err)
	}
	for _, q := range s.stack.asked.all() {
		if q.Operation == "PostToConnection" && q.Status == http.StatusTooManyRequests {
			n++
		}
	}
	return n
}

// A client that never reads fills its buffer, and then answers 429 to every post.
// The others get everything, and it is given up after some minutes instead of
// bringing healthy broadcasts to the dead letters.
func TestAClientThatNeverReadsHoldsNobodyUp(t *testing.T) {
	const broadcasts, size = 80, 100 << 10 // more than the buffers of both ends take
	s := beginAlone(t, ownCloud, movingClock)
	reader := s.dialFor("reader", time.Hour)
	s.dialDeaf("deaf")
	sent := map[string]bool{}
	data := strings.Repeat("x", size)
	for range broadcasts {
		sent[s.publish(fmt.Sprintf(`{"tenant":%q,"to":{"tenant":true},"data":%q}`, s.tenant, data))] = true
	}
	got := map[string]int{}
	for range broadcasts {
		got[reader.message().MessageID]++
	}
	for id := range sent {
		if got[id] != 1 {
			t.Errorf("the client that reads got broadcast %s %d times", id, got[id])
		}
	}
	// An attempt is a visibility time-out after the one before, and functions are at
	// rest when the clock moves: a signature is good for five minutes.
	refused := 0
	for attempt := 1; attempt <= 3; attempt++ {
		s.eventually(func() string {
			for id := range sent {
				r, err := s.table().Receipt(t.Context(), id)
				if err != nil || len(r.Units) != 1 || len(r.Units[0].Remaining) > 0 && r.Units[0].Attempts < attempt {
					return fmt.Sprintf("receipt of %s: %+v, error %v; want attempt %d", id, r, err, attempt)
				}
				if attempt == 1 {
					refused += len(r.Units[0].Remaining)
				}
			}
			return ""
		})
		reader.ask(`{"action":"ping"}`, "pong") // or it is idle
		s.advance(s.visibility(broadcaster))
	}
	if refused == 0 {
		t.Error("every broadcast reached the client that never reads: this test has tested nothing")
	}
	s.eventually(func() string {
		for id := range sent {
			r, err := s.table().Receipt(t.Context(), id)
			if sum := r.Summary(1); err != nil || !sum.Done || sum.Waiting > 0 {
				return fmt.Sprintf("receipt of %s: %+v, error %v; want it done", id, sum, err)
			}
		}
		return ""
	})
	for _, function := range []string{broadcaster, deliverer} {
		s.empty(function)
		out, err := s.sqs().GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: aws.String(s.queueOf(function) + "-dead-letters"), AttributeNames: []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNameApproximateNumberOfMessages}})
		if err != nil || out.Attributes["ApproximateNumberOfMessages"] != "0" {
			t.Errorf("dead letters of %s: %v, error %v; want none", function, out, err)
		}
	}
	reader.silent("the client that reads")
}

// dialDeaf opens a socket that nobody reads, with a small buffer of its own.
func (s *scenario) dialDeaf(user string) {
	s.Helper()
	dialer := &net.Dialer{}
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dialer.DialContext(ctx, network, address)
		if err == nil {
			err = conn.(*net.TCPConn).SetReadBuffer(4 << 10)
		}
		return conn, err
	}}}
	conn, _, err := dialURL(s.Context(), s.stack.Outputs.WebSocketURL+"?token="+s.tokenFor(user, s.tenant, time.Hour), &websocket.DialOptions{HTTPClient: client})
	if err != nil {
		s.Fatal(err)
	}
	s.rec.note("%s connected, and never reads", user)
	s.Cleanup(func() { _ = conn.CloseNow() })
}
