package store

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"sync"
	"time"

	"fanfare/shared/broadcast"
	"fanfare/shared/connection"
	"fanfare/shared/protocol"
)

// Memory is the store in a process's memory, for tests and for running without
// AWS. It behaves as DynamoDB does, cursors and order included, is safe for
// concurrent use, and returns copies. It never frees expired rows by itself.
type Memory struct {
	o Options

	mu         sync.Mutex
	rows       map[string]row      // connections by id
	partitions map[string][]string // sorted sort keys of members by partition key
	receipts   map[string]expiring[broadcast.Receipt]
	units      map[string]map[int]expiring[broadcast.UnitCounts] // by message id and N
	claims     map[key]broadcast.IdempotencyClaim
	counters   map[key]map[string]int // broadcasts by window and connection, "" is the tenant's
}

var (
	_ connection.Store   = (*Memory)(nil)
	_ broadcast.Audience = (*Memory)(nil)
	_ broadcast.Ledger   = (*Memory)(nil)
	_ broadcast.Claims   = (*Memory)(nil)
	_ broadcast.Counters = (*Memory)(nil)
)

// NewMemory returns an empty store.
func NewMemory(o Options) *Memory {
	return &Memory{
		o:          o.withDefaults(),
		rows:       map[string]row{},
		partitions: map[string][]string{},
		receipts:   map[string]expiring[broadcast.Receipt]{},
		units:      map[string]map[int]expiring[broadcast.UnitCounts]{},
		claims:     map[key]broadcast.IdempotencyClaim{},
		counters:   map[key]map[string]int{},
	}
}

// locked runs f alone, unless the caller has given up.
func (m *Memory) locked(ctx context.Context, f func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return f()
}

// Put stores a new connection; see DynamoDB.Put.
func (m *Memory) Put(ctx context.Context, c connection.Connection) (err error) {
	defer wrap(&err, "put connection %q", c.ID)
	r, err := newRow(c, m.o)
	if err != nil {
		return err
	}
	return m.locked(ctx, func() error {
		if there, ok := m.rows[r.ID]; ok {
			if reflect.DeepEqual(there, r) {
				return nil
			}
			return ErrExists
		}
		m.rows[r.ID] = r
		for _, k := range r.memberships() {
			m.join(k)
		}
		return nil
	})
}

// Get returns the connection or connection.ErrNotFound; see DynamoDB.Get.
func (m *Memory) Get(ctx context.Context, id string) (c connection.Connection, err error) {
	defer wrap(&err, "get connection %q", id)
	err = m.withRow(ctx, id, func(r row) error {
		c = r.connection()
		return nil
	})
	return c, err
}

// Remove deletes the connection and its memberships; see DynamoDB.Remove.
func (m *Memory) Remove(ctx context.Context, id string) (c connection.Connection, err error) {
	defer wrap(&err, "remove connection %q", id)
	err = m.withRow(ctx, id, func(r row) error {
		c = r.connection()
		m.remove(r)
		return nil
	})
	return c, err
}

// RemoveGone deletes the connection if it was connected before the given time;
// see DynamoDB.RemoveGone.
func (m *Memory) RemoveGone(ctx context.Context, id string, connectedBefore time.Time) (err error) {
	defer wrap(&err, "remove gone connection %q", id)
	return m.withRow(ctx, id, func(r row) error {
		if millis(r.ConnectedAt) >= millis(connectedBefore) {
			return connection.ErrTooYoung
		}
		m.remove(r)
		return nil
	})
}

// Subscribe makes the connection a member of the channel; see
// DynamoDB.Subscribe.
func (m *Memory) Subscribe(ctx context.Context, id, channel string) (err error) {
	defer wrap(&err, "subscribe connection %q to %q", id, channel)
	if err := checkChannel(channel); err != nil {
		return err
	}
	return m.withRow(ctx, id, func(r row) error {
		if join, err := r.mayJoin(channel); !join {
			return err
		}
		shard := shardOf(id, m.o.ChannelShards)
		r.shards[channel] = shard
		m.join(r.channelKey(channel, shard))
		return nil
	})
}

// Unsubscribe ends the connection's membership of the channel; see
// DynamoDB.Unsubscribe.
func (m *Memory) Unsubscribe(ctx context.Context, id, channel string) (err error) {
	defer wrap(&err, "unsubscribe connection %q from %q", id, channel)
	if err := checkChannel(channel); err != nil {
		return err
	}
	return m.withRow(ctx, id, func(r row) error {
		if shard, subscribed := r.shards[channel]; subscribed {
			delete(r.shards, channel)
			m.leave(r.channelKey(channel, shard))
		}
		return nil
	})
}

// Renew gives the connection a newer token's session; see DynamoDB.Renew. The
// memberships need no change, because Members looks at the connections.
func (m *Memory) Renew(ctx context.Context, id string, s connection.Session) (err error) {
	defer wrap(&err, "renew connection %q", id)
	if err := checkExpiry(s.ExpiresAt); err != nil {
		return err
	}
	return m.withRow(ctx, id, func(r row) error {
		r.Permissions = clone(s.Permissions)
		r.TokenExpiresAt = fromSeconds(seconds(s.TokenExpiresAt))
		r.TokenID = s.TokenID
		r.ExpiresAt = fromSeconds(seconds(s.ExpiresAt))
		m.rows[id] = r
		return nil
	})
}

// Members returns a page of the audience; see DynamoDB.Members.
func (m *Memory) Members(ctx context.Context, tenant string, to protocol.Audience, cursor string, limit int) (page broadcast.Page, err error) {
	defer wrap(&err, "members of %q in tenant %q at %q", to.Permission(), tenant, cursor)
	if err := checkAudience(to, limit); err != nil {
		return broadcast.Page{}, err
	}
	p := newPager(m.o, limit)
	err = m.locked(ctx, func() error {
		if len(to.Connections) > 0 {
			return m.listed(p, tenant, to.Connections, cursor)
		}
		return m.queried(p, m.o.partitions(tenant, to), cursor)
	})
	if err != nil {
		return broadcast.Page{}, err
	}
	return p.page, nil
}

func (m *Memory) listed(p *pager, tenant string, ids []string, cursor string) error {
	from, err := parseIndex(cursor, len(ids))
	if err != nil {
		return err
	}
	for _, id := range p.part(ids, from) {
		if r, ok := m.rows[id]; ok && r.Tenant == tenant {
			p.add(r.Connection)
		}
	}
	return nil
}

func (m *Memory) queried(p *pager, partitions []string, cursor string) error {
	at, err := parsePosition(cursor, len(partitions))
	if err != nil {
		return err
	}
	for ; at.partition < len(partitions); at = (position{partition: at.partition + 1}) {
		for _, sk := range m.membersAfter(partitions[at.partition], at.after) {
			if p.room() == 0 {
				break
			}
			id, err := decode(sk)
			if err != nil {
				return errors.Join(ErrCorrupt, err)
			}
			p.add(m.rows[id].Connection)
			at.after = sk
		}
		if p.room() == 0 {
			p.page.Next = at.String()
			return nil
		}
	}
	return nil
}

func (m *Memory) membersAfter(partition, after string) []string {
	members := m.partitions[partition]
	i, found := slices.BinarySearch(members, after)
	if found {
		i++
	}
	return members[i:]
}

// withRow runs f alone on the connection's row. f must not keep it.
func (m *Memory) withRow(ctx context.Context, id string, f func(row) error) error {
	return m.locked(ctx, func() error {
		r, ok := m.rows[id]
		if !ok {
			return connection.ErrNotFound
		}
		return f(r)
	})
}

func (m *Memory) remove(r row) {
	delete(m.rows, r.ID)
	for _, k := range r.memberships() {
		m.leave(k)
	}
}

func (m *Memory) join(k key) {
	members := m.partitions[k.pk]
	if i, found := slices.BinarySearch(members, k.sk); !found {
		m.partitions[k.pk] = slices.Insert(members, i, k.sk)
	}
}

func (m *Memory) leave(k key) {
	members := m.partitions[k.pk]
	if i, found := slices.BinarySearch(members, k.sk); found {
		members = slices.Delete(members, i, i+1)
	}
	if len(members) == 0 {
		delete(m.partitions, k.pk)
		return
	}
	m.partitions[k.pk] = members
}
