package dynamodb

import (
	"iter"
	"slices"
	"sort"
	"strings"
)

// maxChunk bounds what one insertion has to move. 256 entries of 24 bytes move
// in well under a microsecond, and a million rows still need only a few
// thousand chunks to search through.
const maxChunk = 256

// sortedMap holds rows in the order of their keys, in chunks: insert, delete
// and seek are O(log n) comparisons plus one short move. It is what a B-tree
// of depth two is, and needs no rebalancing. The zero value is empty.
type sortedMap struct {
	chunks [][]entry // none is empty
	count  int
}

type entry struct {
	key string
	row *row
}

// seek returns the position of the first entry whose key is at least key.
// chunk is len(chunks) when there is none.
func (m *sortedMap) seek(key string) (chunk, pos int, exact bool) {
	chunk = sort.Search(len(m.chunks), func(i int) bool {
		c := m.chunks[i]
		return c[len(c)-1].key >= key
	})
	if chunk == len(m.chunks) {
		return chunk, 0, false
	}
	pos, exact = slices.BinarySearchFunc(m.chunks[chunk], key, func(e entry, k string) int {
		return strings.Compare(e.key, k)
	})
	return chunk, pos, exact
}

func (m *sortedMap) get(key string) *row {
	if chunk, pos, ok := m.seek(key); ok {
		return m.chunks[chunk][pos].row
	}
	return nil
}

func (m *sortedMap) set(key string, r *row) {
	chunk, pos, exact := m.seek(key)
	if exact {
		m.chunks[chunk][pos].row = r
		return
	}
	m.count++
	if chunk == len(m.chunks) {
		if chunk == 0 {
			m.chunks = append(m.chunks, make([]entry, 0, 8))
		}
		chunk = len(m.chunks) - 1
		pos = len(m.chunks[chunk])
	}
	c := slices.Insert(m.chunks[chunk], pos, entry{key, r})
	m.chunks[chunk] = c
	if len(c) > maxChunk {
		half := len(c) / 2
		right := slices.Clone(c[half:])
		clear(c[half:])
		m.chunks[chunk] = c[:half]
		m.chunks = slices.Insert(m.chunks, chunk+1, right)
	}
}

func (m *sortedMap) delete(key string) {
	chunk, pos, ok := m.seek(key)
	if !ok {
		return
	}
	m.count--
	m.chunks[chunk] = slices.Delete(m.chunks[chunk], pos, pos+1)
	if len(m.chunks[chunk]) == 0 {
		m.chunks = slices.Delete(m.chunks, chunk, chunk+1)
	}
}

// keyRange is lo <= key < hi. An empty hi has no upper end.
type keyRange struct{ lo, hi string }

func (r keyRange) contains(key string) bool {
	return key >= r.lo && (r.hi == "" || key < r.hi)
}

// after cuts off everything up to and including key.
func (r keyRange) after(key string) keyRange {
	if next := key + "\x00"; next > r.lo {
		r.lo = next
	}
	return r
}

// before cuts off key and everything behind it.
func (r keyRange) before(key string) keyRange {
	if r.hi == "" || key < r.hi {
		r.hi = key
	}
	return r
}

// ascend yields the entries of r in order. The map must not change meanwhile.
func (m *sortedMap) ascend(r keyRange) iter.Seq[entry] {
	return func(yield func(entry) bool) {
		chunk, pos, _ := m.seek(r.lo)
		for ; chunk < len(m.chunks); chunk, pos = chunk+1, 0 {
			for _, e := range m.chunks[chunk][pos:] {
				if r.hi != "" && e.key >= r.hi || !yield(e) {
					return
				}
			}
		}
	}
}

// descend yields the entries of r from the last to the first.
func (m *sortedMap) descend(r keyRange) iter.Seq[entry] {
	return func(yield func(entry) bool) {
		chunk, pos := len(m.chunks), 0
		if r.hi != "" {
			chunk, pos, _ = m.seek(r.hi)
		}
		for {
			if pos == 0 {
				if chunk == 0 {
					return
				}
				chunk--
				pos = len(m.chunks[chunk])
			}
			pos--
			if e := m.chunks[chunk][pos]; e.key < r.lo || !yield(e) {
				return
			}
		}
	}
}
