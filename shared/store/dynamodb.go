package store

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"fanfare/shared/broadcast"
	"fanfare/shared/connection"
)

// API is what the store uses of DynamoDB; *dynamodb.Client has it. It is also
// the list of actions that the functions' policies must allow, TransactWriteItems
// being UpdateItem, PutItem and DeleteItem to IAM.
type API interface {
	GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	PutItem(context.Context, *dynamodb.PutItemInput, ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error)
	UpdateItem(context.Context, *dynamodb.UpdateItemInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error)
	DeleteItem(context.Context, *dynamodb.DeleteItemInput, ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error)
	Query(context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
	BatchGetItem(context.Context, *dynamodb.BatchGetItemInput, ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error)
	BatchWriteItem(context.Context, *dynamodb.BatchWriteItemInput, ...func(*dynamodb.Options)) (*dynamodb.BatchWriteItemOutput, error)
	TransactWriteItems(context.Context, *dynamodb.TransactWriteItemsInput, ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error)
}

// DynamoDB is the store in a DynamoDB table with the string keys pk and sk. It
// keeps nothing in memory and is safe for concurrent use.
type DynamoDB struct {
	api   API
	table string
	o     Options
}

var (
	_ API                = (*dynamodb.Client)(nil)
	_ connection.Store   = (*DynamoDB)(nil)
	_ broadcast.Audience = (*DynamoDB)(nil)
	_ broadcast.Ledger   = (*DynamoDB)(nil)
	_ broadcast.Claims   = (*DynamoDB)(nil)
)

// NewDynamoDB returns the store in the named table. It makes no call.
func NewDynamoDB(client API, table string, o Options) *DynamoDB {
	return &DynamoDB{api: client, table: table, o: o.withDefaults()}
}
