package store

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// DynamoDB's limits of one batch, in rows.
const (
	maxBatchWrite = 25
	maxBatchGet   = 100
)

func put(it item) types.WriteRequest {
	return types.WriteRequest{PutRequest: &types.PutRequest{Item: it}}
}

func deleteOf(k key) types.WriteRequest {
	return types.WriteRequest{DeleteRequest: &types.DeleteRequest{Key: k.item()}}
}

// writeAll puts and deletes rows, 25 a call, and tries again what DynamoDB
// leaves undone. It costs one write unit a row. After an error some of the rows
// may be written.
func (d *DynamoDB) writeAll(ctx context.Context, requests []types.WriteRequest) error {
	for chunk := range slices.Chunk(requests, maxBatchWrite) {
		rest := map[string][]types.WriteRequest{d.table: chunk}
		err := attempts(ctx, func() (bool, error) {
			out, err := d.api.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: rest})
			if err != nil {
				return false, err
			}
			rest = out.UnprocessedItems
			return len(rest) == 0, nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// readAll reads rows, 100 a call, strongly consistent and in no order. Rows
// that do not exist are left out. It costs one read unit a row, existing or not.
func (d *DynamoDB) readAll(ctx context.Context, keys []key, attributes string) ([]item, error) {
	var found []item
	for chunk := range slices.Chunk(keys, maxBatchGet) {
		rest := map[string]types.KeysAndAttributes{d.table: {
			Keys:                 itemsOf(chunk),
			ConsistentRead:       aws.Bool(true),
			ProjectionExpression: aws.String(attributes),
		}}
		err := attempts(ctx, func() (bool, error) {
			out, err := d.api.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: rest})
			if err != nil {
				return false, err
			}
			found = append(found, out.Responses[d.table]...)
			rest = out.UnprocessedKeys
			return len(rest) == 0, nil
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

func itemsOf(keys []key) []map[string]types.AttributeValue {
	items := make([]map[string]types.AttributeValue, len(keys))
	for i, k := range keys {
		items[i] = k.item()
	}
	return items
}
