package dynamodb

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strconv"
	"unicode/utf8"
)

// Items are most of what goes over the wire, so they are read and written by
// hand: encoding/json would scan a nested value once per level.

// UnmarshalJSON reads {"name": {"S": "…"}, …}. Its errors are AWS errors.
func (it *item) UnmarshalJSON(data []byte) error {
	s := scanner{data: data}
	if s.null() {
		return nil
	}
	m, err := s.members(0)
	*it = m
	return err
}

// UnmarshalJSON reads {"S": "…"}.
func (v *value) UnmarshalJSON(data []byte) error {
	s := scanner{data: data}
	var err error
	*v, err = s.value(0)
	return err
}

// MarshalJSON writes names in order, so that equal items have equal text.
func (it item) MarshalJSON() ([]byte, error) {
	return appendItem(make([]byte, 0, 256), it), nil
}

// MarshalJSON writes {"S": "…"}.
func (v value) MarshalJSON() ([]byte, error) { return appendValue(nil, v), nil }

func appendItem(b []byte, it item) []byte {
	names := make([]string, 0, len(it))
	for name := range it {
		names = append(names, name)
	}
	slices.Sort(names)
	b = append(b, '{')
	for i, name := range names {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, name)
		b = append(b, ':')
		b = appendValue(b, it[name])
	}
	return append(b, '}')
}

func appendValue(b []byte, v value) []byte {
	b = append(b, '{', '"')
	b = append(b, v.kind.String()...)
	b = append(b, '"', ':')
	switch v.kind {
	case kindS, kindN, kindB:
		b = appendScalar(b, v)
	case kindBool:
		b = strconv.AppendBool(b, v.flag)
	case kindNull:
		b = append(b, "true"...)
	case kindM:
		b = appendItem(b, v.m)
	default:
		b = appendList(b, v)
	}
	return append(b, '}')
}

func appendList(b []byte, v value) []byte {
	b = append(b, '[')
	for i, w := range v.list {
		if i > 0 {
			b = append(b, ',')
		}
		if v.kind == kindL {
			b = appendValue(b, w)
		} else {
			b = appendScalar(b, w)
		}
	}
	return append(b, ']')
}

func appendScalar(b []byte, v value) []byte {
	if v.kind == kindB {
		b = append(b, '"')
		b = base64.StdEncoding.AppendEncode(b, []byte(v.text))
		return append(b, '"')
	}
	return appendString(b, v.text)
}

// appendString quotes s. Strings came in as JSON, so they are valid UTF-8.
func appendString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	start := 0
	for i := range len(s) {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		b = append(b, s[start:i]...)
		if c < ' ' {
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xF])
		} else {
			b = append(b, '\\', c)
		}
		start = i + 1
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}

// scanner reads attribute values from JSON. encoding/json has checked the
// syntax before it calls UnmarshalJSON; the scanner checks the shape, and
// stays inside data whatever is in it.
type scanner struct {
	data []byte
	pos  int
}

func (s *scanner) space() {
	for s.pos < len(s.data) {
		switch s.data[s.pos] {
		case ' ', '\t', '\r', '\n':
			s.pos++
		default:
			return
		}
	}
}

// take consumes c if it is next.
func (s *scanner) take(c byte) bool {
	s.space()
	if s.pos < len(s.data) && s.data[s.pos] == c {
		s.pos++
		return true
	}
	return false
}

func (s *scanner) literal(word string) bool {
	s.space()
	if bytes.HasPrefix(s.data[s.pos:], []byte(word)) {
		s.pos += len(word)
		return true
	}
	return false
}

func (s *scanner) null() bool { return s.literal("null") }

// string reads a quoted string.
func (s *scanner) string() (string, error) {
	s.space()
	start := s.pos
	if !s.take('"') {
		return "", serialization("a string was expected in an attribute value")
	}
	end := bytes.IndexByte(s.data[s.pos:], '"')
	plain := end >= 0 && bytes.IndexByte(s.data[s.pos:s.pos+end], '\\') < 0
	if !plain {
		end = closingQuote(s.data[s.pos:])
	}
	if end < 0 {
		return "", serialization("unterminated string in an attribute value")
	}
	s.pos += end + 1
	return unquote(s.data[start:s.pos], plain)
}

// closingQuote finds the first quote that is not escaped, -1 if none is.
func closingQuote(data []byte) int {
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return -1
}

func unquote(quoted []byte, plain bool) (string, error) {
	if inner := quoted[1 : len(quoted)-1]; plain && utf8.Valid(inner) {
		return string(inner), nil
	}
	var text string
	if err := json.Unmarshal(quoted, &text); err != nil {
		return "", serialization("malformed string in an attribute value: %v", err)
	}
	return text, nil
}

// each calls f for every element up to the closing bracket.
func (s *scanner) each(open, closing byte, f func() error) error {
	if !s.take(open) {
		return serialization("'%c' was expected in an attribute value", open)
	}
	if s.take(closing) {
		return nil
	}
	for {
		if err := f(); err != nil {
			return err
		}
		if s.take(',') {
			continue
		}
		if s.take(closing) {
			return nil
		}
		return serialization("'%c' was expected in an attribute value", closing)
	}
}

// members reads an object of attribute values.
func (s *scanner) members(depth int) (map[string]value, error) {
	m := make(map[string]value, 8)
	err := s.each('{', '}', func() error {
		name, err := s.name()
		if err != nil {
			return err
		}
		m[name], err = s.value(depth)
		return err
	})
	return m, err
}

// name reads a member's name and the colon behind it.
func (s *scanner) name() (string, error) {
	name, err := s.string()
	if err == nil && !s.take(':') {
		err = serialization("':' was expected in an attribute value")
	}
	return name, err
}

// value reads an object with exactly one type in it. A null stands for an
// absent member, and unknown members are ignored, as AWS does.
func (s *scanner) value(depth int) (value, error) {
	if depth > maxDepth {
		return value{}, validation("Nesting Levels have exceeded supported limits")
	}
	var v value
	seen := 0
	err := s.each('{', '}', func() error {
		name, err := s.name()
		if err != nil {
			return err
		}
		k := kindNamed(name)
		if k == kindNone {
			return s.skip()
		}
		if s.null() {
			return nil
		}
		seen++
		v, err = s.typed(k, depth)
		return err
	})
	switch {
	case err != nil:
		return value{}, err
	case seen == 0:
		return value{}, validation("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")
	case seen > 1:
		return value{}, validation("Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes")
	}
	return v, nil
}

func (s *scanner) typed(k kind, depth int) (value, error) {
	v := value{kind: k}
	var err error
	switch k {
	case kindS, kindN, kindB:
		return s.scalar(k)
	case kindBool:
		v.flag, err = s.bool()
	case kindNull:
		var is bool
		if is, err = s.bool(); err == nil && !is {
			err = validation("One or more parameter values were invalid: Null attribute value types must have the value of true")
		}
	case kindM:
		v.m, err = s.members(depth + 1)
	case kindL:
		v.list = []value{}
		err = s.each('[', ']', func() error {
			w, err := s.value(depth + 1)
			v.list = append(v.list, w)
			return err
		})
	default:
		v.list, err = s.set(k)
	}
	return v, err
}

func (s *scanner) scalar(k kind) (value, error) {
	text, err := s.string()
	if err != nil {
		return value{}, err
	}
	switch k {
	case kindN:
		d, err := parseDecimal(text)
		if err != nil {
			return value{}, err
		}
		text = d.String()
	case kindB:
		raw, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return value{}, serialization("Base64 encoded data was expected: %v", err)
		}
		text = string(raw)
	}
	return value{kind: k, text: text}, nil
}

func (s *scanner) bool() (bool, error) {
	if s.literal("true") {
		return true, nil
	}
	if s.literal("false") {
		return false, nil
	}
	return false, serialization("true or false was expected in an attribute value")
}

func (s *scanner) set(k kind) ([]value, error) {
	var members []value
	err := s.each('[', ']', func() error {
		v, err := s.scalar(k.member())
		members = append(members, v)
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(members) == 0 {
		return nil, emptySet(k)
	}
	if len(texts(members)) != len(members) {
		return nil, duplicateMembers(k, members)
	}
	return members, nil
}

func emptySet(k kind) error {
	what := map[kind]string{kindSS: "An string set  may not be empty", kindNS: "An number set  may not be empty",
		kindBS: "Binary sets should not be empty"}[k]
	return validation("One or more parameter values were invalid: %s", what)
}

func duplicateMembers(k kind, members []value) error {
	if k == kindNS {
		return validation("Input collection contains duplicates")
	}
	shown := make([]string, len(members))
	for i, v := range members {
		shown[i] = v.text
	}
	return validation("One or more parameter values were invalid: Input collection %v contains duplicates.", shown)
}

// skip passes over one JSON value of any shape.
func (s *scanner) skip() error {
	var raw json.RawMessage
	dec := json.NewDecoder(bytes.NewReader(s.data[s.pos:]))
	if err := dec.Decode(&raw); err != nil {
		return serialization("malformed attribute value: %v", err)
	}
	s.pos += int(dec.InputOffset())
	return nil
}
