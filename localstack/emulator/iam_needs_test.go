package emulator

import (
	"context"
	"fmt"
	"maps"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"fanfare/localstack/awsproto"
)

// Whether or not policies ask for condition keys, a request needs the same rights.
func TestKeysDoNotChangeWhatARequestNeeds(t *testing.T) {
	e, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close(context.Background()) }) // it never listened
	for operation, body := range map[string]string{
		"GetItem":            `{"TableName":"tab","Key":{"k":{"S":"a"}}}`,
		"PutItem":            `{"tableName":"arn:aws:dynamodb:us-east-1:000000000000:table/tab","Item":{}}`,
		"UpdateItem":         `{"TableName":"tab","Key":{"k":{"S":"a"}},"UpdateExpression":"SET a = b"}`,
		"DeleteItem":         `{"TableName":"tab","Key":{"k":{"S":"a"}}}`,
		"Query":              `{"TableName":"tab","IndexName":"idx","KeyConditionExpression":"k = :k"}`,
		"Scan":               `{"TableName":"tab","indexName":"idx"}`,
		"BatchGetItem":       `{"RequestItems":{"tab":{"Keys":[]},"other":{"Keys":[]}}}`,
		"BatchWriteItem":     `{"requestItems":{"tab":[{"PutRequest":{"Item":{}}}],"arn:aws:dynamodb:us-east-1:000000000000:table/other":[]}}`,
		"TransactGetItems":   `{"TransactItems":[{"Get":{"TableName":"tab","Key":{}}},{"Get":{"TableName":"other","Key":{}}}]}`,
		"TransactWriteItems": `{"TransactItems":[{"Put":{"TableName":"tab","Item":{}}},{"put":{"tableName":"tab","Item":{}}},{"Update":{"TableName":"tab"}},{"Delete":{"TableName":"tab"}},{"ConditionCheck":{"TableName":"tab"}}]}`,
		"DescribeTable":      `{"TableName":"tab"}`,
	} {
		t.Run(operation, func(t *testing.T) {
			call := &awsproto.Call{Service: "dynamodb", Operation: operation, Region: "eu-west-1"}
			r := httptest.NewRequest("POST", "/", nil)
			q := asked{call, r.WithContext(awsproto.WithCall(r.Context(), call)), []byte(body)}
			if quick, full := rights(dynamodbNeeds(q)), rights(dynamodbNeedsWithKeys(e, q)); !slices.Equal(quick, full) || len(quick) == 0 {
				t.Errorf("without keys %q, with keys %q", quick, full)
			}
		})
	}
}

// rights are those of the needs, each once.
func rights(needs []need) []string {
	set := map[string]bool{}
	for _, n := range needs {
		set[n.action+" on "+n.resource] = true
	}
	return slices.Sorted(maps.Keys(set))
}

// What a transaction needs is asked before DynamoDB counts its parts.
func TestATransactionOfVeryManyTablesIsReadAtOnce(t *testing.T) {
	var body strings.Builder
	const parts = 50_000
	for i := range parts {
		fmt.Fprintf(&body, `,{"Delete":{"TableName":"t%d"}},{"Delete":{"TableName":"t%[1]d"}}`, i)
	}
	call := &awsproto.Call{Service: "dynamodb", Operation: "TransactWriteItems", Region: "eu-west-1"}
	q := asked{call, httptest.NewRequest("POST", "/", nil), []byte(`{"TransactItems":[` + body.String()[1:] + `]}`)}
	begin := time.Now()
	if n := len(dynamodbNeeds(q)); n != parts {
		t.Errorf("%d needs, want %d", n, parts)
	}
	if took := time.Since(begin); took > 10*time.Second { // each with all before it: a minute
		t.Errorf("it took %v", took)
	}
}

// What is counted is bounded in number and in size: names are the caller's choice.
func TestUsesOfVeryLongNamesAreCountedTogether(t *testing.T) {
	var u usage
	for i := range 5 {
		u.note(use{role: "r", action: "dynamodb:GetItem", resource: fmt.Sprint(i, strings.Repeat("x", 1<<20))}, verdict{})
	}
	all := u.list()
	if len(all) != 1 || all[0].Resource != "*" || all[0].Denied != 5 || len(all[0].sample) > maxResource {
		t.Errorf("%d uses, the first of %.40q: %d refused, %d bytes kept", len(all), all[0].Resource, all[0].Denied, len(all[0].sample))
	}
}
