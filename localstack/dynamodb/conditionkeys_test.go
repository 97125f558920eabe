package dynamodb

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// shownActions has one line for each action, its keys in order without their
// prefix.
func shownActions(actions []Action) string {
	var lines []string
	for _, a := range actions {
		line := a.Name + " " + a.Table
		if a.Index != "" {
			line += "/" + a.Index
		}
		for _, key := range slices.Sorted(maps.Keys(a.Keys)) {
			line += fmt.Sprintf(" %s=%s", strings.TrimPrefix(key, "dynamodb:"), strings.Join(a.Keys[key], "+"))
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// [WEB:specifying-conditions; transaction-apis-iam].
func TestConditionKeysOfARequest(t *testing.T) {
	s := New(Options{})
	t.Cleanup(s.Close)
	create(t, s, `{"TableName":"tab","BillingMode":"PAY_PER_REQUEST","KeySchema":[{"AttributeName":"k","KeyType":"HASH"},{"AttributeName":"s","KeyType":"RANGE"}],
		"AttributeDefinitions":[{"AttributeName":"k","AttributeType":"S"},{"AttributeName":"s","AttributeType":"S"},{"AttributeName":"g","AttributeType":"N"}],
		"GlobalSecondaryIndexes":[{"IndexName":"idx","KeySchema":[{"AttributeName":"g","KeyType":"HASH"}],"Projection":{"ProjectionType":"ALL"}}]}`)
	create(t, s, `{"TableName":"bin","BillingMode":"PAY_PER_REQUEST","KeySchema":[{"AttributeName":"k","KeyType":"HASH"}],"AttributeDefinitions":[{"AttributeName":"k","AttributeType":"B"}]}`)
	const keyA, keyB = `{"k":{"S":"a"},"s":{"S":"1"}}`, `{"k":{"S":"b"},"s":{"S":"1"}}`
	tests := map[string]struct{ operation, body, want string }{
		"a whole item": {
			"GetItem", `{"TableName":"tab","Key":` + keyA + `}`,
			"GetItem tab Attributes=k+s LeadingKeys=a ReturnConsumedCapacity=NONE Select=ALL_ATTRIBUTES",
		},
		"chosen attributes, by their names": {
			"GetItem", `{"TableName":"tab","Key":` + keyA + `,"ProjectionExpression":"a.b[1],#n","ExpressionAttributeNames":{"#n":"name"},"ReturnConsumedCapacity":"TOTAL"}`,
			"GetItem tab Attributes=a+k+name+s LeadingKeys=a ReturnConsumedCapacity=TOTAL Select=SPECIFIC_ATTRIBUTES",
		},
		"a table by its ARN": {
			"GetItem", `{"TableName":"arn:aws:dynamodb:us-east-1:000000000000:table/tab","Key":` + keyA + `}`,
			"GetItem arn:aws:dynamodb:us-east-1:000000000000:table/tab Attributes=k+s LeadingKeys=a ReturnConsumedCapacity=NONE Select=ALL_ATTRIBUTES",
		},
		"no such table": {
			"GetItem", `{"TableName":"x","Key":` + keyA + `}`,
			"GetItem x Attributes=k+s ReturnConsumedCapacity=NONE Select=ALL_ATTRIBUTES",
		},
		"a put, with its condition": {
			"PutItem", `{"TableName":"tab","Item":{"k":{"S":"a"},"s":{"S":"1"},"v":{"N":"2"}},"ConditionExpression":"attribute_not_exists(was.x)","ReturnValues":"ALL_OLD"}`,
			"PutItem tab Attributes=k+s+v+was LeadingKeys=a ReturnConsumedCapacity=NONE ReturnValues=ALL_OLD",
		},
		"a binary key": {
			"PutItem", `{"TableName":"bin","Item":{"k":{"B":"AAE="}}}`,
			"PutItem bin Attributes=k LeadingKeys=AAE= ReturnConsumedCapacity=NONE ReturnValues=NONE",
		},
		"an update, with all that it reads and writes": {
			"UpdateItem", `{"TableName":"tab","Key":` + keyA + `,"UpdateExpression":"SET w = r + :v REMOVE gone","ConditionExpression":"c < :v","ExpressionAttributeValues":{":v":{"N":"1"}}}`,
			"UpdateItem tab Attributes=c+gone+k+r+s+w LeadingKeys=a ReturnConsumedCapacity=NONE ReturnValues=NONE",
		},
		"a delete": {
			"DeleteItem", `{"TableName":"tab","Key":` + keyA + `}`,
			"DeleteItem tab Attributes=k+s LeadingKeys=a ReturnConsumedCapacity=NONE ReturnValues=NONE",
		},
		"a query, the key behind the value too": {
			"Query", `{"TableName":"tab","KeyConditionExpression":":s < s AND :k = k","FilterExpression":"f = :s","ExpressionAttributeValues":{":k":{"S":"a"},":s":{"S":"1"}}}`,
			"Query tab Attributes=f+k+s LeadingKeys=a ReturnConsumedCapacity=NONE Select=ALL_ATTRIBUTES",
		},
		"a query of an index, whose own key leads": {
			"Query", `{"TableName":"tab","IndexName":"idx","KeyConditionExpression":"g = :g","ExpressionAttributeValues":{":g":{"N":"1.0"}}}`,
			"Query tab/idx Attributes=g LeadingKeys=1 ReturnConsumedCapacity=NONE Select=ALL_PROJECTED_ATTRIBUTES",
		},
		"a query that counts": {
			"Query", `{"TableName":"tab","KeyConditionExpression":"k = :k","ExpressionAttributeValues":{":k":{"S":"a"}},"Select":"COUNT"}`,
			"Query tab Attributes=k LeadingKeys=a ReturnConsumedCapacity=NONE Select=COUNT",
		},
		"a scan has no leading key": {
			"Scan", `{"TableName":"tab"}`,
			"Scan tab ReturnConsumedCapacity=NONE Select=ALL_ATTRIBUTES",
		},
		"a batch is judged by all its keys": {
			"BatchGetItem", `{"RequestItems":{"tab":{"Keys":[` + keyA + `,` + keyB + `,` + keyA + `],"ProjectionExpression":"v"},"bin":{"Keys":[{"k":{"B":"AAE="}}]}}}`,
			"BatchGetItem bin Attributes=k LeadingKeys=AAE= ReturnConsumedCapacity=NONE Select=ALL_ATTRIBUTES\n" +
				"BatchGetItem tab Attributes=k+s+v LeadingKeys=a+b ReturnConsumedCapacity=NONE Select=SPECIFIC_ATTRIBUTES",
		},
		"a batch of writes": {
			"BatchWriteItem", `{"RequestItems":{"tab":[{"PutRequest":{"Item":{"k":{"S":"a"},"s":{"S":"1"},"v":{"S":"x"}}}},{"DeleteRequest":{"Key":` + keyB + `}}]}}`,
			"BatchWriteItem tab Attributes=k+s+v LeadingKeys=a+b ReturnConsumedCapacity=NONE",
		},
		"a transaction, each part on its own": {
			"TransactWriteItems", `{"TransactItems":[{"Put":{"TableName":"tab","Item":` + keyA + `}},{"Update":{"TableName":"tab","Key":` + keyB + `,"UpdateExpression":"SET v = :v","ExpressionAttributeValues":{":v":{"S":"x"}}}},` +
				`{"ConditionCheck":{"TableName":"tab","Key":` + keyA + `,"ConditionExpression":"attribute_exists(z)"}},{"Delete":{"TableName":"tab","Key":` + keyB + `}}]}`,
			"PutItem tab Attributes=k+s EnclosingOperation=TransactWriteItems LeadingKeys=a ReturnConsumedCapacity=NONE\n" +
				"UpdateItem tab Attributes=k+s+v EnclosingOperation=TransactWriteItems LeadingKeys=b ReturnConsumedCapacity=NONE\n" +
				"ConditionCheckItem tab Attributes=k+s+z EnclosingOperation=TransactWriteItems LeadingKeys=a ReturnConsumedCapacity=NONE\n" +
				"DeleteItem tab Attributes=k+s EnclosingOperation=TransactWriteItems LeadingKeys=b ReturnConsumedCapacity=NONE",
		},
		"a transaction that reads": {
			"TransactGetItems", `{"TransactItems":[{"Get":{"TableName":"tab","Key":` + keyA + `}}]}`,
			"GetItem tab Attributes=k+s EnclosingOperation=TransactGetItems LeadingKeys=a ReturnConsumedCapacity=NONE Select=ALL_ATTRIBUTES",
		},
		"nothing of the data plane": {"DescribeTable", `{"TableName":"tab"}`, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := shownActions(s.Actions(context.Background(), tt.operation, []byte(tt.body))); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}
