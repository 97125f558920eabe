package store

import "context"

// CountBroadcast adds one to the tenant's window; see DynamoDB.CountBroadcast.
func (m *Memory) CountBroadcast(ctx context.Context, tenant, connectionID string, window int64) (ofTenant, ofConnection int, err error) {
	defer wrap(&err, "count a broadcast of tenant %q", tenant)
	err = m.locked(ctx, func() error {
		k := rateKey(tenant, window)
		if m.counters[k] == nil {
			m.counters[k] = map[string]int{}
		}
		m.counters[k][""]++
		m.counters[k][connectionID]++
		ofTenant, ofConnection = m.counters[k][""], m.counters[k][connectionID]
		return nil
	})
	return ofTenant, ofConnection, err
}
