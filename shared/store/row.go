package store

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"fanfare/shared/connection"
	"fanfare/shared/protocol"
)

// row is a connection together with where its memberships are. Its
// Connection.Channels stays nil: shards has them.
type row struct {
	connection.Connection
	tenantShard int
	shards      map[string]int // shard of the membership, by channel
}

// newRow checks a new connection and gives it its place in the table.
func newRow(c connection.Connection, o Options) (row, error) {
	switch {
	case c.ID == "" || c.Tenant == "" || c.User == "":
		return row{}, fmt.Errorf("%w: a connection needs an id, a tenant and a user", ErrInvalid)
	case c.ConnectedAt.IsZero() || c.ExpiresAt.IsZero():
		return row{}, fmt.Errorf("%w: a connection needs ConnectedAt and ExpiresAt", ErrInvalid)
	case len(c.Channels) > 0:
		return row{}, fmt.Errorf("%w: a new connection has no channels yet", ErrInvalid)
	}
	c.Permissions = clone(c.Permissions)
	c.ConnectedAt = fromMillis(millis(c.ConnectedAt))
	c.TokenExpiresAt = fromSeconds(seconds(c.TokenExpiresAt))
	c.ExpiresAt = fromSeconds(seconds(c.ExpiresAt))
	c.Channels = nil
	return row{Connection: c, tenantShard: shardOf(c.ID, o.TenantShards), shards: map[string]int{}}, nil
}

// connection returns a copy that shares nothing with the row.
func (r row) connection() connection.Connection {
	c := r.Connection
	c.Permissions = clone(c.Permissions)
	c.Channels = slices.Sorted(maps.Keys(r.shards))
	return c
}

// memberships lists the keys of all rows that make the connection a member of
// something.
func (r row) memberships() []key {
	sk := encode(r.ID)
	keys := []key{
		{tenantPartition(r.Tenant, r.tenantShard), sk},
		{userPartition(r.Tenant, r.User), sk},
	}
	for channel, shard := range r.shards {
		keys = append(keys, r.channelKey(channel, shard))
	}
	return keys
}

func (r row) channelKey(channel string, shard int) key {
	return key{channelPartition(r.Tenant, channel, shard), encode(r.ID)}
}

// mayJoin reports whether a membership of channel is still to be made.
func (r row) mayJoin(channel string) (bool, error) {
	if _, subscribed := r.shards[channel]; subscribed {
		return false, nil
	}
	if len(r.shards) >= connection.MaxChannels {
		return false, connection.ErrTooManyChannels
	}
	return true, nil
}

func checkChannel(channel string) error {
	if channel == "" {
		return fmt.Errorf("%w: the channel has no name", ErrInvalid)
	}
	return nil
}

func checkAudience(to protocol.Audience, limit int) error {
	if err := to.Validate(); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if limit < 1 {
		return fmt.Errorf("%w: limit %d is below 1", ErrInvalid, limit)
	}
	return nil
}

// clone copies a list; an empty one becomes nil, as it comes out of DynamoDB.
func clone(list []string) []string {
	if len(list) == 0 {
		return nil
	}
	return slices.Clone(list)
}

// Times are numbers in the table, and 0 is the zero time.

func seconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromSeconds(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(n, 0).UTC()
}

func fromMillis(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMilli(n).UTC()
}
