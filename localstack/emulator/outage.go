package emulator

// outage counts how often in a row something has failed that is tried again and
// again, so that the log tells of it without being filled: of the first failure,
// the second, the fourth, the eighth, ….
type outage struct{ failures uint }

// failed counts one more and reports whether to tell of it.
func (o *outage) failed() bool {
	o.failures++
	return o.failures&(o.failures-1) == 0
}

// over ends the outage: the next failure is a first one.
func (o *outage) over() { o.failures = 0 }
