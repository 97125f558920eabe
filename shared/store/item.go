package store

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"fanfare/shared/broadcast"
	"fanfare/shared/connection"
)

// item is a row in the SDK's shape. The translation is written by hand: it is
// short, uses no reflection, and a member that is missing is an error.
type item = map[string]types.AttributeValue

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func number[N int | int64](n N) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(int64(n), 10)}
}

func boolean(b bool) types.AttributeValue { return &types.AttributeValueMemberBOOL{Value: b} }

func texts(list []string) types.AttributeValue {
	values := make([]types.AttributeValue, len(list))
	for i, s := range list {
		values[i] = text(s)
	}
	return &types.AttributeValueMemberL{Value: values}
}

func numbers(m map[string]int) types.AttributeValue {
	values := make(item, len(m))
	for name, n := range m {
		values[encode(name)] = number(n)
	}
	return &types.AttributeValueMemberM{Value: values}
}

func (k key) item() item { return item{"pk": text(k.pk), "sk": text(k.sk)} }

func (r row) item() item {
	it := connectionKey(r.ID).item()
	it["tenant"] = text(r.Tenant)
	it["user"] = text(r.User)
	it["permissions"] = texts(r.Permissions)
	it["userAgent"] = text(r.UserAgent)
	it["sourceIp"] = text(r.SourceIP)
	it["connectedAt"] = number(millis(r.ConnectedAt))
	it["tokenExpiresAt"] = number(seconds(r.TokenExpiresAt))
	it["tokenId"] = text(r.TokenID)
	it["expiresAt"] = number(seconds(r.ExpiresAt))
	it["tenantShard"] = number(r.tenantShard)
	it["channels"] = numbers(r.shards)
	return it
}

// member is the row that makes the connection a member at k. It carries what
// tells a stale member, so that a broadcast reads no connection's row.
func (r row) member(k key) item {
	it := k.item()
	it["connectedAt"] = number(millis(r.ConnectedAt))
	it["expiresAt"] = number(seconds(r.ExpiresAt))
	return it
}

// fields reads an item. The first member that is missing or of another type
// becomes err, and the values read then mean nothing.
type fields struct {
	item item
	err  error
}

func field[V types.AttributeValue](f *fields, name string) (v V) {
	v, ok := f.item[name].(V)
	if !ok {
		f.fail("%s is a %T, not a %T", name, f.item[name], v)
	}
	return v
}

func (f *fields) fail(format string, args ...any) {
	if f.err == nil {
		f.err = fmt.Errorf("%w: %s", ErrCorrupt, fmt.Sprintf(format, args...))
	}
}

func (f *fields) text(name string) string {
	if v := field[*types.AttributeValueMemberS](f, name); v != nil {
		return v.Value
	}
	return ""
}

func (f *fields) bool(name string) bool {
	v := field[*types.AttributeValueMemberBOOL](f, name)
	return v != nil && v.Value
}

func (f *fields) number(name string) int64 {
	v := field[*types.AttributeValueMemberN](f, name)
	if v == nil {
		return 0
	}
	n, err := strconv.ParseInt(v.Value, 10, 64)
	if err != nil {
		f.fail("%s is %q, not an integer", name, v.Value)
	}
	return n
}

func (f *fields) texts(name string) []string {
	v := field[*types.AttributeValueMemberL](f, name)
	if v == nil || len(v.Value) == 0 {
		return nil
	}
	list := make([]string, len(v.Value))
	for i, e := range v.Value {
		s, ok := e.(*types.AttributeValueMemberS)
		if !ok {
			f.fail("%s holds a %T", name, e)
			return nil
		}
		list[i] = s.Value
	}
	return list
}

func (f *fields) numbers(name string) map[string]int {
	v := field[*types.AttributeValueMemberM](f, name)
	if v == nil {
		return nil
	}
	inner := fields{item: v.Value}
	m := make(map[string]int, len(v.Value))
	for encoded := range v.Value {
		m[f.name(encoded)] = int(inner.number(encoded))
	}
	if inner.err != nil {
		f.fail("%s: %v", name, inner.err)
	}
	return m
}

func (f *fields) times(name string) broadcast.Times {
	t, err := broadcast.ParseTimes(f.text(name))
	if err != nil {
		f.fail("%s: %v", name, err)
	}
	return t
}

// name decodes a part of a key.
func (f *fields) name(encoded string) string {
	name, err := decode(encoded)
	if err != nil {
		f.fail("%v", err)
	}
	return name
}

// connectionID takes the id out of a connection's partition key.
func (f *fields) connectionID() string {
	encoded, ok := strings.CutPrefix(f.text("pk"), "connection/")
	if !ok {
		f.fail("%q is no connection's key", f.text("pk"))
	}
	return f.name(encoded)
}

func parseRow(it item) (row, error) {
	f := &fields{item: it}
	r := row{
		Connection: connection.Connection{
			ID:             f.connectionID(),
			Tenant:         f.text("tenant"),
			User:           f.text("user"),
			Permissions:    f.texts("permissions"),
			UserAgent:      f.text("userAgent"),
			SourceIP:       f.text("sourceIp"),
			ConnectedAt:    fromMillis(f.number("connectedAt")),
			TokenExpiresAt: fromSeconds(f.number("tokenExpiresAt")),
			TokenID:        f.text("tokenId"),
			ExpiresAt:      fromSeconds(f.number("expiresAt")),
		},
		tenantShard: int(f.number("tenantShard")),
		shards:      f.numbers("channels"),
	}
	return r, f.err
}

// parseMember reads of a connection's or a membership's row what tells whether
// it is live.
func parseMember(it item) (connection.Connection, error) {
	f := &fields{item: it}
	c := connection.Connection{
		ConnectedAt: fromMillis(f.number("connectedAt")),
		ExpiresAt:   fromSeconds(f.number("expiresAt")),
	}
	if _, isRow := it["tenant"]; isRow {
		c.ID, c.Tenant = f.connectionID(), f.text("tenant")
	} else {
		c.ID = f.name(f.text("sk"))
	}
	return c, f.err
}

func receiptItem(r broadcast.Receipt, expiresAt int64) (item, error) {
	to, err := json.Marshal(r.To)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	it := receiptKey(r.MessageID).item()
	it["messageId"] = text(r.MessageID)
	it["tenant"] = text(r.Tenant)
	it["to"] = text(string(to))
	it["acceptedAt"] = number(millis(r.AcceptedAt))
	it["cursor"] = text(r.Progress.Cursor)
	it["units"] = number(r.Progress.Units)
	it["done"] = boolean(r.Progress.Done)
	it["settled"] = boolean(r.Progress.Settled)
	it["expiresAt"] = number(expiresAt)
	return it, nil
}

func parseReceipt(it item) (broadcast.Receipt, error) {
	f := &fields{item: it}
	r := broadcast.Receipt{
		MessageID:  f.text("messageId"),
		Tenant:     f.text("tenant"),
		AcceptedAt: fromMillis(f.number("acceptedAt")),
		Progress: broadcast.Progress{
			Cursor: f.text("cursor"),
			Units:  int(f.number("units")),
			Done:   f.bool("done"),
		},
	}
	if _, ok := it["settled"]; ok { // rows of earlier versions have none
		r.Progress.Settled = f.bool("settled")
	}
	if err := json.Unmarshal([]byte(f.text("to")), &r.To); err != nil {
		f.fail("to: %v", err)
	}
	return r, f.err
}

func unitItem(messageID string, u broadcast.UnitCounts, expiresAt int64) item {
	it := unitKey(messageID, u.N).item()
	it["n"] = number(u.N)
	it["size"] = number(u.Size)
	it["attempts"] = number(u.Attempts)
	it["times"] = text(u.Times.String())
	it["delivered"] = number(u.Delivered)
	it["gone"] = number(u.Gone)
	it["expired"] = number(u.Expired)
	it["failed"] = numbers(u.Failed)
	it["remaining"] = texts(u.Remaining)
	it["at"] = number(millis(u.At))
	it["expiresAt"] = number(expiresAt)
	return it
}

func parseUnit(it item) (broadcast.UnitCounts, error) {
	f := &fields{item: it}
	u := broadcast.UnitCounts{
		N:         int(f.number("n")),
		Size:      int(f.number("size")),
		Attempts:  int(f.number("attempts")),
		Times:     f.times("times"),
		Delivered: int(f.number("delivered")),
		Gone:      int(f.number("gone")),
		Expired:   int(f.number("expired")),
		Failed:    f.numbers("failed"),
		Remaining: f.texts("remaining"),
		At:        fromMillis(f.number("at")),
	}
	if len(u.Failed) == 0 {
		u.Failed = nil
	}
	return u, f.err
}

func claimItem(c broadcast.IdempotencyClaim) item {
	it := claimKey(c.Tenant, c.User, c.Key).item()
	it["messageId"] = text(c.MessageID)
	it["digest"] = text(c.Digest)
	it["claimedAt"] = number(millis(c.ClaimedAt))
	it["confirmed"] = boolean(c.Confirmed)
	it["expiresAt"] = number(seconds(c.ExpiresAt))
	return it
}

// parseClaim reads a claim on the key that was asked for.
func parseClaim(it item, asked broadcast.IdempotencyClaim) (broadcast.IdempotencyClaim, error) {
	f := &fields{item: it}
	return broadcast.IdempotencyClaim{
		Tenant: asked.Tenant, User: asked.User, Key: asked.Key,
		MessageID: f.text("messageId"),
		Digest:    f.text("digest"),
		ClaimedAt: fromMillis(f.number("claimedAt")),
		Confirmed: f.bool("confirmed"),
		ExpiresAt: fromSeconds(f.number("expiresAt")),
	}, f.err
}
