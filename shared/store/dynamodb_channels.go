package store

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"fanfare/shared/connection"
)

// Subscribe makes the connection a member of the channel. Once it returns nil,
// every later Members finds it. Being subscribed already is success;
// connection.ErrNotFound and connection.ErrTooManyChannels change nothing.
//
// It costs one read unit and 4 write units (two rows in a transaction), and
// only the read if there is nothing to do.
func (d *DynamoDB) Subscribe(ctx context.Context, id, channel string) (err error) {
	defer wrap(&err, "subscribe connection %q to %q", id, channel)
	return d.changeChannels(ctx, id, channel, func(r row) ([]types.TransactWriteItem, error) {
		if join, err := r.mayJoin(channel); !join {
			return nil, err
		}
		return d.subscription(r, channel), nil
	})
}

// subscription adds the channel to the row's list and puts the membership. The
// membership's expiry is copied from the row, so the transaction also insists
// that the row is there and nobody has renewed it since it was read.
func (d *DynamoDB) subscription(r row, channel string) []types.TransactWriteItem {
	shard := shardOf(r.ID, d.o.ChannelShards)
	update := d.channelUpdate(r.ID, channel)
	update.UpdateExpression = aws.String("SET channels.#channel = :shard")
	update.ConditionExpression = aws.String("expiresAt = :expires AND size(channels) < :max" +
		" AND attribute_not_exists(channels.#channel)")
	update.ExpressionAttributeValues = item{
		":shard":   number(shard),
		":max":     number(connection.MaxChannels),
		":expires": number(seconds(r.ExpiresAt)),
	}
	return []types.TransactWriteItem{
		{Update: update},
		{Put: &types.Put{TableName: &d.table, Item: r.member(r.channelKey(channel, shard))}},
	}
}

// Unsubscribe ends the connection's membership of the channel. Not being
// subscribed is success; connection.ErrNotFound means that there is no such
// connection. It costs what Subscribe costs.
func (d *DynamoDB) Unsubscribe(ctx context.Context, id, channel string) (err error) {
	defer wrap(&err, "unsubscribe connection %q from %q", id, channel)
	return d.changeChannels(ctx, id, channel, func(r row) ([]types.TransactWriteItem, error) {
		shard, subscribed := r.shards[channel]
		if !subscribed {
			return nil, nil
		}
		update := d.channelUpdate(id, channel)
		update.UpdateExpression = aws.String("REMOVE channels.#channel")
		update.ConditionExpression = aws.String("channels.#channel = :shard")
		update.ExpressionAttributeValues = item{":shard": number(shard)}
		return []types.TransactWriteItem{
			{Update: update},
			{Delete: &types.Delete{TableName: &d.table, Key: r.channelKey(channel, shard).item()}},
		}, nil
	})
}

func (d *DynamoDB) channelUpdate(id, channel string) *types.Update {
	return &types.Update{
		TableName:                           &d.table,
		Key:                                 connectionKey(id).item(),
		ExpressionAttributeNames:            map[string]string{"#channel": encode(channel)},
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
}

// changeChannels reads the row and commits what plan makes of it in one
// transaction. Where somebody else was faster, DynamoDB answers with the row as
// it is now, and plan is asked again. A plan without items ends it.
func (d *DynamoDB) changeChannels(ctx context.Context, id, channel string, plan func(row) ([]types.TransactWriteItem, error)) error {
	if err := checkChannel(channel); err != nil {
		return err
	}
	r, err := d.getRow(ctx, id)
	if err != nil {
		return err
	}
	return attempts(ctx, func() (bool, error) {
		items, err := plan(r)
		if len(items) == 0 || err != nil {
			return true, err
		}
		_, err = d.api.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: items})
		found, failed := conditionFailed(err)
		if !failed {
			return true, err
		}
		r, err = rowFrom(found)
		return false, err
	})
}
