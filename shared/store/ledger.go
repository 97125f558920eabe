package store

import (
	"fmt"
	"time"

	"fanfare/shared/broadcast"
)

// receiptExpiry is when a receipt or unit written now expires, in seconds.
func (o Options) receiptExpiry() int64 { return o.Now().Add(broadcast.ReceiptTTL).Unix() }

// completeClaim checks a claim and rounds its times to what the table keeps.
func (o Options) completeClaim(c broadcast.IdempotencyClaim) (broadcast.IdempotencyClaim, error) {
	if c.Tenant == "" || c.Key == "" || c.MessageID == "" {
		return c, fmt.Errorf("%w: a claim needs a tenant, a key and a message id", ErrInvalid)
	}
	if c.ExpiresAt.IsZero() {
		c.ExpiresAt = o.Now().Add(broadcast.IdempotencyTTL)
	}
	c.ExpiresAt = fromSeconds(seconds(c.ExpiresAt))
	c.ClaimedAt = fromMillis(millis(c.ClaimedAt))
	return c, nil
}

func checkReceipt(r broadcast.Receipt) error {
	switch {
	case r.MessageID == "" || r.Tenant == "":
		return fmt.Errorf("%w: a receipt needs a message id and a tenant", ErrInvalid)
	case len(r.Units) > 0:
		return fmt.Errorf("%w: a new receipt has no units yet", ErrInvalid)
	}
	return nil
}

func checkUnit(messageID string, n int) error {
	if messageID == "" || n < 0 {
		return fmt.Errorf("%w: a unit needs a message id and a number from 0", ErrInvalid)
	}
	return nil
}

func checkExpiry(t time.Time) error {
	if t.IsZero() {
		return fmt.Errorf("%w: the expiry is missing", ErrInvalid)
	}
	return nil
}
