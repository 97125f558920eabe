package connection_test

import (
	"testing"
	"time"

	"fanfare/shared/connection"
)

var noon = time.Date(2026, 1, 20, 12, 0, 0, 0, time.UTC)

func TestARowExpiresWithItsTokenOrItsTimeToLive(t *testing.T) {
	const ttl = 24 * time.Hour
	for _, tt := range []struct {
		name  string
		token time.Duration // left of the token
		row   time.Duration // of the row
	}{
		{"a token that ends first", time.Hour, time.Hour + connection.TokenGrace},
		{"a token that ends a moment before", ttl - connection.TokenGrace - time.Second, ttl - time.Second},
		{"both at once", ttl - connection.TokenGrace, ttl},
		{"a token whose grace ends after", ttl - connection.TokenGrace + time.Second, ttl},
		{"a token that ends long after", 90 * ttl, ttl},
		{"a token that has just ended", -time.Second, connection.TokenGrace - time.Second},
		{"a token that ended long ago", -time.Hour, connection.TokenGrace - time.Hour},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := connection.Expiry(noon, ttl, noon.Add(tt.token))
			if want := noon.Add(tt.row); !got.Equal(want) {
				t.Errorf("expires %v from now, want %v", got.Sub(noon), tt.row)
			}
		})
	}
}

func TestASessionEndsWithItsTokenAndALittleGrace(t *testing.T) {
	c := connection.Connection{TokenExpiresAt: noon}
	for after, expired := range map[time.Duration]bool{
		-time.Hour:                        false,
		0:                                 false,
		connection.TokenGrace - 1:         false,
		connection.TokenGrace + 1:         true,
		connection.TokenGrace + time.Hour: true,
	} {
		if got := c.SessionExpired(noon.Add(after)); got != expired {
			t.Errorf("%v after the token: expired is %v", after, got)
		}
	}
}

// A broadcast must not reach a session that is over, and its own frames are
// answered with TOKEN_EXPIRED: both change at the same moment.
func TestARowIsNotLiveOnceItsSessionIsOver(t *testing.T) {
	c := connection.Connection{ConnectedAt: noon, TokenExpiresAt: noon.Add(time.Hour)}
	c.ExpiresAt = connection.Expiry(noon, 24*time.Hour, c.TokenExpiresAt)
	for _, tt := range []struct {
		at            time.Duration
		live, expired bool
	}{
		{0, true, false},
		{time.Hour, true, false},
		{time.Hour + connection.TokenGrace - 1, true, false},
		{time.Hour + connection.TokenGrace + 1, false, true},
	} {
		now := noon.Add(tt.at)
		if live, expired := c.Live(now), c.SessionExpired(now); live != tt.live || expired != tt.expired {
			t.Errorf("after %v: live %v, expired %v; want %v, %v", tt.at, live, expired, tt.live, tt.expired)
		}
	}
}

func TestNoRowOutlivesASocket(t *testing.T) {
	c := connection.Connection{ConnectedAt: noon, ExpiresAt: noon.Add(24 * time.Hour)}
	for age, live := range map[time.Duration]bool{connection.MaxAge - 1: true, connection.MaxAge: false} {
		if got := c.Live(noon.Add(age)); got != live {
			t.Errorf("at the age of %v: live is %v", age, got)
		}
	}
}
