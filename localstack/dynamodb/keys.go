package dynamodb

import (
	"encoding/binary"
	"hash/fnv"
	"strings"

	"fanfare/localstack/awsproto"
)

// Sizes that AWS allows to key values, in bytes.
const (
	maxHashKeySize  = 2048
	maxRangeKeySize = 1024
)

// keyAttribute is one part of a primary key. Its zero value stands for "no
// sort key".
type keyAttribute struct {
	name string
	kind kind
}

// keySchema is what the items of a table or index are found by.
type keySchema struct {
	hash, sort keyAttribute
}

// attributes lists the parts that there are.
func (k keySchema) attributes() []keyAttribute {
	if k.sort.name == "" {
		return []keyAttribute{k.hash}
	}
	return []keyAttribute{k.hash, k.sort}
}

func (k keySchema) has(name string) bool {
	return name == k.hash.name || name == k.sort.name && name != ""
}

// pick returns the key of it.
func (k keySchema) pick(it item) item {
	key := make(item, 2)
	for _, a := range k.attributes() {
		if v, ok := it[a.name]; ok {
			key[a.name] = v
		}
	}
	return key
}

// Stored order. A row's key is
//
//	hash of the partition (8 bytes) · length (2) · partition key · sort key, escaped · terminator
//
// so one sorted map holds partitions in the order of their hash, as a Scan and
// its segments walk them, and each partition in the order of its sort key.
// The escape keeps the terminator (00 01) below anything that a longer key has
// in its place, and lets a secondary index put the table's own key behind it.

func partitionPrefix(v value) string {
	text := v.order()
	b := make([]byte, 0, 10+len(text))
	b = binary.BigEndian.AppendUint64(b, partitionHash(text))
	b = binary.BigEndian.AppendUint16(b, uint16(len(text))) // at most maxHashKeySize
	return string(append(b, text...))
}

// hashPrefix is the first stored key of all partitions from hash on.
func hashPrefix(hash uint64) string { return string(binary.BigEndian.AppendUint64(nil, hash)) }

// partitionHash spreads partitions over the segments of a Scan. It is the
// same in every process: exclusive start keys must keep their place.
func partitionHash(text string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(text)) // never fails
	x := h.Sum64()
	x ^= x >> 32 // FNV's high bits barely move for short keys
	x *= 0x9E3779B97F4A7C15
	return x ^ x>>29
}

const (
	sortTerminator = "\x00\x01"
	afterSort      = "\x00\x02" // above every key with exactly this sort key
)

// escapeSort keeps order and makes room for the terminator.
func escapeSort(v value) string {
	return strings.ReplaceAll(v.order(), "\x00", "\x00\xFF")
}

// rowKey is the stored key of it, which has all key attributes.
func (k keySchema) rowKey(it item) string {
	prefix := partitionPrefix(it[k.hash.name])
	if k.sort.name == "" {
		return prefix + sortTerminator
	}
	return prefix + escapeSort(it[k.sort.name]) + sortTerminator
}

// prefixEnd is the first key behind all that begin with prefix; "" if none is.
func prefixEnd(prefix string) string {
	b := []byte(prefix)
	for i := len(b) - 1; i >= 0; i-- {
		if b[i] != 0xFF {
			b[i]++
			return string(b[:i+1])
		}
	}
	return ""
}

func prefixRange(prefix string) keyRange { return keyRange{prefix, prefixEnd(prefix)} }

// checkItem insists on a whole item's key attributes.
func (k keySchema) checkItem(it item) error {
	for _, a := range k.attributes() {
		v, ok := it[a.name]
		if !ok {
			return validation("One or more parameter values were invalid: Missing the key %s in the item", a.name)
		}
		if v.kind != a.kind {
			return validation("One or more parameter values were invalid: Type mismatch for key %s expected: %v actual: %v", a.name, a.kind, v.kind)
		}
	}
	return k.checkSizes(it)
}

// checkKey insists on exactly the key and nothing else.
func (k keySchema) checkKey(key item) error {
	attributes := k.attributes()
	if len(key) != len(attributes) {
		return validation("The provided key element does not match the schema")
	}
	for _, a := range attributes {
		if key[a.name].kind != a.kind {
			return validation("The provided key element does not match the schema")
		}
	}
	return k.checkSizes(key)
}

func (k keySchema) checkSizes(it item) error {
	for _, a := range k.attributes() {
		if a.kind != kindN && it[a.name].text == "" {
			return emptyKey(a)
		}
	}
	if it[k.hash.name].size() > maxHashKeySize {
		return validation("One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 bytes")
	}
	if k.sort.name != "" && it[k.sort.name].size() > maxRangeKeySize {
		return validation("One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size limit of 1024 bytes")
	}
	return nil
}

func emptyKey(a keyAttribute) *awsproto.Error {
	what := "string"
	if a.kind == kindB {
		what = "binary"
	}
	return validation("One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty %s value. Key: %s", what, a.name)
}
