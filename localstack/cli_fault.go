package main

import (
	"context"
	"flag"
	"fmt"
	"net/url"
	"strings"
	"text/tabwriter"

	"fanfare/localstack/emulator"
	"fanfare/localstack/faults"
)

const faultHelp = `usage: go run ./localstack fault add [flags]        add a rule, print its id
       go run ./localstack fault list               the rules and what they did
       go run ./localstack fault remove ID          remove one
       go run ./localstack fault reset [-seed n]    remove all and start over

Which calls (empty takes any, * stands for any characters):
  -service    dynamodb, sqs, lambda, apigateway, iam, sts, logs, monitoring, kms;
              execute-api for sockets and @connections
  -operation  PutItem, SendMessage, Invoke, PostToConnection, …; $connect for sockets
  -resource   the name of the table, queue, function, …; the connection id
What happens to them: -latency alone or with one of -status, -throttle, -drop and
-kill; or -delay.

  fault add -service dynamodb -operation '*Item' -probability 0.1 -throttle
  fault add -service execute-api -operation PostToConnection -count 3 -status 410
  fault add -service lambda -resource '*-deliver' -count 1 -kill

Rules are asked in the order in which they were added; the first one that
strikes decides. The same seed (-seed at start or reset) strikes the same calls
again. Rules are not saved with the cloud.
`

func (p program) fault(ctx context.Context, args []string) error {
	verb := ""
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		verb, args = args[0], args[1:]
	}
	f, addr := p.flags("fault " + verb)
	var rule faults.Rule
	var seed seedFlag
	switch verb {
	case "add":
		ruleFlags(f, &rule)
	case "reset":
		f.Var(&seed, "seed", "start over with this `number`; the default is the present seed")
	}
	rest, c, err := p.open(f, addr, args, faultHelp)
	if err != nil {
		return err
	}
	switch {
	case verb == "add" && len(rest) == 0:
		return p.addFault(ctx, c, rule)
	case verb == "list" && len(rest) == 0:
		return p.listFaults(ctx, c)
	case verb == "remove" && len(rest) == 1:
		return c.call(ctx, "DELETE", "faults/"+url.PathEscape(rest[0]), nil, nil)
	case verb == "reset" && len(rest) == 0:
		return c.call(ctx, "POST", "faults/reset", seed.body(), nil)
	}
	return p.misused("want fault add, list, remove ID or reset: see go run ./localstack fault --help")
}

func ruleFlags(f *flag.FlagSet, r *faults.Rule) {
	f.StringVar(&r.ID, "id", "", "`name` of the rule, to replace or remove it by; the default is a number")
	f.StringVar(&r.Service, "service", "", "of calls of this `service`")
	f.StringVar(&r.Operation, "operation", "", "of this `operation`")
	f.StringVar(&r.Resource, "resource", "", "about this `resource`")
	f.Float64Var(&r.Probability, "probability", 0, "strike each matching call with this `chance`, above 0 up to 1; the default is all")
	f.IntVar(&r.After, "after", 0, "leave this `number` of matching calls alone first")
	f.IntVar(&r.Count, "count", 0, "strike at most this `number` of calls")
	f.DurationVar(&r.Fault.Latency, "latency", 0, "let this much real `time` pass first")
	f.IntVar(&r.Fault.Status, "status", 0, "answer with this HTTP `status`, from 400 to 599")
	f.StringVar(&r.Fault.Code, "code", "", "and this error `code`; the default is the service's usual one")
	f.StringVar(&r.Fault.Message, "message", "", "and this `text`")
	f.BoolVar(&r.Fault.Throttle, "throttle", false, "answer as the service does when it throttles")
	f.BoolVar(&r.Fault.Drop, "drop", false, "end the socket as a lost network does (execute-api)")
	f.BoolVar(&r.Fault.Kill, "kill", false, "end the function's process in the middle of the invoke (lambda)")
	f.DurationVar(&r.Fault.Delay, "delay", 0, "make the message visible this much `later`, in the cloud's time (sqs)")
}

// seedFlag tells "not given" from 0.
type seedFlag struct {
	n   uint64
	set bool
}

func (s *seedFlag) String() string { return "" }

func (s *seedFlag) Set(text string) error {
	s.set = true
	_, err := fmt.Sscan(text, &s.n)
	return err
}

func (s *seedFlag) body() map[string]uint64 {
	if !s.set {
		return map[string]uint64{}
	}
	return map[string]uint64{"seed": s.n}
}

func (p program) addFault(ctx context.Context, c cloud, r faults.Rule) error {
	var added struct {
		ID string `json:"id"`
	}
	if err := c.call(ctx, "POST", "faults", r, &added); err != nil {
		return err
	}
	_, err := fmt.Fprintln(p.stdout, added.ID)
	return err
}

func (p program) listFaults(ctx context.Context, c cloud) error {
	var list emulator.FaultList
	if err := c.call(ctx, "GET", "faults", nil, &list); err != nil {
		return err
	}
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tSERVICE\tOPERATION\tRESOURCE\tWHICH\tFAULT\tMATCHED\tSTRUCK")
	for _, s := range list.Rules {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%d\t%d\n", s.ID, shown(s.Service), shown(s.Operation), shown(s.Resource), which(s.Rule), effect(s.Fault), s.Matched, s.Faulted)
	}
	fmt.Fprintf(w, "seed %d\n", list.Seed)
	return w.Flush()
}

// shown is what a rule strikes, which whoever has added it may have called anything;
// "" is all of the kind.
func shown(s string) string {
	if s == "" {
		return "*"
	}
	return emulator.Printable(s, "")
}

// which says what part of the matching calls a rule strikes.
func which(r faults.Rule) string {
	words := []string{"all"}
	if r.Probability > 0 {
		words[0] = fmt.Sprintf("%g%%", r.Probability*100)
	}
	if r.Count > 0 {
		words = append(words, fmt.Sprintf("at most %d", r.Count))
	}
	if r.After > 0 {
		words = append(words, fmt.Sprintf("after %d", r.After))
	}
	return strings.Join(words, ", ")
}

// effect says what a fault does.
func effect(f faults.Fault) string {
	var words []string
	if f.Latency > 0 {
		words = append(words, "latency "+f.Latency.String())
	}
	if f.Status > 0 {
		words = append(words, strings.TrimSpace(fmt.Sprintf("%d %s", f.Status, f.Code)))
	}
	for word, on := range map[string]bool{"throttle": f.Throttle, "drop": f.Drop, "kill": f.Kill} {
		if on {
			words = append(words, word)
		}
	}
	if f.Delay > 0 {
		words = append(words, "delay "+f.Delay.String())
	}
	return strings.Join(words, ", ")
}
