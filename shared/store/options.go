package store

import "time"

// Options are those of both implementations. The zero value is right.
type Options struct {
	// Now tells the time by which rows expire. Default time.Now.
	Now func() time.Time

	// TenantShards is over how many partitions a tenant's connections are
	// spread. Default 4. One partition takes 1,000 write and 3,000 read units a
	// second, so 4 shards take 4,000 connects a second of one tenant.
	//
	// It may grow and must never shrink: readers ask all shards below it, so
	// members in a shard above it would be lost to broadcasts. Raise it in the
	// functions that read (broadcast) before those that write (connect).
	TenantShards int

	// ChannelShards is the same for the subscribers of one channel. Default 1.
	ChannelShards int
}

func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.TenantShards < 1 {
		o.TenantShards = 4
	}
	if o.ChannelShards < 1 {
		o.ChannelShards = 1
	}
	return o
}
