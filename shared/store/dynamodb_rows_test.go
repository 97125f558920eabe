package store_test

import (
	"maps"
	"slices"
	"strconv"
	"testing"
	"time"

	"fanfare/shared/broadcast"
	"fanfare/shared/connection"
	"fanfare/shared/protocol"
	"fanfare/shared/store"
)

// TestTheTableHoldsTheRowsOfItsDesign keeps the keys as documented: rows
// outlive the program that wrote them.
func TestTheTableHoldsTheRowsOfItsDesign(t *testing.T) {
	ctx, client := t.Context(), newTable(t)
	s := store.NewDynamoDB(client, tableName, store.Options{TenantShards: 1})
	now := time.Now()
	expires := now.Add(time.Hour)
	steps := []error{
		s.Put(ctx, connection.Connection{ID: "c1=", Tenant: "ac/me", User: "u1", ConnectedAt: now, ExpiresAt: expires}),
		s.Subscribe(ctx, "c1=", "orders"),
		s.PutUnit(ctx, "m1", broadcast.UnitCounts{N: 7}),
		second(s.Claim(ctx, broadcast.Receipt{MessageID: "m1", Tenant: "ac/me", To: protocol.Audience{Tenant: true}})),
		second(s.ClaimKey(ctx, broadcast.IdempotencyClaim{Tenant: "ac/me", User: "u1", Key: "k1", MessageID: "m1", ExpiresAt: expires})),
	}
	for i, err := range steps {
		if err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
	}
	rows := allRows(t, client)
	want := []string{
		"ac%2Fme/channel/orders/0|c1=",
		"ac%2Fme/tenant/0|c1=",
		"ac%2Fme/user/u1|c1=",
		"broadcast/m1|receipt",
		"broadcast/m1|unit/7",
		"connection/c1=|connection",
		"idempotency/ac%2Fme/u1/k1|claim",
	}
	if got := slices.Sorted(maps.Keys(rows)); !slices.Equal(got, want) {
		t.Fatalf("rows\n%q, want\n%q", got, want)
	}
	for name, it := range rows {
		n, err := strconv.ParseInt(attribute(it, "expiresAt"), 10, 64)
		if err != nil || n < now.Unix() || n > now.Add(broadcast.ReceiptTTL+time.Minute).Unix() {
			t.Errorf("%s: expiresAt is %q, want seconds since 1970 for the TTL", name, attribute(it, "expiresAt"))
		}
	}
}

func second[T any](_ T, err error) error { return err }
