package emulator

import (
	"context"
	"maps"
	"net/http/httptest"
	"slices"
	"testing"

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
