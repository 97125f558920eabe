package store

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"fanfare/shared/protocol"
)

// maxSortKey is DynamoDB's limit of a sort key, in bytes.
const maxSortKey = 1024

// key is the primary key of a row.
type key struct{ pk, sk string }

func connectionKey(id string) key {
	return key{"connection/" + encode(id), "connection"}
}

func receiptKey(messageID string) key {
	return key{"broadcast/" + encode(messageID), "receipt"}
}

const unitPrefix = "unit/"

func unitKey(messageID string, n int) key {
	return key{"broadcast/" + encode(messageID), unitPrefix + strconv.Itoa(n)}
}

func claimKey(tenant, user, name string) key {
	return key{"idempotency/" + encode(tenant) + "/" + encode(user) + "/" + encode(name), "claim"}
}

func rateKey(tenant string, window int64) key {
	return key{"rate/" + encode(tenant), strconv.FormatInt(window, 10)}
}

func tenantPartition(tenant string, shard int) string {
	return encodeTenant(tenant) + "/tenant/" + strconv.Itoa(shard)
}

func userPartition(tenant, user string) string {
	return encodeTenant(tenant) + "/user/" + encode(user)
}

func channelPartition(tenant, channel string, shard int) string {
	return encodeTenant(tenant) + "/channel/" + encode(channel) + "/" + strconv.Itoa(shard)
}

// partitions lists the partitions that hold the members of an audience, in the
// order in which they are read. It is empty for a list of connections.
func (o Options) partitions(tenant string, to protocol.Audience) []string {
	var all []string
	switch {
	case to.Tenant:
		for shard := range o.TenantShards {
			all = append(all, tenantPartition(tenant, shard))
		}
	case to.Channel != "":
		for shard := range o.ChannelShards {
			all = append(all, channelPartition(tenant, to.Channel, shard))
		}
	case to.User != "":
		all = append(all, userPartition(tenant, to.User))
	}
	return all
}

// shardOf spreads ids evenly over shards, by FNV-1a. Only writers use it: a row
// remembers the shard it was given, so the number of shards may grow.
func shardOf(id string, shards int) int {
	h := fnv.New32a()
	h.Write([]byte(id))
	return int(h.Sum32() % uint32(shards))
}

// encode makes a name safe as one part of a key. It percent-encodes '/', which
// separates the parts, '%' itself, control bytes, and bytes that are not UTF-8,
// which DynamoDB would replace. No two names have the same encoding.
func encode(name string) string {
	var b strings.Builder
	for rest := name; rest != ""; {
		r, size := utf8.DecodeRuneInString(rest)
		if unsafeInKey(r, size) {
			fmt.Fprintf(&b, "%%%02X", rest[0])
		} else {
			b.WriteString(rest[:size])
		}
		rest = rest[size:]
	}
	return b.String()
}

func unsafeInKey(r rune, size int) bool {
	return r < 0x20 || r == 0x7f || r == '/' || r == '%' || (r == utf8.RuneError && size == 1)
}

// reserved are the first parts of keys that belong to no tenant.
var reserved = []string{"connection", "broadcast", "idempotency", "rate"}

// encodeTenant is encode for the first part of a key. Without it the members
// of tenant "idempotency" in channel "x" and the claims of tenant "channel" and
// user "x" would share partitions. encode never makes a '%' followed by a
// letter's code, so the results stay distinct.
func encodeTenant(tenant string) string {
	if slices.Contains(reserved, tenant) {
		return fmt.Sprintf("%%%02X%s", tenant[0], tenant[1:])
	}
	return encode(tenant)
}

// decode reverses encode and refuses everything that encode does not make.
func decode(s string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			b.WriteByte(s[i])
			continue
		}
		if i+2 >= len(s) {
			return "", fmt.Errorf("%q ends within an escape", s)
		}
		n, err := strconv.ParseUint(s[i+1:i+3], 16, 8)
		if err != nil {
			return "", fmt.Errorf("%q holds a malformed escape", s)
		}
		b.WriteByte(byte(n))
		i += 2
	}
	if name := b.String(); encode(name) == s {
		return name, nil
	}
	return "", fmt.Errorf("%q is not an encoded name", s)
}
