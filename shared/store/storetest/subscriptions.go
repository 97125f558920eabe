package storetest

import (
	"errors"
	"fmt"
	"testing"

	"fanfare/shared/connection"
	"fanfare/shared/protocol"
	"fanfare/shared/store"
)

var subscriptions = []contract{
	{"a subscriber is a member at once, until it unsubscribes", func(t *testing.T, s Store) {
		orders := protocol.Audience{Channel: "orders"}
		mustPut(t, s, newConnection("c1", "acme", "u1"), "orders")
		mustPut(t, s, newConnection("c2", "acme", "u2"), "orders")
		wantMembers(t, s, "acme", orders, []string{"c1", "c2"}, nil)
		wantError(t, "Unsubscribe", s.Unsubscribe(t.Context(), "c1", "orders"), nil)
		wantMembers(t, s, "acme", orders, []string{"c2"}, nil)
		wantEqual(t, "channels", mustGet(t, s, "c1").Channels, nil)
	}},
	{"the connection lists its channels, sorted", func(t *testing.T, s Store) {
		mustPut(t, s, newConnection("c1", "acme", "u1"), "orders", "a/b", "news.sport", "Ωmega")
		wantEqual(t, "channels", mustGet(t, s, "c1").Channels, []string{"a/b", "news.sport", "orders", "Ωmega"})
	}},
	{"subscribing twice is success and one membership", func(t *testing.T, s Store) {
		mustPut(t, s, newConnection("c1", "acme", "u1"), "orders", "orders")
		wantMembers(t, s, "acme", protocol.Audience{Channel: "orders"}, []string{"c1"}, nil)
		wantEqual(t, "channels", mustGet(t, s, "c1").Channels, []string{"orders"})
	}},
	{"unsubscribing from what one is not subscribed to is success", func(t *testing.T, s Store) {
		mustPut(t, s, newConnection("c1", "acme", "u1"), "orders")
		wantError(t, "Unsubscribe", s.Unsubscribe(t.Context(), "c1", "news"), nil)
		wantEqual(t, "channels", mustGet(t, s, "c1").Channels, []string{"orders"})
	}},
	{"a channel without a name is refused", func(t *testing.T, s Store) {
		mustPut(t, s, newConnection("c1", "acme", "u1"))
		wantError(t, "Subscribe", s.Subscribe(t.Context(), "c1", ""), store.ErrInvalid)
		wantError(t, "Unsubscribe", s.Unsubscribe(t.Context(), "c1", ""), store.ErrInvalid)
	}},
	{"a connection has so many channels and no more", func(t *testing.T, s Store) {
		ctx, names := t.Context(), numbered("channel", connection.MaxChannels)
		mustPut(t, s, newConnection("c1", "acme", "u1"), names...)
		wantError(t, "one more", s.Subscribe(ctx, "c1", "more"), connection.ErrTooManyChannels)
		wantMembers(t, s, "acme", protocol.Audience{Channel: "more"}, nil, nil)
		wantError(t, "one again", s.Subscribe(ctx, "c1", names[0]), nil)
		wantError(t, "Unsubscribe", s.Unsubscribe(ctx, "c1", names[0]), nil)
		wantError(t, "the place that became free", s.Subscribe(ctx, "c1", "more"), nil)
	}},
	{"subscribers in a race do not pass the limit", func(t *testing.T, s Store) {
		mustPut(t, s, newConnection("c1", "acme", "u1"), numbered("channel", connection.MaxChannels-2)...)
		errs := race(4, func(i int) error { return s.Subscribe(t.Context(), "c1", fmt.Sprintf("more-%d", i)) })
		wantWinners(t, errs, 2, connection.ErrTooManyChannels)
		wantEqual(t, "channels", len(mustGet(t, s, "c1").Channels), connection.MaxChannels)
	}},
	{"subscribing while the connection is removed leaves no orphan", func(t *testing.T, s Store) {
		for i := range 10 {
			id := fmt.Sprintf("c%d", i)
			mustPut(t, s, newConnection(id, "acme", "u1"))
			errs := race(3, func(i int) error {
				if i == 0 {
					_, err := s.Remove(t.Context(), id)
					return err
				}
				return s.Subscribe(t.Context(), id, fmt.Sprintf("channel-%d", i))
			})
			for _, err := range errs {
				if err != nil && !errors.Is(err, connection.ErrNotFound) {
					t.Error(err)
				}
			}
		}
		wantMembers(t, s, "acme", protocol.Audience{Channel: "channel-1"}, nil, nil)
		wantMembers(t, s, "acme", protocol.Audience{Channel: "channel-2"}, nil, nil)
	}},
}
