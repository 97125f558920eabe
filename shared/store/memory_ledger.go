package store

import (
	"context"
	"maps"
	"slices"

	"fanfare/shared/broadcast"
	"fanfare/shared/protocol"
)

// expiring is a row of the ledger with its expiry in seconds since 1970.
type expiring[T any] struct {
	value     T
	expiresAt int64
}

// present reports whether a row with this expiry still counts.
func (m *Memory) present(expiresAt int64) bool { return expiresAt > m.o.Now().Unix() }

// Claim creates the broadcast's receipt or returns the one that is there; see
// DynamoDB.Claim.
func (m *Memory) Claim(ctx context.Context, r broadcast.Receipt) (stored broadcast.Receipt, err error) {
	defer wrap(&err, "claim broadcast %q", r.MessageID)
	if err := checkReceipt(r); err != nil {
		return broadcast.Receipt{}, err
	}
	err = m.locked(ctx, func() error {
		if there, ok := m.receipts[r.MessageID]; ok && m.present(there.expiresAt) {
			stored = copyReceipt(there.value)
			return nil
		}
		stored = copyReceipt(r)
		m.receipts[r.MessageID] = expiring[broadcast.Receipt]{copyReceipt(r), m.o.receiptExpiry()}
		return nil
	})
	return stored, err
}

// Advance replaces the broadcast's progress; see DynamoDB.Advance.
func (m *Memory) Advance(ctx context.Context, messageID string, from, to broadcast.Progress) (err error) {
	defer wrap(&err, "advance broadcast %q", messageID)
	return m.locked(ctx, func() error {
		there, ok := m.receipts[messageID]
		if !ok || !m.present(there.expiresAt) {
			return broadcast.ErrNotFound
		}
		if there.value.Progress != from {
			return broadcast.ErrCursorMoved
		}
		there.value.Progress = to
		m.receipts[messageID] = there
		return nil
	})
}

// PutUnit records a unit's counts; see DynamoDB.PutUnit.
func (m *Memory) PutUnit(ctx context.Context, messageID string, counts broadcast.UnitCounts) (err error) {
	defer wrap(&err, "put unit %d of broadcast %q", counts.N, messageID)
	if err := checkUnit(messageID, counts.N); err != nil {
		return err
	}
	return m.locked(ctx, func() error {
		if m.units[messageID] == nil {
			m.units[messageID] = map[int]expiring[broadcast.UnitCounts]{}
		}
		m.units[messageID][counts.N] = expiring[broadcast.UnitCounts]{copyUnit(counts), m.o.receiptExpiry()}
		return nil
	})
}

// Unit returns the counts recorded for a unit; see DynamoDB.Unit.
func (m *Memory) Unit(ctx context.Context, messageID string, n int) (counts broadcast.UnitCounts, err error) {
	defer wrap(&err, "unit %d of broadcast %q", n, messageID)
	err = m.locked(ctx, func() error {
		there, ok := m.units[messageID][n]
		if !ok || !m.present(there.expiresAt) {
			return broadcast.ErrNotFound
		}
		counts = copyUnit(there.value)
		return nil
	})
	return counts, err
}

// Receipt returns all that is known of a broadcast; see DynamoDB.Receipt.
func (m *Memory) Receipt(ctx context.Context, messageID string) (r broadcast.Receipt, err error) {
	defer wrap(&err, "receipt of broadcast %q", messageID)
	err = m.locked(ctx, func() error {
		there, ok := m.receipts[messageID]
		if !ok || !m.present(there.expiresAt) {
			return broadcast.ErrNotFound
		}
		r = copyReceipt(there.value)
		units := m.units[messageID]
		for _, n := range slices.Sorted(maps.Keys(units)) {
			if m.present(units[n].expiresAt) {
				r.Units = append(r.Units, copyUnit(units[n].value))
			}
		}
		return nil
	})
	return r, err
}

// ClaimKey stores the claim or returns the one that holds the key; see
// DynamoDB.ClaimKey.
func (m *Memory) ClaimKey(ctx context.Context, c broadcast.IdempotencyClaim) (held broadcast.IdempotencyClaim, err error) {
	defer wrap(&err, "claim idempotency key %q of %q in tenant %q", c.Key, c.User, c.Tenant)
	c, err = m.o.completeClaim(c)
	if err != nil {
		return broadcast.IdempotencyClaim{}, err
	}
	err = m.locked(ctx, func() error {
		k := claimKey(c.Tenant, c.User, c.Key)
		if there, ok := m.claims[k]; !ok || !m.present(seconds(there.ExpiresAt)) {
			m.claims[k] = c
		}
		held = m.claims[k]
		return nil
	})
	return held, err
}

// Key returns the claim that holds a key; see DynamoDB.Key.
func (m *Memory) Key(ctx context.Context, tenant, user, name string) (held broadcast.IdempotencyClaim, err error) {
	defer wrap(&err, "idempotency key %q of %q in tenant %q", name, user, tenant)
	err = m.locked(ctx, func() error {
		there, ok := m.claims[claimKey(tenant, user, name)]
		if !ok || !m.present(seconds(there.ExpiresAt)) {
			return broadcast.ErrNotFound
		}
		held = there
		return nil
	})
	return held, err
}

// ConfirmKey notes that the claimed broadcast is on its queue; see
// DynamoDB.ConfirmKey.
func (m *Memory) ConfirmKey(ctx context.Context, c broadcast.IdempotencyClaim) (err error) {
	defer wrap(&err, "confirm idempotency key %q of %q in tenant %q", c.Key, c.User, c.Tenant)
	return m.locked(ctx, func() error {
		k := claimKey(c.Tenant, c.User, c.Key)
		there, ok := m.claims[k]
		if !ok || there.MessageID != c.MessageID || !m.present(seconds(there.ExpiresAt)) {
			return broadcast.ErrNotFound
		}
		there.Confirmed = true
		m.claims[k] = there
		return nil
	})
}

// copyReceipt copies what the table keeps of a receipt, without its units.
func copyReceipt(r broadcast.Receipt) broadcast.Receipt {
	r.To = protocol.Audience{
		Channel: r.To.Channel, User: r.To.User, Tenant: r.To.Tenant, Connections: clone(r.To.Connections),
	}
	r.AcceptedAt = fromMillis(millis(r.AcceptedAt))
	r.Units = nil
	return r
}

// copyUnit copies what the table keeps of a unit; nothing is nil, as there.
func copyUnit(u broadcast.UnitCounts) broadcast.UnitCounts {
	u.Remaining = clone(u.Remaining)
	u.Failed = maps.Clone(u.Failed)
	if len(u.Failed) == 0 {
		u.Failed = nil
	}
	u.At = fromMillis(millis(u.At))
	return u
}
