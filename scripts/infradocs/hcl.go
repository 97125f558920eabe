package main

import (
	"fmt"
	"regexp"
	"strings"
)

// A block is a top-level `variable` or `output` of a .tf file.
type block struct {
	Kind, Name string
	Body       string // the lines between its braces, as they stand
}

var header = regexp.MustCompile(`^(variable|output) "([^"]+)" \{$`)

// blocks finds the variables and outputs of a file that `terraform fmt` has
// formatted: a block begins in column 0 and ends with a brace there. Anything
// else at the top level is passed over.
func blocks(text string) []block {
	var all []block
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		m := header.FindStringSubmatch(lines[i])
		if m == nil {
			continue
		}
		begin := i + 1
		for i = begin; i < len(lines) && lines[i] != "}"; i++ {
		}
		all = append(all, block{Kind: m[1], Name: m[2], Body: strings.Join(lines[begin:i], "\n")})
	}
	return all
}

// attribute returns the expression of a block's own attribute, with the lines
// that it goes on for, or "". Attributes of nested blocks are indented deeper.
func (b block) attribute(name string) string {
	lines := strings.Split(b.Body, "\n")
	begins := regexp.MustCompile(`^  ` + name + ` += (.*)$`)
	for i, line := range lines {
		m := begins.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		value := []string{m[1]}
		for depth := brackets(m[1]); depth > 0 && i+1 < len(lines); {
			i++
			depth += brackets(lines[i])
			value = append(value, lines[i])
		}
		return strings.Join(value, "\n")
	}
	return ""
}

// brackets is by how many levels of brackets a line goes deeper, those within
// strings and comments left out.
func brackets(line string) int {
	depth := 0
	line = literal.ReplaceAllString(line, "")
	line, _, _ = strings.Cut(line, "#")
	for _, r := range line {
		switch r {
		case '{', '(', '[':
			depth++
		case '}', ')', ']':
			depth--
		}
	}
	return depth
}

var literal = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

// text is a string attribute's value.
func (b block) text(name string) (string, error) {
	raw := b.attribute(name)
	if len(raw) < 2 || raw[0] != '"' || raw[len(raw)-1] != '"' {
		return "", fmt.Errorf("%s %q has no %s that is a plain string", b.Kind, b.Name, name)
	}
	return strings.ReplaceAll(raw[1:len(raw)-1], `\"`, `"`), nil
}

// A member is one attribute of an object type.
type member struct{ Name, Type, Default, Comment string }

var memberLine = regexp.MustCompile(`^    (\w+) += ([^#]*?)\s*(?:# (.*))?$`)

// members are the attributes of a variable whose type is an object, or a list
// or map of objects, in the order of the file; those of objects within are
// part of their attribute.
func (b block) members() []member {
	lines := strings.Split(b.attribute("type"), "\n")
	if !strings.Contains(lines[0], "object({") {
		return nil
	}
	var all []member
	for i := 1; i < len(lines); i++ {
		m := memberLine.FindStringSubmatch(lines[i])
		if m == nil {
			continue
		}
		expression, depth := m[2], brackets(lines[i])
		comment := m[3]
		for depth > 0 && i+1 < len(lines) {
			i++
			depth += brackets(lines[i])
			var rest string
			rest, comment, _ = strings.Cut(lines[i], " # ") // the last line's counts
			expression += " " + strings.TrimSpace(rest)
		}
		all = append(all, newMember(m[1], expression, comment))
	}
	return all
}

// newMember takes optional(type, default) apart.
func newMember(name, expression, comment string) member {
	inner, ok := strings.CutPrefix(expression, "optional(")
	if !ok {
		return member{Name: name, Type: expression, Default: "required", Comment: comment}
	}
	inner = strings.TrimSuffix(inner, ")")
	depth := 0
	for i, r := range inner {
		switch r {
		case '(', '{', '[':
			depth++
		case ')', '}', ']':
			depth--
		case ',':
			if depth == 0 {
				return member{Name: name, Type: inner[:i], Default: strings.TrimSpace(inner[i+1:]), Comment: comment}
			}
		}
	}
	return member{Name: name, Type: inner, Default: "null", Comment: comment}
}
