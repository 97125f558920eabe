package main

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"fanfare/shared/broadcast"
	"fanfare/shared/connection"
)

// conclude prints the receipt, and returns an error unless nothing failed and
// nothing is open. why is what ended the waiting, nil if the receipt itself.
func (t *tool) conclude(r broadcast.Receipt, why error) error {
	s := r.Summary(t.maxReceives)
	t.printReceipt(r, s)
	switch {
	case s.Dead > 0:
		return t.dead(r, s)
	case !s.Done:
		if why == nil {
			why = errNotFollowed
		}
		return fmt.Errorf("still open: %w%s; what is on a queue goes on without this command, look again:  %s", why, t.remedy(why), t.statusCommand(r.MessageID))
	case len(s.Failed) > 0:
		return fmt.Errorf("%s of %s did not get it, and it is not tried again:%s", count(sum(s.Failed)), plural(s.Audience, "client"), advice(s.Failed))
	case s.Audience == 0:
		fmt.Fprintf(t.out, "done: nobody was there. Names are compared to the letter: is it %s? -dry-run counts who is there\n", named(r.Tenant, r.To))
	default:
		fmt.Fprintln(t.out, "done: nothing failed, nothing is open")
	}
	return nil
}

var errNotFollowed = errors.New("it was not followed")

func (t *tool) printReceipt(r broadcast.Receipt, s broadcast.Summary) {
	fmt.Fprintf(t.out, "receipt    %s, to %s of %s, accepted %s\n", r.MessageID, describe(r.To), r.Tenant, clock(r.AcceptedAt))
	audience := count(s.Audience)
	if !s.Done {
		audience += " so far"
	}
	units := fmt.Sprintf("%s of %s done", count(s.Units-s.Open), count(s.Units))
	if s.Open > 0 {
		units += ", " + count(s.Open) + " open"
	}
	if s.Dead > 0 {
		units += " (" + count(s.Dead) + " among the dead letters)"
	}
	failed := count(sum(s.Failed))
	if len(s.Failed) > 0 {
		failed += " (" + byType(s.Failed) + ")"
	}
	rows := [][2]string{
		{"audience", audience}, {"units", units}, {"delivered", count(s.Delivered)}, {"gone", count(s.Gone)},
		{"expired", count(s.Expired)}, {"failed", failed}, {"waiting", count(s.Waiting)},
	}
	if s.Delivered > 0 {
		rows = append(rows, [2]string{"last client", took(s.Last)}, [2]string{"p50, p99", took(s.P50) + ", " + took(s.P99)})
	}
	for _, row := range rows {
		fmt.Fprintf(t.out, "  %-12s %s\n", row[0], row[1])
	}
}

// dead tells what of the broadcast the queue has given up, and how to go on.
func (t *tool) dead(r broadcast.Receipt, s broadcast.Summary) error {
	// The only unit of a small broadcast was tried by the broadcast function.
	reader := "deliver"
	if r.Progress.Units == 0 {
		reader = "broadcast"
	}
	return fmt.Errorf("%s of %s failed %d times and is among the dead letters, with %s left. Look at this first:%s\nthen go on where it ended:  %s\nand look again:  %s",
		count(s.Dead), plural(s.Units, "unit"), t.maxReceives, plural(s.Waiting, "client"), advice(s.Failed), t.target.redrive(reader), t.statusCommand(r.MessageID))
}

// reasons are what to look at first, by the type of a failure.
var reasons = map[connection.ErrorType]string{
	connection.TypeThrottled:   "429: the account's rate is used up (lower post_rate or raise the quota), or single clients do not read",
	connection.TypeForbidden:   "403: does the function's role allow execute-api:ManageConnections on this API and stage?",
	connection.TypeInvalid:     "400 that is not about the connection's id: is WEBSOCKET_ENDPOINT the URL of this API and stage?",
	connection.TypeTooLarge:    "413: the frame is over 128 KB",
	connection.TypeCircuitOpen: "not posted, because posts to the client had failed three times: the function's log has why",
	connection.TypeShutdown:    "the function was stopped: it is tried again",
	connection.TypeDeadline:    "the function's time was over: is post_rate enough for a unit of 500 in 30 s, and does @connections answer in time?",
	connection.TypeFailed:      "5xx or no answer from @connections: the function's log has the cause",
}

// advice is a line for each type of failure.
func advice(failed map[string]int) string {
	var b strings.Builder
	for _, kind := range slices.Sorted(maps.Keys(failed)) {
		fmt.Fprintf(&b, "\n  %-12s %s", kind, cmp.Or(reasons[connection.ErrorType(kind)], "the function's log has the cause"))
	}
	return b.String()
}

func sum(counts map[string]int) (n int) {
	for _, m := range counts {
		n += m
	}
	return n
}
