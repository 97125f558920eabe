package scale

import (
	"errors"
	"fmt"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"fanfare/localstack/emulator"
	"fanfare/localstack/lambda"
	"fanfare/scripts/stack"
	"fanfare/shared/queue"
)

// unitRate is how many posts a second all deliverers make together: 96% of
// post_rate, 8,000 (infra/locals.tf).
const unitRate = 8000 * 96 / 100

// connectRate is what an account may open a second.
const connectRate = 500

// deployment is a whole Fanfare on a local cloud in this process.
type deployment struct {
	testing.TB
	*stack.Stack
	reports reports
}

// deploy brings up what .local/bench keeps.
func deploy(tb testing.TB) *deployment {
	tb.Helper()
	d := &deployment{TB: tb}
	options := stack.Options{Root: "../../..", Dir: ".local/bench", Out: os.Stderr, FunctionLog: d.reports.add}
	s, err := stack.Up(tb.Context(), options)
	if _, ok := errors.AsType[*emulator.PortInUseError](err); ok { // the one that was free when it was deployed
		options.Fresh = true
		s, err = stack.Up(tb.Context(), options)
	}
	if err != nil {
		tb.Fatal(err)
	}
	// The context has ended by then: nobody waits for 15,000 $disconnects.
	tb.Cleanup(func() { s.Close(tb.Context()) })
	d.Stack = s
	return d
}

// cloud is the local cloud itself, which runs in this process.
func (d *deployment) cloud() *emulator.Emulator { return d.Cloud.(*emulator.Emulator) }

func (d *deployment) config() aws.Config {
	return aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String(d.Cloud.URL()),
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	}
}

// publish hands a message to the broadcast queue as a back end should, with its
// tenant as the group.
func (d *deployment) publish(tenant, to string) (messageID string, at time.Time) {
	d.Helper()
	body := fmt.Sprintf(`{"tenant":%q,"to":%s,"data":{"price":"12.50","note":"one of very many"}}`, tenant, to)
	at = time.Now()
	out, err := sqs.NewFromConfig(d.config()).SendMessage(d.Context(), &sqs.SendMessageInput{
		QueueUrl: &d.Outputs.BroadcastQueueURL, MessageBody: &body, MessageGroupId: aws.String(queue.GroupID(tenant)),
	})
	if err != nil {
		d.Fatal(err)
	}
	return *out.MessageId, at
}

// seat opens n sockets of a user with a process, and returns when all are open.
func (d *deployment) seat(c *clients, addr byte, user, tenant string, n int, rate float64) error {
	_, err := c.do(order{Open: &opening{
		URL: d.Outputs.WebSocketURL + "?token=" + d.Token(user, tenant), Addr: addr, N: n, Rate: rate,
	}})
	return err
}

// delivery is what became of one broadcast.
type delivery struct {
	clients, doubled int
	last             time.Duration // until the last client had it
}

// quiet is how long nothing may arrive for it to be believed that nothing
// will without help.
const quiet = 2 * time.Second

// follow waits until n clients have a message, or nothing more has come for
// quiet. help, if not nil, is called then, and may say that there is hope.
func (d *deployment) follow(c crowd, messageID string, at time.Time, n int, help func() bool) delivery {
	d.Helper()
	got, moved := 0, time.Now()
	for got < n {
		time.Sleep(100 * time.Millisecond) // each look costs the clients' time
		switch a := c.count(d, messageID, false); {
		case a.Clients > got:
			got, moved = a.Clients, time.Now()
		case time.Since(moved) > quiet && (help == nil || !help()):
			n = 0 // what is missing is lost
		case time.Since(moved) > quiet:
			moved = time.Now()
		}
	}
	time.Sleep(time.Second) // for what comes twice
	a := c.count(d, messageID, true)
	if a.Lost > 0 || a.Other > 0 {
		d.Errorf("%d sockets have ended, %d frames were no message", a.Lost, a.Other)
	}
	return delivery{a.Clients, a.Doubled, time.UnixMicro(slices.Max(append(a.Arrivals, 0))).Sub(at)}
}

// reports are what Lambda says at the end of each invoke of the two senders.
type reports struct {
	mu        sync.Mutex
	durations []time.Duration // of deliver: one unit each
	megabytes int             // the most of one sender's environment
}

// reportLine is Lambda's own ("Telemetry API", platform.report).
var reportLine = regexp.MustCompile(`^REPORT .*\tDuration: ([0-9.]+) ms\t.*Max Memory Used: (\d+) MB`)

func (r *reports) add(l lambda.LogLine) {
	name := path.Base(l.Group)
	isDeliver, isBroadcast := name == "fanfare-deliver", name == "fanfare-broadcast"
	m := reportLine.FindStringSubmatch(l.Text)
	if m == nil || !isDeliver && !isBroadcast {
		return
	}
	ms, err := strconv.ParseFloat(m[1], 64)
	mb, err2 := strconv.Atoi(m[2])
	if err != nil || err2 != nil {
		return // not the line that it looks like
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.megabytes = max(r.megabytes, mb)
	if isDeliver {
		r.durations = append(r.durations, time.Duration(ms*float64(time.Millisecond)))
	}
}

// take returns what came since the last take: how long the longest of q of the
// units took, and the most memory.
func (r *reports) take(q float64) (unit time.Duration, megabytes int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	unit, megabytes = quantile(r.durations, q), r.megabytes
	r.durations, r.megabytes = nil, 0
	return unit, megabytes
}

// quantile is 0 of nothing.
func quantile(values []time.Duration, q float64) time.Duration {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}
