package cost_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	local "fanfare/localstack/dynamodb"
	"fanfare/scripts/cost"
	"fanfare/shared/broadcast"
	"fanfare/shared/connection"
	"fanfare/shared/protocol"
	"fanfare/shared/store"
)

// TestThePlanIsDynamoDBsBill splits and delivers broadcasts with the code of
// the functions, on the local DynamoDB, and compares what it says it consumed.
func TestThePlanIsDynamoDBsBill(t *testing.T) {
	for _, n := range []int{0, 1, 500, 501, 1600} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			bill := &meter{API: newTable(t)}
			table := store.NewDynamoDB(bill, tableName, store.Options{})
			now := time.Now()
			for i := range n {
				c := connection.Connection{ID: fmt.Sprintf("R1kmxc2V%07d=", i), Tenant: "acme", User: "u", ConnectedAt: now, ExpiresAt: now.Add(time.Hour)}
				if err := table.Put(t.Context(), c); err != nil {
					t.Fatal(err)
				}
			}
			bill.read, bill.write = 0, 0
			to := protocol.Audience{Tenant: true}
			send(t, table, broadcast.Message{Tenant: "acme", To: to, Data: json.RawMessage(`1`), MessageID: "KVQ5EB5ZPDFKS3WPXNHFNG5QDM", Time: now.UnixMilli(), IdempotencyKey: "k"})

			plan := cost.DefaultDeployment().Plan(cost.Broadcast{Tenant: "acme", To: to, Recipients: n, FrameBytes: 200, Keyed: true})
			// Where a page ends within a shard, both parts are rounded up.
			if got := plan.Usage[cost.ReadUnits]; math.Abs(got-bill.read) > 0.1*bill.read+3 {
				t.Errorf("planned %v read units, consumed %v", got, bill.read)
			}
			if got := plan.Usage[cost.WriteUnits]; got != bill.write {
				t.Errorf("planned %v write units, consumed %v", got, bill.write)
			}
		})
	}
}

// send does what both functions do.
func send(t *testing.T, table *store.DynamoDB, m broadcast.Message) {
	t.Helper()
	deliverer := &broadcast.Deliverer{Ledger: table, Now: time.Now, Send: func(context.Context, []string, []byte, func(string, error)) error { return nil }}
	var queued units
	splitter := &broadcast.Splitter{Audience: table, Ledger: table, Claims: table, Units: &queued, Deliverer: deliverer, Now: time.Now}
	if _, err := splitter.Run(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	for _, u := range queued {
		if _, err := deliverer.Deliver(t.Context(), u); err != nil {
			t.Fatal(err)
		}
	}
}

type units []broadcast.Unit

func (q *units) SendUnit(_ context.Context, u broadcast.Unit) error {
	*q = append(*q, u)
	return nil
}

const tableName = "connections"

// newTable returns a client of a local DynamoDB with an empty table, within
// the process.
func newTable(t *testing.T) *dynamodb.Client {
	t.Helper()
	service := local.New(local.Options{})
	t.Cleanup(func() { service.Close() })
	client := dynamodb.New(dynamodb.Options{
		Region: "us-east-1", BaseEndpoint: aws.String("http://dynamodb.invalid"),
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
		HTTPClient:  &http.Client{Transport: handlerTransport{service}},
	})
	_, err := client.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: aws.String(tableName), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: aws.String("sk"), AttributeType: types.ScalarAttributeTypeS},
		},
		KeySchema: []types.KeySchemaElement{
			{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash},
			{AttributeName: aws.String("sk"), KeyType: types.KeyTypeRange},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

type handlerTransport struct{ handler http.Handler }

func (h handlerTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	h.handler.ServeHTTP(w, r)
	response := w.Result()
	response.Request = r
	return response, nil
}

// meter asks DynamoDB what each request of a broadcast cost and adds it up.
type meter struct {
	store.API
	read, write float64
}

func add(to *float64, c *types.ConsumedCapacity) {
	if c != nil && c.CapacityUnits != nil {
		*to += *c.CapacityUnits
	}
}

func (m *meter) Query(ctx context.Context, in *dynamodb.QueryInput, o ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	in.ReturnConsumedCapacity = types.ReturnConsumedCapacityTotal
	out, err := m.API.Query(ctx, in, o...)
	if err == nil {
		add(&m.read, out.ConsumedCapacity)
	}
	return out, err
}

func (m *meter) GetItem(ctx context.Context, in *dynamodb.GetItemInput, o ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	in.ReturnConsumedCapacity = types.ReturnConsumedCapacityTotal
	out, err := m.API.GetItem(ctx, in, o...)
	if err == nil {
		add(&m.read, out.ConsumedCapacity)
	}
	return out, err
}

func (m *meter) PutItem(ctx context.Context, in *dynamodb.PutItemInput, o ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	in.ReturnConsumedCapacity = types.ReturnConsumedCapacityTotal
	out, err := m.API.PutItem(ctx, in, o...)
	if err == nil {
		add(&m.write, out.ConsumedCapacity)
	}
	return out, err
}

func (m *meter) UpdateItem(ctx context.Context, in *dynamodb.UpdateItemInput, o ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	in.ReturnConsumedCapacity = types.ReturnConsumedCapacityTotal
	out, err := m.API.UpdateItem(ctx, in, o...)
	if err == nil {
		add(&m.write, out.ConsumedCapacity)
	}
	return out, err
}
