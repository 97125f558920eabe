package dynamodb_test

import (
	"context"
	"fmt"
	"net/http/httptest"

	"fanfare/localstack/dynamodb"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func Example() {
	db := dynamodb.New(dynamodb.Options{})
	defer db.Close()
	server := httptest.NewServer(db)
	defer server.Close()
	client := sdk.New(sdk.Options{
		Region: "us-east-1", BaseEndpoint: &server.URL,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	})

	ctx := context.Background()
	_, err := client.CreateTable(ctx, &sdk.CreateTableInput{
		TableName: aws.String("counters"), BillingMode: types.BillingModePayPerRequest,
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash}},
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS}},
	})
	if err != nil {
		panic(err)
	}
	out, err := client.UpdateItem(ctx, &sdk.UpdateItemInput{
		TableName: aws.String("counters"), Key: map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: "visits"}},
		UpdateExpression:          aws.String("ADD visits :n"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":n": &types.AttributeValueMemberN{Value: "1.50"}},
		ReturnValues:              types.ReturnValueUpdatedNew,
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(out.Attributes["visits"].(*types.AttributeValueMemberN).Value)
	// Output: 1.5
}
