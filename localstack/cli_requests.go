package main

import (
	"context"
	"encoding/json"
	"net/url"
	"strconv"

	"fanfare/localstack/emulator"
)

const requestsHelp = `usage: go run ./localstack requests [flags]     the last requests, oldest first
       go run ./localstack requests clear       forget them

At most 2,000 are kept, without headers, query strings and bodies.
`

func (p program) requests(ctx context.Context, args []string) error {
	f, addr := p.flags("requests")
	service := f.String("service", "", "only of this `service`: dynamodb, sqs, lambda, execute-api, …")
	operation := f.String("operation", "", "only this `operation`: PutItem, $connect, closed, …")
	since := f.String("since", "", "only from this `time` on (2026-01-02T15:04:05Z), or so long ago (10s)")
	limit := f.Int("limit", 0, "only the newest so many; 0 means all")
	asJSON := f.Bool("json", false, "one JSON object a line")
	rest, c, err := p.open(f, addr, args, requestsHelp)
	if err != nil {
		return err
	}
	switch {
	case len(rest) == 1 && rest[0] == "clear":
		return c.call(ctx, "DELETE", "requests", nil, nil)
	case len(rest) > 0:
		return p.misused("want requests [flags], or requests clear")
	}
	query := url.Values{}
	for name, value := range map[string]string{"service": *service, "operation": *operation, "since": *since} {
		if value != "" {
			query.Set(name, value)
		}
	}
	if *limit != 0 {
		query.Set("limit", strconv.Itoa(*limit))
	}
	var list emulator.RequestList
	if err := c.call(ctx, "GET", "requests?"+query.Encode(), nil, &list); err != nil {
		return err
	}
	return p.printRequests(list.Requests, *asJSON)
}

func (p program) printRequests(list []emulator.Request, asJSON bool) error {
	if asJSON {
		enc := json.NewEncoder(p.stdout)
		for _, r := range list {
			if err := enc.Encode(r); err != nil {
				return err
			}
		}
		return nil
	}
	out := newPrinter(p.stdout, false, false, isTerminal(p.stdout) && p.getenv("NO_COLOR") == "")
	for _, r := range list {
		out.request(r)
	}
	return nil
}
