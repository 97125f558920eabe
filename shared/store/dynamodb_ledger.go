package store

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"fanfare/shared/broadcast"
)

// unlessTaken lets a row be put where there is none, or one that DynamoDB was
// only late to delete.
const unlessTaken = "attribute_not_exists(pk) OR expiresAt <= :now"

// Claim creates the broadcast's receipt, to live for broadcast.ReceiptTTL, or
// returns the one that is there, without its Units. r.Units is ErrInvalid: they
// are recorded by PutUnit.
//
// It costs one write unit; an audience of many connections makes the row, and
// with it each Advance, cost one more for each KB of ids.
func (d *DynamoDB) Claim(ctx context.Context, r broadcast.Receipt) (_ broadcast.Receipt, err error) {
	defer wrap(&err, "claim broadcast %q", r.MessageID)
	if err := checkReceipt(r); err != nil {
		return broadcast.Receipt{}, err
	}
	it, err := receiptItem(r, d.o.receiptExpiry())
	if err != nil {
		return broadcast.Receipt{}, err
	}
	stored, err := d.putUnlessTaken(ctx, it)
	if err != nil {
		return broadcast.Receipt{}, err
	}
	return parseReceipt(stored)
}

// putUnlessTaken returns the row that is there afterwards, new or old.
func (d *DynamoDB) putUnlessTaken(ctx context.Context, it item) (item, error) {
	_, err := d.api.PutItem(ctx, &dynamodb.PutItemInput{
		TableName:                           &d.table,
		Item:                                it,
		ConditionExpression:                 aws.String(unlessTaken),
		ExpressionAttributeValues:           item{":now": number(d.o.Now().Unix())},
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	if found, failed := conditionFailed(err); failed {
		return found, nil
	}
	return it, err
}

// Advance replaces the broadcast's progress from by to. It returns
// broadcast.ErrCursorMoved if the stored one is no longer from, and
// broadcast.ErrNotFound if there is no receipt. It costs one write unit.
func (d *DynamoDB) Advance(ctx context.Context, messageID string, from, to broadcast.Progress) (err error) {
	defer wrap(&err, "advance broadcast %q", messageID)
	mark := rand.Text()
	_, err = d.updateItem(ctx, &dynamodb.UpdateItemInput{
		Key:                      receiptKey(messageID).item(),
		UpdateExpression:         aws.String("SET #cursor = :toCursor, #units = :toUnits, #done = :toDone, #settled = :toSettled, #mark = :mark"),
		ConditionExpression:      aws.String("#cursor = :cursor AND #units = :units AND #done = :done AND #expires > :now"),
		ExpressionAttributeNames: advanceNames,
		ExpressionAttributeValues: item{
			":cursor": text(from.Cursor), ":units": number(from.Units), ":done": boolean(from.Done),
			":toCursor": text(to.Cursor), ":toUnits": number(to.Units), ":toDone": boolean(to.Done),
			":toSettled": boolean(to.Settled),
			":now":       number(d.o.Now().Unix()), ":mark": text(mark),
		},
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	found, failed := conditionFailed(err)
	if !failed {
		return err
	}
	return d.whyNotAdvanced(found, mark)
}

// advanceNames stand in for attribute names because CURSOR is a reserved word.
var advanceNames = map[string]string{
	"#cursor": "cursor", "#units": "units", "#done": "done", "#settled": "settled", "#mark": "advancedBy", "#expires": "expiresAt",
}

// whyNotAdvanced tells the cases of a refused Advance apart. The mark is this
// call's own: finding it means that the SDK repeated a request that had been
// done and whose answer was lost.
func (d *DynamoDB) whyNotAdvanced(found item, mark string) error {
	if !d.present(found) {
		return broadcast.ErrNotFound
	}
	if by, ok := found["advancedBy"].(*types.AttributeValueMemberS); ok && by.Value == mark {
		return nil
	}
	return broadcast.ErrCursorMoved
}

// present reports whether a row of the ledger is there and not expired.
func (d *DynamoDB) present(found item) bool {
	expires, ok := found["expiresAt"]
	if !ok {
		return false
	}
	f := &fields{item: item{"expiresAt": expires}}
	return f.number("expiresAt") > d.o.Now().Unix()
}

// PutUnit records a unit's counts for broadcast.ReceiptTTL, over those that may
// be there. It costs one write unit for each KB, of which 500 Remaining ids
// are nearly ten.
func (d *DynamoDB) PutUnit(ctx context.Context, messageID string, counts broadcast.UnitCounts) (err error) {
	defer wrap(&err, "put unit %d of broadcast %q", counts.N, messageID)
	if err := checkUnit(messageID, counts.N); err != nil {
		return err
	}
	_, err = d.api.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &d.table,
		Item:      unitItem(messageID, counts, d.o.receiptExpiry()),
	})
	return err
}

// Unit returns the counts recorded for a unit by a strongly consistent read, or
// broadcast.ErrNotFound. It costs one read unit for each 4 KB.
func (d *DynamoDB) Unit(ctx context.Context, messageID string, n int) (_ broadcast.UnitCounts, err error) {
	defer wrap(&err, "unit %d of broadcast %q", n, messageID)
	found, err := d.getItem(ctx, unitKey(messageID, n))
	if err != nil {
		return broadcast.UnitCounts{}, err
	}
	if !d.present(found) {
		return broadcast.UnitCounts{}, broadcast.ErrNotFound
	}
	return parseUnit(found)
}

// Receipt returns all that is known of a broadcast, its Units by N, or
// broadcast.ErrNotFound. It costs one read unit for each 4 KB of receipt and
// units together.
func (d *DynamoDB) Receipt(ctx context.Context, messageID string) (r broadcast.Receipt, err error) {
	defer wrap(&err, "receipt of broadcast %q", messageID)
	rows, err := d.broadcastRows(ctx, messageID)
	if err != nil {
		return broadcast.Receipt{}, err
	}
	for _, it := range rows {
		if !d.present(it) {
			continue
		}
		if err := addToReceipt(&r, it); err != nil {
			return broadcast.Receipt{}, err
		}
	}
	if r.MessageID == "" {
		return broadcast.Receipt{}, broadcast.ErrNotFound
	}
	slices.SortFunc(r.Units, func(a, b broadcast.UnitCounts) int { return cmp.Compare(a.N, b.N) })
	return r, nil
}

// broadcastRows reads the receipt and all units, page by page.
func (d *DynamoDB) broadcastRows(ctx context.Context, messageID string) ([]item, error) {
	pages := dynamodb.NewQueryPaginator(d.api, &dynamodb.QueryInput{
		TableName:                 &d.table,
		ConsistentRead:            aws.Bool(true),
		KeyConditionExpression:    aws.String("pk = :pk"),
		ExpressionAttributeValues: item{":pk": text(receiptKey(messageID).pk)},
	})
	var rows []item
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		rows = append(rows, out.Items...)
	}
	return rows, nil
}

// addToReceipt adds one row. The receipt's own row comes before its units in
// the table's order.
func addToReceipt(r *broadcast.Receipt, it item) (err error) {
	f := &fields{item: it}
	switch sk := f.text("sk"); {
	case f.err != nil:
		return f.err
	case sk == "receipt":
		*r, err = parseReceipt(it)
		return err
	case len(sk) > len(unitPrefix) && sk[:len(unitPrefix)] == unitPrefix:
		u, err := parseUnit(it)
		r.Units = append(r.Units, u)
		return err
	default:
		return fmt.Errorf("%w: %q is no row of a broadcast", ErrCorrupt, sk)
	}
}

// ClaimKey stores the claim, or returns the one that holds the key already. An
// expired claim holds nothing. A zero c.ExpiresAt means broadcast.IdempotencyTTL
// from now. It costs one write unit.
func (d *DynamoDB) ClaimKey(ctx context.Context, c broadcast.IdempotencyClaim) (_ broadcast.IdempotencyClaim, err error) {
	defer wrap(&err, "claim idempotency key %q of %q in tenant %q", c.Key, c.User, c.Tenant)
	c, err = d.o.completeClaim(c)
	if err != nil {
		return broadcast.IdempotencyClaim{}, err
	}
	stored, err := d.putUnlessTaken(ctx, claimItem(c))
	if err != nil {
		return broadcast.IdempotencyClaim{}, err
	}
	return parseClaim(stored, c)
}

// Key returns the claim that holds a key, by a strongly consistent read, or
// broadcast.ErrNotFound. The user is empty where a back end published. It costs
// one read unit.
func (d *DynamoDB) Key(ctx context.Context, tenant, user, name string) (_ broadcast.IdempotencyClaim, err error) {
	defer wrap(&err, "idempotency key %q of %q in tenant %q", name, user, tenant)
	found, err := d.getItem(ctx, claimKey(tenant, user, name))
	if err != nil {
		return broadcast.IdempotencyClaim{}, err
	}
	if !d.present(found) {
		return broadcast.IdempotencyClaim{}, broadcast.ErrNotFound
	}
	return parseClaim(found, broadcast.IdempotencyClaim{Tenant: tenant, User: user, Key: name})
}

// ConfirmKey notes that the broadcast c.MessageID, which claimed the key, is on
// its queue; doing so again is success. It returns broadcast.ErrNotFound, and
// changes nothing, if another broadcast or none holds the key by now. It costs
// one write unit.
func (d *DynamoDB) ConfirmKey(ctx context.Context, c broadcast.IdempotencyClaim) (err error) {
	defer wrap(&err, "confirm idempotency key %q of %q in tenant %q", c.Key, c.User, c.Tenant)
	_, err = d.updateItem(ctx, &dynamodb.UpdateItemInput{
		Key:                 claimKey(c.Tenant, c.User, c.Key).item(),
		UpdateExpression:    aws.String("SET confirmed = :true"),
		ConditionExpression: aws.String("messageId = :messageId AND expiresAt > :now"),
		ExpressionAttributeValues: item{
			":true": boolean(true), ":messageId": text(c.MessageID), ":now": number(d.o.Now().Unix()),
		},
	})
	if _, failed := conditionFailed(err); failed {
		return broadcast.ErrNotFound
	}
	return err
}
