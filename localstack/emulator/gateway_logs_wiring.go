package emulator

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"fanfare/localstack/logs"
)

// accessLog keeps a line of a stage's access log. As in AWS, nobody makes the
// log group: without one, nothing is written.
func (e *Emulator) accessLog(group, line string, at time.Time) {
	if !e.logs.Has(group) {
		e.log.Warn("access log not written: there is no such log group", "group", group)
		return
	}
	// AWS's streams have 32 hexadecimal digits for names. One is enough here.
	sum := sha256.Sum256([]byte(group))
	e.logs.Put(group, hex.EncodeToString(sum[:16]), logs.Event{Time: at, Message: line})
}
