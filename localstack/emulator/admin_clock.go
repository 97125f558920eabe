package emulator

import (
	"errors"
	"fmt"
	"net/http"
	"time"
)

// ClockNow is what the cloud's clock shows, and how far it is ahead of real
// time.
type ClockNow struct {
	Now    time.Time `json:"now"`
	Offset Duration  `json:"offset"`
}

func (e *Emulator) clockNow() ClockNow {
	return ClockNow{Now: e.clock.Now().UTC(), Offset: Duration(e.clock.Offset())}
}

func (e *Emulator) showClock(w http.ResponseWriter, _ *http.Request) {
	writeAdmin(w, http.StatusOK, e.clockNow())
}

// maxAdvance keeps the clock within what certificates, tokens and time.Duration
// can express.
const maxAdvance = 10 * 365 * 24 * time.Hour

// advanceClock takes {"duration":"2h"}.
func (e *Emulator) advanceClock(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Duration string `json:"duration"`
	}
	err := readAdmin(r, &in)
	var d time.Duration
	if err == nil {
		d, err = time.ParseDuration(in.Duration)
	}
	if err == nil && (d <= 0 || d > maxAdvance-e.clock.Offset()) {
		err = errors.New("the clock only goes forward, and at most ten years in all")
	}
	if err != nil {
		adminError(w, http.StatusBadRequest, fmt.Errorf(`want {"duration":"2h"}: %w`, err))
		return
	}
	e.clock.Advance(d)
	e.showClock(w, r)
}
