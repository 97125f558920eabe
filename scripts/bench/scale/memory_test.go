package scale

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"golang.org/x/sync/errgroup"

	"fanfare/localstack/emulator"
	"fanfare/shared/broadcast"
	"fanfare/shared/connection"
	"fanfare/shared/protocol"
	"fanfare/shared/queue"
	"fanfare/shared/store"
)

const (
	inMemory      = 50_000
	postLatency   = 10 * time.Millisecond
	writersAtOnce = 16
)

// BenchmarkInMemory broadcasts to 50,000 connections that are rows of the local
// DynamoDB and posts to a stub: the splitter, the delivery queue of the local
// SQS and the deliverers' managers are the real ones, without Lambda around
// them. The second run has a worker die every second before it can record its
// unit, one post in a hundred throttled and another fail.
func BenchmarkInMemory(b *testing.B) {
	for b.Loop() {
		w := newWorld(b)
		w.connect(inMemory)
		calm := w.broadcast("calm", false)
		b.ReportMetric(calm.took.Seconds(), "s-50000")
		b.ReportMetric(inMemory/calm.took.Seconds(), "posts/s-50000")
		b.ReportMetric(float64(calm.lost), "lost")
		b.ReportMetric(float64(calm.doubled), "doubled")
		b.ReportMetric(w.bill.perByte(), "x-bytes")
		stormy := w.broadcast("stormy", true)
		b.ReportMetric(float64(stormy.lost), "lost-amid-faults")
		b.ReportMetric(float64(stormy.doubled), "doubled-amid-faults")
		b.ReportMetric(float64(stormy.killed), "killed")
	}
	b.ReportMetric(0, "ns/op")
}

// world is a local cloud with a table and a delivery queue, and nothing else.
type world struct {
	testing.TB
	cloud *emulator.Emulator
	bill  *meter
	table *store.DynamoDB
	sqs   *sqs.Client
	queue string
}

func newWorld(tb testing.TB) *world {
	tb.Helper()
	cloud := emulator.Start(tb)
	c := cloud.Config()
	db := dynamodb.NewFromConfig(c)
	if _, err := db.CreateTable(tb.Context(), connectionsTable()); err != nil {
		tb.Fatal(err)
	}
	w := &world{TB: tb, cloud: cloud, bill: &meter{API: db}, sqs: sqs.NewFromConfig(c)}
	w.table = store.NewDynamoDB(w.bill, "connections", store.Options{Now: cloud.Clock().Now})
	out, err := w.sqs.CreateQueue(tb.Context(), &sqs.CreateQueueInput{QueueName: aws.String("deliver"), Attributes: map[string]string{"VisibilityTimeout": "180"}})
	if err != nil {
		tb.Fatal(err)
	}
	w.queue = *out.QueueUrl
	return w
}

// connectionsTable is infra/modules/connections-table as far as keys go.
func connectionsTable() *dynamodb.CreateTableInput {
	in := &dynamodb.CreateTableInput{TableName: aws.String("connections"), BillingMode: types.BillingModePayPerRequest}
	for name, kind := range map[string]types.KeyType{"pk": types.KeyTypeHash, "sk": types.KeyTypeRange} {
		in.AttributeDefinitions = append(in.AttributeDefinitions, types.AttributeDefinition{AttributeName: &name, AttributeType: types.ScalarAttributeTypeS})
		in.KeySchema = append(in.KeySchema, types.KeySchemaElement{AttributeName: &name, KeyType: kind})
	}
	if in.KeySchema[0].KeyType != types.KeyTypeHash { // DynamoDB wants it first
		in.KeySchema[0], in.KeySchema[1] = in.KeySchema[1], in.KeySchema[0]
	}
	return in
}

func connectionID(i int) string { return fmt.Sprintf("R1kmxc%09d=", i) }

func (w *world) connect(n int) {
	w.Helper()
	now := w.cloud.Clock().Now()
	group, ctx := errgroup.WithContext(w.Context())
	group.SetLimit(writersAtOnce)
	for i := range n {
		group.Go(func() error {
			return w.table.Put(ctx, connection.Connection{
				ID: connectionID(i), Tenant: "crowd", User: fmt.Sprint("u", i), ConnectedAt: now,
				TokenExpiresAt: now.Add(2 * time.Hour), ExpiresAt: now.Add(2 * time.Hour),
			})
		})
	}
	if err := group.Wait(); err != nil {
		w.Fatal(err)
	}
}

// outcome is what became of a broadcast in memory.
type outcome struct {
	took                  time.Duration
	lost, doubled, killed int
}

func (w *world) broadcast(messageID string, faults bool) outcome {
	w.Helper()
	posts := newStub(faults)
	ctx, stop := context.WithCancel(w.Context())
	defer stop()
	var (
		pool   sync.WaitGroup
		killed atomic.Int64
		begun  = time.Now()
	)
	for i := range workers {
		first := time.Duration(0)
		if faults {
			first = time.Duration(i+1) * time.Second
		}
		pool.Go(func() { killed.Add(int64(w.work(ctx, posts, first))) })
	}
	w.split(messageID, posts)
	for left := maxRounds; posts.await(inMemory, quiet) > 0 && faults && left > 0; left-- {
		w.cloud.Clock().Advance(deliverVisibility)
	}
	took := posts.last().Sub(begun)
	time.Sleep(time.Second) // for what comes twice
	stop()
	pool.Wait()
	clients, doubled := posts.count()
	return outcome{took, inMemory - clients, doubled, int(killed.Load())}
}

// maxRounds is how often what the killed held may come back: no dead-letter
// queue ends it here, and no socket falls idle.
const maxRounds = 15

func (w *world) split(messageID string, posts connection.Sender) {
	w.Helper()
	s := &broadcast.Splitter{
		Audience: w.table, Ledger: w.table, Claims: w.table, Units: queue.NewPublisher(w.sqs, w.queue),
		Deliverer: w.deliverer(posts), Retirer: nobody{}, Now: w.cloud.Clock().Now,
	}
	out, err := s.Run(w.Context(), broadcast.Message{
		Tenant: "crowd", To: protocol.Audience{Tenant: true}, Data: []byte(`"one of very many"`),
		MessageID: messageID, Time: w.cloud.Clock().Now().UnixMilli(),
	})
	if err != nil || out.Recipients != inMemory {
		w.Fatalf("split into %+v, error %v", out, err)
	}
}

// deliverer is as functions/deliver wires it.
func (w *world) deliverer(posts connection.Sender) *broadcast.Deliverer {
	m := connection.NewManager(w.table, broadcast.Timed(posts), connection.Options{Adaptive: true, Rate: unitRate / workers, BurstPeriod: broadcast.CatchUp})
	return &broadcast.Deliverer{Send: broadcast.ByManager(m), Ledger: w.table, Now: w.cloud.Clock().Now}
}

// nobody has no stale connections.
type nobody struct{}

func (nobody) Retire(context.Context, string) error {
	return errors.New("a stale connection where all are live")
}

// work takes units and delivers them until ctx ends. If first is not 0 the worker
// dies after first and its successors one after the other, so that of all
// workers one dies each second. It returns how many have.
func (w *world) work(ctx context.Context, posts connection.Sender, first time.Duration) (deaths int) {
	if first == 0 {
		w.serve(ctx, w.deliverer(posts))
		return 0
	}
	for age := first; ctx.Err() == nil; age = workers * time.Second {
		life, end := context.WithCancel(ctx) // not by a deadline: nobody knows of it before
		death := time.AfterFunc(age, end)
		w.serve(life, w.deliverer(posts))
		death.Stop()
		if ctx.Err() == nil {
			deaths++
		}
	}
	return deaths
}

func (w *world) serve(ctx context.Context, d *broadcast.Deliverer) {
	d.Ledger = dying{d.Ledger, ctx}
	for ctx.Err() == nil {
		out, err := w.sqs.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &w.queue, WaitTimeSeconds: 1})
		if err != nil {
			continue // it died, or is to stop
		}
		for _, m := range out.Messages {
			u, err := broadcast.ParseUnit([]byte(*m.Body))
			if err == nil {
				_, err = d.Deliver(ctx, u)
			}
			if err == nil {
				_, err = w.sqs.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &w.queue, ReceiptHandle: m.ReceiptHandle})
			}
			if err != nil && ctx.Err() == nil && !errors.Is(err, broadcast.ErrUnfinished) {
				w.Error(err)
			}
		}
	}
}

// dying is the ledger of a worker that is killed: it records nothing afterwards,
// although a deliverer would after its deadline.
type dying struct {
	broadcast.Ledger
	life context.Context
}

func (d dying) PutUnit(ctx context.Context, messageID string, counts broadcast.UnitCounts) error {
	if err := d.life.Err(); err != nil {
		return err
	}
	return d.Ledger.PutUnit(ctx, messageID, counts)
}
