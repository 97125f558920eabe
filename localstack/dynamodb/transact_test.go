package dynamodb

import (
	"errors"
	"strings"
	"testing"
	"time"

	"fanfare/localstack/clock"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// subscribe is a transaction as the connections table has it: add to a list
// if the connection exists, put the membership.
func subscribe(connection string) []types.TransactWriteItem {
	return []types.TransactWriteItem{
		{Update: &types.Update{
			TableName: aws.String("one"), Key: key("connection/"+connection, "connection"),
			UpdateExpression: aws.String("ADD channels :c"), ConditionExpression: aws.String("attribute_exists(pk)"),
			ExpressionAttributeValues:           attrs{":c": SS("orders")},
			ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		}},
		{Put: &types.Put{TableName: aws.String("two"), Item: key("acme/channel/orders", connection)}},
	}
}

// [BOTO:dynamodb TransactWriteItems].
func TestTransactionIsAllOrNothing(t *testing.T) {
	c, _ := newClient(t, Options{})
	createTable(t, c, "one", "pk:S", "sk:S")
	createTable(t, c, "two", "pk:S", "sk:S")

	_, err := c.TransactWriteItems(t.Context(), &sdk.TransactWriteItemsInput{TransactItems: subscribe("c1")})
	canceled, ok := errors.AsType[*types.TransactionCanceledException](err)
	if !ok {
		t.Fatalf("error = %v, want TransactionCanceledException", err)
	}
	if got := reasonCodes(canceled); got != "ConditionalCheckFailed None" {
		t.Errorf("reasons = %s", got)
	}
	if !strings.Contains(canceled.ErrorMessage(), "[ConditionalCheckFailed, None]") {
		t.Errorf("message = %s", canceled.ErrorMessage())
	}
	if it := get1(t, c, "two", key("acme/channel/orders", "c1")); it != nil {
		t.Errorf("a cancelled transaction has written %s", text(it))
	}

	put(t, c, "one", key("connection/c1", "connection"))
	out, err := c.TransactWriteItems(t.Context(), &sdk.TransactWriteItemsInput{
		TransactItems: subscribe("c1"), ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
	})
	if err != nil {
		t.Fatal(err)
	}
	if it := get1(t, c, "two", key("acme/channel/orders", "c1")); it == nil {
		t.Error("the membership is missing")
	}
	if len(out.ConsumedCapacity) != 2 || *out.ConsumedCapacity[0].CapacityUnits != 2 || *out.ConsumedCapacity[0].WriteCapacityUnits != 2 {
		t.Errorf("consumed %+v, want 2 write units on each table", out.ConsumedCapacity)
	}
}

func reasonCodes(e *types.TransactionCanceledException) string {
	codes := make([]string, len(e.CancellationReasons))
	for i, r := range e.CancellationReasons {
		codes[i] = aws.ToString(r.Code)
	}
	return strings.Join(codes, " ")
}

// [BOTO:dynamodb TransactWriteItems].
func TestCancellationReasonsCarryTheItem(t *testing.T) {
	c, _ := newClient(t, Options{})
	createTable(t, c, "one", "pk:S", "sk:S")
	put(t, c, "one", attrs{"pk": S("p"), "sk": S("a"), "word": S("x")})
	_, err := c.TransactWriteItems(t.Context(), &sdk.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
		{ConditionCheck: &types.ConditionCheck{
			TableName: aws.String("one"), Key: key("p", "a"), ConditionExpression: aws.String("attribute_not_exists(pk)"),
			ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		}},
		{Update: &types.Update{TableName: aws.String("one"), Key: key("p", "b"), UpdateExpression: aws.String("SET a = nope")}},
		{Delete: &types.Delete{TableName: aws.String("one"), Key: key("p", "c")}},
	}})
	canceled, ok := errors.AsType[*types.TransactionCanceledException](err)
	if !ok {
		t.Fatalf("error = %v, want TransactionCanceledException", err)
	}
	if got := reasonCodes(canceled); got != "ConditionalCheckFailed ValidationError None" {
		t.Errorf("reasons = %s", got)
	}
	if got, want := text(canceled.CancellationReasons[0].Item), `{"pk":{"S":"p"},"sk":{"S":"a"},"word":{"S":"x"}}`; got != want {
		t.Errorf("item = %s, want %s", got, want)
	}
}

// 100 actions, one to an item [BOTO:dynamodb TransactWriteItems].
func TestTransactionsRefuse(t *testing.T) {
	c, _ := newClient(t, Options{})
	createTable(t, c, "one", "pk:S", "sk:S")
	same := types.TransactWriteItem{Delete: &types.Delete{TableName: aws.String("one"), Key: key("p", "a")}}
	check := types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{TableName: aws.String("one"), Key: key("p", "a"), ConditionExpression: aws.String("attribute_exists(pk)")}}
	tests := []struct {
		name  string
		items []types.TransactWriteItem
		want  string
	}{
		{"two operations on one item", []types.TransactWriteItem{same, check}, "Transaction request cannot include multiple operations on one item"},
		{"none", []types.TransactWriteItem{}, "greater than or equal to 1"},
		{"101", make101(), "less than or equal to 100"},
		{"an action of two kinds", []types.TransactWriteItem{{Delete: same.Delete, ConditionCheck: check.ConditionCheck}}, "can only contain one of"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := c.TransactWriteItems(t.Context(), &sdk.TransactWriteItemsInput{TransactItems: tt.items})
			wantError(t, err, "ValidationException", tt.want)
		})
	}
}

func make101() (items []types.TransactWriteItem) {
	for i := range 101 {
		items = append(items, types.TransactWriteItem{Put: &types.Put{TableName: aws.String("one"), Item: key("p", string(rune('a'+i)))}})
	}
	return items
}

// Ten minutes, and read units for the repetition [BOTO:dynamodb
// TransactWriteItems ClientRequestToken].
func TestClientRequestTokenMakesATransactionRunOnce(t *testing.T) {
	cl := clock.New()
	c, _ := newClient(t, Options{Clock: cl})
	createTable(t, c, "one", "pk:S", "sk:S")
	increment := func(by, token string) error {
		_, err := c.TransactWriteItems(t.Context(), &sdk.TransactWriteItemsInput{
			ClientRequestToken: &token,
			TransactItems: []types.TransactWriteItem{{Update: &types.Update{
				TableName: aws.String("one"), Key: key("p", "n"), UpdateExpression: aws.String("ADD n :by, m :by"), ExpressionAttributeValues: attrs{":by": N(by)},
			}}},
		})
		return err
	}
	wantError(t, increment("1", "t1"), "", "")
	wantError(t, increment("1", "t1"), "", "")
	err := increment("2", "t1")
	if _, ok := errors.AsType[*types.IdempotentParameterMismatchException](err); !ok {
		t.Errorf("error = %v, want IdempotentParameterMismatchException", err)
	}
	if got := fromSDK(get1(t, c, "one", key("p", "n"))["n"]).text; got != "1" {
		t.Errorf("n = %s after a repeated transaction, want 1", got)
	}
	cl.Advance(10 * time.Minute)
	wantError(t, increment("1", "t1"), "", "")
	if got := fromSDK(get1(t, c, "one", key("p", "n"))["n"]).text; got != "2" {
		t.Errorf("n = %s after the token's ten minutes, want 2", got)
	}
}

// [BOTO:dynamodb TransactGetItems].
func TestTransactGetAnswersByPosition(t *testing.T) {
	c, _ := newClient(t, Options{})
	createTable(t, c, "one", "pk:S", "sk:S")
	put(t, c, "one", key("p", "b"))
	gets := []types.TransactGetItem{
		{Get: &types.Get{TableName: aws.String("one"), Key: key("p", "a")}},
		{Get: &types.Get{TableName: aws.String("one"), Key: key("p", "b"), ProjectionExpression: aws.String("sk")}},
	}
	out, err := c.TransactGetItems(t.Context(), &sdk.TransactGetItemsInput{TransactItems: gets, ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Responses) != 2 || out.Responses[0].Item != nil || text(out.Responses[1].Item) != `{"sk":{"S":"b"}}` {
		t.Errorf("responses = %+v", out.Responses)
	}
	if *out.ConsumedCapacity[0].ReadCapacityUnits != 4 {
		t.Errorf("consumed %v read units, want 2 for each item", *out.ConsumedCapacity[0].ReadCapacityUnits)
	}
}
