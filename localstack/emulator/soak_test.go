package emulator_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/coder/websocket"

	"fanfare/localstack/emulator"
	"fanfare/localstack/faults"
)

// `make soak` runs a minute with 1,000 clients; `go test` a short variant.
var (
	soakFor     = flag.Duration("soak", 3*time.Second, "how long the soak's clients come and go")
	soakClients = flag.Int("clients", 100, "how many clients the soak has")
	soakSeed    = flag.Uint64("seed", 1, "the soak's seed: of what its clients do, and of the faults")
)

// answerTimeout is longer than any integration may take.
const answerTimeout = 60 * time.Second

// TestSoak has clients connect, talk and vanish at random while functions die
// and calls fail. Every message of a client that waits for it is answered, by
// the function or by API Gateway's own error frame. When all have gone, no row,
// socket, goroutine or process is left: each client that was let in had its
// $disconnect, however it went.
func TestSoak(t *testing.T) {
	others := ownGoroutines(nil) // of other tests' clouds
	cloud, r := embed(t, emulator.New, emulator.Options{})
	s := &soak{t: t, url: r.deploySoak(), table: dynamodb.NewFromConfig(r.config())}
	armed := injectFaults(t, cloud)
	var clients sync.WaitGroup
	ends := time.Now().Add(*soakFor)
	for n := range *soakClients {
		clients.Go(func() { s.client(uint64(n), ends) })
	}
	clients.Wait()
	t.Logf("%d connections, %d refused, %d vanished; %d messages, of which %d failed", s.opened.Load(), s.refused.Load(), s.vanished.Load(), s.answered.Load(), s.failed.Load())
	if s.answered.Load() == s.failed.Load() || s.vanished.Load() == 0 {
		t.Error("a soak in which no function answers or nobody vanishes shows nothing")
	}
	disarm(t, armed)
	settle(t, s.rowsLeft)
	settle(t, func() string { return left("sockets being served", stacks("gateway.(*Service).serve")) })

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := cloud.Close(ctx); err != nil {
		t.Errorf("close: %v", err)
	}
	settle(t, func() string { return left("goroutines of the cloud", ownGoroutines(others)) })
	settle(t, func() string { return left("processes of functions", children(t)) })
}

// settle waits until check finds nothing any more.
func settle(t *testing.T, check func() string) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		problem := check()
		if problem == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Error(problem)
			return
		}
	}
}

// deploySoak deploys functions, table and API, and returns the stage's URL.
// Those who talk get a function of their own with reserved environments, so
// that load throttles them and not $disconnect, which nobody repeats.
func (r rig) deploySoak() string {
	ctx, role, code := r.tb.Context(), r.role(), benchZip(r.tb)
	_, err := dynamodb.NewFromConfig(r.config()).CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName: aws.String("connections"), BillingMode: dynamotypes.BillingModePayPerRequest,
		AttributeDefinitions: []dynamotypes.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: dynamotypes.ScalarAttributeTypeS}},
		KeySchema:            []dynamotypes.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: dynamotypes.KeyTypeHash}},
	})
	if err != nil {
		r.tb.Fatal(err)
	}
	presence := r.function("presence", role, code, map[string]string{"TABLE_NAME": "connections"})
	talk := r.function("talk", role, code, nil)
	_, err = sdk.NewFromConfig(r.config()).PutFunctionConcurrency(ctx, &sdk.PutFunctionConcurrencyInput{
		FunctionName: aws.String("talk"), ReservedConcurrentExecutions: aws.Int32(200),
	})
	if err != nil {
		r.tb.Fatal(err)
	}
	return r.api(map[string]string{"$connect": presence, "$disconnect": presence, "$default": talk, "post": talk, "exit": talk}, "$default", "exit")
}

// faultRules are what goes wrong while clients come and go: what a service
// refuses now and then, and functions that are killed. $connect and $disconnect
// are left to end, since AWS repeats neither: a row of a $connect that was
// killed after its write would be nobody's.
var faultRules = []faults.Rule{
	{Service: "dynamodb", Operation: "PutItem", Probability: 0.05, Fault: faults.Fault{Status: 400, Code: "ProvisionedThroughputExceededException"}},
	{Service: "dynamodb", Operation: "DeleteItem", Probability: 0.05, Fault: faults.Fault{Status: 500, Code: "InternalServerError"}},
	{Service: "dynamodb", Probability: 0.02, Fault: faults.Fault{Latency: 20 * time.Millisecond}},
	{Service: "lambda", Operation: "Invoke", Resource: "*talk*", Probability: 0.01, Fault: faults.Fault{Kill: true}},
	{Service: "lambda", Operation: "Invoke", Resource: "*talk*", Probability: 0.01, Fault: faults.Fault{Status: 429, Code: "TooManyRequestsException"}},
	{Service: "execute-api", Operation: "PostToConnection", Probability: 0.02, Fault: faults.Fault{Status: 500, Code: "InternalServerErrorException"}},
}

// faulty is a cloud whose calls can be made to fail.
type faulty interface{ Faults() *faults.Set }

func injectFaults(t *testing.T, cloud any) *faults.Set {
	t.Helper()
	c, ok := cloud.(faulty)
	if !ok {
		t.Log("this cloud injects no faults: clients vanish and functions die all the same")
		return nil
	}
	set := c.Faults()
	set.Reset(*soakSeed)
	for _, rule := range faultRules {
		if _, err := set.Add(rule); err != nil {
			t.Fatal(err)
		}
	}
	return set
}

// disarm logs what the rules did, and removes them.
func disarm(t *testing.T, set *faults.Set) {
	if set == nil {
		return
	}
	for _, rule := range set.List() {
		t.Logf("fault %s %s: %d of %d", rule.Service, rule.Operation, rule.Faulted, rule.Matched)
	}
	set.Reset(*soakSeed)
}

// soak is what all clients share.
type soak struct {
	t     *testing.T
	url   string // of the stage, without scheme
	table *dynamodb.Client

	opened, refused, vanished, answered, failed atomic.Int64
}

// client comes and goes until the time is up. What it does follows from the
// seed and its number; how it interleaves with others does not.
func (s *soak) client(number uint64, ends time.Time) {
	random := rand.New(rand.NewPCG(*soakSeed, number))
	pause := func(upTo time.Duration) { time.Sleep(time.Duration(random.Int64N(int64(upTo)))) }
	pause(*soakFor / 3) // they do not all come at once
	for time.Now().Before(ends) && !s.t.Failed() {
		if random.IntN(10) == 0 {
			s.vanishWhileConnecting(random)
		} else {
			s.visit(random, pause)
		}
		pause(*soakFor / 8)
	}
}

// vanishWhileConnecting cuts the TCP connection after the handshake's request:
// $connect runs and lets in a client that is not there any more.
func (s *soak) vanishWhileConnecting(random *rand.Rand) {
	host, path, _ := strings.Cut(s.url, "/")
	c, err := net.Dial("tcp", host)
	if err != nil {
		s.t.Errorf("dial: %v", err)
		return
	}
	defer c.Close()
	_, err = fmt.Fprintf(c, "GET /%s HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n", path, host)
	if err != nil {
		s.t.Errorf("handshake: %v", err)
	}
	time.Sleep(time.Duration(random.Int64N(int64(20 * time.Millisecond))))
	s.vanished.Add(1)
}

// visit connects, sends some messages, each when the last was answered, and
// leaves in one of four ways.
func (s *soak) visit(random *rand.Rand, pause func(time.Duration)) {
	var tcp net.Conn
	dial := func(ctx context.Context, network, addr string) (c net.Conn, err error) {
		c, err = new(net.Dialer).DialContext(ctx, network, addr)
		tcp = c
		return c, err
	}
	client := &http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}
	ctx, cancel := context.WithTimeout(context.Background(), answerTimeout)
	defer cancel()
	c, resp, err := websocket.Dial(ctx, "ws://"+s.url, &websocket.DialOptions{HTTPClient: client})
	if err != nil {
		s.refused.Add(1)
		// 429: too many at a time. 5xx: a fault struck $connect.
		if resp == nil || resp.StatusCode != http.StatusTooManyRequests && resp.StatusCode < 500 {
			s.t.Errorf("connect: %v", err)
		}
		return
	}
	defer c.CloseNow()
	s.opened.Add(1)
	failed := map[string]bool{}
	for range random.IntN(5) {
		pause(*soakFor / 20)
		if !s.converse(c, random, failed) {
			return
		}
	}
	s.leave(c, tcp, random)
}

// converse sends one message and waits for its answer. A function that is
// killed after it has posted leaves two: its own and API Gateway's. Then one of
// them comes when the next message waits, so what failed is kept.
func (s *soak) converse(c *websocket.Conn, random *rand.Rand, failed map[string]bool) bool {
	ctx, cancel := context.WithTimeout(context.Background(), answerTimeout)
	defer cancel()
	action := "talk"
	switch n := random.IntN(40); {
	case n == 0:
		action = "exit"
	case n < 15:
		action = "post"
	}
	frame := fmt.Sprintf(`{"action":%q,"n":%d}`, action, random.Uint64())
	got, err := ask(ctx, c, []byte(frame))
	for err == nil && failed[got] {
		got, err = read(ctx, c)
	}
	switch {
	case err != nil:
		s.t.Errorf("%s was not answered: %v", frame, err)
		return false
	case got == frame:
	case connectionID(got) != "": // API Gateway's own: the function failed
		failed[frame] = true
		s.failed.Add(1)
	default:
		s.t.Errorf("%s was answered by %s", frame, got)
		return false
	}
	s.answered.Add(1)
	return true
}

// leave ends a socket as clients do: properly, by cutting the connection, by
// resetting it, or by cutting it with messages under way.
func (s *soak) leave(c *websocket.Conn, tcp net.Conn, random *rand.Rand) {
	how := random.IntN(4)
	if how == 0 {
		_ = c.Close(websocket.StatusNormalClosure, "") // the server may be quicker
		return
	}
	s.vanished.Add(1)
	if how == 1 {
		_ = tcp.(*net.TCPConn).SetLinger(0) // RST instead of FIN
	}
	if how == 2 {
		for range 1 + random.IntN(4) {
			_ = c.Write(context.Background(), websocket.MessageText, []byte(`{"action":"talk","n":0}`)) // nobody waits for these
		}
	}
	_ = tcp.Close()
}

// rowsLeft says how many connections have a row.
func (s *soak) rowsLeft() string {
	out, err := s.table.Scan(s.t.Context(), &dynamodb.ScanInput{TableName: aws.String("connections"), ConsistentRead: aws.Bool(true)})
	if err != nil {
		return err.Error()
	}
	return left("rows of connections that have ended", make([]string, out.Count))
}

// left is what is left, with an example; "" for nothing.
func left(what string, all []string) string {
	if len(all) == 0 {
		return ""
	}
	return fmt.Sprintf("%d %s left, such as %s", len(all), what, all[0])
}

// stacks returns the goroutines that run any function whose name has the text.
func stacks(text string) []string {
	buf := make([]byte, 64<<20)
	buf = buf[:runtime.Stack(buf, true)]
	var found []string
	for stack := range strings.SplitSeq(string(buf), "\n\n") {
		if strings.Contains(stack, text) {
			found = append(found, stack)
		}
	}
	return found
}

// ownGoroutines returns those that run the local cloud's code, tests excepted,
// but for the ones that were there before.
func ownGoroutines(before []string) []string {
	var own []string
	for _, stack := range stacks("fanfare/localstack/") {
		same := func(old string) bool { return number(old) == number(stack) }
		if !strings.Contains(stack, "_test.") && !slices.ContainsFunc(before, same) {
			own = append(own, stack)
		}
	}
	return own
}

// number returns a stack's "goroutine 17".
func number(stack string) string {
	head, _, _ := strings.Cut(stack, " [")
	return head
}

// children returns the command lines of this process's children, none where
// there is no /proc (proc(5), /proc/pid/stat: the fourth field is the parent).
func children(t *testing.T) []string {
	if runtime.GOOS != "linux" {
		return nil
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, e := range entries {
		stat, err := os.ReadFile("/proc/" + e.Name() + "/stat")
		if err != nil { // no process, or it has just ended
			continue
		}
		_, rest, _ := strings.Cut(string(stat), ") ")
		if fields := strings.Fields(rest); len(fields) > 1 && fields[1] == strconv.Itoa(os.Getpid()) {
			found = append(found, string(stat))
		}
	}
	return found
}
