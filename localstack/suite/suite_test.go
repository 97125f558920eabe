package suite

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"fanfare/localstack/lambda"
	"fanfare/scripts/stack"
	"fanfare/shared/gateway"
	"fanfare/shared/store"
)

var targetName = flag.String("target", "", "what to run on: embedded")

// deployed is the stack under test, nil without -target.
var deployed *stack.Stack

// functionLogs is what the functions printed, shown when the suite fails.
var functionLogs logTail

func TestMain(m *testing.M) {
	flag.Parse()
	switch *targetName {
	case "":
		os.Exit(m.Run())
	case "embedded":
		os.Exit(runEmbedded(m))
	default:
		fmt.Fprintf(os.Stderr, "-target %s: there is only embedded\n", *targetName)
		os.Exit(2)
	}
}

// runEmbedded deploys to a local cloud in this process.
func runEmbedded(m *testing.M) int {
	s, err := stack.Up(context.Background(), stack.Options{
		Root: "../..", Dir: ".local/test", Out: os.Stderr, FunctionLog: functionLogs.add,
		Logger: slog.New(slog.NewMultiHandler(
			slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}),
			slog.NewTextHandler(&cloudLog, &slog.HandlerOptions{Level: slog.LevelDebug}),
		)),
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "suite:", err)
		return 1
	}
	defer s.Close(context.Background())
	deployed = s
	code := m.Run()
	if code != 0 {
		functionLogs.print(os.Stderr)
	}
	return code
}

// logTail keeps the last lines of the functions.
type logTail struct {
	mu    sync.Mutex
	lines []string
}

const keptLines = 400

func (l *logTail) add(line lambda.LogLine) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, path.Base(line.Group)+" "+line.Text)
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
	stack  *stack.Stack
	tenant string
	other  string // another tenant
}

var scenarios atomic.Int64

// begin starts a scenario, or skips it where nothing is deployed.
func begin(t *testing.T) *scenario {
	t.Helper()
	s := beginAlone(t)
	t.Parallel()
	return s
}

// beginAlone is begin for a scenario that changes what others rely on: it runs
// before all those that run at the same time, and must put back what it changes.
func beginAlone(t *testing.T) *scenario {
	t.Helper()
	if deployed == nil {
		t.Skip("nothing is deployed without -target: make local-test")
	}
	n := scenarios.Add(1)
	return &scenario{
		T: t, stack: deployed,
		tenant: fmt.Sprintf("tenant-%d", n), other: fmt.Sprintf("other-%d", n),
	}
}

// config is how a back end on this machine reaches the cloud.
func (s *scenario) config() aws.Config {
	return aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String(s.stack.Cloud.URL()),
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	}
}

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
