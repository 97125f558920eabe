package logs

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

const (
	maxListPage  = 50
	maxEventPage = 10_000
	maxPageBytes = 1 << 20
)

// limit reads the Limit of a request; nil means the maximum.
func limit(p *int, maximum int) (int, error) {
	if p == nil {
		return maximum, nil
	}
	if *p < 1 || *p > maximum {
		return 0, invalidParameter("1 validation error detected: Value '%d' at 'limit' failed to satisfy constraint: "+
			"Member must have value between 1 and %d", *p, maximum)
	}
	return *p, nil
}

// listPage cuts one page from items, which are in their final order. The token
// is the key of the last item of the page before; after tells whether an item
// comes after the one with that key.
func listPage[T any](items []T, key func(T) string, after func(T, string) bool, n *int, token string) (page []T, next string, err error) {
	size, err := limit(n, maxListPage)
	if err != nil {
		return nil, "", err
	}
	if token != "" {
		last, err := base64.URLEncoding.DecodeString(token)
		if err != nil {
			return nil, "", errNextToken
		}
		i := slices.IndexFunc(items, func(item T) bool { return after(item, string(last)) })
		if i < 0 {
			return nil, "", nil
		}
		items = items[i:]
	}
	if len(items) > size {
		items = items[:size]
		next = base64.URLEncoding.EncodeToString([]byte(key(items[size-1])))
	}
	return items, next, nil
}

// A cursor is a place between two events and the way to go on from there. As a
// token it is f/<time>/<number> or b/<time>/<number>, like those of AWS.
type cursor struct {
	backward bool
	position
}

func (c cursor) String() string {
	way := "f"
	if c.backward {
		way = "b"
	}
	return fmt.Sprintf("%s/%d/%d", way, c.time, c.number)
}

func parseCursor(token string) (c cursor, err error) {
	parts := strings.Split(token, "/")
	if len(parts) != 3 || parts[0] != "f" && parts[0] != "b" {
		return c, errNextToken
	}
	c.backward = parts[0] == "b"
	if c.time, err = strconv.ParseInt(parts[1], 10, 64); err != nil {
		return c, errNextToken
	}
	if c.number, err = strconv.ParseUint(parts[2], 10, 64); err != nil {
		return c, errNextToken
	}
	return c, nil
}

// cut returns the events of one page in order of time, and whether there are
// more in the cursor's direction. A page holds at most size events and 1 MiB.
func (c cursor) cut(events []event, size int) (page []event, more bool) {
	i, found := slices.BinarySearchFunc(events, c.position, func(e event, p position) int { return e.compare(p) })
	if c.backward {
		events = events[:i]
		n := countPage(len(events), size, func(k int) int { return len(events[len(events)-1-k].message) })
		return events[len(events)-n:], n < len(events)
	}
	if found {
		i++
	}
	events = events[i:]
	n := countPage(len(events), size, func(k int) int { return len(events[k].message) })
	return events[:n], n < len(events)
}

// countPage returns how many of n events fit a page, at least one.
func countPage(n, size int, bytes func(k int) int) int {
	total, k := 0, 0
	for ; k < min(n, size); k++ {
		total += bytes(k)
		if total > maxPageBytes && k > 0 {
			break
		}
	}
	return k
}
