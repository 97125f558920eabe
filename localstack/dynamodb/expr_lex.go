package dynamodb

import "strings"

// tokenKind classifies what the lexer finds in an expression.
type tokenKind uint8

const (
	tokenEOF     tokenKind = iota
	tokenWord              // attribute name, function or keyword
	tokenName              // #alias
	tokenValue             // :value
	tokenNumber            // list index
	tokenSymbol            // ( ) [ ] , . = <> < <= > >= + -
	tokenUnknown           // anything else: the parser refuses it where it stands
)

type token struct {
	kind       tokenKind
	text       string
	start, end int // in the expression
}

// is tells whether t is the keyword; case does not matter to AWS.
func (t token) is(keyword string) bool {
	return t.kind == tokenWord && strings.EqualFold(t.text, keyword)
}

func (t token) symbol(s string) bool { return t.kind == tokenSymbol && t.text == s }

// lex splits an expression into tokens, the last of which is tokenEOF.
func lex(src string) []token {
	tokens := make([]token, 0, len(src)/4+2)
	for pos := 0; pos < len(src); {
		if isSpace(src[pos]) {
			pos++
			continue
		}
		t := lexOne(src, pos)
		tokens = append(tokens, t)
		pos = t.end
	}
	return append(tokens, token{kind: tokenEOF, text: "<EOF>", start: len(src), end: len(src)})
}

func lexOne(src string, pos int) token {
	kind, end := tokenUnknown, pos+1
	switch c := src[pos]; {
	case isLetter(c):
		kind, end = tokenWord, wordEnd(src, pos)
	case isDigit(c):
		kind, end = tokenNumber, digitsEnd(src, pos)
	case c == '#' && wordEnd(src, pos+1) > pos+1:
		kind, end = tokenName, wordEnd(src, pos+1)
	case c == ':' && wordEnd(src, pos+1) > pos+1:
		kind, end = tokenValue, wordEnd(src, pos+1)
	case c == '<' && strings.HasPrefix(src[pos+1:], ">"), (c == '<' || c == '>') && strings.HasPrefix(src[pos+1:], "="):
		kind, end = tokenSymbol, pos+2
	case strings.IndexByte("()[],.=<>+-", c) >= 0:
		kind = tokenSymbol
	}
	return token{kind: kind, text: src[pos:end], start: pos, end: end}
}

func isSpace(c byte) bool  { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

// isWordPart tells what may follow in a name. A bare name cannot begin with a
// digit or an underscore; an alias can.
func isWordPart(c byte) bool { return isLetter(c) || isDigit(c) || c == '_' }

func wordEnd(src string, pos int) int {
	for pos < len(src) && isWordPart(src[pos]) {
		pos++
	}
	return pos
}

func digitsEnd(src string, pos int) int {
	for pos < len(src) && isDigit(src[pos]) {
		pos++
	}
	return pos
}
