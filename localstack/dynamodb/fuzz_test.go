package dynamodb

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// FuzzRequests: whatever is sent to an operation, it answers with JSON, and with
// an error only of those that are the client's fault.
func FuzzRequests(f *testing.F) {
	for operation, bodies := range map[string][]string{
		"GetItem": {`{"TableName":"tab","Key":{"k":{"S":"a"}},"ProjectionExpression":"a.b[1],#n","ExpressionAttributeNames":{"#n":"n"}}`},
		"PutItem": {`{"TableName":"tab","Item":{"k":{"S":"a"},"g":{"N":"1e2"},"l":{"L":[{"NULL":true},{"M":{"x":{"BS":["AA=="]}}}]}},"ReturnValues":"ALL_OLD"}`,
			`{"TableName":"tab","Item":{"k":{"S":"a"},"l":` + strings.Repeat(`{"L":[`, 40) + strings.Repeat(`]}`, 40) + `}}`},
		"UpdateItem": {`{"TableName":"tab","Key":{"k":{"S":"a"}},"UpdateExpression":"SET n = if_not_exists(n, :one) + :one REMOVE l[0]",
			"ExpressionAttributeValues":{":one":{"N":"1"}},"ReturnConsumedCapacity":"INDEXES"}`},
		"DeleteItem": {`{"TableName":"tab","Key":{"k":{"S":"a"}},"ConditionExpression":"size(k) < :n","ExpressionAttributeValues":{":n":{"N":"1"}}}`},
		"Query": {`{"TableName":"tab","IndexName":"idx","KeyConditionExpression":"g = :g","ExpressionAttributeValues":{":g":{"N":"1"}},"Limit":1,
			"ExclusiveStartKey":{"k":{"S":"a"},"g":{"N":"1"}}}`},
		"Scan":               {`{"TableName":"tab","Segment":1,"TotalSegments":2,"Select":"COUNT","ExclusiveStartKey":{"k":{"S":"a"}}}`},
		"BatchGetItem":       {`{"RequestItems":{"tab":{"Keys":[{"k":{"S":"a"}}]}}}`},
		"BatchWriteItem":     {`{"RequestItems":{"tab":[{"PutRequest":{"Item":{"k":{"S":"a"}}}},{"DeleteRequest":null}]}}`},
		"TransactGetItems":   {`{"TransactItems":[{"Get":{"TableName":"tab","Key":{"k":{"S":"a"}}}},{}]}`},
		"TransactWriteItems": {`{"TransactItems":[{"Update":{"TableName":"tab","Key":{"k":{"S":"a"}},"UpdateExpression":"SET a=k"}},{"Put":null}],"ClientRequestToken":"x"}`},
		"CreateTable": {`{"TableName":"new","KeySchema":[{"AttributeName":"k","KeyType":"HASH"}],"AttributeDefinitions":[{"AttributeName":"k","AttributeType":"B"}],
			"BillingMode":"PAY_PER_REQUEST"}`},
		"UpdateTable":             {`{"TableName":"tab","GlobalSecondaryIndexUpdates":[{"Delete":{"IndexName":"idx"}},{"Create":{}}]}`},
		"UpdateTimeToLive":        {`{"TableName":"tab","TimeToLiveSpecification":{"AttributeName":"g","Enabled":true}}`},
		"UpdateContinuousBackups": {`{"TableName":"tab","PointInTimeRecoverySpecification":{"PointInTimeRecoveryEnabled":true}}`},
		"ListTables":              {`{"Limit":1,"ExclusiveStartTableName":"s"}`, `null`, `[]`, ``, `{`},
		"TagResource":             {`{"ResourceArn":"arn:aws:dynamodb:us-east-1:000000000000:table/tab","Tags":[{"Key":"a","Value":"b"},null]}`},
		"UntagResource":           {`{"ResourceArn":"","TagKeys":[""]}`},
	} {
		for _, body := range bodies {
			f.Add(operation, body)
		}
	}
	f.Fuzz(func(t *testing.T, operation, body string) {
		s := New(Options{})
		defer s.Close()
		create(t, s, `{"TableName":"tab","BillingMode":"PAY_PER_REQUEST","KeySchema":[{"AttributeName":"k","KeyType":"HASH"}],
			"AttributeDefinitions":[{"AttributeName":"k","AttributeType":"S"},{"AttributeName":"g","AttributeType":"N"}],
			"GlobalSecondaryIndexes":[{"IndexName":"idx","KeySchema":[{"AttributeName":"g","KeyType":"HASH"}],"Projection":{"ProjectionType":"ALL"}}]}`)
		answer(t, s, "PutItem", `{"TableName":"tab","Item":{"k":{"S":"a"},"g":{"N":"1"},"l":{"L":[{"N":"0"}]}}}`)
		s.Actions(t.Context(), operation, []byte(body))
		answer(t, s, operation, body)
		answer(t, s, "Scan", `{"TableName":"tab"}`)
	})
}

// create makes a table, without which all that is asked of it finds nothing.
func create(t *testing.T, s *Service, body string) {
	t.Helper()
	if w := answer(t, s, "CreateTable", body); w.Code != http.StatusOK {
		t.Fatalf("no table: %d %s", w.Code, w.Body)
	}
}

func answer(t *testing.T, s *Service, operation, body string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	r := httptest.NewRequest("POST", "/", strings.NewReader(body))
	r.Header.Set("X-Amz-Target", "DynamoDB_20120810."+operation)
	s.ServeHTTP(w, r)
	if w.Code >= 500 || !json.Valid(w.Body.Bytes()) {
		t.Errorf("%s %s: %d %s", operation, body, w.Code, w.Body)
	}
	return w
}
