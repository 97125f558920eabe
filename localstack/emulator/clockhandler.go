package emulator

import (
	"context"
	"log/slog"

	"fanfare/localstack/clock"
)

// clockHandler gives every line of the log the cloud's time, which requests and
// functions' lines have too: in one log there is one clock.
type clockHandler struct {
	slog.Handler
	clock *clock.Clock
}

func (h clockHandler) Handle(ctx context.Context, r slog.Record) error {
	r.Time = h.clock.Now()
	return h.Handler.Handle(ctx, r)
}

func (h clockHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return clockHandler{h.Handler.WithAttrs(attrs), h.clock}
}

func (h clockHandler) WithGroup(name string) slog.Handler {
	return clockHandler{h.Handler.WithGroup(name), h.clock}
}
