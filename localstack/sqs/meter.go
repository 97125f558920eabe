package sqs

import (
	"math"
	"time"
)

// recent is how fast processing time is forgotten: a second that passed this
// long ago counts 1/e of one that passes now. Forgetting smoothly takes two
// numbers for each group, where a window with edges would take a list.
const recent = 5 * time.Minute

// meter measures the time that consumers spend on messages: each one from its
// receiving to its deletion or the end of its visibility timeout.
type meter struct {
	inFlight int
	spent    float64 // seconds up to at, the older ones worth less
	at       time.Time
}

// add counts n messages into flight, or out of it when n is negative.
func (m *meter) add(n int, at time.Time) {
	m.advance(at)
	m.inFlight += n
}

// advance brings spent up to now. A time before the last one changes nothing.
func (m *meter) advance(now time.Time) {
	passed := now.Sub(m.at)
	if passed <= 0 {
		return
	}
	m.at = now
	kept := math.Exp(-passed.Seconds() / recent.Seconds())
	m.spent = m.spent*kept + float64(m.inFlight)*recent.Seconds()*(1-kept)
}
