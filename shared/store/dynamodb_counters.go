package store

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// counterTTL is how long the counts of a window outlive it: DynamoDB deletes
// them, and nobody reads them any more.
const counterTTL = time.Hour

// CountBroadcast adds one to the tenant's window; see broadcast.Counters. The
// row holds one number for the tenant and one for each connection that
// broadcasts in this second, about ten bytes each. So it costs one write unit
// up to some 90 connections, and one more for each 1 KB after that.
func (d *DynamoDB) CountBroadcast(ctx context.Context, tenant, connectionID string, window int64) (ofTenant, ofConnection int, err error) {
	defer wrap(&err, "count a broadcast of tenant %q", tenant)
	name := counterName(connectionID)
	out, err := d.updateItem(ctx, &dynamodb.UpdateItemInput{
		Key:                      rateKey(tenant, window).item(),
		UpdateExpression:         aws.String("ADD #tenant :one, #connection :one SET expiresAt = :expires"),
		ExpressionAttributeNames: map[string]string{"#tenant": "t", "#connection": name},
		ExpressionAttributeValues: item{
			":one": number(1), ":expires": number(time.Unix(window, 0).Add(counterTTL).Unix()),
		},
		ReturnValues: types.ReturnValueUpdatedNew,
	})
	if err != nil {
		return 0, 0, err
	}
	f := &fields{item: out.Attributes}
	ofTenant, ofConnection = int(f.number("t")), int(f.number(name))
	return ofTenant, ofConnection, f.err
}

// counterName is short, because it is in the row once for each connection: two
// connections of a tenant share one in the same second with a probability of
// one in 2^36.
func counterName(connectionID string) string {
	sum := sha256.Sum256([]byte(connectionID))
	return "c" + base64.RawURLEncoding.EncodeToString(sum[:])[:6]
}
