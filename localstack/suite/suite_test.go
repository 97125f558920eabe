package suite

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"fanfare/shared/gateway"
	"fanfare/shared/store"
)

var (
	targetName = flag.String("target", "", "what to run on: embedded, container, compose or aws")
	fresh      = flag.Bool("fresh", false, "embedded, container: deploy anew, whatever is kept")
)

// deployed is the stack under test, nil without -target.
var deployed *target

// absent says why the target that was asked for is not there; then every
// scenario is skipped, by name.
var absent string

// root is the repository.
const root = "../.."

// functionLogs is what the functions printed, shown when the suite fails. In a
// container it is all that the cloud printed, the functions' lines among it.
var functionLogs logTail

func TestMain(m *testing.M) {
	flag.Parse()
	targets := map[string]func(context.Context, func() int) (int, error){
		"embedded": runEmbedded, "container": runContainer, "compose": runCompose, "aws": runAWS,
		"": func(_ context.Context, run func() int) (int, error) { return run(), nil },
	}
	on, ok := targets[*targetName]
	if !ok {
		fmt.Fprintf(os.Stderr, "-target %s: there are embedded, container, compose and aws\n", *targetName)
		os.Exit(2)
	}
	// A container outlives a process that is interrupted, unless it is taken down.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code, err := on(ctx, func() int { return untilInterrupted(ctx, m) })
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "suite:", err)
		code = 1
	}
	os.Exit(code)
}

// untilInterrupted runs the tests, or leaves them where they are.
func untilInterrupted(ctx context.Context, m *testing.M) int {
	done := make(chan int, 1)
	go func() { done <- m.Run() }()
	select {
	case code := <-done:
		if code != 0 {
			functionLogs.print(os.Stderr)
		}
		return code
	case <-ctx.Done():
		return 1
	}
}

// logTail keeps the last lines of the functions.
type logTail struct {
	mu    sync.Mutex
	lines []string
}

const keptLines = 400

func (l *logTail) add(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, line)
	if n := len(l.lines); n > 2*keptLines {
		l.lines = append([]string(nil), l.lines[n-keptLines:]...)
	}
}

func (l *logTail) print(w io.Writer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range l.lines[max(0, len(l.lines)-keptLines):] {
		_, _ = fmt.Fprintln(w, line) // it is a help, not a result
	}
}

// scenario is one test's view of the deployment: tenants that nobody else has.
type scenario struct {
	*testing.T
	stack  *target
	tenant string
	other  string // another tenant
}

var scenarios atomic.Int64

// begin starts a scenario. It is skipped where nothing is deployed, or where the
// target lacks something that the scenario needs.
func begin(t *testing.T, needs ...need) *scenario {
	t.Helper()
	s := beginAlone(t, needs...)
	t.Parallel()
	return s
}

// beginAlone is begin for a scenario that changes what others rely on: it runs
// before all those that run at the same time, and must put back what it changes.
func beginAlone(t *testing.T, needs ...need) *scenario {
	t.Helper()
	switch {
	case absent != "":
		t.Skipf("%s: %s", *targetName, absent)
	case deployed == nil:
		t.Skip("nothing is deployed without -target: make local-test")
	}
	for _, n := range needs {
		if !deployed.has[n] {
			t.Skipf("the target %s has no %s", *targetName, n)
		}
	}
	n := scenarios.Add(1)
	return &scenario{
		T: t, stack: deployed,
		// On AWS others may have run before, whose rows are still there.
		tenant: fmt.Sprintf("tenant-%s-%d", deployed.run, n), other: fmt.Sprintf("other-%s-%d", deployed.run, n),
	}
}

// config is how a back end on this machine reaches the cloud.
func (s *scenario) config() aws.Config { return s.stack.AWS.Copy() }

func (s *scenario) sqs() *sqs.Client { return sqs.NewFromConfig(s.config()) }

// table is the deployed table, as the functions use it.
func (s *scenario) table() *store.DynamoDB {
	return store.NewDynamoDB(dynamodb.NewFromConfig(s.config()), s.stack.Outputs.TableName, store.Options{})
}

// management is the deployed API's @connections.
func (s *scenario) management() *gateway.Client {
	s.Helper()
	c := s.config()
	gw, err := gateway.New(gateway.Options{Endpoint: s.stack.Outputs.ManagementEndpoint, Region: c.Region, Credentials: c.Credentials})
	if err != nil {
		s.Fatal(err)
	}
	return gw
}

// publish puts a message on the broadcast queue, as a back end does.
func (s *scenario) publish(body string) (messageID string) {
	s.Helper()
	out, err := s.sqs().SendMessage(s.Context(), &sqs.SendMessageInput{QueueUrl: &s.stack.Outputs.BroadcastQueueURL, MessageBody: &body})
	if err != nil {
		s.Fatal(err)
	}
	return *out.MessageId
}

// patience is how long something that must happen may take on a busy machine.
const patience = 30 * time.Second

// quiet is how long nothing may arrive for it to be believed that nothing
// will.
const quiet = time.Second

// eventually waits until check returns "", and fails with what it returned last.
func (s *scenario) eventually(check func() string) {
	s.Helper()
	deadline := time.Now().Add(patience)
	for {
		problem := check()
		if problem == "" {
			return
		}
		if time.Now().After(deadline) {
			s.Fatalf("still after %v: %s", patience, problem)
		}
		time.Sleep(50 * time.Millisecond)
	}
}
