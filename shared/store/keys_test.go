package store

import (
	"errors"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestEncodeChangesOnlyWhatIsNeeded(t *testing.T) {
	for name, want := range map[string]string{
		"":                 "",
		"orders":           "orders",
		"R1kmxc2VNjMCFIA=": "R1kmxc2VNjMCFIA=",
		"a.b c:d|e@f":      "a.b c:d|e@f",
		"日本 ü 😀":           "日本 ü 😀",
		"a/b":              "a%2Fb",
		"%2F":              "%252F",
		"a\x00\n\x7f":      "a%00%0A%7F",
		"\xff\u00e9":       "%FFé",
		"\ufffd":           "\ufffd",
	} {
		if got := encode(name); got != want {
			t.Errorf("encode(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestDecodeRefusesWhatEncodeDoesNotMake(t *testing.T) {
	for _, s := range []string{"a/b", "%", "%2", "%2f", "%61", "%zz", "%+1", "\x00", "\xff", "a%C3%A9"} {
		if name, err := decode(s); err == nil {
			t.Errorf("decode(%q) = %q, want an error", s, name)
		}
	}
}

func FuzzEncodeIsInjectiveAndHasNoSlash(f *testing.F) {
	f.Add("a/b", "a%2Fb")
	f.Add("\xff", "\ufffd")
	f.Add("connection", "%63onnection")
	f.Add("", "\x00")
	f.Fuzz(func(t *testing.T, a, b string) {
		for _, enc := range []func(string) string{encode, encodeTenant} {
			if (enc(a) == enc(b)) != (a == b) {
				t.Fatalf("%q and %q become %q and %q", a, b, enc(a), enc(b))
			}
			if s := enc(a); strings.Contains(s, "/") || !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return r < 0x80 && unicode.IsControl(r) }) {
				t.Fatalf("%q becomes %q", a, s)
			}
		}
		if back, err := decode(encode(a)); err != nil || back != a {
			t.Fatalf("%q comes back as %q, %v", a, back, err)
		}
		if name, err := decode(b); err == nil && encode(name) != b {
			t.Fatalf("%q is decoded to %q, which is encoded as %q", b, name, encode(name))
		}
	})
}

// FuzzPartitionsDoNotMeet makes two rows of any kind from any names: only the
// same names of the same kind may share a partition.
func FuzzPartitionsDoNotMeet(f *testing.F) {
	f.Add("idempotency", "orders", "", uint8(3), "channel", "orders", "0", uint8(5))
	f.Add("connection", "", "", uint8(1), "tenant/0", "", "", uint8(0))
	f.Add("a", "b/0", "", uint8(3), "a", "b", "", uint8(3))
	f.Add("a/user", "b", "", uint8(2), "a", "user/b", "", uint8(2))
	f.Fuzz(func(t *testing.T, a1, b1, c1 string, k1 uint8, a2, b2, c2 string, k2 uint8) {
		pk1, names1 := partition(a1, b1, c1, k1)
		pk2, names2 := partition(a2, b2, c2, k2)
		if (pk1 == pk2) != (names1 == names2) {
			t.Fatalf("%q and %q share or split %q and %q", names1, names2, pk1, pk2)
		}
	})
}

// partition returns the partition of one kind of row and what it is made of.
func partition(a, b, c string, kind uint8) (string, [4]string) {
	switch kind % 6 {
	case 0:
		return connectionKey(a).pk, [4]string{"connection", a}
	case 1:
		return tenantPartition(a, 0), [4]string{"tenant", a}
	case 2:
		return userPartition(a, b), [4]string{"user", a, b}
	case 3:
		return channelPartition(a, b, 0), [4]string{"channel", a, b}
	case 4:
		return receiptKey(a).pk, [4]string{"broadcast", a}
	default:
		return claimKey(a, b, c).pk, [4]string{"idempotency", a, b, c}
	}
}

func TestShardsAreEven(t *testing.T) {
	const shards, ids = 4, 10_000
	var count [shards]int
	for i := range ids {
		count[shardOf(strings.Repeat("x", i%7)+string(rune('A'+i%50))+strings.Repeat("y", i/350), shards)]++
	}
	for shard, n := range count {
		if n < ids/shards*8/10 || n > ids/shards*12/10 {
			t.Errorf("shard %d has %d of %d ids", shard, n, ids)
		}
	}
}

func FuzzCursor(f *testing.F) {
	for _, s := range []string{"", "0/", "3/abc=", "4/", "0/a%2Fb", "0/a/b", "-0/", "+1/", "12", "0", "0/%"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, cursor string) {
		const partitions, length = 4, 1000
		at, err := parsePosition(cursor, partitions)
		switch {
		case err != nil && !errors.Is(err, ErrCursor):
			t.Fatalf("%q: %v is no ErrCursor", cursor, err)
		case err == nil && (at.partition < 0 || at.partition >= partitions || len(at.after) > maxSortKey):
			t.Fatalf("%q: %+v is out of bounds", cursor, at)
		case err == nil && cursor != "" && at.String() != cursor:
			t.Fatalf("%q is read as %q", cursor, at)
		}
		n, err := parseIndex(cursor, length)
		if err != nil && !errors.Is(err, ErrCursor) || err == nil && (n < 0 || n >= length) {
			t.Fatalf("%q: index %d, %v", cursor, n, err)
		}
	})
}
