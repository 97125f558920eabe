package auth

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"
)

// errNotObject is the one answer to bad JSON. The decoder's own words quote the
// input and must not get into a log.
var errNotObject = errors.New("not a JSON object with distinct members")

// object is a JSON object whose members are found by their exact name;
// encoding/json would take "ALG" for alg when it fills a struct.
type object map[string]json.RawMessage

// parseObject reads one JSON object and nothing after it. It refuses a member
// named twice, even by different escapes, because parsers differ in which of the
// two they take (RFC 8725 §2.6), and bytes that are not UTF-8, which the decoder
// would replace.
func parseObject(data []byte) (object, error) {
	if !utf8.Valid(data) {
		return nil, errNotObject
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, errNotObject
	}
	members := object{}
	for dec.More() {
		name, err := memberName(dec)
		if err != nil {
			return nil, err
		}
		if _, twice := members[name]; twice {
			return nil, errNotObject
		}
		var value json.RawMessage
		if dec.Decode(&value) != nil {
			return nil, errNotObject
		}
		members[name] = value
	}
	if _, err := dec.Token(); err != nil { // the closing brace
		return nil, errNotObject
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errNotObject
	}
	return members, nil
}

func memberName(dec *json.Decoder) (string, error) {
	t, err := dec.Token()
	if err != nil {
		return "", errNotObject
	}
	name, ok := t.(string)
	if !ok {
		return "", errNotObject
	}
	return name, nil
}

// text returns a member that must be a string if it is there; ok is false for
// any other type, null included.
func (o object) text(name string) (value string, present, ok bool) {
	raw, present := o[name]
	if !present {
		return "", false, true
	}
	value, ok = stringValue(raw)
	return value, true, ok
}

// stringValue decodes a JSON string. Unmarshal alone would take null for "".
func stringValue(raw json.RawMessage) (string, bool) {
	var s string
	if len(raw) == 0 || raw[0] != '"' || json.Unmarshal(raw, &s) != nil {
		return "", false
	}
	return s, true
}

// listValue decodes a JSON array of strings.
func listValue(raw json.RawMessage) ([]string, bool) {
	var items []json.RawMessage
	if len(raw) == 0 || raw[0] != '[' || json.Unmarshal(raw, &items) != nil {
		return nil, false
	}
	list := make([]string, len(items))
	for i, item := range items {
		s, ok := stringValue(item)
		if !ok {
			return nil, false
		}
		list[i] = s
	}
	return list, true
}
