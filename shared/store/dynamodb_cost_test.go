package store_test

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"fanfare/shared/broadcast"
	"fanfare/shared/connection"
	"fanfare/shared/protocol"
	"fanfare/shared/store"
)

// TestEachMethodCostsWhatItsCommentSays runs one connection's life and that of
// one broadcast, and reads DynamoDB's own bill after each step.
func TestEachMethodCostsWhatItsCommentSays(t *testing.T) {
	ctx := t.Context()
	bill := &meter{API: newTable(t)}
	s := store.NewDynamoDB(bill, tableName, store.Options{})
	now := time.Now()
	later := now.Add(time.Hour)
	c := connection.Connection{
		ID: "R1kmxc2VNjMCFIA=", Tenant: "acme", User: "u1", Permissions: []string{"broadcast:*"},
		UserAgent: "Mozilla/5.0", SourceIP: "192.0.2.7", ConnectedAt: now, ExpiresAt: later,
	}
	members := func(to protocol.Audience) func() error {
		return func() error { _, err := s.Members(ctx, "acme", to, "", 500); return err }
	}
	steps := []struct {
		name        string
		call        func() error
		read, write float64
	}{
		{"Put", func() error { return s.Put(ctx, c) }, 0, 3},
		{"Get", func() error { _, err := s.Get(ctx, c.ID); return err }, 1, 0},
		{"Subscribe", func() error { return s.Subscribe(ctx, c.ID, "orders") }, 1, 4},
		{"Subscribe to another", func() error { return s.Subscribe(ctx, c.ID, "news") }, 1, 4},
		{"Subscribe again", func() error { return s.Subscribe(ctx, c.ID, "news") }, 1, 0},
		{"Unsubscribe", func() error { return s.Unsubscribe(ctx, c.ID, "news") }, 1, 4},
		{"Unsubscribe again", func() error { return s.Unsubscribe(ctx, c.ID, "news") }, 1, 0},
		{"Renew with one channel", func() error {
			return s.Renew(ctx, c.ID, connection.Session{TokenExpiresAt: later, TokenID: "jti", ExpiresAt: later})
		}, 0, 4},
		{"Members of a tenant in 4 shards", members(protocol.Audience{Tenant: true}), 4, 0},
		{"Members of a channel", members(protocol.Audience{Channel: "orders"}), 1, 0},
		{"Members of a user", members(protocol.Audience{User: "u1"}), 1, 0},
		{"Members of a list, one unknown", members(protocol.Audience{Connections: []string{c.ID, "x"}}), 2, 0},
		{"RemoveGone too young", func() error { return not(connection.ErrTooYoung, s.RemoveGone(ctx, c.ID, now.Add(-time.Hour))) }, 0, 1},
		{"RemoveGone with one channel", func() error { return s.RemoveGone(ctx, c.ID, later) }, 0, 4},
		{"Remove nothing", func() error { _, err := s.Remove(ctx, c.ID); return not(connection.ErrNotFound, err) }, 0, 1},
		{"Claim", func() error {
			_, err := s.Claim(ctx, broadcast.Receipt{MessageID: "m1", Tenant: "acme", To: protocol.Audience{Tenant: true}})
			return err
		}, 0, 1},
		{"Advance", func() error { return s.Advance(ctx, "m1", broadcast.Progress{}, broadcast.Progress{Units: 1}) }, 0, 1},
		{"PutUnit", func() error { return s.PutUnit(ctx, "m1", broadcast.UnitCounts{Delivered: 500}) }, 0, 1},
		{"Unit", func() error { _, err := s.Unit(ctx, "m1", 0); return err }, 1, 0},
		{"Receipt", func() error { _, err := s.Receipt(ctx, "m1"); return err }, 1, 0},
		{"ClaimKey", func() error {
			_, err := s.ClaimKey(ctx, broadcast.IdempotencyClaim{Tenant: "acme", Key: "k", MessageID: "m1"})
			return err
		}, 0, 1},
		{"Key", func() error { _, err := s.Key(ctx, "acme", "", "k"); return err }, 1, 0},
		{"ConfirmKey", func() error {
			return s.ConfirmKey(ctx, broadcast.IdempotencyClaim{Tenant: "acme", Key: "k", MessageID: "m1"})
		}, 0, 1},
		{"CountBroadcast", func() error { _, _, err := s.CountBroadcast(ctx, "acme", c.ID, 1); return err }, 0, 1},
	}
	for _, step := range steps {
		bill.read, bill.write = 0, 0
		if err := step.call(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if bill.read != step.read || bill.write != step.write {
			t.Errorf("%s costs %v read and %v write units, want %v and %v", step.name, bill.read, bill.write, step.read, step.write)
		}
	}
}

// TestAPageOf500Costs checks the arithmetic of a broadcast to many: about 30
// members a read unit.
func TestAPageOf500Costs(t *testing.T) {
	bill := &meter{API: newTable(t)}
	s := store.NewDynamoDB(bill, tableName, store.Options{TenantShards: 1})
	now := time.Now()
	for i := range 500 {
		c := connection.Connection{
			ID: "R1kmxc2VNjMC" + strconv.Itoa(1000+i), Tenant: "acme", User: "u" + strconv.Itoa(i),
			ConnectedAt: now, ExpiresAt: now.Add(time.Hour),
		}
		if err := s.Put(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	bill.read = 0
	page, err := s.Members(t.Context(), "acme", protocol.Audience{Tenant: true}, "", 500)
	if err != nil || len(page.IDs) != 500 {
		t.Fatalf("%d members, %v", len(page.IDs), err)
	}
	if bill.read > 500.0/30+1 {
		t.Errorf("500 members cost %v read units", bill.read)
	}
}

// TestAWindowOf80ConnectionsIsOneWriteUnit checks that a broadcast costs one
// write unit to count while a tenant stays within its default limit.
func TestAWindowOf80ConnectionsIsOneWriteUnit(t *testing.T) {
	bill := &meter{API: newTable(t)}
	s := store.NewDynamoDB(bill, tableName, store.Options{})
	for i := range 80 {
		bill.write = 0
		if _, _, err := s.CountBroadcast(t.Context(), "a-tenant-of-usual-length", "R1kmxc2VNjMC"+strconv.Itoa(1000+i), 1785000000); err != nil {
			t.Fatal(err)
		}
		if bill.write != 1 {
			t.Fatalf("connection %d costs %v write units", i, bill.write)
		}
	}
}

// not returns nil if err is the one that is wanted.
func not(want, err error) error {
	if errors.Is(err, want) {
		return nil
	}
	return err
}

// meter asks DynamoDB what each request cost and adds it up. A condition that
// fails is billed too, but its answer does not say so: it counts as one unit.
type meter struct {
	store.API
	mu          sync.Mutex
	read, write float64
}

func (m *meter) add(to *float64, all ...*types.ConsumedCapacity) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range all {
		if c != nil && c.CapacityUnits != nil {
			*to += *c.CapacityUnits
		}
	}
}

func (m *meter) addAll(to *float64, all []types.ConsumedCapacity) {
	for _, c := range all {
		m.add(to, &c)
	}
}

const total = types.ReturnConsumedCapacityTotal

func (m *meter) GetItem(ctx context.Context, in *dynamodb.GetItemInput, o ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	in.ReturnConsumedCapacity = total
	out, err := m.API.GetItem(ctx, in, o...)
	if err == nil {
		m.add(&m.read, out.ConsumedCapacity)
	}
	return out, err
}

func (m *meter) PutItem(ctx context.Context, in *dynamodb.PutItemInput, o ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	in.ReturnConsumedCapacity = total
	out, err := m.API.PutItem(ctx, in, o...)
	if err == nil {
		m.add(&m.write, out.ConsumedCapacity)
	}
	return out, err
}

func (m *meter) UpdateItem(ctx context.Context, in *dynamodb.UpdateItemInput, o ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	in.ReturnConsumedCapacity = total
	out, err := m.API.UpdateItem(ctx, in, o...)
	if err == nil {
		m.add(&m.write, out.ConsumedCapacity)
	}
	return out, err
}

func (m *meter) DeleteItem(ctx context.Context, in *dynamodb.DeleteItemInput, o ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error) {
	in.ReturnConsumedCapacity = total
	out, err := m.API.DeleteItem(ctx, in, o...)
	if err == nil {
		m.add(&m.write, out.ConsumedCapacity)
	} else {
		m.write++
	}
	return out, err
}

func (m *meter) Query(ctx context.Context, in *dynamodb.QueryInput, o ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	in.ReturnConsumedCapacity = total
	out, err := m.API.Query(ctx, in, o...)
	if err == nil {
		m.add(&m.read, out.ConsumedCapacity)
	}
	return out, err
}

func (m *meter) BatchGetItem(ctx context.Context, in *dynamodb.BatchGetItemInput, o ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error) {
	in.ReturnConsumedCapacity = total
	out, err := m.API.BatchGetItem(ctx, in, o...)
	if err == nil {
		m.addAll(&m.read, out.ConsumedCapacity)
	}
	return out, err
}

func (m *meter) BatchWriteItem(ctx context.Context, in *dynamodb.BatchWriteItemInput, o ...func(*dynamodb.Options)) (*dynamodb.BatchWriteItemOutput, error) {
	in.ReturnConsumedCapacity = total
	out, err := m.API.BatchWriteItem(ctx, in, o...)
	if err == nil {
		m.addAll(&m.write, out.ConsumedCapacity)
	}
	return out, err
}

func (m *meter) TransactWriteItems(ctx context.Context, in *dynamodb.TransactWriteItemsInput, o ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error) {
	in.ReturnConsumedCapacity = total
	out, err := m.API.TransactWriteItems(ctx, in, o...)
	if err == nil {
		m.addAll(&m.write, out.ConsumedCapacity)
	}
	return out, err
}
