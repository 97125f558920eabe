package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"fanfare/scripts/cost"
	"fanfare/shared/protocol"
)

// options are what the flags say, checked.
type options struct {
	tenant  string
	to      protocol.Audience
	data    json.RawMessage
	ttl     *int // seconds
	key     string
	status  string // messageId to look at
	dryRun  bool
	follow  bool
	timeout time.Duration

	queueURL, table, outputs string
	maxReceives              int
	postRate                 float64
}

// usageError is a mistake in how the command was called.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

func usagef(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

// flags are the options as they are written.
type flags struct {
	*flag.FlagSet
	options
	channel, user, connections, data string
	all                              bool
	ttl                              time.Duration
}

func newFlags(help io.Writer) *flags {
	f := &flags{FlagSet: flag.NewFlagSet("broadcast", flag.ContinueOnError)}
	f.SetOutput(help)
	f.StringVar(&f.tenant, "tenant", "", "the `tenant` (required)")
	f.StringVar(&f.channel, "channel", "", "send to the subscribers of this `channel`")
	f.StringVar(&f.user, "user", "", "send to this `user`, on all devices")
	f.BoolVar(&f.all, "all", false, "send to everybody of the tenant")
	f.StringVar(&f.connections, "connections", "", "send to these connection `ids`, parted by commas")
	f.StringVar(&f.data, "data", "", "what to send: `JSON`, @file, or - for standard input (required)")
	f.DurationVar(&f.ttl, "ttl", 0, "drop what is not sent after this time, in whole seconds, such as 30s")
	f.StringVar(&f.key, "key", "", "the `idempotencyKey`: what has it is sent once in 24 hours")
	f.StringVar(&f.status, "status", "", "publish nothing; look at the receipt of this `messageId`")
	f.BoolVar(&f.dryRun, "dry-run", false, "send nothing; tell recipients, time and cost")
	f.BoolVar(&f.follow, "follow", true, "follow the receipt to the end; -follow=false does not wait")
	f.DurationVar(&f.timeout, "timeout", 30*time.Minute, "how long to follow")
	f.StringVar(&f.queueURL, "queue-url", "", "AWS: the broadcast queue's `URL` (or BROADCAST_QUEUE_URL)")
	f.StringVar(&f.table, "table", "", "AWS: the table's `name` (or TABLE_NAME)")
	f.StringVar(&f.outputs, "outputs", "", "AWS: a `file` with what terraform output -json prints")
	f.IntVar(&f.maxReceives, "max-receives", 5, "the queues' max_receive_count, after which a unit is a dead letter")
	f.Float64Var(&f.postRate, "post-rate", cost.DefaultDeployment().PostRate, "with -dry-run: the deployment's post_rate")
	f.Usage = func() {
		fmt.Fprint(help, "Publish a broadcast and follow its receipt:\n\n"+
			"  go run ./scripts/broadcast -tenant T (-channel C | -user U | -all | -connections IDS) -data JSON [-ttl 30s] [-key K]\n"+
			"  go run ./scripts/broadcast … -dry-run\n"+
			"  go run ./scripts/broadcast -status MESSAGEID\n\n")
		f.PrintDefaults()
	}
	return f
}

// parseOptions reads the flags, and the data from where they say.
func parseOptions(args []string, in io.Reader, help io.Writer) (options, error) {
	f := newFlags(help)
	if err := f.Parse(args); errors.Is(err, flag.ErrHelp) {
		return options{}, err
	} else if err != nil {
		return options{}, usagef("%v", err)
	}
	if f.NArg() > 0 {
		return options{}, usagef("nothing may follow the flags, and %q does: quote JSON for your shell, -data '{\"n\":1}'", f.Arg(0))
	}
	given := map[string]bool{}
	f.Visit(func(one *flag.Flag) { given[one.Name] = true })
	for _, check := range []func(map[string]bool) error{f.checkTogether, f.checkStatus, f.checkMessage} {
		if err := check(given); err != nil {
			return options{}, err
		}
	}
	if given["data"] {
		var err error
		if f.options.data, err = readData(f.data, in); err != nil {
			return options{}, err
		}
	}
	return f.options, nil
}

// checkTogether refuses flags that would be ignored.
func (f *flags) checkTogether(given map[string]bool) error {
	switch {
	case given["outputs"] && (given["queue-url"] || given["table"]):
		return usagef("-outputs names queue and table already: leave out -queue-url and -table")
	case given["post-rate"] && !f.dryRun:
		return usagef("-post-rate is for -dry-run: a deployment's own rate is set with Terraform")
	case given["timeout"] && !f.follow:
		return usagef("-timeout is how long to follow: leave it out with -follow=false")
	case f.dryRun && (given["timeout"] || given["follow"] || given["max-receives"]):
		return usagef("-dry-run sends nothing that could be followed: leave out -follow, -timeout and -max-receives")
	case f.timeout <= 0 || f.maxReceives < 1 || !(f.postRate >= 1):
		return usagef("-timeout, -max-receives and -post-rate must be positive")
	}
	return nil
}

// ofMessages are the flags that say what to publish.
var ofMessages = []string{"tenant", "channel", "user", "all", "connections", "data", "ttl", "key", "dry-run"}

func (f *flags) checkStatus(given map[string]bool) error {
	if !given["status"] {
		return nil
	}
	for _, name := range ofMessages {
		if given[name] {
			return usagef("-status looks at a broadcast that was published: leave out -%s", name)
		}
	}
	if err := protocol.ValidateName("-status", f.status, protocol.MaxName); err != nil {
		return usagef("%s", protocol.AsError(err).Message)
	}
	return nil
}

func (f *flags) checkMessage(given map[string]bool) error {
	if given["status"] {
		return nil
	}
	chosen := slices.DeleteFunc([]string{"channel", "user", "all", "connections"}, func(name string) bool { return !given[name] })
	switch {
	case f.tenant == "":
		return usagef("-tenant is missing: whose clients are to get it?")
	case len(chosen) != 1:
		return usagef("exactly one of -channel, -user, -all and -connections says who gets it")
	case !given["data"]:
		return usagef("-data is missing: JSON, @file, or - for standard input")
	case given["key"] && f.key == "":
		return usagef("-key is empty")
	case given["ttl"] && (f.ttl < time.Second || f.ttl%time.Second != 0):
		return usagef("-ttl is a time in whole seconds, such as 30s")
	}
	if given["ttl"] {
		seconds := int(f.ttl / time.Second)
		f.options.ttl = &seconds
	}
	f.to = protocol.Audience{Channel: f.channel, User: f.user, Tenant: f.all, Connections: split(f.connections)}
	if err := f.to.Validate(); err != nil {
		return usagef("-%s: %s", chosen[0], protocol.AsError(err).Message)
	}
	return nil
}

func split(list string) []string {
	var items []string
	for item := range strings.SplitSeq(list, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}

// readData returns the JSON that -data stands for.
func readData(arg string, in io.Reader) (json.RawMessage, error) {
	data, err := []byte(arg), error(nil)
	if arg == "-" {
		data, err = io.ReadAll(in)
	} else if name, ok := strings.CutPrefix(arg, "@"); ok {
		data, err = os.ReadFile(name)
	}
	if err != nil {
		return nil, fmt.Errorf("-data: %w", err)
	}
	if !json.Valid(data) {
		return nil, usagef(`-data is not JSON: quote it for your shell, -data '{"n":1}'; a mere text is -data '"text"'`)
	}
	return data, nil
}
