package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"fanfare/localstack/cloudwatch"
	"fanfare/localstack/emulator"
)

const snapshotHelp = `usage: go run ./localstack snapshot     save the state to the data directory now

The cloud must have been started with -data. A clean stop saves too.
`

// plain parses a command without arguments of its own.
func (p program) plain(name, usage string, args []string) (cloud, error) {
	f, addr := p.flags(name)
	rest, c, err := p.open(f, addr, args, usage)
	if err == nil && len(rest) > 0 {
		err = p.misused("%s takes no %q", name, rest[0])
	}
	return c, err
}

func (p program) snapshot(ctx context.Context, args []string) error {
	c, err := p.plain("snapshot", snapshotHelp, args)
	if err != nil {
		return err
	}
	return c.call(ctx, "POST", "snapshot", nil, nil)
}

const alarmsHelp = `usage: go run ./localstack alarms     the states of all alarms, those that ring first

They are evaluated each minute of the cloud's clock, on metrics that functions
print in the embedded format or that were put. No action is started.
`

func (p program) alarms(ctx context.Context, args []string) error {
	c, err := p.plain("alarms", alarmsHelp, args)
	if err != nil {
		return err
	}
	var answer struct{ Alarms []cloudwatch.AlarmState }
	if err := c.call(ctx, "GET", "alarms", nil, &answer); err != nil {
		return err
	}
	if len(answer.Alarms) == 0 {
		fmt.Fprintln(p.stdout, "there are no alarms")
	}
	for _, a := range answer.Alarms { // whose texts are what their makers chose
		fmt.Fprintf(p.stdout, "%-17s %s, %s, since %s\n", a.State, emulator.Printable(a.Name, ""), emulator.Printable(a.Region, ""), a.Since.Format(time.RFC3339))
		if a.State != "OK" {
			fmt.Fprintf(p.stdout, "                  %s\n", emulator.Printable(a.Reason, ""))
		}
		if a.State == "ALARM" && a.Meaning != "" {
			fmt.Fprintf(p.stdout, "                  %s\n", emulator.Printable(a.Meaning, ""))
		}
	}
	return nil
}

func (p program) health(ctx context.Context, args []string) error {
	c, err := p.plain("health", "usage: go run ./localstack health     the services and whether they are there\n", args)
	if err != nil {
		return err
	}
	var health struct{ Services map[string]string }
	if err := c.call(ctx, "GET", "health", nil, &health); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(health.Services)) {
		fmt.Fprintf(p.stdout, "%-12s %s\n", name, health.Services[name])
	}
	return nil
}

func (p program) info(ctx context.Context, args []string) error {
	c, err := p.plain("info", "usage: go run ./localstack info     what runs at that address\n", args)
	if err != nil {
		return err
	}
	var info emulator.Info
	if err := c.call(ctx, "GET", "info", nil, &info); err != nil {
		return err
	}
	dir := info.DataDir
	if dir == "" {
		dir = "none: nothing is kept"
	}
	_, err = fmt.Fprintf(p.stdout, "endpoint     %s\nup for       %s\ndata         %s\nclock        %s, %s ahead of real time\nfault rules  %d\nrequests     %d kept\n",
		info.Endpoint, info.Uptime, dir, info.Clock.Now.Format(time.RFC3339), info.Clock.Offset, info.Faults, info.Requests)
	return err
}
