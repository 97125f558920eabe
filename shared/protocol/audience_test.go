package protocol_test

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"fanfare/shared/protocol"
)

func TestAnAudienceIsExactlyOneThing(t *testing.T) {
	many := make([]string, protocol.MaxConnections+1)
	for i := range many {
		many[i] = fmt.Sprintf("c%d", i)
	}
	tests := []struct {
		name string
		to   protocol.Audience
		ok   bool
	}{
		{"nothing", protocol.Audience{}, false},
		{"a channel", protocol.Audience{Channel: "orders.eu"}, true},
		{"a channel with a slash and a star", protocol.Audience{Channel: "a/*"}, true},
		{"a channel in Greek", protocol.Audience{Channel: strings.Repeat("ω", 64)}, true},
		{"a channel over 128 bytes of Greek", protocol.Audience{Channel: strings.Repeat("ω", 65)}, false},
		{"a channel with a control character", protocol.Audience{Channel: "a\x00"}, false},
		{"a channel with C1", protocol.Audience{Channel: "a\u0085"}, false},
		{"a channel that is not UTF-8", protocol.Audience{Channel: "a\xff"}, false},
		{"a user", protocol.Audience{User: strings.Repeat("u", 256)}, true},
		{"a user over 256 bytes", protocol.Audience{User: strings.Repeat("u", 257)}, false},
		{"the tenant", protocol.Audience{Tenant: true}, true},
		{"the tenant and a channel", protocol.Audience{Tenant: true, Channel: "c"}, false},
		{"a user and connections", protocol.Audience{User: "u", Connections: []string{"c"}}, false},
		{"no connections", protocol.Audience{Connections: []string{}}, false},
		{"one connection", protocol.Audience{Connections: []string{"R1kmxc2VNjMCFIA="}}, true},
		{"1,000 connections", protocol.Audience{Connections: many[:1000]}, true},
		{"1,001 connections", protocol.Audience{Connections: many}, false},
		{"a connection twice", protocol.Audience{Connections: []string{"a", "b", "a"}}, false},
		{"a connection without id", protocol.Audience{Connections: []string{"a", ""}}, false},
		{"a connection with too long an id", protocol.Audience{Connections: []string{strings.Repeat("c", 129)}}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.to.Validate()
			if (err == nil) != tt.ok {
				t.Errorf("error %v, want ok %v", err, tt.ok)
			}
			if err != nil && !errors.Is(err, &protocol.Error{Code: protocol.CodeInvalidMessage}) {
				t.Errorf("error %v, want INVALID_MESSAGE", err)
			}
		})
	}
}

func TestAudiencesAreEqualInEveryPart(t *testing.T) {
	all := []protocol.Audience{
		{}, {Channel: "a"}, {Channel: "b"}, {User: "a"}, {Tenant: true},
		{Connections: []string{"a", "b"}}, {Connections: []string{"b", "a"}}, {Connections: []string{"a"}},
	}
	for i, a := range all {
		for j, b := range all {
			if a.Equal(b) != (i == j) {
				t.Errorf("%+v and %+v: Equal is %v", a, b, a.Equal(b))
			}
		}
	}
	if !(protocol.Audience{Tenant: true, Connections: []string{}}).Equal(protocol.Audience{Tenant: true}) {
		t.Error("an empty list is none")
	}
}

func TestWhatAPermissionGrants(t *testing.T) {
	channel := protocol.Audience{Channel: "orders.eu"}.Permission()
	user := protocol.Audience{User: "u1"}.Permission()
	tenant := protocol.Audience{Tenant: true}.Permission()
	connections := protocol.Audience{Connections: []string{"c"}}.Permission()
	subscribe := protocol.SubscribePermission("orders.eu")
	all := []string{channel, user, tenant, connections, subscribe}
	tests := []struct {
		permission string
		grants     []string
	}{
		{"broadcast:*", []string{channel, user, tenant, connections}},
		{"broadcast:channel/orders.*", []string{channel}},
		{"broadcast:channel/orders.eu", []string{channel}},
		{"broadcast:channel/orders", nil},
		{"broadcast:channel/Orders.eu", nil},
		{"broadcast:channel/*.eu", []string{channel}},
		{"broadcast:channel/o*d*s.*u", []string{channel}},
		{"broadcast:user/*", []string{user}},
		{"broadcast:user/u1*", []string{user}},
		{"broadcast:tenant", []string{tenant}},
		{"broadcast:connections", []string{connections}},
		{"broadcast", nil},
		{"broadcast:", nil},
		{"subscribe:orders.*", []string{subscribe}},
		{"subscribe:*", []string{subscribe}},
		{"subscribe:orders.?u", nil},
		{"subscribe:orders.[e]u", nil},
		{"*", all},
		{"***", all},
		{"*:*", all},
		{"*orders*", []string{channel, subscribe}},
		{"", nil},
	}
	for _, tt := range tests {
		t.Run(tt.permission, func(t *testing.T) {
			for _, wanted := range all {
				granted := false
				for _, g := range tt.grants {
					granted = granted || g == wanted
				}
				if protocol.Allowed([]string{"other", tt.permission}, wanted) != granted {
					t.Errorf("%s: granted %v, want %v", wanted, !granted, granted)
				}
			}
		})
	}
}

func TestWithoutPermissionsNothingIsAllowed(t *testing.T) {
	if protocol.Allowed(nil, "broadcast:tenant") {
		t.Error("allowed")
	}
}

func TestAStarInAWantedNameIsOnlyACharacter(t *testing.T) {
	if protocol.Allowed([]string{"subscribe:orders"}, protocol.SubscribePermission("*")) {
		t.Error("a channel called * must not match every permission")
	}
	if protocol.Allowed([]string{"a*b*a"}, "aba"[:2]) || protocol.Allowed([]string{"ab*ba"}, "aba") {
		t.Error("the ends of a pattern must not overlap")
	}
}

// A pattern that makes a backtracking matcher run for ages.
func TestAHostilePatternCostsLittle(t *testing.T) {
	name := strings.Repeat("a", 1<<16)
	start := time.Now()
	for _, pattern := range []string{
		strings.Repeat("*a", 1<<15) + "b", strings.Repeat("*a", 1<<15) + "*b*", strings.Repeat("a*", 1<<15) + "b",
		strings.Repeat("*", 1<<16) + "b", "*" + strings.Repeat("a", 1<<15) + "b*",
	} {
		if protocol.Allowed([]string{pattern}, name) {
			t.Errorf("%.10s… matched", pattern)
		}
	}
	// Backtracking would take until the end of the world, this takes some ms.
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("took %v", took)
	}
}

// Allowed must agree with the obvious definition by a regular expression.
func FuzzAllowed(f *testing.F) {
	for _, seed := range [][2]string{
		{"broadcast:*", "broadcast:tenant"}, {"a*b*c", "a-b-b-c"}, {"**", ""}, {"ab*ba", "aba"}, {"*a*a", "a"}, {"a.c", "abc"}, {"\xff*", "\xff\n"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, pattern, wanted string) {
		got := protocol.Allowed([]string{pattern}, wanted)
		// In hex, because bytes that are no UTF-8 mean nothing to a regular expression.
		var literals []string
		for _, part := range strings.Split(pattern, "*") {
			literals = append(literals, hexed(part))
		}
		want := regexp.MustCompile("^" + strings.Join(literals, "(..)*") + "$").MatchString(hexed(wanted))
		if got != want {
			t.Errorf("Allowed(%q, %q) = %v, want %v", pattern, wanted, got, want)
		}
	})
}

func hexed(s string) string { return fmt.Sprintf("%x", s) }
