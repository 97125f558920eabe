package main

import (
	"context"
	"fmt"

	"fanfare/scripts/cost"
	"fanfare/shared/broadcast"
	"fanfare/shared/protocol"
)

// countPage is how many rows are counted at a time.
const countPage = 5000

// dryRun tells what the broadcast would take. Nothing is sent.
func (t *tool) dryRun(ctx context.Context) error {
	m, frame, err := t.message()
	if err != nil {
		return err
	}
	live, stale, err := t.count(ctx, m.Tenant, m.To)
	t.view.clear()
	if err != nil {
		return fmt.Errorf("count who is there: %w", err)
	}
	d := cost.DefaultDeployment()
	d.PostRate = t.postRate
	p := d.Plan(cost.Broadcast{
		Tenant: m.Tenant, To: m.To, Recipients: live, Stale: stale, FrameBytes: len(frame), Keyed: m.IdempotencyKey != "",
	})
	t.printPlan(d, p)
	t.printBill(p.Usage)
	if live == 0 {
		fmt.Fprintf(t.out, "nobody is there: names are compared to the letter, is it %s?\n", named(m.Tenant, m.To))
	}
	return nil
}

// count pages the audience.
func (t *tool) count(ctx context.Context, tenant string, to protocol.Audience) (live, stale int, err error) {
	for cursor := ""; ; {
		page, err := t.table.Members(ctx, tenant, to, cursor, countPage)
		if err != nil {
			return live, stale, err
		}
		live, stale = live+len(page.IDs), stale+len(page.Stale)
		if cursor = page.Next; cursor == "" {
			return live, stale, nil
		}
		t.view.working("counted " + count(live) + " so far")
	}
}

func (t *tool) printPlan(d cost.Deployment, p cost.Plan) {
	fmt.Fprintf(t.out, "dry run    nothing is sent to %s of %s at %s\n", describe(p.To), p.Tenant, t.target.name)
	recipients := count(p.Recipients)
	if p.Stale > 0 {
		recipients += fmt.Sprintf(", and %s without a socket, to be removed on the way", plural(p.Stale, "row"))
	}
	units := fmt.Sprintf("%s of at most %d recipients", count(p.Units), broadcast.UnitSize)
	if p.Units == 1 {
		units = "1, sent by the broadcast function itself"
	}
	who := "the broadcast function itself"
	if p.Units > 1 {
		who = fmt.Sprintf("%d of %d deliverers", p.Senders, d.DeliverSenders)
	}
	pace := fmt.Sprintf("%s at %s posts a second: %s, at post_rate %s", took(p.Duration), count(int(p.Rate)), who, count(int(d.PostRate)))
	for _, row := range [][2]string{
		{"recipients", recipients},
		{"posts", fmt.Sprintf("%s of %s", count(p.Posts), plural(p.FrameBytes, "byte"))},
		{"32 KB units", count(p.Messages)},
		{"units", units},
		{"queued", plural(p.QueueMessages, "message")},
		{"time", pace},
	} {
		fmt.Fprintf(t.out, "  %-12s %s\n", row[0], row[1])
	}
}

// printBill writes what each meter costs, and where its price is from.
func (t *tool) printBill(u cost.Usage) {
	fmt.Fprintln(t.out, "dollars    an estimate: list prices of us-east-1, no free tier, nothing fails")
	const line = "  %-25s %12s  %12s  %10s  %s\n"
	fmt.Fprintf(t.out, line, "", "metered", "a million", "dollars", "source of the price")
	for _, m := range u.Meters() {
		p := m.Price()
		fmt.Fprintf(t.out, line, p.What, amount(u[m]), fmt.Sprintf("%.4f", p.Dollars), dollars(u.DollarsOf(m)), p.Source+", "+p.Date)
	}
	fmt.Fprintf(t.out, "  %-25s %12s  %12s  %10s\n", "in all", "", "", dollars(u.Dollars()))
}

func dollars(d float64) string { return fmt.Sprintf("%.6f", d) }

// amount writes what is metered: whole numbers but for GB-seconds.
func amount(n float64) string {
	if n == float64(int(n)) {
		return count(int(n))
	}
	return fmt.Sprintf("%.3f", n)
}
