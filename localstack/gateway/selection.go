package gateway

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

// selection is a parsed route selection expression: literals and variables in
// turn. The grammar is that of the developer guide's page on WebSocket
// selection expressions: $request.body.a, ${request.body.a.b[0]}, several of
// them with literals between, \$ for a literal dollar sign.
type selection []selectionPart

type selectionPart struct {
	literal string
	path    []string // of a variable: keys, and indexes as "[0]"
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
	for i := 0; i < len(expr); {
		switch {
		case strings.HasPrefix(expr[i:], `\$`):
			literal.WriteByte('$')
			i += 2
		case expr[i] != '$':
			literal.WriteByte(expr[i])
			i++
		default:
			name, length := variableAt(expr[i:])
			path, err := bodyPath(name, expr)
			if err != nil {
				return nil, err
			}
			flush()
			parts = append(parts, selectionPart{path: path})
			i += length
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
	end := 1
	for end < len(s) && isVariableByte(s[end]) {
		end++
	}
	return s[1:end], end
}

func isVariableByte(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || strings.IndexByte("._-[]", b) >= 0
}

func bodyPath(name, expr string) ([]string, error) {
	rest, ok := strings.CutPrefix(name, bodyVariable)
	if !ok || (rest != "" && rest[0] != '.' && rest[0] != '[') {
		return nil, badRequest("routeSelectionExpression %q: a variable must be $request.body.<path> or ${request.body.<path>}", expr)
	}
	var path []string
	for key := range strings.SplitSeq(strings.TrimPrefix(rest, "."), ".") {
		name, index, indexed := strings.Cut(key, "[")
		if name != "" {
			path = append(path, name)
		}
		for indexed {
			var n string
			n, index, _ = strings.Cut(index, "]")
			if _, err := strconv.ParseUint(n, 10, 16); err != nil {
				return nil, badRequest("routeSelectionExpression %q: [%s] is not an index", expr, n)
			}
			path = append(path, "["+n+"]")
			_, index, indexed = strings.Cut(index, "[")
		}
	}
	return path, nil
}

// routeKey evaluates the expression for a message. A path that is missing is
// the empty string. ok is false where the expression cannot be evaluated: the
// message is not JSON.
func (s selection) routeKey(message []byte) (key string, ok bool) {
	var body any
	dec := json.NewDecoder(bytes.NewReader(message))
	dec.UseNumber()
	if dec.Decode(&body) != nil || dec.More() {
		return "", false
	}
	var b strings.Builder
	for _, part := range s {
		b.WriteString(part.literal)
		if part.path != nil {
			b.WriteString(stringify(lookup(body, part.path)))
		}
	}
	return b.String(), true
}

func lookup(v any, path []string) any {
	for _, key := range path {
		switch x := v.(type) {
		case map[string]any:
			v = x[key]
		case []any:
			n, err := strconv.Atoi(strings.Trim(key, "[]"))
			if err != nil || key[0] != '[' || n >= len(x) {
				return nil
			}
			v = x[n]
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
