package dynamodb

import (
	"strconv"
	"strings"
)

// kind is an attribute's type.
type kind uint8

const (
	kindNone kind = iota
	kindS
	kindN
	kindB
	kindBool
	kindNull
	kindM
	kindL
	kindSS
	kindNS
	kindBS
)

var kindNames = [...]string{"", "S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS"}

func (k kind) String() string { return kindNames[k] }

func kindNamed(name string) kind {
	for k, n := range kindNames {
		if n == name {
			return kind(k)
		}
	}
	return kindNone
}

func (k kind) isSet() bool { return k >= kindSS }

// isScalar tells the types that have an order and may be keys.
func (k kind) isScalar() bool { return k == kindS || k == kindN || k == kindB }

// member is the type of a set's members.
func (k kind) member() kind { return k - kindSS + kindS }

// value is one attribute value. Once made it never changes: rows, snapshots
// and answers share values, and an update builds new ones along its path.
type value struct {
	kind kind
	flag bool             // BOOL
	text string           // S; N in canonical form; B as raw bytes
	list []value          // L; the members of SS, NS, BS
	m    map[string]value // M
}

// item is a whole item or a key: attribute values by name.
type item map[string]value

// equal compares as '=' does: type and content, sets without regard to order.
func (v value) equal(w value) bool {
	if v.kind != w.kind {
		return false
	}
	switch v.kind {
	case kindBool:
		return v.flag == w.flag
	case kindM:
		return equalMaps(v.m, w.m)
	case kindL:
		return equalLists(v.list, w.list)
	case kindSS, kindNS, kindBS:
		return equalSets(v.list, w.list)
	}
	return v.text == w.text
}

func equalMaps(a, b map[string]value) bool {
	if len(a) != len(b) {
		return false
	}
	for name, v := range a {
		if w, ok := b[name]; !ok || !v.equal(w) {
			return false
		}
	}
	return true
}

func equalLists(a, b []value) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !a[i].equal(b[i]) {
			return false
		}
	}
	return true
}

// equalSets relies on sets having no duplicates.
func equalSets(a, b []value) bool {
	if len(a) != len(b) {
		return false
	}
	members := texts(a)
	for _, v := range b {
		if !members[v.text] {
			return false
		}
	}
	return true
}

func texts(set []value) map[string]bool {
	m := make(map[string]bool, len(set))
	for _, v := range set {
		m[v.text] = true
	}
	return m
}

// order returns bytes that compare as AWS orders values of this scalar type:
// strings by their UTF-8 bytes, binaries by their bytes, numbers by value.
func (v value) order() string {
	if v.kind == kindN {
		return mustDecimal(v.text).order()
	}
	return v.text
}

// compare orders two values of one scalar type; ok is false for any other pair.
func (v value) compare(w value) (result int, ok bool) {
	if v.kind != w.kind || !v.kind.isScalar() {
		return 0, false
	}
	return strings.Compare(v.order(), w.order()), true
}

// maxDepth is how many lists and maps may lie in one another.
const maxDepth = 32

// size is what AWS counts for an item, names included.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
func (it item) size() int {
	n := 0
	for name, v := range it {
		n += len(name) + v.size()
	}
	return n
}

func (v value) size() int {
	switch v.kind {
	case kindN:
		return mustDecimal(v.text).size()
	case kindBool, kindNull:
		return 1
	case kindM:
		return 3 + len(v.m) + item(v.m).size()
	case kindL:
		return 3 + len(v.list) + sumSizes(v.list)
	case kindSS, kindNS, kindBS:
		return sumSizes(v.list)
	}
	return len(v.text)
}

func sumSizes(list []value) int {
	n := 0
	for _, v := range list {
		n += v.size()
	}
	return n
}

// depth is 0 for a scalar or set, 1 for a list or map of those.
func (v value) depth() int {
	deepest := 0
	switch v.kind {
	case kindM:
		for _, w := range v.m {
			deepest = max(deepest, w.depth())
		}
	case kindL:
		for _, w := range v.list {
			deepest = max(deepest, w.depth())
		}
	default:
		return 0
	}
	return deepest + 1
}

func numberValue(n int) value { return value{kind: kindN, text: strconv.Itoa(n)} }
