package storetest

import (
	"fmt"
	"testing"
	"time"

	"fanfare/shared/broadcast"
	"fanfare/shared/protocol"
	"fanfare/shared/store"
)

var ledger = []contract{
	{"an unknown broadcast is not found", func(t *testing.T, s Store) {
		_, err := s.Receipt(t.Context(), "m1")
		wantError(t, "Receipt", err, broadcast.ErrNotFound)
		_, err = s.Unit(t.Context(), "m1", 0)
		wantError(t, "Unit", err, broadcast.ErrNotFound)
		wantError(t, "Advance", s.Advance(t.Context(), "m1", broadcast.Progress{}, broadcast.Progress{Units: 1}), broadcast.ErrNotFound)
		_, err = s.Receipt(t.Context(), "m1")
		wantError(t, "Receipt after all these", err, broadcast.ErrNotFound)
	}},
	{"the first claim creates the receipt, later ones find it as it is", func(t *testing.T, s Store) {
		first := mustClaim(t, s, receipt("m1"))
		wantEqual(t, "first", first, receipt("m1"))
		wantError(t, "Advance", s.Advance(t.Context(), "m1", broadcast.Progress{}, broadcast.Progress{Cursor: "1/c7", Units: 2}), nil)

		other := receipt("m1")
		other.Tenant, other.To = "other", protocol.Audience{Tenant: true}
		want := receipt("m1")
		want.Progress = broadcast.Progress{Cursor: "1/c7", Units: 2}
		wantEqual(t, "second", mustClaim(t, s, other), want)
	}},
	{"every audience comes back", func(t *testing.T, s Store) {
		for i, to := range []protocol.Audience{
			{Tenant: true}, {User: "u/1"}, {Channel: "<&>\u2028"}, {Connections: numbered("c", 1000)},
		} {
			r := receipt(fmt.Sprintf("m%d", i))
			r.To = to
			mustClaim(t, s, r)
			got, err := s.Receipt(t.Context(), r.MessageID)
			wantError(t, "Receipt", err, nil)
			wantEqual(t, "audience", got.To, to)
		}
	}},
	{"a receipt without id or tenant, or with units, is refused", func(t *testing.T, s Store) {
		for what, spoil := range map[string]func(*broadcast.Receipt){
			"no id":     func(r *broadcast.Receipt) { r.MessageID = "" },
			"no tenant": func(r *broadcast.Receipt) { r.Tenant = "" },
			"units":     func(r *broadcast.Receipt) { r.Units = make([]broadcast.UnitCounts, 1) },
		} {
			r := receipt("m1")
			spoil(&r)
			_, err := s.Claim(t.Context(), r)
			wantError(t, what, err, store.ErrInvalid)
		}
	}},
	{"progress moves only from where it is", func(t *testing.T, s Store) {
		mustClaim(t, s, receipt("m1"))
		steps := []broadcast.Progress{{}, {Cursor: "0/c1", Units: 1}, {Cursor: "0/c1", Units: 2}, {Cursor: "0/c3", Units: 2, Settled: true}}
		for i, from := range steps[:len(steps)-1] {
			wantError(t, "step", s.Advance(t.Context(), "m1", from, steps[i+1]), nil)
			for _, stale := range steps[:i+1] {
				wantError(t, "from a place left", s.Advance(t.Context(), "m1", stale, steps[i+1]), broadcast.ErrCursorMoved)
			}
		}
		got, err := s.Receipt(t.Context(), "m1")
		wantError(t, "Receipt", err, nil)
		wantEqual(t, "progress", got.Progress, steps[len(steps)-1])

		last := broadcast.Progress{Units: 2, Done: true}
		wantError(t, "last step", s.Advance(t.Context(), "m1", got.Progress, last), nil)
		got, err = s.Claim(t.Context(), receipt("m1"))
		wantError(t, "Claim", err, nil)
		wantEqual(t, "last progress", got.Progress, last)
	}},
	{"of twins that advance one wins", func(t *testing.T, s Store) {
		mustClaim(t, s, receipt("m1"))
		errs := race(8, func(int) error {
			return s.Advance(t.Context(), "m1", broadcast.Progress{}, broadcast.Progress{Cursor: "0/c1", Units: 1})
		})
		wantWinners(t, errs, 1, broadcast.ErrCursorMoved)
	}},
	{"a unit recorded again is overwritten", func(t *testing.T, s Store) {
		first := unit(3)
		mustPutUnit(t, s, "m1", first)
		got, err := s.Unit(t.Context(), "m1", 3)
		wantError(t, "Unit", err, nil)
		wantEqual(t, "first", got, first)

		second := broadcast.UnitCounts{N: 3, Delivered: 500, At: first.At.Add(time.Second)}
		mustPutUnit(t, s, "m1", second)
		got, err = s.Unit(t.Context(), "m1", 3)
		wantError(t, "Unit", err, nil)
		wantEqual(t, "second", got, second)
		_, err = s.Unit(t.Context(), "m1", 4)
		wantError(t, "another unit", err, broadcast.ErrNotFound)
		_, err = s.Unit(t.Context(), "m2", 3)
		wantError(t, "another broadcast", err, broadcast.ErrNotFound)
	}},
	{"a unit needs a broadcast and a number", func(t *testing.T, s Store) {
		wantError(t, "no id", s.PutUnit(t.Context(), "", unit(0)), store.ErrInvalid)
		wantError(t, "below 0", s.PutUnit(t.Context(), "m1", unit(-1)), store.ErrInvalid)
	}},
	{"the receipt has its units by number", func(t *testing.T, s Store) {
		want := mustClaim(t, s, receipt("m1"))
		mustClaim(t, s, receipt("m2"))
		mustPutUnit(t, s, "m2", unit(7))
		for n := range 12 {
			want.Units = append(want.Units, unit(n))
			mustPutUnit(t, s, "m1", unit(11-n))
		}
		got, err := s.Receipt(t.Context(), "m1")
		wantError(t, "Receipt", err, nil)
		wantEqual(t, "receipt", got, want)
	}},
	{"units alone are no receipt", func(t *testing.T, s Store) {
		mustPutUnit(t, s, "m1", unit(0))
		_, err := s.Receipt(t.Context(), "m1")
		wantError(t, "Receipt", err, broadcast.ErrNotFound)
	}},
	{"nothing of a receipt is shared with the store", func(t *testing.T, s Store) {
		r, u := receipt("m1"), unit(0)
		mustClaim(t, s, r).To.Connections[0] = "forged"
		r.To.Connections[0] = "forged"
		mustPutUnit(t, s, "m1", u)
		u.Failed["throttled"], u.Remaining[0] = 99, "forged"
		for range 2 {
			got, err := s.Receipt(t.Context(), "m1")
			wantError(t, "Receipt", err, nil)
			want := receipt("m1")
			want.Units = []broadcast.UnitCounts{unit(0)}
			wantEqual(t, "receipt", got, want)
			got.To.Connections[0], got.Units[0].Remaining[0], got.Units[0].Failed["throttled"] = "forged", "forged", 99
		}
	}},
	{"a key belongs to the first broadcast that claims it", func(t *testing.T, s Store) {
		first := claim("acme", "u1", "k1", "m1")
		wantEqual(t, "first", mustClaimKey(t, s, first), first)
		second := claim("acme", "u1", "k1", "m2")
		second.Digest, second.ExpiresAt = "another", second.ExpiresAt.Add(time.Hour)
		wantEqual(t, "second", mustClaimKey(t, s, second), first)
		wantEqual(t, "third", mustClaimKey(t, s, second), first)
	}},
	{"a key counts for one tenant and user", func(t *testing.T, s Store) {
		for i, c := range []broadcast.IdempotencyClaim{
			claim("a", "u", "k", ""), claim("a", "", "k", ""), claim("b", "u", "k", ""), claim("a", "u", "l", ""),
			claim("a/u", "", "k", ""), claim("a", "u/k", "k", ""), claim("a", "u", "k/k", ""), claim("a", "u%2Fk", "k", ""),
		} {
			c.MessageID = fmt.Sprintf("m%d", i)
			wantEqual(t, "claim", mustClaimKey(t, s, c), c)
		}
	}},
	{"a claim is confirmed once its broadcast is queued", func(t *testing.T, s Store) {
		c := mustClaimKey(t, s, claim("acme", "u1", "k1", "m1"))
		for range 2 {
			wantError(t, "ConfirmKey", s.ConfirmKey(t.Context(), c), nil)
			want := c
			want.Confirmed = true
			wantEqual(t, "claim", mustClaimKey(t, s, claim("acme", "u1", "k1", "m2")), want)
		}
	}},
	{"only the broadcast that holds a key can confirm it", func(t *testing.T, s Store) {
		c := claim("acme", "u1", "k1", "m1")
		wantError(t, "no claim", s.ConfirmKey(t.Context(), c), broadcast.ErrNotFound)
		mustClaimKey(t, s, c)
		wantError(t, "another's", s.ConfirmKey(t.Context(), claim("acme", "u1", "k1", "m2")), broadcast.ErrNotFound)
		wantEqual(t, "claim", mustClaimKey(t, s, c), c)

		old := claim("acme", "u1", "k2", "m1")
		old.ExpiresAt = time.Now().Add(-time.Second)
		mustClaimKey(t, s, old)
		wantError(t, "expired", s.ConfirmKey(t.Context(), old), broadcast.ErrNotFound)
	}},
	{"a key can be looked up without claiming it", func(t *testing.T, s Store) {
		_, err := s.Key(t.Context(), "acme", "", "k1")
		wantError(t, "nobody's", err, broadcast.ErrNotFound)
		c := claim("acme", "", "k1", "m1")
		mustClaimKey(t, s, c)
		held, err := s.Key(t.Context(), "acme", "", "k1")
		wantError(t, "held", err, nil)
		wantEqual(t, "claim", held, c)
		_, err = s.Key(t.Context(), "acme", "u1", "k1")
		wantError(t, "a user's key of the same name", err, broadcast.ErrNotFound)

		old := claim("acme", "", "k2", "m1")
		old.ExpiresAt = time.Now().Add(-time.Second)
		mustClaimKey(t, s, old)
		_, err = s.Key(t.Context(), "acme", "", "k2")
		wantError(t, "expired", err, broadcast.ErrNotFound)
	}},
	{"an expired claim holds nothing", func(t *testing.T, s Store) {
		old := claim("acme", "u1", "k1", "m1")
		old.ExpiresAt = time.Now().Add(-time.Second).UTC().Truncate(time.Second)
		mustClaimKey(t, s, old)
		next := claim("acme", "u1", "k1", "m2")
		wantEqual(t, "next", mustClaimKey(t, s, next), next)
	}},
	{"a claim without an expiry is kept for IdempotencyTTL", func(t *testing.T, s Store) {
		c := claim("acme", "u1", "k1", "m1")
		c.ExpiresAt = time.Time{}
		left := time.Until(mustClaimKey(t, s, c).ExpiresAt)
		if left < broadcast.IdempotencyTTL-time.Minute || left > broadcast.IdempotencyTTL {
			t.Errorf("kept for %v, want %v", left, broadcast.IdempotencyTTL)
		}
	}},
	{"a claim without tenant, key or message is refused", func(t *testing.T, s Store) {
		for _, c := range []broadcast.IdempotencyClaim{
			claim("", "u1", "k1", "m1"), claim("acme", "u1", "", "m1"), claim("acme", "u1", "k1", ""),
		} {
			_, err := s.ClaimKey(t.Context(), c)
			wantError(t, fmt.Sprintf("%+v", c), err, store.ErrInvalid)
		}
	}},
	{"twins that claim a key get one answer", func(t *testing.T, s Store) {
		held := make([]broadcast.IdempotencyClaim, 8)
		errs := race(len(held), func(i int) (err error) {
			held[i], err = s.ClaimKey(t.Context(), claim("acme", "u1", "k1", fmt.Sprintf("m%d", i)))
			return err
		})
		wantWinners(t, errs, len(held), nil)
		for _, h := range held {
			wantEqual(t, "claim", h, held[0])
		}
	}},
}

func receipt(messageID string) broadcast.Receipt {
	return broadcast.Receipt{
		MessageID: messageID, Tenant: "acme",
		To:         protocol.Audience{Connections: []string{"c1", "c2"}},
		AcceptedAt: time.Date(2100, 1, 2, 3, 4, 5, 678_000_000, time.UTC),
	}
}

func unit(n int) broadcast.UnitCounts {
	return broadcast.UnitCounts{
		N: n, Size: 15, Attempts: 6, Delivered: 1, Gone: 2, Expired: 3, Times: broadcast.Times{0: 7, 13: 980, 96: 1},
		Failed:    map[string]int{"throttled": 4, "forbidden": 5},
		Remaining: []string{"c1", "c2"},
		At:        time.Date(2100, 1, 2, 3, 4, 5, 678_000_000, time.UTC),
	}
}

func claim(tenant, user, name, messageID string) broadcast.IdempotencyClaim {
	return broadcast.IdempotencyClaim{
		Tenant: tenant, User: user, Key: name, MessageID: messageID, Digest: "digest",
		ClaimedAt: time.Date(2100, 1, 2, 3, 4, 5, 678_000_000, time.UTC),
		ExpiresAt: time.Now().Add(time.Hour).UTC().Truncate(time.Second),
	}
}

func mustClaim(t *testing.T, s Store, r broadcast.Receipt) broadcast.Receipt {
	t.Helper()
	got, err := s.Claim(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func mustPutUnit(t *testing.T, s Store, messageID string, u broadcast.UnitCounts) {
	t.Helper()
	if err := s.PutUnit(t.Context(), messageID, u); err != nil {
		t.Fatal(err)
	}
}

func mustClaimKey(t *testing.T, s Store, c broadcast.IdempotencyClaim) broadcast.IdempotencyClaim {
	t.Helper()
	got, err := s.ClaimKey(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return got
}
