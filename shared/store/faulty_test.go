package store_test

import (
	"context"
	"maps"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"fanfare/shared/store"
)

type (
	batchWrite = func(context.Context, *dynamodb.BatchWriteItemInput) (*dynamodb.BatchWriteItemOutput, error)
	batchGet   = func(context.Context, *dynamodb.BatchGetItemInput) (*dynamodb.BatchGetItemOutput, error)
)

// faulty is a DynamoDB that misbehaves as its fields say.
type faulty struct {
	store.API
	batchWrite  batchWrite
	batchGet    batchGet
	before      func() // runs before a transaction
	afterUpdate func() // runs after an update that was done

	mu        sync.Mutex
	conflicts int // so many writes still meet a transaction
}

func (f *faulty) conflict() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.conflicts == 0 {
		return false
	}
	f.conflicts--
	return true
}

func (f *faulty) BatchWriteItem(ctx context.Context, in *dynamodb.BatchWriteItemInput, o ...func(*dynamodb.Options)) (*dynamodb.BatchWriteItemOutput, error) {
	if f.batchWrite != nil {
		return f.batchWrite(ctx, in)
	}
	return f.API.BatchWriteItem(ctx, in, o...)
}

func (f *faulty) BatchGetItem(ctx context.Context, in *dynamodb.BatchGetItemInput, o ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error) {
	if f.batchGet != nil {
		return f.batchGet(ctx, in)
	}
	return f.API.BatchGetItem(ctx, in, o...)
}

func (f *faulty) PutItem(ctx context.Context, in *dynamodb.PutItemInput, o ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	if f.conflict() {
		return nil, &types.TransactionConflictException{}
	}
	return f.API.PutItem(ctx, in, o...)
}

func (f *faulty) DeleteItem(ctx context.Context, in *dynamodb.DeleteItemInput, o ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error) {
	if f.conflict() {
		return nil, &types.TransactionConflictException{}
	}
	return f.API.DeleteItem(ctx, in, o...)
}

func (f *faulty) UpdateItem(ctx context.Context, in *dynamodb.UpdateItemInput, o ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	if f.conflict() {
		return nil, &types.TransactionConflictException{}
	}
	out, err := f.API.UpdateItem(ctx, in, o...)
	if f.afterUpdate != nil && err == nil {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.afterUpdate()
	}
	return out, err
}

func (f *faulty) TransactWriteItems(ctx context.Context, in *dynamodb.TransactWriteItemsInput, o ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error) {
	if f.conflict() {
		return nil, &types.TransactionCanceledException{CancellationReasons: []types.CancellationReason{
			{Code: aws.String("TransactionConflict")}, {Code: aws.String("None")},
		}}
	}
	if f.before != nil {
		f.before()
	}
	return f.API.TransactWriteItems(ctx, in, o...)
}

// firstOnly does one request of each batch, so many times, and leaves the rest
// undone; from then on it does all.
func firstOnly(client *dynamodb.Client, times int) batchWrite {
	return func(ctx context.Context, in *dynamodb.BatchWriteItemInput) (*dynamodb.BatchWriteItemOutput, error) {
		all := in.RequestItems[tableName]
		if times--; times < 0 {
			return client.BatchWriteItem(ctx, in)
		}
		rest := map[string][]types.WriteRequest{tableName: all}
		if len(all) > 1 {
			_, err := client.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{
				RequestItems: map[string][]types.WriteRequest{tableName: all[:1]},
			})
			if err != nil {
				return nil, err
			}
			rest[tableName] = all[1:]
		}
		return &dynamodb.BatchWriteItemOutput{UnprocessedItems: rest}, nil
	}
}

// firstKeyOnly is firstOnly for reads.
func firstKeyOnly(client *dynamodb.Client, times int) batchGet {
	return func(ctx context.Context, in *dynamodb.BatchGetItemInput) (*dynamodb.BatchGetItemOutput, error) {
		asked := in.RequestItems[tableName]
		if times--; times < 0 || len(asked.Keys) == 1 {
			return client.BatchGetItem(ctx, in)
		}
		first, rest := asked, asked
		first.Keys, rest.Keys = asked.Keys[:1], asked.Keys[1:]
		out, err := client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{
			RequestItems: map[string]types.KeysAndAttributes{tableName: first},
		})
		if err != nil {
			return nil, err
		}
		out.UnprocessedKeys = maps.Clone(in.RequestItems)
		out.UnprocessedKeys[tableName] = rest
		return out, nil
	}
}

// repeating does every conditional write twice and returns the second answer,
// as the SDK does when the first one is lost.
type repeating struct{ *dynamodb.Client }

func (r *repeating) PutItem(ctx context.Context, in *dynamodb.PutItemInput, o ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	if out, err := r.Client.PutItem(ctx, in, o...); err != nil {
		return out, err
	}
	return r.Client.PutItem(ctx, in, o...)
}

func (r *repeating) UpdateItem(ctx context.Context, in *dynamodb.UpdateItemInput, o ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	if out, err := r.Client.UpdateItem(ctx, in, o...); err != nil {
		return out, err
	}
	return r.Client.UpdateItem(ctx, in, o...)
}
