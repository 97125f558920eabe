package storetest

import "testing"

var counters = []contract{
	{"broadcasts are counted by tenant and by connection, each second anew", func(t *testing.T, s Store) {
		for _, step := range []struct {
			tenant, id             string
			window                 int64
			ofTenant, ofConnection int
		}{
			{"acme", "c1", 100, 1, 1},
			{"acme", "c1", 100, 2, 2},
			{"acme", "c2", 100, 3, 1},
			{"globex", "c3", 100, 1, 1},
			{"acme", "c1", 101, 1, 1},
			{"acme", "c1", 100, 4, 3}, // clocks differ: an older window still counts
		} {
			ofTenant, ofConnection, err := s.CountBroadcast(t.Context(), step.tenant, step.id, step.window)
			wantError(t, "CountBroadcast", err, nil)
			wantEqual(t, "counts", [2]int{ofTenant, ofConnection}, [2]int{step.ofTenant, step.ofConnection})
		}
	}},
	{"of broadcasts counted at once none is forgotten", func(t *testing.T, s Store) {
		errs := race(20, func(int) error {
			_, _, err := s.CountBroadcast(t.Context(), "acme", "c1", 100)
			return err
		})
		for _, err := range errs {
			wantError(t, "CountBroadcast", err, nil)
		}
		ofTenant, ofConnection, err := s.CountBroadcast(t.Context(), "acme", "c1", 100)
		wantError(t, "CountBroadcast", err, nil)
		wantEqual(t, "counts", [2]int{ofTenant, ofConnection}, [2]int{21, 21})
	}},
	{"a tenant's name cannot reach another's count", func(t *testing.T, s Store) {
		for _, tenant := range []string{"a/b", "a", "a%2Fb", "rate"} {
			ofTenant, _, err := s.CountBroadcast(t.Context(), tenant, "c1", 7)
			wantError(t, "CountBroadcast", err, nil)
			wantEqual(t, tenant, ofTenant, 1)
		}
	}},
}
