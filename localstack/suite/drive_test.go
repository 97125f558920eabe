package suite

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/coder/websocket"
	"golang.org/x/sync/errgroup"

	"fanfare/localstack/faults"
	"fanfare/shared/connection"
	"fanfare/shared/protocol"
	"fanfare/shared/store"
)

// drill is everything that Fanfare does, in a few seconds, for a test that takes
// something away: every part returns an error that says which outcome is missing,
// and ends with its context.
type drill struct {
	context.Context
	*scenario
	tenant string
	table  *store.DynamoDB
}

// drillParts are the parts with the functions that they exercise to the full.
var drillParts = []struct {
	name      string
	functions []string
	run       func(drill) error
}{
	{"connect and leave", []string{"connect", "disconnect"}, drill.comeAndGo},
	{"a connect that fails", []string{"connect"}, drill.failToConnect},
	{"frames", []string{"message"}, drill.frames},
	{"sockets without a session", []string{"message"}, drill.closings},
	{"audiences", []string{"broadcast"}, drill.audiences},
	{"dead connections", []string{"broadcast"}, drill.ghosts},
	{"an audience of several units", []string{"broadcast", "deliver"}, drill.units},
	{"dead letters", []string{"broadcast", "deliver"}, drill.deadLetters},
}

// drive runs the parts for the functions, nil meaning all. Its tenants are its
// own.
func (s *scenario) drive(ctx context.Context, functions []string, tenant string) error {
	s.rec.owns(tenant + "/")
	for _, p := range drillParts {
		if functions != nil && !slices.ContainsFunc(p.functions, func(f string) bool { return slices.Contains(functions, f) }) {
			continue
		}
		d := drill{ctx, s, tenant + "/" + p.name, s.table()}
		if err := p.run(d); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return nil
}

// errOutcome: an answer came, and is not the one that was to come.
var errOutcome = errors.New("another outcome than was to come")

func orMissing(err error) error { return cmp.Or(err, errOutcome) }

// peer is a client of the drill.
type peer struct {
	d        drill
	conn     *websocket.Conn
	replies  chan frame
	messages chan frame // apart, for a broadcast may come before it is accepted
	closed   chan struct{}
}

func (d drill) dial(user string) (*peer, error) {
	token := d.stack.Token(user, d.tenant, "broadcast:*", "subscribe:*")
	conn, _, err := dialURL(d, d.stack.Outputs.WebSocketURL+"?token="+token, nil)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	conn.SetReadLimit(1 << 20)
	p := &peer{d, conn, make(chan frame, 64), make(chan frame, 64), make(chan struct{})}
	go func() {
		defer close(p.closed)
		for {
			_, data, err := conn.Read(d)
			if err != nil {
				return
			}
			var f frame
			_ = json.Unmarshal(data, &f) // what is no JSON has no type
			f.raw = string(data)
			into := p.replies
			if f.Type == "message" {
				into = p.messages
			}
			select {
			case into <- f:
			case <-d.Done():
				return
			}
		}
	}()
	return p, nil
}

// leave ends the socket without ceremony.
func (p *peer) leave() { _ = p.conn.CloseNow() }

// ask sends a frame and waits for one of the type.
func (p *peer) ask(text, wantType string) (frame, error) {
	if err := p.conn.Write(p.d, websocket.MessageText, []byte(text)); err != nil {
		return frame{}, err
	}
	return p.await(wantType, text)
}

// await waits for the next message, or the next reply, which must be of the type.
func (p *peer) await(wantType, after string) (frame, error) {
	from := p.replies
	if wantType == "message" {
		from = p.messages
	}
	select {
	case f := <-from:
		if f.Type != wantType {
			return f, fmt.Errorf("%.80s is answered with %s", after, f.raw)
		}
		return f, nil
	case <-p.closed:
		select { // it may have come before the end
		case f := <-from:
			if f.Type == wantType {
				return f, nil
			}
		default:
		}
		return frame{}, fmt.Errorf("the socket ended before %s", wantType)
	case <-p.d.Done():
		return frame{}, fmt.Errorf("no %s after %.80s", wantType, after)
	}
}

// asks is ask for several, [frame, type] each.
func (p *peer) asks(list ...[2]string) error {
	for _, f := range list {
		if _, err := p.ask(f[0], f[1]); err != nil {
			return err
		}
	}
	return nil
}

// until polls until done has nothing to complain about.
func (d drill) until(done func() error) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := done()
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-d.Done():
			return err
		}
	}
}

// members are the tenant's connections of the user.
func (d drill) members(user string) ([]string, error) {
	page, err := d.table.Members(context.WithoutCancel(d), d.tenant, protocol.Audience{User: user}, "", 10)
	return append(page.IDs, page.Stale...), err
}

func (d drill) nobody(user string) error {
	return d.until(func() error {
		ids, err := d.members(user)
		if err == nil && len(ids) > 0 {
			err = fmt.Errorf("rows of %s are left: %v", user, ids)
		}
		return err
	})
}

func (d drill) comeAndGo() error {
	p, err := d.dial("ann")
	if err != nil {
		return err
	}
	defer p.leave()
	if ids, err := d.members("ann"); err != nil || len(ids) != 1 {
		return fmt.Errorf("rows of a client that is connected: %v: %w", ids, orMissing(err))
	}
	if err := p.asks([2]string{`{"action":"subscribe","channel":"orders"}`, "subscribed"}); err != nil {
		return err
	}
	p.leave()
	return d.nobody("ann")
}

// failToConnect lets the second write of a connect fail: the first must be
// undone.
func (d drill) failToConnect() error {
	rule, err := d.stack.Here.Faults().Add(faults.Rule{
		Service: "dynamodb", Operation: "BatchWriteItem", Fault: faults.Fault{Status: 400, Code: "ValidationException"},
	})
	if err != nil {
		return err
	}
	p, err := d.dial("unlucky")
	d.stack.Here.Faults().Remove(rule)
	if err == nil {
		p.leave()
		return errors.New("a client is connected whose rows were not written")
	}
	left, err := dynamodb.NewFromConfig(d.config()).Scan(context.WithoutCancel(d), &dynamodb.ScanInput{
		TableName: &d.stack.Outputs.TableName, FilterExpression: aws.String("tenant = :tenant"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":tenant": &types.AttributeValueMemberS{Value: d.tenant}},
	})
	if err != nil || len(left.Items) > 0 {
		return fmt.Errorf("rows of a client that was refused: %v: %w", left, orMissing(err))
	}
	return nil
}

func (d drill) frames() error {
	p, err := d.dial("ann")
	if err != nil {
		return err
	}
	defer p.leave()
	const once = `{"action":"broadcast","to":{"user":"ann"},"data":1,"idempotencyKey":"k"}`
	if err := p.asks(
		[2]string{`{"action":"ping"}`, "pong"},
		[2]string{`{"action":"subscribe","channel":"orders"}`, "subscribed"},
		[2]string{`{"action":"unsubscribe","channel":"orders"}`, "unsubscribed"},
		[2]string{`{"action":"authenticate","token":"` + d.stack.Token("ann", d.tenant, "broadcast:*") + `"}`, "authenticated"},
		[2]string{once, "accepted"},
	); err != nil {
		return err
	}
	if _, err := p.await("message", once); err != nil {
		return err
	}
	if f, err := p.ask(once, "accepted"); err != nil || !f.Duplicate {
		return fmt.Errorf("a repetition is answered with %s: %w", f.raw, orMissing(err))
	}
	return nil
}

// closings: a frame from a socket without a row, and from one whose session is
// over, ends the socket.
func (d drill) closings() error {
	for name, end := range map[string]func(id string) error{
		"forgotten": func(id string) error { _, err := d.table.Remove(d, id); return err },
		"expired": func(id string) error {
			return d.table.Renew(d, id, connection.Session{TokenExpiresAt: time.Now().Add(-time.Hour), ExpiresAt: time.Now().Add(time.Hour)})
		},
	} {
		p, err := d.dial(name)
		if err != nil {
			return err
		}
		defer p.leave()
		ids, err := d.members(name)
		if err != nil || len(ids) != 1 {
			return fmt.Errorf("rows of %s: %v: %w", name, ids, orMissing(err))
		}
		if err := end(ids[0]); err != nil {
			return err
		}
		if err := p.conn.Write(d, websocket.MessageText, []byte(`{"action":"ping"}`)); err != nil {
			return err
		}
		if name == "expired" {
			if _, err := p.await("error", "the end of the session"); err != nil {
				return err
			}
		}
		select {
		case <-p.closed:
		case <-d.Done():
		}
		if d.Err() != nil {
			return fmt.Errorf("the %s socket is open", name)
		}
	}
	return nil
}

func (d drill) audiences() error {
	p, err := d.dial("ann")
	if err != nil {
		return err
	}
	defer p.leave()
	if _, err := p.ask(`{"action":"subscribe","channel":"orders"}`, "subscribed"); err != nil {
		return err
	}
	ids, err := d.members("ann")
	if err != nil || len(ids) != 1 {
		return fmt.Errorf("rows of ann: %v: %w", ids, orMissing(err))
	}
	for _, to := range []string{`{"tenant":true}`, `{"user":"ann"}`, `{"channel":"orders"}`, fmt.Sprintf(`{"connections":[%q]}`, ids[0])} {
		if err := d.publish(d.stack.Outputs.BroadcastQueueURL, fmt.Sprintf(`{"tenant":%q,"to":%s,"data":1,"idempotencyKey":%q}`, d.tenant, to, to)); err != nil {
			return err
		}
		if _, err := p.await("message", to); err != nil {
			return err
		}
	}
	return nil
}

func (d drill) publish(queue, body string) error {
	_, err := d.sqs().SendMessage(d, &sqs.SendMessageInput{QueueUrl: &queue, MessageBody: &body})
	return err
}

// put writes the rows of a connection that has no socket.
func (d drill) put(id, user string, age time.Duration) error {
	now := time.Now()
	return d.table.Put(d, connection.Connection{
		ID: id, Tenant: d.tenant, User: user, ConnectedAt: now.Add(-age), TokenExpiresAt: now.Add(time.Hour), ExpiresAt: now.Add(time.Hour),
	})
}

// ghostID is a connection id as API Gateway makes them.
func ghostID(n int64) string { return fmt.Sprintf("G%014x=", n) }

// ghosts: a post finds that one connection is gone; the other is older than a
// socket can be. Both are cleaned up.
func (d drill) ghosts() error {
	for user, age := range map[string]time.Duration{"gone": 2 * time.Minute, "stale": 3 * time.Hour} {
		if err := d.put(ghostID(time.Now().UnixNano()), user, age); err != nil {
			return err
		}
	}
	if err := d.publish(d.stack.Outputs.BroadcastQueueURL, fmt.Sprintf(`{"tenant":%q,"to":{"tenant":true},"data":1}`, d.tenant)); err != nil {
		return err
	}
	return errors.Join(d.nobody("gone"), d.nobody("stale"))
}

// units is one unit more than broadcast sends itself.
func (d drill) units() error {
	const count = 501
	first := time.Now().UnixNano()
	group, _ := errgroup.WithContext(d)
	group.SetLimit(16)
	for i := range int64(count) {
		group.Go(func() error { return d.put(ghostID(first+i), "crowd", 2*time.Minute) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if err := d.publish(d.stack.Outputs.BroadcastQueueURL, fmt.Sprintf(`{"tenant":%q,"to":{"user":"crowd"},"data":1}`, d.tenant)); err != nil {
		return err
	}
	return d.nobody("crowd")
}

// deadLetters: what can never be understood is with the dead letters at once,
// and not after a few visibility time-outs.
func (d drill) deadLetters() error {
	broadcasts := strings.TrimSuffix(d.stack.Outputs.BroadcastQueueURL, "/")
	for _, queue := range []string{broadcasts, strings.TrimSuffix(broadcasts, "broadcast") + "deliver"} {
		body := "no message at all, of " + d.tenant
		if err := d.publish(queue, body); err != nil {
			return err
		}
		err := d.until(func() error {
			out, err := d.sqs().ReceiveMessage(context.WithoutCancel(d), &sqs.ReceiveMessageInput{
				QueueUrl: aws.String(queue + "-dead-letters"), MaxNumberOfMessages: 10, VisibilityTimeout: 1,
			})
			if err != nil {
				return err
			}
			for _, m := range out.Messages {
				if aws.ToString(m.Body) == body {
					return nil
				}
			}
			return fmt.Errorf("%q is not in the dead letters of %s", body, queue)
		})
		if err != nil {
			return err
		}
	}
	return nil
}
