package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"fanfare/shared/broadcast"
	"fanfare/shared/connection"
	"fanfare/shared/protocol"
	"fanfare/shared/store"
)

// Each test runs in a bubble of its own time, so the pauses between attempts
// take none.

var errDown = errors.New("dynamodb is down")

func TestPutLeavesNothingWhenMembershipsFail(t *testing.T) {
	for what, batch := range map[string]func(client *dynamodb.Client) batchWrite{
		"refused": func(*dynamodb.Client) batchWrite {
			return func(context.Context, *dynamodb.BatchWriteItemInput) (*dynamodb.BatchWriteItemOutput, error) {
				return nil, errDown
			}
		},
		"half done for ever": func(client *dynamodb.Client) batchWrite { return firstOnly(client, 1000) },
		"written, answer lost": func(client *dynamodb.Client) batchWrite {
			return func(ctx context.Context, in *dynamodb.BatchWriteItemInput) (*dynamodb.BatchWriteItemOutput, error) {
				_, err := client.BatchWriteItem(ctx, in)
				return nil, errors.Join(errDown, err)
			}
		},
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := newTable(t)
				s := store.NewDynamoDB(&faulty{API: client, batchWrite: batch(client)}, tableName, store.Options{})
				err := s.Put(t.Context(), newConnection("c1"))
				if !errors.Is(err, errDown) && !errors.Is(err, store.ErrContended) {
					t.Errorf("Put: error %v, want the cause", err)
				}
				if rows := allRows(t, client); len(rows) > 0 {
					t.Errorf("left behind: %v", rows)
				}
			})
		})
	}
}

func TestPutUndoesItsWorkForACallerWhoHasGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := newTable(t)
		ctx, cancel := context.WithCancel(t.Context())
		api := &faulty{API: client, batchWrite: func(ctx context.Context, in *dynamodb.BatchWriteItemInput) (*dynamodb.BatchWriteItemOutput, error) {
			cancel()
			return client.BatchWriteItem(ctx, in)
		}}
		err := store.NewDynamoDB(api, tableName, store.Options{}).Put(ctx, newConnection("c1"))
		if !errors.Is(err, context.Canceled) {
			t.Errorf("Put: error %v, want %v", err, context.Canceled)
		}
		if rows := allRows(t, client); len(rows) > 0 {
			t.Errorf("left behind: %v", rows)
		}
	})
}

func TestRemoveFinishesForACallerWhoHasGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := newTable(t)
		ctx, cancel := context.WithCancel(t.Context())
		api := &faulty{API: client, batchWrite: func(ctx context.Context, in *dynamodb.BatchWriteItemInput) (*dynamodb.BatchWriteItemOutput, error) {
			cancel()
			return client.BatchWriteItem(ctx, in)
		}}
		must(t, store.NewDynamoDB(client, tableName, store.Options{}).Put(ctx, newConnection("c1")))
		must(t, second(store.NewDynamoDB(api, tableName, store.Options{}).Remove(ctx, "c1")))
		if rows := allRows(t, client); len(rows) > 0 {
			t.Errorf("left behind: %v", rows)
		}
	})
}

func TestBatchesAreFinishedPieceByPiece(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, client := t.Context(), newTable(t)
		plain := store.NewDynamoDB(client, tableName, store.Options{})
		s := store.NewDynamoDB(&faulty{API: client, batchWrite: firstOnly(client, 2), batchGet: firstKeyOnly(client, 2)}, tableName, store.Options{})
		for _, id := range []string{"c1", "c2", "c3"} {
			must(t, s.Put(ctx, newConnection(id)))
		}
		page, err := s.Members(ctx, "acme", protocol.Audience{Connections: []string{"c1", "c2", "c3"}}, "", 10)
		must(t, err)
		if len(page.IDs) != 3 {
			t.Errorf("members %q, want all three", page.IDs)
		}
		for _, id := range page.IDs {
			must(t, plain.Subscribe(ctx, id, "orders"))
			must(t, second(s.Remove(ctx, id)))
		}
		if rows := allRows(t, client); len(rows) > 0 {
			t.Errorf("left behind: %v", rows)
		}
	})
}

func TestABatchThatIsNeverFinishedEndsInAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := newTable(t)
		s := store.NewDynamoDB(&faulty{API: client, batchGet: firstKeyOnly(client, 1000)}, tableName, store.Options{})
		ids := strings.Split(strings.Repeat("c", 20), "")
		for i := range ids {
			ids[i] = fmt.Sprint("c", i)
		}
		begin := time.Now()
		_, err := s.Members(t.Context(), "acme", protocol.Audience{Connections: ids}, "", 20)
		if !errors.Is(err, store.ErrContended) {
			t.Errorf("Members: error %v, want %v", err, store.ErrContended)
		}
		if took := time.Since(begin); took > 5*time.Second {
			t.Errorf("gave up after %v", took)
		}
	})
}

func TestPausesEndWithTheCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := newTable(t)
		s := store.NewDynamoDB(&faulty{API: client, batchGet: firstKeyOnly(client, 1000)}, tableName, store.Options{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Microsecond)
		defer cancel()
		_, err := s.Members(ctx, "acme", protocol.Audience{Connections: []string{"c1", "c2"}}, "", 20)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Members: error %v, want %v", err, context.DeadlineExceeded)
		}
	})
}

// The SDK repeats a request whose answer was lost. The repetition must not be
// taken for somebody else's work.
func TestARepeatedRequestIsNotTakenForARival(t *testing.T) {
	ctx, client := t.Context(), newTable(t)
	s := store.NewDynamoDB(&repeating{client}, tableName, store.Options{})
	must(t, s.Put(ctx, newConnection("c1")))
	must(t, second(s.Claim(ctx, broadcast.Receipt{MessageID: "m1", Tenant: "acme", To: protocol.Audience{Tenant: true}})))
	next := broadcast.Progress{Units: 1}
	must(t, s.Advance(ctx, "m1", broadcast.Progress{}, next))
	if err := s.Advance(ctx, "m1", broadcast.Progress{}, next); !errors.Is(err, broadcast.ErrCursorMoved) {
		t.Errorf("a real rival: error %v, want %v", err, broadcast.ErrCursorMoved)
	}
	held, err := s.ClaimKey(ctx, broadcast.IdempotencyClaim{Tenant: "acme", Key: "k1", MessageID: "m1"})
	if err != nil || held.MessageID != "m1" {
		t.Errorf("ClaimKey: %+v, %v", held, err)
	}
}

func TestSubscribeTakesTheExpiryOfARenewalInBetween(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, client := t.Context(), newTable(t)
		plain := store.NewDynamoDB(client, tableName, store.Options{})
		must(t, plain.Put(ctx, newConnection("c1")))
		renewed := time.Now().Add(90 * time.Minute)
		api := &faulty{API: client, before: onceOnly(func() {
			must(t, plain.Renew(ctx, "c1", connection.Session{TokenExpiresAt: renewed, TokenID: "jti-2", ExpiresAt: renewed}))
		})}
		must(t, store.NewDynamoDB(api, tableName, store.Options{}).Subscribe(ctx, "c1", "orders"))
		got := attribute(allRows(t, client)["acme/channel/orders/0|c1"], "expiresAt")
		if want := fmt.Sprint(renewed.Unix()); got != want {
			t.Errorf("the membership expires at %s, want %s", got, want)
		}
	})
}

func TestSubscribeRespectsTheLimitThatARivalHasReached(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, client := t.Context(), newTable(t)
		plain := store.NewDynamoDB(client, tableName, store.Options{})
		must(t, plain.Put(ctx, newConnection("c1")))
		for i := range connection.MaxChannels - 1 {
			must(t, plain.Subscribe(ctx, "c1", fmt.Sprint("channel-", i)))
		}
		api := &faulty{API: client, before: onceOnly(func() { must(t, plain.Subscribe(ctx, "c1", "the-last")) })}
		err := store.NewDynamoDB(api, tableName, store.Options{}).Subscribe(ctx, "c1", "one-more")
		if !errors.Is(err, connection.ErrTooManyChannels) {
			t.Errorf("Subscribe: error %v, want %v", err, connection.ErrTooManyChannels)
		}
	})
}

func TestSubscribeGivesUpWhenTheConnectionIsRemovedInBetween(t *testing.T) {
	ctx, client := t.Context(), newTable(t)
	plain := store.NewDynamoDB(client, tableName, store.Options{})
	must(t, plain.Put(ctx, newConnection("c1")))
	api := &faulty{API: client, before: onceOnly(func() { must(t, second(plain.Remove(ctx, "c1"))) })}
	err := store.NewDynamoDB(api, tableName, store.Options{}).Subscribe(ctx, "c1", "orders")
	if !errors.Is(err, connection.ErrNotFound) {
		t.Errorf("Subscribe: error %v, want %v", err, connection.ErrNotFound)
	}
	if rows := allRows(t, client); len(rows) > 0 {
		t.Errorf("left behind: %v", rows)
	}
}

func TestRenewDoesNotBringBackWhatWasRemovedInBetween(t *testing.T) {
	ctx, client := t.Context(), newTable(t)
	plain := store.NewDynamoDB(client, tableName, store.Options{})
	must(t, plain.Put(ctx, newConnection("c1")))
	must(t, plain.Subscribe(ctx, "c1", "orders"))
	api := &faulty{API: client, afterUpdate: onceOnly(func() { must(t, second(plain.Remove(ctx, "c1"))) })}
	later := time.Now().Add(time.Hour)
	must(t, store.NewDynamoDB(api, tableName, store.Options{}).Renew(ctx, "c1", connection.Session{TokenExpiresAt: later, TokenID: "jti-2", ExpiresAt: later}))
	if rows := allRows(t, client); len(rows) > 0 {
		t.Errorf("back again: %v", rows)
	}
}

func TestConflictsOfTransactionsAreTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, client := t.Context(), newTable(t)
		api := &faulty{API: client}
		s := store.NewDynamoDB(api, tableName, store.Options{})
		later := time.Now().Add(time.Hour)
		for _, step := range []struct {
			name string
			call func() error
		}{
			{"Put", func() error { return s.Put(ctx, newConnection("c1")) }},
			{"Subscribe", func() error { return s.Subscribe(ctx, "c1", "orders") }},
			{"Renew", func() error {
				return s.Renew(ctx, "c1", connection.Session{TokenExpiresAt: later, TokenID: "jti-2", ExpiresAt: later})
			}},
			{"Unsubscribe", func() error { return s.Unsubscribe(ctx, "c1", "orders") }},
			{"Remove", func() error { return second(s.Remove(ctx, "c1")) }},
		} {
			api.conflicts = 3
			if err := step.call(); err != nil || api.conflicts > 0 {
				t.Errorf("%s: error %v, %d conflicts not met", step.name, err, api.conflicts)
			}
		}
		api.conflicts = 1000
		err := s.Put(ctx, newConnection("c1"))
		if _, met := errors.AsType[*types.TransactionConflictException](err); !met || !errors.Is(err, store.ErrContended) {
			t.Errorf("Put amid conflicts without end: error %v, want %v and the conflict", err, store.ErrContended)
		}
	})
}

func TestARowThatIsNotAsWrittenIsReported(t *testing.T) {
	number := func(n string) types.AttributeValue { return &types.AttributeValueMemberN{Value: n} }
	text := func(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
	get := func(s *store.DynamoDB) error { return second(s.Get(context.Background(), "c1")) }
	receipt := func(s *store.DynamoDB) error { return second(s.Receipt(context.Background(), "m1")) }
	members := func(s *store.DynamoDB) error {
		return second(s.Members(context.Background(), "acme", protocol.Audience{User: "u1"}, "", 10))
	}
	for _, c := range []struct {
		pk, sk, attribute string
		value             types.AttributeValue
		read              func(*store.DynamoDB) error
	}{
		{"connection/c1", "connection", "user", number("1"), get},
		{"connection/c1", "connection", "connectedAt", number("1.5"), get},
		{"connection/c1", "connection", "permissions", &types.AttributeValueMemberL{Value: []types.AttributeValue{number("1")}}, get},
		{"connection/c1", "connection", "channels", &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{"a": text("0")}}, get},
		{"connection/c1", "connection", "channels", &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{"a/b": number("0")}}, get},
		{"acme/user/u1", "c1", "expiresAt", text("soon"), members},
		{"acme/user/u1", "not/encoded", "connectedAt", number("1"), members},
		{"broadcast/m1", "receipt", "to", text("everybody"), receipt},
		{"broadcast/m1", "unit/0", "remaining", text("c1"), receipt},
		{"broadcast/m1", "stranger", "expiresAt", number("99999999999"), receipt},
	} {
		t.Run(c.pk+" "+c.sk+" "+c.attribute, func(t *testing.T) {
			ctx, client := t.Context(), newTable(t)
			s := store.NewDynamoDB(client, tableName, store.Options{})
			must(t, s.Put(ctx, newConnection("c1")))
			must(t, second(s.Claim(ctx, broadcast.Receipt{MessageID: "m1", Tenant: "acme", To: protocol.Audience{Tenant: true}})))
			must(t, s.PutUnit(ctx, "m1", broadcast.UnitCounts{}))
			_, err := client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
				TableName:                 aws.String(tableName),
				Key:                       map[string]types.AttributeValue{"pk": text(c.pk), "sk": text(c.sk)},
				UpdateExpression:          aws.String("SET #a = :v"),
				ExpressionAttributeNames:  map[string]string{"#a": c.attribute},
				ExpressionAttributeValues: map[string]types.AttributeValue{":v": c.value},
			})
			must(t, err)
			if err := c.read(s); !errors.Is(err, store.ErrCorrupt) {
				t.Errorf("error %v, want %v", err, store.ErrCorrupt)
			}
		})
	}
}

func newConnection(id string) connection.Connection {
	now := time.Now()
	return connection.Connection{ID: id, Tenant: "acme", User: "u1", ConnectedAt: now, ExpiresAt: now.Add(time.Hour)}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func onceOnly(f func()) func() {
	done := false
	return func() {
		if !done {
			done = true
			f()
		}
	}
}
