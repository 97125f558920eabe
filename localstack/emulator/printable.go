package emulator

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Printable writes what is not printable in text as strconv.Quote does
// ("\x1b", "\n"), except the characters in keep. Callers and functions choose
// what requests and lines say: on a terminal, an escape sequence would be obeyed
// and a line end would begin a line that the cloud did not write.
func Printable(text, keep string) string {
	hidden := func(r rune) bool { return !strconv.IsGraphic(r) && !strings.ContainsRune(keep, r) }
	if utf8.ValidString(text) && strings.IndexFunc(text, hidden) < 0 {
		return text
	}
	var b strings.Builder
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		character := text[:size]
		if hidden(r) || r == utf8.RuneError && size == 1 {
			character = strconv.QuoteToGraphic(character)
			character = character[1 : len(character)-1]
		}
		b.WriteString(character)
		text = text[size:]
	}
	return b.String()
}
