package broadcast

import (
	"encoding/json"
	"fmt"
	"slices"

	"fanfare/shared/protocol"
)

// UnitSize is how many connections one unit holds at most: less than a second of
// posts at one sender's share of the rate.
const UnitSize = 500

// Unit is a part of a broadcast: one message on the delivery queue.
type Unit struct {
	MessageID   string          `json:"messageId"`
	Tenant      string          `json:"tenant"`
	N           int             `json:"n"`
	Connections []string        `json:"connections"`
	Frame       json.RawMessage `json:"frame"`
	AcceptedAt  int64           `json:"acceptedAt"`          // ms since 1970
	ExpiresAt   int64           `json:"expiresAt,omitempty"` // ms since 1970
}

// ParseUnit reads a message of the delivery queue. Only our own Splitter writes
// there, so what is checked is that a unit is whole. Errors wrap ErrMalformed.
func ParseUnit(body []byte) (Unit, error) {
	var u Unit
	if err := protocol.Decode(body, &u); err != nil {
		return Unit{}, malformed(err)
	}
	if u.MessageID == "" || u.N < 0 || len(u.Connections) == 0 || slices.Contains(u.Connections, "") || len(u.Frame) == 0 {
		return Unit{}, fmt.Errorf("%w: a unit has messageId, n, connections and frame", ErrMalformed)
	}
	if len(u.Connections) > UnitSize || len(u.Frame) > protocol.MaxFrame {
		return Unit{}, fmt.Errorf("%w: a unit has at most %d connections and a frame of %d bytes", ErrMalformed, UnitSize, protocol.MaxFrame)
	}
	return u, nil
}
