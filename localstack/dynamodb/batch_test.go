package dynamodb

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func putRequest(it attrs) types.WriteRequest {
	return types.WriteRequest{PutRequest: &types.PutRequest{Item: it}}
}

func deleteRequest(k attrs) types.WriteRequest {
	return types.WriteRequest{DeleteRequest: &types.DeleteRequest{Key: k}}
}

// [BOTO:dynamodb BatchWriteItem, BatchGetItem].
func TestBatchWriteThenBatchGet(t *testing.T) {
	c, _ := newClient(t, Options{})
	createTable(t, c, "one", "pk:S", "sk:S")
	createTable(t, c, "two", "pk:S", "sk:S")
	put(t, c, "two", key("p", "old"))
	out, err := c.BatchWriteItem(t.Context(), &sdk.BatchWriteItemInput{
		RequestItems: map[string][]types.WriteRequest{
			"one": {putRequest(key("p", "a")), putRequest(key("p", "b"))},
			"two": {deleteRequest(key("p", "old"))},
		},
		ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.UnprocessedItems) != 0 || len(out.ConsumedCapacity) != 2 || *out.ConsumedCapacity[0].CapacityUnits != 2 {
		t.Errorf("answer %+v, want nothing unprocessed and 2 units on table one", out)
	}
	got, err := c.BatchGetItem(t.Context(), &sdk.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{
		"one": {Keys: []map[string]types.AttributeValue{key("p", "a"), key("p", "none"), key("p", "b")}, ProjectionExpression: aws.String("sk")},
		"two": {Keys: []map[string]types.AttributeValue{key("p", "old")}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Responses["one"]) != 2 || len(got.Responses["two"]) != 0 || len(got.UnprocessedKeys) != 0 {
		t.Errorf("responses %v", got.Responses)
	}
}

// 25 writes, 100 reads, no key twice [BOTO:dynamodb BatchWriteItem, BatchGetItem].
func TestBatchesRefuse(t *testing.T) {
	c, _ := newClient(t, Options{})
	createTable(t, c, "one", "pk:S", "sk:S")
	many := func(n int) (out []types.WriteRequest) {
		for i := range n {
			out = append(out, putRequest(key("p", fmt.Sprint(i))))
		}
		return out
	}
	tests := []struct {
		name     string
		requests []types.WriteRequest
		want     string
	}{
		{"26 writes", many(26), "Too many items requested for the BatchWriteItem call"},
		{"the same key twice", []types.WriteRequest{putRequest(key("p", "a")), deleteRequest(key("p", "a"))}, "Provided list of item keys contains duplicates"},
		{"an item too large, before writing any", append(many(1), putRequest(attrs{"pk": S("p"), "sk": S("x"), "v": S(strings.Repeat("x", 400<<10))})), "Item size has exceeded"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := c.BatchWriteItem(t.Context(), &sdk.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{"one": tt.requests}})
			wantError(t, err, "ValidationException", tt.want)
		})
	}
	if it := get1(t, c, "one", key("p", "0")); it != nil {
		t.Errorf("a refused batch has written %s", text(it))
	}
	var keys []map[string]types.AttributeValue
	for i := range 101 {
		keys = append(keys, key("p", fmt.Sprint(i)))
	}
	_, err := c.BatchGetItem(t.Context(), &sdk.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{"one": {Keys: keys}}})
	wantError(t, err, "ValidationException", "Too many items requested for the BatchGetItem call")
	_, err = c.BatchGetItem(t.Context(), &sdk.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{"one": {Keys: append(keys[:1:1], keys[0])}}})
	wantError(t, err, "ValidationException", "Provided list of item keys contains duplicates")
}

// The numbers are those of AWS's example [BOTO:dynamodb BatchGetItem]. The
// operation is called itself: 16 MB of JSON would say nothing more.
func TestBatchGetLeavesWhatExceeds16MBUnprocessed(t *testing.T) {
	c, s := newClient(t, Options{})
	createTable(t, c, "one", "pk:S")
	big := value{kind: kindS, text: strings.Repeat("x", 300<<10)}
	var keys []item
	for i := range 100 {
		k := item{"pk": {kind: kindS, text: fmt.Sprint(i)}}
		keys = append(keys, k)
		in := &putItemInput{Item: item{"pk": k["pk"], "v": big}}
		in.TableName = "one"
		if _, err := s.putItem(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	first, err := s.batchGetItem(t.Context(), &batchGetInput{RequestItems: map[string]keysAndAttributes{"one": {Keys: keys}}})
	if err != nil {
		t.Fatal(err)
	}
	second, err := s.batchGetItem(t.Context(), &batchGetInput{RequestItems: first.UnprocessedKeys})
	if err != nil {
		t.Fatal(err)
	}
	if n, m := len(first.Responses["one"]), len(second.Responses["one"]); n != 52 || m != 48 || len(second.UnprocessedKeys) != 0 {
		t.Errorf("first %d, then %d items; want 52, then 48", n, m)
	}
}
