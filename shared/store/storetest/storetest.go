// Package storetest is the contract of the table: what every implementation of
// the ports in packages connection and broadcast must do, and what the Lambdas
// rely on. Both implementations in package store pass it; one of your own
// should too.
//
//	func TestMyStore(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) storetest.Store { return mystore.New() })
//	}
//
// It uses real time, so a store under test must do so as well. It does not test
// what only one technology has: retries, lost answers and costs are tests of
// the implementation.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"fanfare/shared/broadcast"
	"fanfare/shared/connection"
	"fanfare/shared/protocol"
)

// Store is everything that the functions ask of the table.
type Store interface {
	connection.Store
	broadcast.Audience
	broadcast.Ledger
	broadcast.Claims
	broadcast.Counters

	Put(ctx context.Context, c connection.Connection) error
	Remove(ctx context.Context, id string) (connection.Connection, error)
	Subscribe(ctx context.Context, id, channel string) error
	Unsubscribe(ctx context.Context, id, channel string) error
	Renew(ctx context.Context, id string, s connection.Session) error
	Receipt(ctx context.Context, messageID string) (broadcast.Receipt, error)
	Key(ctx context.Context, tenant, user, name string) (broadcast.IdempotencyClaim, error)
}

// contract is one promise. Its name is the promise.
type contract struct {
	name string
	test func(t *testing.T, s Store)
}

// Run checks that the stores made by open keep the contract. Each subtest gets
// a store of its own, which must be empty.
func Run(t *testing.T, open func(t *testing.T) Store) {
	for group, contracts := range map[string][]contract{
		"connections":   connections,
		"subscriptions": subscriptions,
		"members":       members,
		"ledger":        ledger,
		"counters":      counters,
	} {
		t.Run(group, func(t *testing.T) {
			for _, c := range contracts {
				t.Run(c.name, func(t *testing.T) { c.test(t, open(t)) })
			}
		})
	}
}

// newConnection returns a connection that is live for an hour.
func newConnection(id, tenant, user string) connection.Connection {
	now := time.Now().UTC()
	return connection.Connection{
		ID: id, Tenant: tenant, User: user,
		ConnectedAt: now.Truncate(time.Millisecond),
		ExpiresAt:   now.Add(time.Hour).Truncate(time.Second),
	}
}

func mustPut(t *testing.T, s Store, c connection.Connection, channels ...string) {
	t.Helper()
	if err := s.Put(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	for _, channel := range channels {
		mustSubscribe(t, s, c.ID, channel)
	}
}

func mustSubscribe(t *testing.T, s Store, id, channel string) {
	t.Helper()
	if err := s.Subscribe(t.Context(), id, channel); err != nil {
		t.Fatal(err)
	}
}

func mustGet(t *testing.T, s Store, id string) connection.Connection {
	t.Helper()
	c, err := s.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// readAll pages through an audience and returns what all pages hold together.
func readAll(t *testing.T, s Store, tenant string, to protocol.Audience, limit int) (all broadcast.Page, pages int) {
	t.Helper()
	for cursor := ""; ; pages++ {
		page, err := s.Members(t.Context(), tenant, to, cursor, limit)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(page.IDs) + len(page.Stale); got > limit {
			t.Fatalf("page at %q has %d rows, limit is %d", cursor, got, limit)
		}
		all.IDs = append(all.IDs, page.IDs...)
		all.Stale = append(all.Stale, page.Stale...)
		if cursor = page.Next; cursor == "" {
			return all, pages + 1
		}
		if pages > 10_000 {
			t.Fatalf("no end of pages, cursor %q", cursor)
		}
	}
}

// wantMembers checks the live and stale members of an audience, in any order.
func wantMembers(t *testing.T, s Store, tenant string, to protocol.Audience, live, stale []string) {
	t.Helper()
	got, _ := readAll(t, s, tenant, to, 100)
	if !sameSet(got.IDs, live) || !sameSet(got.Stale, stale) {
		t.Errorf("members of tenant %q, %+v:\ngot  live %q, stale %q\nwant live %q, stale %q",
			tenant, to, got.IDs, got.Stale, live, stale)
	}
}

func sameSet(a, b []string) bool {
	count := map[string]int{}
	for _, s := range a {
		count[s]++
	}
	for _, s := range b {
		count[s]--
	}
	for _, n := range count {
		if n != 0 {
			return false
		}
	}
	return true
}

func wantError(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: error %v, want %v", what, got, want)
	}
}

func wantEqual[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\ngot  %+v\nwant %+v", what, got, want)
	}
}

// race calls f from n goroutines at once and returns their errors.
func race(n int, f func(i int) error) []error {
	var ready, done sync.WaitGroup
	errs := make([]error, n)
	ready.Add(n)
	for i := range n {
		done.Go(func() {
			ready.Done()
			ready.Wait()
			errs[i] = f(i)
		})
	}
	done.Wait()
	return errs
}

// wantWinners checks that so many succeeded and all others got the error.
func wantWinners(t *testing.T, errs []error, winners int, others error) {
	t.Helper()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else if !errors.Is(err, others) {
			t.Errorf("a loser got %v, want %v", err, others)
		}
	}
	if won != winners {
		t.Errorf("%d of %d succeeded, want %d", won, len(errs), winners)
	}
}

func numbered(prefix string, n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("%s-%04d", prefix, i)
	}
	return names
}
