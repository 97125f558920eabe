package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"fanfare/shared/broadcast"
	"fanfare/shared/connection"
	"fanfare/shared/protocol"
	"fanfare/shared/store"
)

var members = []contract{
	{"each audience has its members", func(t *testing.T, s Store) {
		mustPut(t, s, newConnection("c1", "acme", "u1"), "orders")
		mustPut(t, s, newConnection("c2", "acme", "u1"))
		mustPut(t, s, newConnection("c3", "acme", "u2"), "orders")
		wantMembers(t, s, "acme", protocol.Audience{Tenant: true}, []string{"c1", "c2", "c3"}, nil)
		wantMembers(t, s, "acme", protocol.Audience{User: "u1"}, []string{"c1", "c2"}, nil)
		wantMembers(t, s, "acme", protocol.Audience{Channel: "orders"}, []string{"c1", "c3"}, nil)
		wantMembers(t, s, "acme", protocol.Audience{Connections: []string{"c3", "c1"}}, []string{"c1", "c3"}, nil)
	}},
	{"an audience that nobody is in has one empty page", func(t *testing.T, s Store) {
		for _, to := range []protocol.Audience{
			{Tenant: true}, {User: "u1"}, {Channel: "orders"}, {Connections: []string{"c1"}},
		} {
			page, err := s.Members(t.Context(), "acme", to, "", 500)
			wantError(t, "Members", err, nil)
			wantEqual(t, "page", page, broadcast.Page{})
		}
	}},
	{"paging neither loses nor repeats one of 1,003 members", func(t *testing.T, s Store) {
		ids := numbered("c", 1003)
		for _, id := range ids {
			mustPut(t, s, newConnection(id, "acme", "u1"))
		}
		for _, to := range []protocol.Audience{{Tenant: true}, {User: "u1"}} {
			for _, limit := range []int{97, 500, 1003, 5000} {
				all, pages := readAll(t, s, "acme", to, limit)
				if slices.Sort(all.IDs); !slices.Equal(all.IDs, ids) || len(all.Stale) > 0 {
					t.Errorf("%+v by %d: %d live and %d stale members, want %d live", to, limit, len(all.IDs), len(all.Stale), len(ids))
				}
				if most := len(ids)/limit + 1; pages > most {
					t.Errorf("%+v by %d: %d pages, want at most %d full ones", to, limit, pages, most)
				}
			}
		}
	}},
	{"pages of one member come to an end", func(t *testing.T, s Store) {
		ids := numbered("c", 9)
		for _, id := range ids {
			mustPut(t, s, newConnection(id, "acme", "u1"))
		}
		all, _ := readAll(t, s, "acme", protocol.Audience{Tenant: true}, 1)
		if !sameSet(all.IDs, ids) {
			t.Errorf("members %q, want %q", all.IDs, ids)
		}
	}},
	{"a page goes on where the last ended though members came and went", func(t *testing.T, s Store) {
		for _, id := range numbered("c", 20) {
			mustPut(t, s, newConnection(id, "acme", "u1"))
		}
		to := protocol.Audience{User: "u1"}
		first, err := s.Members(t.Context(), "acme", to, "", 10)
		wantError(t, "Members", err, nil)
		_, err = s.Remove(t.Context(), first.IDs[9])
		wantError(t, "Remove", err, nil)
		mustPut(t, s, newConnection("a-newcomer-before", "acme", "u1"))
		second, err := s.Members(t.Context(), "acme", to, first.Next, 10)
		wantError(t, "Members", err, nil)
		wantEqual(t, "second page", second.IDs, numbered("c", 20)[10:])
	}},
	{"rows that no longer stand for a socket are stale", func(t *testing.T, s Store) {
		old := newConnection("old", "acme", "u1")
		old.ConnectedAt = old.ConnectedAt.Add(-connection.MaxAge - time.Second)
		mustPut(t, s, old, "orders")
		mustPut(t, s, expired(newConnection("expired", "acme", "u1")), "orders")
		mustPut(t, s, newConnection("live", "acme", "u1"), "orders")
		for _, to := range []protocol.Audience{
			{Tenant: true}, {User: "u1"}, {Channel: "orders"}, {Connections: []string{"old", "live", "expired"}},
		} {
			wantMembers(t, s, "acme", to, []string{"live"}, []string{"expired", "old"})
		}
	}},
	{"a list of connections keeps its order and only the tenant's own", func(t *testing.T, s Store) {
		ids := numbered("c", 250)
		slices.Reverse(ids)
		for _, id := range ids {
			mustPut(t, s, newConnection(id, "acme", "u1"))
		}
		mustPut(t, s, newConnection("foreign", "other", "u1"))
		mustPut(t, s, expired(newConnection("foreign-stale", "other", "u1")))
		asked := append([]string{"foreign", "unknown", "foreign-stale"}, ids...)
		for _, limit := range []int{1, 120, 1000} {
			all, _ := readAll(t, s, "acme", protocol.Audience{Connections: asked}, limit)
			wantEqual(t, fmt.Sprintf("by %d", limit), all, broadcast.Page{IDs: ids})
		}
	}},
	{"names cannot forge a key of another tenant, user or channel", func(t *testing.T, s Store) {
		byTenant := map[string][]string{}
		type place struct{ tenant, name, id string }
		var places []place
		for _, tenant := range hostileTenants {
			for _, name := range hostileNames {
				id := fmt.Sprintf("%q/%s/%d", tenant, name, len(places))
				mustPut(t, s, newConnection(id, tenant, name), name)
				places = append(places, place{tenant, name, id})
				byTenant[tenant] = append(byTenant[tenant], id)
			}
		}
		for _, p := range places {
			wantMembers(t, s, p.tenant, protocol.Audience{User: p.name}, []string{p.id}, nil)
			wantMembers(t, s, p.tenant, protocol.Audience{Channel: p.name}, []string{p.id}, nil)
			wantMembers(t, s, p.tenant, protocol.Audience{Connections: []string{p.id}}, []string{p.id}, nil)
			wantEqual(t, "channels", mustGet(t, s, p.id).Channels, []string{p.name})
		}
		for tenant, ids := range byTenant {
			wantMembers(t, s, tenant, protocol.Audience{Tenant: true}, ids, nil)
		}
	}},
	{"claims and receipts are never members", func(t *testing.T, s Store) {
		_, err := s.ClaimKey(t.Context(), broadcast.IdempotencyClaim{Tenant: "channel", User: "orders", Key: "0", MessageID: "m1"})
		wantError(t, "ClaimKey", err, nil)
		wantMembers(t, s, "idempotency", protocol.Audience{Channel: "orders"}, nil, nil)
	}},
	{"a cursor that Members did not make is refused", func(t *testing.T, s Store) {
		for _, cursor := range []string{"x", "/", "-1/", "1000/", "00/", "0", "0/a/b", "0/%", "0/%2f", "0/\x00", "99999999999999999999/"} {
			_, err := s.Members(t.Context(), "acme", protocol.Audience{Tenant: true}, cursor, 10)
			wantError(t, fmt.Sprintf("tenant at %q", cursor), err, store.ErrCursor)
		}
		for _, cursor := range []string{"x", "-1", "2", "01", "0/c1"} {
			_, err := s.Members(t.Context(), "acme", protocol.Audience{Connections: []string{"c1", "c2"}}, cursor, 10)
			wantError(t, fmt.Sprintf("list at %q", cursor), err, store.ErrCursor)
		}
	}},
	{"an audience or limit out of bounds is refused", func(t *testing.T, s Store) {
		for _, to := range []protocol.Audience{{}, {Tenant: true, User: "u1"}, {Connections: []string{"c1", "c1"}}} {
			_, err := s.Members(t.Context(), "acme", to, "", 10)
			wantError(t, fmt.Sprintf("%+v", to), err, store.ErrInvalid)
		}
		_, err := s.Members(t.Context(), "acme", protocol.Audience{Tenant: true}, "", 0)
		wantError(t, "limit 0", err, store.ErrInvalid)
	}},
}

// Names that would meet in one key if they were joined as they are.
var (
	hostileTenants = []string{"a", "a/b", "a%2Fb", "a%2fb", "%", "connection", "idempotency", "%69dempotency", "a/tenant/0", "ü", "u\u0308", "\x01"}
	hostileNames   = []string{"b", "b/0", "b%2F0", "/", "//", "%2F", "0", "tenant/0", "connection", "日本", "😀/", " "}
)
