package gateway

import (
	"bytes"
	"encoding/json"
	"io"
	"strconv"
	"strings"
)

// selection is a parsed route selection expression: literals and variables in
// turn. The grammar is that of the developer guide's page on WebSocket
// selection expressions: $request.body.a, ${request.body.a.b[0]}, several of
// them with literals between, \$ for a literal dollar sign.
type selection []selectionPart

// selectionPart is a literal or, with a path, a variable.
type selectionPart struct {
	literal string
	path    []step
}

// step is one member of an object or, without a key, one element of an array.
type step struct {
	key   string
	index int
}

const bodyVariable = "request.body"

// parseSelection refuses what it does not know with the API's own error.
func parseSelection(expr string) (selection, error) {
	var parts selection
	var literal strings.Builder
	flush := func() {
		if literal.Len() > 0 {
			parts = append(parts, selectionPart{literal: literal.String()})
			literal.Reset()
		}
	}
	for rest := expr; rest != ""; {
		switch {
		case strings.HasPrefix(rest, `\$`):
			literal.WriteByte('$')
			rest = rest[2:]
		case rest[0] != '$':
			literal.WriteByte(rest[0])
			rest = rest[1:]
		default:
			name, length := variableAt(rest)
			path, ok := bodyPath(name)
			if !ok {
				return nil, badRequest("routeSelectionExpression %q: %q is not $request.body.<path> or ${request.body.<path>}", expr, rest[:length])
			}
			flush()
			parts = append(parts, selectionPart{path: path})
			rest = rest[length:]
		}
	}
	flush()
	return parts, nil
}

// variableAt returns the name of the variable at the start of s, which begins
// with '$', and how many bytes it takes.
func variableAt(s string) (name string, length int) {
	if strings.HasPrefix(s, "${") {
		end := strings.IndexByte(s, '}')
		if end < 0 {
			return "", len(s)
		}
		return s[2:end], end + 1
	}
	length = 1
	for length < len(s) && (isKeyByte(s[length]) || strings.IndexByte(".[]", s[length]) >= 0) {
		length++
	}
	return s[1:length], length
}

func isKeyByte(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || b == '_' || b == '-'
}

// bodyPath reads request.body followed by at least one .key or [index].
func bodyPath(name string) (path []step, ok bool) {
	rest, ok := strings.CutPrefix(name, bodyVariable)
	if !ok || rest == "" {
		return nil, false
	}
	for rest != "" {
		var s step
		if s, rest, ok = nextStep(rest); !ok {
			return nil, false
		}
		path = append(path, s)
	}
	return path, true
}

func nextStep(s string) (next step, rest string, ok bool) {
	if digits, isIndex := strings.CutPrefix(s, "["); isIndex {
		digits, rest, ok = strings.Cut(digits, "]")
		n, err := strconv.ParseUint(digits, 10, 16)
		return step{index: int(n)}, rest, ok && err == nil
	}
	end := 1
	for end < len(s) && isKeyByte(s[end]) {
		end++
	}
	return step{key: s[1:end]}, s[end:], s[0] == '.' && end > 1
}

// routeKey evaluates the expression for a message. A path that is missing is
// the empty string. ok is false where the expression cannot be evaluated: the
// message is not JSON.
func (s selection) routeKey(message []byte) (key string, ok bool) {
	var body any
	dec := json.NewDecoder(bytes.NewReader(message))
	dec.UseNumber()
	if dec.Decode(&body) != nil {
		return "", false
	}
	if _, err := dec.Token(); err != io.EOF { // something follows
		return "", false
	}
	var b strings.Builder
	for _, part := range s {
		b.WriteString(part.literal)
		if part.path != nil {
			b.WriteString(stringify(follow(body, part.path)))
		}
	}
	return b.String(), true
}

// follow returns what is at the path, nil if nothing is.
func follow(v any, path []step) any {
	for _, s := range path {
		switch x := v.(type) {
		case map[string]any:
			if s.key == "" { // an index
				return nil
			}
			v = x[s.key]
		case []any:
			if s.key != "" || s.index >= len(x) {
				return nil
			}
			v = x[s.index]
		default:
			return nil
		}
	}
	return v
}

// stringify writes a value as the guide shows it: an array as [item1, item2].
func stringify(v any) string {
	switch x := v.(type) {
	case nil:
		return ""
	case string:
		return x
	case json.Number:
		return x.String()
	case bool:
		return strconv.FormatBool(x)
	case []any:
		list := make([]string, len(x))
		for i, item := range x {
			list[i] = stringify(item)
		}
		return "[" + strings.Join(list, ", ") + "]"
	}
	object, _ := json.Marshal(v) // it was JSON a moment ago
	return string(object)
}
