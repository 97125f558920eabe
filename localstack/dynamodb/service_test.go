package dynamodb

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fanfare/localstack/clock"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func TestAddIsAtomic(t *testing.T) {
	const workers, each = 16, 25
	c, _ := newClient(t, Options{})
	createTable(t, c, "counters", "pk:S")
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for range each {
				_, err := c.UpdateItem(t.Context(), &sdk.UpdateItemInput{
					TableName: aws.String("counters"), Key: attrs{"pk": S("n")},
					UpdateExpression: aws.String("ADD n :one"), ExpressionAttributeValues: attrs{":one": N("1")},
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if got := fromSDK(get1(t, c, "counters", attrs{"pk": S("n")})["n"]).text; got != fmt.Sprint(workers*each) {
		t.Errorf("n = %s, want %d", got, workers*each)
	}
}

// TestCrossedTransactionsDoNotDeadlock: half of them name the tables in the
// other order. Each moves a unit, so the sum stays what it was.
func TestCrossedTransactionsDoNotDeadlock(t *testing.T) {
	c, _ := newClient(t, Options{})
	createTable(t, c, "left", "pk:S")
	createTable(t, c, "right", "pk:S")
	add := func(table, by string) types.TransactWriteItem {
		return types.TransactWriteItem{Update: &types.Update{
			TableName: &table, Key: attrs{"pk": S("n")}, UpdateExpression: aws.String("ADD n :by"), ExpressionAttributeValues: attrs{":by": N(by)},
		}}
	}
	var group sync.WaitGroup
	for worker := range 8 {
		group.Go(func() {
			items := []types.TransactWriteItem{add("left", "1"), add("right", "-1")}
			if worker%2 == 0 {
				items[0], items[1] = items[1], items[0]
			}
			for range 20 {
				if _, err := c.TransactWriteItems(t.Context(), &sdk.TransactWriteItemsInput{TransactItems: items}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	left, right := fromSDK(get1(t, c, "left", attrs{"pk": S("n")})["n"]).text, fromSDK(get1(t, c, "right", attrs{"pk": S("n")})["n"]).text
	if left != "160" || right != "-160" {
		t.Errorf("left %s, right %s; want 160 and -160", left, right)
	}
}

func TestSnapshotAndRestore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cl := clock.New()
		before, s := newDirectClient(t, Options{Clock: cl})
		createTable(t, before, "things", "pk:S", "sk:N")
		enableTTL(t, before, "things")
		put(t, before, "things", attrs{"pk": S("a"), "sk": N("2"), "x": L(B("\x00"), NS("1"))})
		put(t, before, "things", attrs{"pk": S("a"), "sk": N("10"), "expiresAt": epochIn(cl, time.Hour)})
		state, err := s.Snapshot()
		if err != nil {
			t.Fatal(err)
		}

		after, restored := newDirectClient(t, Options{Clock: cl})
		createTable(t, after, "goes-away", "pk:S")
		if err := restored.Restore(state); err != nil {
			t.Fatal(err)
		}
		if again, err := restored.Snapshot(); err != nil || string(again) != string(state) {
			t.Errorf("snapshot of the restored state differs (%v):\n%s\n%s", err, again, state)
		}
		_, err = after.DescribeTable(t.Context(), &sdk.DescribeTableInput{TableName: aws.String("goes-away")})
		wantError(t, err, "ResourceNotFoundException", "Table: goes-away not found")
		out, err := after.Query(t.Context(), &sdk.QueryInput{TableName: aws.String("things"), KeyConditionExpression: aws.String("pk = :a"), ExpressionAttributeValues: attrs{":a": S("a")}})
		if err != nil || sortKeys(out.Items) != "2 10" {
			t.Errorf("rows %v, %v", out, err)
		}
		cl.Advance(2 * time.Hour)
		synctest.Wait()
		if it := get1(t, after, "things", attrs{"pk": S("a"), "sk": N("10")}); it != nil {
			t.Error("time to live does not work after Restore")
		}
	})
}

func TestRestoreOfNonsenseKeepsTheState(t *testing.T) {
	c, s := newClient(t, Options{})
	createTable(t, c, "things", "pk:S")
	for _, bad := range []string{`{`, `{"tables":[{"name":"x"}]}`} {
		if err := s.Restore([]byte(bad)); err == nil {
			t.Errorf("Restore(%s) took it", bad)
		}
	}
	put(t, c, "things", attrs{"pk": S("a")})
}

func TestBadJSONIsASerializationException(t *testing.T) {
	s := New(Options{})
	defer s.Close()
	for _, body := range []string{`{`, `{"TableName": 5}`, `{"Key": {"pk": {"S": 5}}}`, `{"Key": {"pk": {"B": "!"}}}`} {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		r.Header.Set("X-Amz-Target", "DynamoDB_20120810.GetItem")
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != 400 || !strings.Contains(w.Body.String(), "SerializationException") {
			t.Errorf("%s: %d %s", body, w.Code, w.Body)
		}
	}
}

// BenchmarkRequests measures whole requests without the client's share.
func BenchmarkRequests(b *testing.B) {
	s := New(Options{})
	defer s.Close()
	call := func(operation, body string) {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		r.Header.Set("X-Amz-Target", "DynamoDB_20120810."+operation)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != 200 {
			b.Fatal(w.Body)
		}
	}
	call("CreateTable", `{"TableName":"rows","BillingMode":"PAY_PER_REQUEST","KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}],
		"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"S"}]}`)
	putRow := func(i int) {
		call("PutItem", fmt.Sprintf(`{"TableName":"rows","Item":{"pk":{"S":"p%d"},"sk":{"S":"%d"},"tenant":{"S":"acme"},"expiresAt":{"N":"1732000000"},"list":{"SS":["a","b"]}},
			"ConditionExpression":"attribute_not_exists(pk)"}`, i%8, i))
	}
	rows := 0
	for ; rows < 1000; rows++ {
		putRow(rows)
	}
	b.Run("PutItem", func(b *testing.B) {
		for b.Loop() {
			putRow(rows)
			rows++
		}
	})
	b.Run("QueryPageOf100", func(b *testing.B) {
		for b.Loop() {
			call("Query", `{"TableName":"rows","Limit":100,"KeyConditionExpression":"pk = :p","ExpressionAttributeValues":{":p":{"S":"p1"}},"ProjectionExpression":"sk"}`)
		}
	})
}
