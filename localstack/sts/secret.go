package sts

import (
	"fmt"
	"io"
	"log/slog"
)

const redacted = "[redacted]"

// A Secret is a secret access key or a session token. Whatever prints, logs or
// marshals it gets "[redacted]"; only Reveal gives it away.
type Secret struct{ value string }

// Reveal returns the secret itself: to sign or check a request, or to hand it
// to a function's environment. Never log what it returns.
func (s Secret) Reveal() string { return s.value }

// String returns "[redacted]".
func (Secret) String() string { return redacted }

// Format writes "[redacted]" for every verb: String alone would let %d show
// what the type is made of.
func (Secret) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, redacted) }

// LogValue is "[redacted]".
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText returns "[redacted]", also as JSON. Snapshots do not use it.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
