package store

// Reopen returns a store of the same rows with other options, as a new version
// of a function sees the table.
func (m *Memory) Reopen(o Options) *Memory {
	again := NewMemory(o)
	again.rows, again.partitions = m.rows, m.partitions
	again.receipts, again.units, again.claims = m.receipts, m.units, m.claims
	return again
}
