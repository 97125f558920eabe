package emulator

import (
	"net/http"

	"fanfare/localstack/gateway"
)

// NewUnverified is New without the check of signatures at @connections, so
// that a benchmark can tell what the check costs.
func NewUnverified(o Options) (*Emulator, error) {
	e, err := New(o)
	if err != nil {
		return nil, err
	}
	e.gateway = gateway.New(gateway.Options{Clock: e.clock, Logger: e.log, Endpoint: e.publicHost, Invoke: e.invokeForGateway})
	e.server.Handler = endStalledBodies(e.Handler(), bodyTimeout)
	return e, nil
}

// Foreign is foreign.
func (e *Emulator) Foreign(r *http.Request) string { return e.foreign(r) }
