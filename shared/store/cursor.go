package store

import (
	"fmt"
	"strconv"
	"strings"
)

// position is where Members goes on in an audience of partitions: after the
// sort key in the partition. Its text is "<partition>/<sort key>", the cursor
// that callers keep.
type position struct {
	partition int
	after     string // "" is the partition's beginning
}

func (p position) String() string { return strconv.Itoa(p.partition) + "/" + p.after }

// parsePosition reads a cursor of an audience with that many partitions.
func parsePosition(cursor string, partitions int) (position, error) {
	if cursor == "" {
		return position{}, nil
	}
	number, after, ok := strings.Cut(cursor, "/")
	n, err := parseNatural(number)
	if !ok || err != nil || n >= partitions {
		return position{}, fmt.Errorf("%w: %q names none of %d partitions", ErrCursor, cursor, partitions)
	}
	if len(after) > maxSortKey {
		return position{}, fmt.Errorf("%w: %d bytes are too many", ErrCursor, len(cursor))
	}
	if _, err := decode(after); err != nil {
		return position{}, fmt.Errorf("%w: %w", ErrCursor, err)
	}
	return position{partition: n, after: after}, nil
}

// parseIndex reads a cursor of a list with that many elements.
func parseIndex(cursor string, length int) (int, error) {
	if cursor == "" {
		return 0, nil
	}
	n, err := parseNatural(cursor)
	if err != nil || n >= length {
		return 0, fmt.Errorf("%w: %q is no index into %d ids", ErrCursor, cursor, length)
	}
	return n, nil
}

// parseNatural reads a number that is written the one way strconv.Itoa does.
func parseNatural(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || strconv.Itoa(n) != s {
		return 0, fmt.Errorf("%q is not a natural number", s)
	}
	return n, nil
}
