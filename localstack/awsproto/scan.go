package awsproto

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"
)

// ScanObject calls visit for each member of a JSON object, with the member's
// value as it is written. What is no object has no members; of a damaged one
// those before the damage are visited. It checks nothing: whoever decodes the
// document does.
func ScanObject(doc []byte, visit func(member string, value []byte)) {
	rest, ok := afterByte(doc, '{')
	for ok {
		end := endOfString(skipSpace(rest))
		rest = skipSpace(rest)
		if end == 0 {
			return
		}
		member, readable := text(rest[:end])
		if !readable {
			return
		}
		value, more := afterByte(rest[end:], ':')
		if !more {
			return
		}
		value = skipSpace(value)
		n := endOfValue(value)
		if n == 0 {
			return
		}
		visit(member, value[:n])
		rest, ok = afterByte(value[n:], ',')
	}
}

// ScanArray calls visit for each element of a JSON array, as it is written.
// Damage it treats as ScanObject does.
func ScanArray(doc []byte, visit func(element []byte)) {
	rest, ok := afterByte(doc, '[')
	for ok {
		rest = skipSpace(rest)
		n := endOfValue(rest)
		if n == 0 {
			return
		}
		visit(rest[:n])
		rest, ok = afterByte(rest[n:], ',')
	}
}

// text decodes a string with its quotes. Names of members are nearly always
// ASCII without escapes, and stand for themselves.
func text(quoted []byte) (s string, ok bool) {
	for _, b := range quoted[1 : len(quoted)-1] {
		if b < ' ' || b >= utf8.RuneSelf || b == '\\' {
			err := json.Unmarshal(quoted, &s)
			return s, err == nil
		}
	}
	return string(quoted[1 : len(quoted)-1]), true
}

func skipSpace(b []byte) []byte { return bytes.TrimLeft(b, " \t\r\n") }

// afterByte skips space and one c.
func afterByte(b []byte, c byte) ([]byte, bool) {
	b = skipSpace(b)
	if len(b) == 0 || b[0] != c {
		return nil, false
	}
	return b[1:], true
}

// endOfString is the length of the string that b begins with, quotes included;
// 0 if it has no end.
func endOfString(b []byte) int {
	if len(b) == 0 || b[0] != '"' {
		return 0
	}
	for i := 1; ; i++ {
		j := bytes.IndexByte(b[i:], '"')
		if j < 0 {
			return 0
		}
		i += j
		escapes := i - len(bytes.TrimRight(b[1:i], `\`)) - 1
		if escapes%2 == 0 {
			return i + 1
		}
	}
}

// endOfValue is the length of the value that b begins with, 0 if it has no end.
// It counts brackets without telling their kinds apart.
func endOfValue(b []byte) int {
	depth := 0
	for i := 0; i < len(b); {
		switch b[i] {
		case '"':
			n := endOfString(b[i:])
			if n == 0 {
				return 0
			}
			if i += n; depth == 0 {
				return i
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return i // of the object around a number or a literal
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case ',':
			if depth == 0 {
				return i
			}
		}
		i++
	}
	return 0
}
