package emulator_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/coder/websocket"

	"fanfare/scripts/artifact"
	"fanfare/shared/connection"
	"fanfare/shared/gateway"
)

// localCloud is the program as users start it, in a process of its own.
type localCloud struct {
	rig
	cmd *exec.Cmd
}

// program builds the local cloud's program.
func program(b *testing.B) (path string) {
	b.Helper()
	path = filepath.Join(b.TempDir(), "localstack")
	if err := build(path, "fanfare/localstack"); err != nil {
		b.Fatal(err)
	}
	return path
}

// launch starts the program and returns once it answers, and how long that took.
func launch(b *testing.B, program string) (localCloud, time.Duration) {
	b.Helper()
	addr := freeAddr(b)
	cmd := exec.Command(program, "-addr", addr)
	var said bytes.Buffer // read when the process has ended
	cmd.Stderr = &said
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	c := localCloud{rig{b, "http://" + addr}, cmd}
	for !c.answers() {
		if time.Since(begin) > 20*time.Second {
			c.stop()
			b.Fatalf("no answer; it said: %s", said.String())
		}
		time.Sleep(time.Millisecond)
	}
	return c, time.Since(begin)
}

func (c localCloud) answers() bool {
	resp, err := http.Get(c.url + "/_localstack/health")
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err == nil && resp.StatusCode == http.StatusOK
}

func (c localCloud) stop() {
	_ = c.cmd.Process.Signal(syscall.SIGTERM)
	_ = c.cmd.Wait() // how it ends is not what is measured
}

// resident is the process's resident memory in bytes (proc(5), statm).
func (c localCloud) resident() float64 {
	statm, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", c.cmd.Process.Pid))
	fields := strings.Fields(string(statm))
	if err != nil || len(fields) < 2 {
		c.tb.Fatalf("statm %q, error %v", statm, err)
	}
	pages, err := strconv.Atoi(fields[1])
	if err != nil {
		c.tb.Fatal(err)
	}
	return float64(pages * os.Getpagesize())
}

func needsLinux(b *testing.B) {
	b.Helper()
	if runtime.GOOS != "linux" {
		b.Skip("resident memory is read from Linux's /proc")
	}
}

// BenchmarkStart measures from the program's start to its first answer.
func BenchmarkStart(b *testing.B) {
	path := program(b)
	var ready []float64
	for b.Loop() {
		c, took := launch(b, path)
		c.stop()
		ready = append(ready, took.Seconds()*1e3)
	}
	b.ReportMetric(median(ready), "ms-ready")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkFootprint measures the program's own memory when it holds Fanfare's
// stack and nobody is connected. The functions are not running, so their
// processes are not in it; they would not count.
func BenchmarkFootprint(b *testing.B) {
	needsLinux(b)
	path := program(b)
	zips, err := artifact.Build(b.Context(), "../..", b.TempDir(), artifact.Host)
	if err != nil {
		b.Fatal(err)
	}
	var megabytes []float64
	for b.Loop() {
		c, _ := launch(b, path)
		c.deployFanfare(zips)
		megabytes = append(megabytes, c.resident()/1e6)
		c.stop()
	}
	b.ReportMetric(median(megabytes), "MB")
	b.ReportMetric(0, "ns/op")
}

// deployFanfare creates what infra/ does: table, queues, functions with their
// permissions, the API by the route table, and the event sources.
func (c localCloud) deployFanfare(zips []artifact.Zip) {
	ctx, role := c.tb.Context(), c.role()
	_, err := dynamodb.NewFromConfig(c.config()).CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName: aws.String("fanfare-connections"), BillingMode: dynamotypes.BillingModePayPerRequest,
		AttributeDefinitions: []dynamotypes.AttributeDefinition{
			{AttributeName: aws.String("pk"), AttributeType: dynamotypes.ScalarAttributeTypeS},
			{AttributeName: aws.String("sk"), AttributeType: dynamotypes.ScalarAttributeTypeS},
		},
		KeySchema: []dynamotypes.KeySchemaElement{
			{AttributeName: aws.String("pk"), KeyType: dynamotypes.KeyTypeHash},
			{AttributeName: aws.String("sk"), KeyType: dynamotypes.KeyTypeRange},
		},
	})
	if err != nil {
		c.tb.Fatal(err)
	}
	functions := map[string]string{}
	for _, z := range zips {
		code, err := os.ReadFile(z.Path)
		if err != nil {
			c.tb.Fatal(err)
		}
		functions[z.Function] = c.function("fanfare-"+z.Function, role, code, map[string]string{"TABLE_NAME": "fanfare-connections"})
	}
	for _, consumer := range []string{"broadcast", "deliver"} {
		c.queueFor(consumer, functions[consumer])
	}
	byRoute, twoWay := routeTable(c.tb, functions)
	c.api(byRoute, twoWay...)
}

// queueFor creates a queue with its dead-letter queue and its event source.
func (c localCloud) queueFor(consumer, function string) {
	const arn = "arn:aws:sqs:eu-west-1:000000000000:fanfare-"
	ctx, client := c.tb.Context(), sqs.NewFromConfig(c.config())
	_, err := client.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("fanfare-" + consumer + "-dead-letters")})
	if err == nil {
		_, err = client.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("fanfare-" + consumer), Attributes: map[string]string{
			"VisibilityTimeout": "180",
			"RedrivePolicy":     fmt.Sprintf(`{"deadLetterTargetArn":"%s%s-dead-letters","maxReceiveCount":5}`, arn, consumer),
		}})
	}
	if err == nil {
		_, err = lambda.NewFromConfig(c.config()).CreateEventSourceMapping(ctx, &lambda.CreateEventSourceMappingInput{
			EventSourceArn: aws.String(arn + consumer), FunctionName: &function, BatchSize: aws.Int32(10),
		})
	}
	if err != nil {
		c.tb.Fatal(err)
	}
}

// routeTable reads infra/routes.json: functions by route key, and the routes
// with a response.
func routeTable(tb testing.TB, functions map[string]string) (byRoute map[string]string, twoWay []string) {
	tb.Helper()
	var table map[string]struct {
		Function string
		Response bool
	}
	text, err := os.ReadFile("../../infra/routes.json")
	if err == nil {
		err = json.Unmarshal(text, &table)
	}
	if err != nil {
		tb.Fatal(err)
	}
	byRoute = map[string]string{}
	for key, route := range table {
		byRoute[key] = functions[route.Function]
		if route.Response {
			twoWay = append(twoWay, key)
		}
	}
	return byRoute, twoWay
}

// The sockets of BenchmarkIdleSockets. Clients are at several addresses, or
// their ports would run out; both processes need a file for each socket.
const (
	idleSockets    = 10_000
	clientAddrs    = 8
	dialersAtATime = 64
)

// BenchmarkIdleSockets measures what an idle socket costs the program, before
// it has done anything and after it has got and sent messages. The clients
// are in this process.
func BenchmarkIdleSockets(b *testing.B) {
	needsLinux(b)
	path := program(b)
	var idle, loaded []float64
	for b.Loop() {
		c, _ := launch(b, path)
		stage := c.api(map[string]string{"$default": "arn:aws:lambda:eu-west-1:000000000000:function:missing"})
		before := c.resident()
		sockets := openSockets(b, "ws://"+stage)
		idle = append(idle, (c.resident()-before)/idleSockets/1024)
		talk(b, stage, sockets)
		loaded = append(loaded, (c.resident()-before)/idleSockets/1024)
		for _, s := range sockets {
			_ = s.CloseNow()
		}
		c.stop()
	}
	b.ReportMetric(median(idle), "KB-idle")
	b.ReportMetric(median(loaded), "KB-loaded")
	b.ReportMetric(0, "ns/op")
}

func openSockets(b *testing.B, url string) []*websocket.Conn {
	b.Helper()
	clients := make([]*http.Client, clientAddrs)
	for i := range clients {
		dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(1+i))}}
		clients[i] = &http.Client{Transport: &http.Transport{DialContext: dialer.DialContext}}
	}
	sockets := make([]*websocket.Conn, idleSockets)
	each(b, dialersAtATime, idleSockets, func(i int) error {
		for {
			c, resp, err := websocket.Dial(b.Context(), url, &websocket.DialOptions{HTTPClient: clients[i%clientAddrs]})
			if resp != nil && resp.StatusCode == http.StatusTooManyRequests { // new connections a second
				time.Sleep(20 * time.Millisecond)
				continue
			}
			sockets[i] = c
			return err
		}
	})
	return sockets
}

// talk has each socket send two messages, which are answered, and get a post.
func talk(b *testing.B, stage string, sockets []*websocket.Conn) {
	b.Helper()
	client, err := gateway.New(gateway.Options{Endpoint: "http://" + stage, Region: "eu-west-1", Credentials: benchCredentials})
	if err != nil {
		b.Fatal(err)
	}
	question := fmt.Appendf(nil, `{"action":"question","data":%q}`, strings.Repeat("x", 1000))
	news := connection.NewMessage(bytes.Repeat([]byte("x"), 1000))
	each(b, posters, len(sockets), func(i int) error {
		var id string
		for range 2 {
			frame, err := ask(b.Context(), sockets[i], question)
			if err != nil {
				return err
			}
			id = connectionID(frame)
		}
		err := client.Post(b.Context(), id, news)
		if err == nil {
			_, err = read(b.Context(), sockets[i])
		}
		return err
	})
}

// each calls do for 0 to n-1, so many at a time. An error ends the benchmark.
func each(b *testing.B, atATime, n int, do func(i int) error) {
	b.Helper()
	numbers := make(chan int)
	var workers sync.WaitGroup
	for range atATime {
		workers.Go(func() {
			for i := range numbers {
				if err := do(i); err != nil {
					b.Errorf("socket %d: %v", i, err)
				}
			}
		})
	}
	for i := range n {
		numbers <- i
	}
	close(numbers)
	workers.Wait()
	if b.Failed() {
		b.FailNow()
	}
}
