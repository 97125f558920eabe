package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"fanfare/shared/connection"
	"fanfare/shared/protocol"
	"fanfare/shared/store"
)

var connections = []contract{
	{"a connection comes back as it was put, times rounded down", func(t *testing.T, s Store) {
		at := time.Date(2100, 1, 2, 3, 4, 5, 678_912_345, time.FixedZone("", 3600))
		mustPut(t, s, connection.Connection{
			ID: "R1kmxc2VNjMCFIA=", Tenant: "acme", User: "u1",
			Permissions: []string{"subscribe:*", "broadcast:tenant"},
			UserAgent:   "agent/1.0", SourceIP: "192.0.2.7", TokenID: "jti-1",
			ConnectedAt: at, TokenExpiresAt: at.Add(time.Hour), ExpiresAt: at.Add(time.Minute),
		})
		wantEqual(t, "Get", mustGet(t, s, "R1kmxc2VNjMCFIA="), connection.Connection{
			ID: "R1kmxc2VNjMCFIA=", Tenant: "acme", User: "u1",
			Permissions: []string{"subscribe:*", "broadcast:tenant"},
			UserAgent:   "agent/1.0", SourceIP: "192.0.2.7", TokenID: "jti-1",
			ConnectedAt:    time.Date(2100, 1, 2, 2, 4, 5, 678_000_000, time.UTC),
			TokenExpiresAt: time.Date(2100, 1, 2, 3, 4, 5, 0, time.UTC),
			ExpiresAt:      time.Date(2100, 1, 2, 2, 5, 5, 0, time.UTC),
		})
	}},
	{"optional members may be empty", func(t *testing.T, s Store) {
		c := newConnection("c1", "acme", "u1")
		mustPut(t, s, c)
		wantEqual(t, "Get", mustGet(t, s, "c1"), c)
	}},
	{"an unknown connection is not found", func(t *testing.T, s Store) {
		ctx, soon := t.Context(), time.Now().Add(time.Hour)
		_, err := s.Get(ctx, "c1")
		wantError(t, "Get", err, connection.ErrNotFound)
		_, err = s.Remove(ctx, "c1")
		wantError(t, "Remove", err, connection.ErrNotFound)
		wantError(t, "RemoveGone", s.RemoveGone(ctx, "c1", soon), connection.ErrNotFound)
		wantError(t, "Subscribe", s.Subscribe(ctx, "c1", "orders"), connection.ErrNotFound)
		wantError(t, "Unsubscribe", s.Unsubscribe(ctx, "c1", "orders"), connection.ErrNotFound)
		wantError(t, "Renew", s.Renew(ctx, "c1", connection.Session{ExpiresAt: soon}), connection.ErrNotFound)
		_, err = s.Get(ctx, "c1")
		wantError(t, "Get after all these", err, connection.ErrNotFound)
		wantMembers(t, s, "acme", protocol.Audience{Channel: "orders"}, nil, nil)
	}},
	{"a connection that is no longer live is still returned", func(t *testing.T, s Store) {
		c := expired(newConnection("c1", "acme", "u1"))
		mustPut(t, s, c)
		wantEqual(t, "Get", mustGet(t, s, "c1"), c)
	}},
	{"putting the same connection again is success", func(t *testing.T, s Store) {
		c := newConnection("c1", "acme", "u1")
		mustPut(t, s, c)
		mustPut(t, s, c)
		wantMembers(t, s, "acme", protocol.Audience{Tenant: true}, []string{"c1"}, nil)
	}},
	{"an id that is taken is refused and the first stays", func(t *testing.T, s Store) {
		first := newConnection("c1", "acme", "u1")
		mustPut(t, s, first)
		wantError(t, "Put", s.Put(t.Context(), newConnection("c1", "other", "u2")), store.ErrExists)
		wantEqual(t, "Get", mustGet(t, s, "c1"), first)
		wantMembers(t, s, "other", protocol.Audience{Tenant: true}, nil, nil)
	}},
	{"a connection that lacks something is refused", func(t *testing.T, s Store) {
		for what, spoil := range map[string]func(*connection.Connection){
			"no id":               func(c *connection.Connection) { c.ID = "" },
			"no tenant":           func(c *connection.Connection) { c.Tenant = "" },
			"no user":             func(c *connection.Connection) { c.User = "" },
			"no ConnectedAt":      func(c *connection.Connection) { c.ConnectedAt = time.Time{} },
			"no ExpiresAt":        func(c *connection.Connection) { c.ExpiresAt = time.Time{} },
			"channels from birth": func(c *connection.Connection) { c.Channels = []string{"orders"} },
		} {
			c := newConnection("c1", "acme", "u1")
			spoil(&c)
			wantError(t, what, s.Put(t.Context(), c), store.ErrInvalid)
		}
		wantMembers(t, s, "acme", protocol.Audience{Tenant: true}, nil, nil)
	}},
	{"Remove returns what the connection was and ends all its memberships", func(t *testing.T, s Store) {
		c := newConnection("c1", "acme", "u1")
		mustPut(t, s, c, numbered("channel", 30)...)
		mustPut(t, s, newConnection("c2", "acme", "u1"), "channel-0000")
		c.Channels = numbered("channel", 30)

		got, err := s.Remove(t.Context(), "c1")
		wantError(t, "Remove", err, nil)
		wantEqual(t, "Remove", got, c)
		wantGone(t, s, c, []string{"c2"})
	}},
	{"RemoveGone ends all memberships too", func(t *testing.T, s Store) {
		c := newConnection("c1", "acme", "u1")
		mustPut(t, s, c, "orders")
		c.Channels = []string{"orders"}
		wantError(t, "RemoveGone", s.RemoveGone(t.Context(), "c1", c.ConnectedAt.Add(time.Millisecond)), nil)
		wantGone(t, s, c, nil)
	}},
	{"RemoveGone spares a connection that may still be opening", func(t *testing.T, s Store) {
		c := newConnection("c1", "acme", "u1")
		mustPut(t, s, c)
		for _, before := range []time.Time{c.ConnectedAt, c.ConnectedAt.Add(-connection.OpeningGrace)} {
			wantError(t, "RemoveGone", s.RemoveGone(t.Context(), "c1", before), connection.ErrTooYoung)
		}
		wantEqual(t, "Get", mustGet(t, s, "c1"), c)
		wantMembers(t, s, "acme", protocol.Audience{Tenant: true}, []string{"c1"}, nil)
	}},
	{"of twins that remove a connection one wins", func(t *testing.T, s Store) {
		mustPut(t, s, newConnection("c1", "acme", "u1"), "orders")
		soon := time.Now().Add(time.Hour)
		errs := race(10, func(i int) error {
			if i%2 == 0 {
				return s.RemoveGone(t.Context(), "c1", soon)
			}
			_, err := s.Remove(t.Context(), "c1")
			return err
		})
		wantWinners(t, errs, 1, connection.ErrNotFound)
	}},
	{"Renew moves every row", func(t *testing.T, s Store) {
		c := expired(newConnection("c1", "acme", "u1"))
		mustPut(t, s, c, "orders", "news")
		c.Channels = []string{"news", "orders"}
		for _, to := range audiencesOf(c) {
			wantMembers(t, s, "acme", to, nil, []string{"c1"})
		}

		c.ExpiresAt = c.ExpiresAt.Add(2 * time.Hour)
		c.TokenExpiresAt, c.TokenID = c.ExpiresAt.Add(time.Minute), "jti-2"
		c.Permissions = []string{"subscribe:news"}
		wantError(t, "Renew", s.Renew(t.Context(), "c1", sessionOf(c)), nil)
		wantEqual(t, "Get", mustGet(t, s, "c1"), c)
		for _, to := range audiencesOf(c) {
			wantMembers(t, s, "acme", to, []string{"c1"}, nil)
		}
	}},
	{"Renew may also bring the end forward", func(t *testing.T, s Store) {
		c := newConnection("c1", "acme", "u1")
		mustPut(t, s, c)
		past := time.Now().Add(-time.Minute)
		wantError(t, "Renew", s.Renew(t.Context(), "c1", connection.Session{TokenExpiresAt: past, TokenID: "jti-2", ExpiresAt: past}), nil)
		wantMembers(t, s, "acme", protocol.Audience{Tenant: true}, nil, []string{"c1"})
	}},
	{"Renew refuses to forget the expiry", func(t *testing.T, s Store) {
		mustPut(t, s, newConnection("c1", "acme", "u1"))
		wantError(t, "Renew", s.Renew(t.Context(), "c1", connection.Session{}), store.ErrInvalid)
	}},
	{"nothing given or returned is shared with the store", func(t *testing.T, s Store) {
		c := newConnection("c1", "acme", "u1")
		c.Permissions = []string{"subscribe:*"}
		mustPut(t, s, c, "orders")
		c.Permissions[0] = "broadcast:*"

		first := mustGet(t, s, "c1")
		first.Permissions[0], first.Channels[0] = "forged", "forged"
		second := mustGet(t, s, "c1")
		wantEqual(t, "permissions", second.Permissions, []string{"subscribe:*"})
		wantEqual(t, "channels", second.Channels, []string{"orders"})
	}},
	{"a caller that has given up is told so", func(t *testing.T, s Store) {
		mustPut(t, s, newConnection("c1", "acme", "u1"))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := s.Get(ctx, "c1")
		wantError(t, "Get", err, context.Canceled)
		_, err = s.Remove(ctx, "c1")
		wantError(t, "Remove", err, context.Canceled)
		_, err = s.Members(ctx, "acme", protocol.Audience{Tenant: true}, "", 10)
		wantError(t, "Members", err, context.Canceled)
	}},
}

// expired returns the connection as one whose row has just stopped to count.
func expired(c connection.Connection) connection.Connection {
	c.ExpiresAt = time.Now().Add(-time.Second).UTC().Truncate(time.Second)
	return c
}

func sessionOf(c connection.Connection) connection.Session {
	return connection.Session{
		Permissions: c.Permissions, TokenExpiresAt: c.TokenExpiresAt, TokenID: c.TokenID, ExpiresAt: c.ExpiresAt,
	}
}

// audiencesOf lists every audience the connection is in.
func audiencesOf(c connection.Connection) []protocol.Audience {
	all := []protocol.Audience{{Tenant: true}, {User: c.User}, {Connections: []string{c.ID}}}
	for _, channel := range c.Channels {
		all = append(all, protocol.Audience{Channel: channel})
	}
	return all
}

// wantGone checks that nothing is left of the connection. Others may be in the
// same tenant, user and first channel.
func wantGone(t *testing.T, s Store, c connection.Connection, others []string) {
	t.Helper()
	if _, err := s.Get(t.Context(), c.ID); !errors.Is(err, connection.ErrNotFound) {
		t.Errorf("Get: error %v, want %v", err, connection.ErrNotFound)
	}
	for _, to := range audiencesOf(c) {
		page, err := s.Members(t.Context(), c.Tenant, to, "", 100)
		if err != nil {
			t.Fatal(err)
		}
		shared := to.Tenant || to.User != "" || to.Channel == c.Channels[0]
		if want := others; shared && !sameSet(page.IDs, want) || !shared && len(page.IDs) > 0 || len(page.Stale) > 0 {
			t.Errorf("members of %+v: %+v, want only %q", to, page, want)
		}
	}
}
