package suite

import (
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/coder/websocket"

	"fanfare/localstack/faults"
	"fanfare/shared/connection"
	"fanfare/shared/protocol"
)

// rows counts what the table holds of the scenario's tenant, expired or not.
func (s *scenario) rows() int {
	s.Helper()
	out, err := dynamodb.NewFromConfig(s.config()).Scan(s.Context(), &dynamodb.ScanInput{
		TableName: &s.stack.Outputs.TableName, ConsistentRead: aws.Bool(true),
		FilterExpression:          aws.String("tenant = :t OR begins_with(pk, :p)"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":t": &types.AttributeValueMemberS{Value: s.tenant}, ":p": &types.AttributeValueMemberS{Value: s.tenant + "/"}},
	})
	if err != nil {
		s.Fatal(err)
	}
	return len(out.Items)
}

// A socket that is lost without a word leaves its rows behind: $disconnect never
// runs, and if nobody sends to it, no 410 tells. Then time to live is all there is.
func TestRowsOfALostSocketGoByTimeToLive(t *testing.T) {
	s := beginAlone(t, ownCloud, movingClock, faultRules)
	c := s.dialFor("lost", time.Hour)
	c.ask(`{"action":"subscribe","channel":"orders"}`, "subscribed")
	id := s.connectionID(c, "lost")
	s.fault(faults.Rule{Service: "execute-api", Operation: "ping", Resource: id, Count: 1, Fault: faults.Fault{Drop: true}})
	c.send(`{"action":"ping"}`)
	if got := c.closeStatus(); got != -1 {
		t.Errorf("the client saw close frame %d of a network that is lost", got)
	}
	const all = 4 // the connection, and its memberships of tenant, user and channel
	if n := s.rows(); n != all {
		t.Fatalf("%d rows, want %d", n, all)
	}
	s.advance(time.Hour) // the token has ended, and its grace has not
	time.Sleep(quiet / 4)
	if n := s.rows(); n != all {
		t.Errorf("%d rows before their time, want %d", n, all)
	}
	s.advance(connection.TokenGrace + 2*time.Minute) // time to live lets some time pass
	s.eventually(func() string {
		if n := s.rows(); n != 0 {
			return fmt.Sprintf("%d rows after their time", n)
		}
		return ""
	})
}

// "Idle Connection Timeout: 10 minutes" and "Connection duration for WebSocket
// API: 2 hours" of API Gateway's quotas.
func TestAnIdleSocketEndsAndABusyOneLivesForTwoHours(t *testing.T) {
	s := beginAlone(t, ownCloud, movingClock)
	idle, busy := s.dialFor("idle", 3*time.Hour), s.dialFor("busy", 3*time.Hour)
	idleID, busyID := s.connectionID(idle, "idle"), s.connectionID(busy, "busy")
	const step = 9 * time.Minute
	live := func() {
		t.Helper()
		s.advance(step)
		// What is sent to a client counts as well as what it sends.
		if err := s.management().Post(t.Context(), busyID, connection.NewMessage([]byte(`{"type":"message","data":"still there?"}`))); err != nil {
			t.Fatalf("after %v: %v", s.ahead, err)
		}
		busy.message()
	}
	live()
	live()
	if got := idle.closeStatus(); got != websocket.StatusGoingAway {
		t.Errorf("the idle client saw %d, want 1001", got)
	}
	s.removed(idleID)
	for s.ahead+step < 2*time.Hour {
		live()
	}
	busy.ask(`{"action":"ping"}`, "pong")
	s.advance(2*time.Hour - s.ahead)
	if got := busy.closeStatus(); got != websocket.StatusGoingAway {
		t.Errorf("the busy client saw %d, want 1001", got)
	}
	s.removed(busyID)
	s.eventually(func() string {
		if n := s.rows(); n != 0 {
			return fmt.Sprintf("%d rows of sockets that have ended", n)
		}
		return ""
	})
}

// removed waits until the connection's own row is gone.
func (s *scenario) removed(id string) {
	s.Helper()
	s.eventually(func() string {
		if _, err := s.table().Get(s.Context(), id); !errors.Is(err, connection.ErrNotFound) {
			return fmt.Sprintf("the row of %s is there (%v)", id, err)
		}
		return ""
	})
}

func TestASessionEndsWithItsTokenUnlessItIsRenewed(t *testing.T) {
	s := beginAlone(t, ownCloud, movingClock)
	late, renewed := s.dialFor("late", 5*time.Minute), s.dialFor("renewed", 5*time.Minute)
	lateID := s.connectionID(late, "late")
	toAll := func(data string) string {
		return `{"tenant":"` + s.tenant + `","to":{"tenant":true},"data":` + data + `}`
	}

	s.advance(4 * time.Minute)
	renewed.ask(`{"action":"authenticate","token":"`+s.tokenFor("renewed", s.tenant, time.Hour)+`"}`, "authenticated")
	s.publish(toAll(`"both"`))
	late.message()
	renewed.message()

	s.advance(time.Minute + connection.TokenGrace + time.Second)
	if f := renewed.ask(`{"action":"authenticate","token":"`+s.tokenFor("renewed", s.tenant, -time.Minute)+`"}`, "error"); f.Code != string(protocol.CodeTokenExpired) {
		t.Errorf("a token that has ended renews nothing: %s", f.raw)
	}
	if f := late.ask(`{"action":"ping"}`, "error"); f.Code != string(protocol.CodeTokenExpired) {
		t.Errorf("a frame of a session that has ended: %s", f.raw)
	}
	if got := late.closeStatus(); got != websocket.StatusNormalClosure {
		t.Errorf("the late client saw %d, want 1000", got)
	}
	s.removed(lateID)
	id := s.publish(toAll(`"one"`))
	if f := renewed.message(); f.MessageID != id {
		t.Errorf("got %s, want message %s", f.raw, id)
	}
	renewed.ask(`{"action":"ping"}`, "pong")
	late.silent("a client whose session has ended")
}

// A broadcast reaches no session that has ended, though its socket is still open
// and its row still there: what it would get is not for it any more.
func TestABroadcastSkipsASessionThatHasEnded(t *testing.T) {
	s := beginAlone(t, ownCloud, movingClock)
	late, there := s.dialFor("late", 5*time.Minute), s.dialFor("there", time.Hour)
	lateID := s.connectionID(late, "late")
	s.advance(5*time.Minute + connection.TokenGrace + time.Second)
	s.publish(`{"tenant":"` + s.tenant + `","to":{"tenant":true},"data":1}`)
	there.message()
	late.closeStatus() // whoever meets the row closes the socket
	s.removed(lateID)
	late.silent("a client whose session has ended")
}

// visibility is how long a message that a function has taken stays hidden.
func (s *scenario) visibility(function string) time.Duration {
	s.Helper()
	url := s.queueOf(function)
	const name = sqstypes.QueueAttributeNameVisibilityTimeout
	out, err := s.sqs().GetQueueAttributes(s.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []sqstypes.QueueAttributeName{name}})
	if err != nil {
		s.Fatal(err)
	}
	seconds, err := strconv.Atoi(out.Attributes[string(name)])
	if err != nil {
		s.Fatal(err)
	}
	return time.Duration(seconds) * time.Second
}

// empty waits until a function's queue holds nothing, in flight neither.
func (s *scenario) empty(function string) {
	s.Helper()
	s.eventually(func() string {
		if n := s.left(function); n > 0 {
			return fmt.Sprintf("%d messages in the queue of %s", n, function)
		}
		return ""
	})
}

// A message of which its function says that it failed comes again after the
// visibility time-out, alone: those beside it are done.
func TestOneFailureOfABatchComesAgainAlone(t *testing.T) {
	s := beginAlone(t, ownCloud, movingClock, faultRules)
	c := s.dialFor("u", time.Hour)
	resume := s.pause(t, broadcaster)
	want := map[string]int{}
	for i := range 3 {
		want[s.publish(fmt.Sprintf(`{"tenant":%q,"to":{"tenant":true},"data":%d}`, s.tenant, i))] = 1
	}
	// No SDK tries this error again.
	struck := s.fault(faults.Rule{Service: "dynamodb", Operation: "Query", Count: 1, Fault: faults.Fault{Status: 400, Code: "ValidationException"}})
	resume()
	got := map[string]int{}
	for range 2 {
		got[c.message().MessageID]++
	}
	c.silent("a client while the failed message is hidden")
	if n := struck(); n != 1 {
		t.Fatalf("the fault struck %d queries, want one", n)
	}
	if n := s.left(broadcaster); n != 1 {
		t.Errorf("%d messages are left, want the one that failed", n)
	}
	s.advance(s.visibility(broadcaster))
	got[c.message().MessageID]++
	c.silent("a client that has got all three")
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	s.empty(broadcaster)
}

// A function that dies answers nothing: all that it had taken comes again after
// the visibility time-out, and what it had done and recorded is not done twice.
func TestWhatADeadFunctionHadTakenComesAgain(t *testing.T) {
	s := beginAlone(t, ownCloud, movingClock, faultRules)
	c := s.dialFor("u", time.Hour)
	struck := s.killOnce(broadcaster)
	id := s.publish(`{"tenant":"` + s.tenant + `","to":{"tenant":true},"data":1}`)
	c.message()
	s.eventually(func() string {
		if struck() != 1 {
			return "the function was not killed"
		}
		return ""
	})
	if n := s.left(broadcaster); n != 1 {
		t.Errorf("%d messages are left of a function that has answered nothing, want one", n)
	}
	s.advance(s.visibility(broadcaster))
	s.empty(broadcaster)
	r, err := s.table().Receipt(t.Context(), id)
	if sum := r.Summary(1); err != nil || !sum.Done || sum.Delivered != 1 {
		t.Errorf("receipt %+v, error %v; want it done, with one delivered", sum, err)
	}
	c.silent("a client of a broadcast that was taken twice")
}
