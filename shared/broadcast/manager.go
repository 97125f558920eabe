package broadcast

import (
	"context"
	"slices"

	"fanfare/shared/connection"
)

// ByManager sends through m.
func ByManager(m *connection.Manager) SendFunc {
	return func(ctx context.Context, ids []string, frame []byte, failed func(id string, err error)) error {
		_, err := m.BroadcastSeq(ctx, slices.Values(ids), frame, failed)
		return err
	}
}
