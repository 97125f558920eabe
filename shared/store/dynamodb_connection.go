package store

import (
	"context"
	"errors"
	"reflect"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"

	"fanfare/shared/connection"
)

// finishTimeout bounds work that must be brought to its end once it has begun.
const finishTimeout = 3 * time.Second

// renewAtOnce is how many memberships Renew writes at the same time.
const renewAtOnce = 10

// Put stores a new connection and makes it a member of its tenant and its user.
// Either everything is written or an error returned and nothing left; only a
// process that dies midway leaves a row, which expires. Putting the same
// connection again is success, ErrExists means that another one has the id, and
// ErrInvalid that something is missing or that c lists channels already.
//
// It costs 3 write units.
func (d *DynamoDB) Put(ctx context.Context, c connection.Connection) (err error) {
	defer wrap(&err, "put connection %q", c.ID)
	r, err := newRow(c, d.o)
	if err != nil {
		return err
	}
	if err := d.putRow(ctx, r); err != nil {
		return err
	}
	var members []types.WriteRequest
	for _, k := range r.memberships() {
		members = append(members, put(r.member(k)))
	}
	if err := d.writeAll(ctx, members); err != nil {
		return errors.Join(err, d.undoPut(ctx, r))
	}
	return nil
}

// putRow writes the row itself. The SDK repeats a request whose answer was
// lost, so finding the very same row is success.
func (d *DynamoDB) putRow(ctx context.Context, r row) error {
	err := once(ctx, func() error {
		_, err := d.api.PutItem(ctx, &dynamodb.PutItemInput{
			TableName:                           &d.table,
			Item:                                r.item(),
			ConditionExpression:                 aws.String("attribute_not_exists(pk)"),
			ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		})
		return err
	})
	found, failed := conditionFailed(err)
	if !failed {
		return err
	}
	if there, err := parseRow(found); err != nil || !reflect.DeepEqual(there, r) {
		return errors.Join(ErrExists, err)
	}
	return nil
}

// undoPut removes what Put may have written: the row last, because as long as
// it is there a clean-up finds the memberships through it. It uses DeleteItem
// alone, so it works where BatchWriteItem is what fails.
func (d *DynamoDB) undoPut(ctx context.Context, r row) error {
	ctx, cancel := finishing(ctx)
	defer cancel()
	for _, k := range append(r.memberships(), connectionKey(r.ID)) {
		_, err := d.deleteItem(ctx, &dynamodb.DeleteItemInput{Key: k.item()})
		if err != nil {
			return err
		}
	}
	return nil
}

// Get returns the connection by a strongly consistent read, live or not, or
// connection.ErrNotFound. It costs one read unit.
func (d *DynamoDB) Get(ctx context.Context, id string) (c connection.Connection, err error) {
	defer wrap(&err, "get connection %q", id)
	r, err := d.getRow(ctx, id)
	if err != nil {
		return connection.Connection{}, err
	}
	return r.connection(), nil
}

func (d *DynamoDB) getRow(ctx context.Context, id string) (row, error) {
	found, err := d.getItem(ctx, connectionKey(id))
	if err != nil {
		return row{}, err
	}
	return rowFrom(found)
}

// rowFrom reads a connection that may not be there.
func rowFrom(found item) (row, error) {
	if len(found) == 0 {
		return row{}, connection.ErrNotFound
	}
	return parseRow(found)
}

// Remove deletes the connection and all its memberships and returns what it
// was, or connection.ErrNotFound if there is none. Of many that try at once one
// succeeds. After any other error memberships may be left, until they expire.
//
// It costs one write unit for the row and one for each membership, which are 2
// and the channels; one if there is nothing to remove.
func (d *DynamoDB) Remove(ctx context.Context, id string) (c connection.Connection, err error) {
	defer wrap(&err, "remove connection %q", id)
	return d.removeRow(ctx, &dynamodb.DeleteItemInput{Key: connectionKey(id).item()})
}

// RemoveGone is Remove for a connection that was connected before the given
// time, in milliseconds. It returns connection.ErrTooYoung, and deletes
// nothing, if it was not. It costs what Remove costs; a refusal one write unit.
func (d *DynamoDB) RemoveGone(ctx context.Context, id string, connectedBefore time.Time) (err error) {
	defer wrap(&err, "remove gone connection %q", id)
	_, err = d.removeRow(ctx, &dynamodb.DeleteItemInput{
		Key:                                 connectionKey(id).item(),
		ConditionExpression:                 aws.String("connectedAt < :before"),
		ExpressionAttributeValues:           item{":before": number(millis(connectedBefore))},
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	if found, failed := conditionFailed(err); failed {
		if len(found) == 0 {
			return connection.ErrNotFound
		}
		return connection.ErrTooYoung
	}
	return err
}

// finishing returns a context with time of its own, because the caller's may
// run out, or be what has, between rows that belong together.
func finishing(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), finishTimeout)
}

// removeRow deletes the row and, because only one caller gets it back, all its
// memberships, which from then on nobody else can find: not even a caller who
// gives up stops that.
func (d *DynamoDB) removeRow(ctx context.Context, in *dynamodb.DeleteItemInput) (connection.Connection, error) {
	in.ReturnValues = types.ReturnValueAllOld
	out, err := d.deleteItem(ctx, in)
	if err != nil {
		return connection.Connection{}, err
	}
	r, err := rowFrom(out.Attributes)
	if err != nil {
		return connection.Connection{}, err
	}
	var members []types.WriteRequest
	for _, k := range r.memberships() {
		members = append(members, deleteOf(k))
	}
	ctx, cancel := finishing(ctx)
	defer cancel()
	return r.connection(), d.writeAll(ctx, members)
}

// Renew gives the connection a newer token's session and all its rows a new
// expiry, or returns connection.ErrNotFound. After any other error some
// memberships may still have the old expiry, and calling it again is right.
//
// It costs one write unit for the row and one for each membership.
func (d *DynamoDB) Renew(ctx context.Context, id string, s connection.Session) (err error) {
	defer wrap(&err, "renew connection %q", id)
	if err := checkExpiry(s.ExpiresAt); err != nil {
		return err
	}
	r, err := d.renewRow(ctx, id, item{
		":permissions": texts(s.Permissions),
		":token":       number(seconds(s.TokenExpiresAt)),
		":tokenId":     text(s.TokenID),
		":expires":     number(seconds(s.ExpiresAt)),
	})
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(renewAtOnce)
	for _, k := range r.memberships() {
		group.Go(func() error { return d.renewMember(ctx, k, r.ExpiresAt) })
	}
	return group.Wait()
}

func (d *DynamoDB) renewRow(ctx context.Context, id string, values item) (row, error) {
	out, err := d.updateItem(ctx, &dynamodb.UpdateItemInput{
		Key:                       connectionKey(id).item(),
		UpdateExpression:          aws.String("SET expiresAt = :expires, tokenExpiresAt = :token, tokenId = :tokenId, #permissions = :permissions"),
		ConditionExpression:       aws.String("attribute_exists(pk)"),
		ExpressionAttributeNames:  map[string]string{"#permissions": "permissions"}, // a reserved word
		ExpressionAttributeValues: values,
		ReturnValues:              types.ReturnValueAllNew,
	})
	if _, failed := conditionFailed(err); failed {
		return row{}, connection.ErrNotFound
	}
	if err != nil {
		return row{}, err
	}
	return parseRow(out.Attributes)
}

// renewMember moves one membership. It is a conditional update and no put,
// because a membership removed meanwhile must not come back without a row that
// lists it.
func (d *DynamoDB) renewMember(ctx context.Context, k key, expiresAt time.Time) error {
	_, err := d.updateItem(ctx, &dynamodb.UpdateItemInput{
		Key:                       k.item(),
		UpdateExpression:          aws.String("SET expiresAt = :expires"),
		ConditionExpression:       aws.String("attribute_exists(pk)"),
		ExpressionAttributeValues: item{":expires": number(seconds(expiresAt))},
	})
	if _, failed := conditionFailed(err); failed {
		return nil
	}
	return err
}

// The three calls below fill in the table and repeat a request that met a
// transaction.

func (d *DynamoDB) getItem(ctx context.Context, k key) (item, error) {
	out, err := d.api.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &d.table, Key: k.item(), ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return nil, err
	}
	return out.Item, nil
}

func (d *DynamoDB) updateItem(ctx context.Context, in *dynamodb.UpdateItemInput) (out *dynamodb.UpdateItemOutput, err error) {
	in.TableName = &d.table
	err = once(ctx, func() error {
		out, err = d.api.UpdateItem(ctx, in)
		return err
	})
	return out, err
}

func (d *DynamoDB) deleteItem(ctx context.Context, in *dynamodb.DeleteItemInput) (out *dynamodb.DeleteItemOutput, err error) {
	in.TableName = &d.table
	err = once(ctx, func() error {
		out, err = d.api.DeleteItem(ctx, in)
		return err
	})
	return out, err
}
