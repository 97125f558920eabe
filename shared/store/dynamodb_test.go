package store_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	local "fanfare/localstack/dynamodb"
	"fanfare/shared/store"
	"fanfare/shared/store/storetest"
)

const tableName = "connections"

func TestDynamoDBKeepsTheContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Store {
		return store.NewDynamoDB(newTable(t), tableName, store.Options{})
	})
}

func TestDynamoDBFindsRowsWrittenWithFewerShards(t *testing.T) {
	client := newTable(t)
	testGrowth(t, func(o store.Options) storetest.Store { return store.NewDynamoDB(client, tableName, o) })
}

// newTable returns a client of a local DynamoDB with an empty table. Requests
// do not leave the process: the SDK's bytes go straight to the handler.
func newTable(t *testing.T) *dynamodb.Client {
	t.Helper()
	service := local.New(local.Options{})
	t.Cleanup(func() { service.Close() })
	client := dynamodb.New(dynamodb.Options{
		Region:       "us-east-1",
		BaseEndpoint: aws.String("http://dynamodb.invalid"),
		Credentials:  credentials.NewStaticCredentialsProvider("test", "test", ""),
		HTTPClient:   &http.Client{Transport: handlerTransport{service}},
	})
	_, err := client.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName:   aws.String(tableName),
		BillingMode: types.BillingModePayPerRequest,
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
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	w := httptest.NewRecorder()
	h.handler.ServeHTTP(w, r)
	response := w.Result()
	response.Request = r
	return response, nil
}

// allRows returns every row of the table by "pk|sk", to see what is left.
func allRows(t *testing.T, client *dynamodb.Client) map[string]map[string]types.AttributeValue {
	t.Helper()
	out, err := client.Scan(context.WithoutCancel(t.Context()), &dynamodb.ScanInput{TableName: aws.String(tableName)})
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]map[string]types.AttributeValue{}
	for _, it := range out.Items {
		rows[attribute(it, "pk")+"|"+attribute(it, "sk")] = it
	}
	return rows
}

// attribute returns a string's or number's text.
func attribute(it map[string]types.AttributeValue, name string) string {
	switch v := it[name].(type) {
	case *types.AttributeValueMemberS:
		return v.Value
	case *types.AttributeValueMemberN:
		return v.Value
	}
	return ""
}
