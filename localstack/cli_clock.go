package main

import (
	"context"
	"fmt"
	"time"

	"fanfare/localstack/emulator"
)

const clockHelp = `usage: go run ./localstack clock                show the cloud's time
       go run ./localstack clock advance 2h     move it forward (1h30m, 90s, …)

Everything moves with it: idle and age limits of sockets, TTL deletes,
visibility time-outs and delays of queues, Lambda's idle environments. It never
goes back; a saved cloud keeps it.
`

func (p program) clock(ctx context.Context, args []string) error {
	f, addr := p.flags("clock")
	rest, c, err := p.open(f, addr, args, clockHelp)
	if err != nil {
		return err
	}
	var now emulator.ClockNow
	switch {
	case len(rest) == 0:
		err = c.call(ctx, "GET", "clock", nil, &now)
	case len(rest) == 2 && rest[0] == "advance":
		if d, err := time.ParseDuration(rest[1]); err != nil || d <= 0 {
			return p.misused("%q is no time to move forward by, such as 2h, 1h30m or 90s", rest[1])
		}
		err = c.call(ctx, "POST", "clock/advance", map[string]string{"duration": rest[1]}, &now)
	default:
		return p.misused("want clock, or clock advance 2h")
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.stdout, "%s, %s ahead of real time, at %s\n", now.Now.Format(time.RFC3339), time.Duration(now.Offset), c.base)
	return err
}
