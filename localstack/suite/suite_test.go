package suite

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	account "fanfare/localstack/gateway"
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

func TestMain(m *testing.M) {
	flag.Parse()
	waitTogether()
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

// waitTogether has more scenarios run at the same time than there are processors,
// unless -parallel says how many: most of them wait most of the time.
func waitTogether() {
	set := false
	flag.Visit(func(f *flag.Flag) { set = set || f.Name == "test.parallel" })
	if set {
		return
	}
	if err := flag.Set("test.parallel", "12"); err != nil {
		panic(err) // it is a flag of every test
	}
}

// untilInterrupted runs the tests, or leaves them where they are.
func untilInterrupted(ctx context.Context, m *testing.M) int {
	done := make(chan int, 1)
	go func() { done <- m.Run() }()
	select {
	case code := <-done:
		return code
	case <-ctx.Done():
		return 1
	}
}

// scenario is one test's view of the deployment: tenants that nobody else has.
// When it fails, it prints what it did and what became of it, and nothing of the
// other scenarios.
type scenario struct {
	testing.TB
	stack  *target
	tenant string
	other  string // another tenant
	rec    *record
	ahead  time.Duration // of the clock of a cloud of its own
}

var scenarios atomic.Int64

// begin starts a scenario. It is skipped where nothing is deployed, or where the
// target lacks something that the scenario needs.
func begin(t *testing.T, needs ...need) *scenario {
	t.Helper()
	lacks(t, needs)
	t.Parallel()
	return newScenario(t, deployed)
}

// beginAlone is begin for a scenario that changes what others rely on: the clock,
// limits, a function's configuration, what is in a queue. It gets a cloud of its
// own, restored in a tenth of a second from what was deployed. On a target that
// has none it runs before all those that run at the same time, and must put back
// what it changes; what cannot be put back, it says to need ownCloud for.
func beginAlone(t *testing.T, needs ...need) *scenario {
	t.Helper()
	return beginAloneWithin(t, account.Limits{}, needs...)
}

// beginAloneWithin is beginAlone in an account with such limits, which only a
// cloud of its own can have: the scenario needs ownCloud.
func beginAloneWithin(t *testing.T, limits account.Limits, needs ...need) *scenario {
	t.Helper()
	lacks(t, needs)
	if deployed.clone == nil {
		return newScenario(t, deployed)
	}
	t.Parallel()
	clones <- struct{}{}
	t.Cleanup(func() { <-clones })
	clone, err := deployed.clone(t, limits)
	if err != nil {
		t.Fatal(err)
	}
	return newScenario(t, clone)
}

// beginFirst is for a scenario that needs the processors for itself: it runs before
// all others, on the cloud that they share.
func beginFirst(t *testing.T, needs ...need) *scenario {
	t.Helper()
	lacks(t, needs)
	return newScenario(t, deployed)
}

// lacks skips a test that cannot run on the target.
func lacks(t *testing.T, needs []need) {
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
}

// newScenario has tenants whose names begin no other's.
func newScenario(t testing.TB, stack *target) *scenario {
	n := scenarios.Add(1)
	s := &scenario{
		TB: t, stack: stack,
		// On AWS others may have run before, whose rows are still there.
		tenant: fmt.Sprintf("tenant-%s-%04d", stack.run, n), other: fmt.Sprintf("other-%s-%04d", stack.run, n),
	}
	s.rec = newRecord(s.tenant, s.other)
	s.reportFailure(s.rec.began, false)
	return s
}

// sub is the scenario in a test of its own within it, whose failure it reports
// alone.
func (s *scenario) sub(t testing.TB) *scenario {
	sub := *s
	sub.TB = t
	sub.reportFailure(time.Now().Add(s.ahead), true)
	return &sub
}

// reportFailure prints, if the test fails, what has happened since from, by the
// cloud's clock. A test around others leaves it to the one that has failed.
func (s *scenario) reportFailure(from time.Time, within bool) {
	s.Cleanup(func() {
		s.Helper()
		if !s.Failed() || s.rec.isReported() && !within {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), patience) // the test's own has ended
		defer cancel()
		s.Logf("of this scenario alone, by the cloud's clock:\n%s", s.rec.report(s.stack.world(ctx, from), from))
	})
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
	s.rec.note("back end → broadcast queue: %s", body)
	s.rec.saw(*out.MessageId)
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
