package protocol

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of names, in bytes of UTF-8.
const (
	MaxName = 128 // tenants, channels, ids of connections, requests and messages, idempotency keys
	MaxUser = 256 // users; as long as a token's subject may be
)

// ValidateName refuses an empty or overlong name, one that holds a control
// character, and one that is not UTF-8. what is how the error calls it.
func ValidateName(what, name string, limit int) error {
	switch {
	case name == "":
		return invalidf("%s is missing or empty", what)
	case len(name) > limit:
		return invalidf("%s has %d bytes, at most %d are allowed", what, len(name), limit)
	case !utf8.ValidString(name):
		return invalidf("%s is not valid UTF-8", what)
	case strings.ContainsFunc(name, unicode.IsControl):
		return invalidf("%s holds a control character", what)
	}
	return nil
}

// ValidateOptional is ValidateName for a name that may be left out.
func ValidateOptional(what, name string, limit int) error {
	if name == "" {
		return nil
	}
	return ValidateName(what, name, limit)
}

func invalidf(format string, args ...any) error {
	return &Error{Code: CodeInvalidMessage, Message: fmt.Sprintf(format, args...)}
}
