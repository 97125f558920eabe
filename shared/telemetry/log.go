package telemetry

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"strings"
	"sync"
)

// Redacted stands where a secret was.
const Redacted = "[redacted]"

// jwt matches a JSON Web Token: three base64url parts, of which the first
// begins as every JSON object does in base64. A signature may be empty or cut.
// Most functions never meet one, so it is not compiled at their start.
var jwt = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?`)
})

// secretNames are parts of attribute names whose values are never logged.
var secretNames = []string{"token", "authorization", "secret", "password", "cookie", "sec-websocket-protocol"}

// Redact replaces every JWT in s.
func Redact(s string) string {
	if !strings.Contains(s, "eyJ") {
		return s
	}
	return jwt().ReplaceAllString(s, Redacted)
}

// NewLogger returns a logger that writes one JSON object a line, with the
// function's name in each, and no secrets.
func NewLogger(w io.Writer, level slog.Level, function string) *slog.Logger {
	h := slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: redactAttr})
	return slog.New(redactMessage{h}).With("function", function)
}

// redactAttr is slog's hook for each attribute, those in groups included.
func redactAttr(_ []string, a slog.Attr) slog.Attr {
	name := strings.ToLower(a.Key)
	for _, secret := range secretNames {
		if strings.Contains(name, secret) && a.Value.Kind() != slog.KindGroup {
			return slog.String(a.Key, Redacted)
		}
	}
	switch a.Value.Kind() {
	case slog.KindString:
		a.Value = slog.StringValue(Redact(a.Value.String()))
	case slog.KindAny:
		switch v := a.Value.Any().(type) {
		case error:
			a.Value = slog.StringValue(Redact(v.Error()))
		case fmt.Stringer:
			a.Value = slog.StringValue(Redact(v.String()))
		case []byte:
			a.Value = slog.StringValue(Redact(string(v)))
		case *slog.Source:
		default:
			a.Value = slog.StringValue(Redact(fmt.Sprintf("%+v", v)))
		}
	}
	return a
}

// redactMessage does for the message what ReplaceAttr does not see.
type redactMessage struct{ slog.Handler }

func (h redactMessage) Handle(ctx context.Context, r slog.Record) error {
	if clean := Redact(r.Message); clean != r.Message {
		r.Message = clean
	}
	return h.Handler.Handle(ctx, r)
}

func (h redactMessage) WithAttrs(attrs []slog.Attr) slog.Handler {
	return redactMessage{h.Handler.WithAttrs(attrs)}
}

func (h redactMessage) WithGroup(name string) slog.Handler {
	return redactMessage{h.Handler.WithGroup(name)}
}
