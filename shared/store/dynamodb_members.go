package store

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"fanfare/shared/broadcast"
	"fanfare/shared/connection"
	"fanfare/shared/protocol"
)

// Members returns a page of at most limit rows of the audience; see
// broadcast.Audience. A cursor holds for the tenant and audience it was made
// for, also after the number of shards has grown; one that Members cannot have
// made is ErrCursor, a malformed audience or a limit below 1 is ErrInvalid.
//
// A tenant, user or channel costs one read unit for each 4 KB of memberships
// (about 30 members) and shard, at least one a shard. A list of connections
// costs one read unit an id.
func (d *DynamoDB) Members(ctx context.Context, tenant string, to protocol.Audience, cursor string, limit int) (page broadcast.Page, err error) {
	defer wrap(&err, "members of %q in tenant %q at %q", to.Permission(), tenant, cursor)
	if err := checkAudience(to, limit); err != nil {
		return broadcast.Page{}, err
	}
	if len(to.Connections) > 0 {
		return d.listed(ctx, tenant, to.Connections, cursor, limit)
	}
	return d.queried(ctx, d.o.partitions(tenant, to), cursor, limit)
}

// queried reads on from the cursor, into further partitions while the page has
// room.
func (d *DynamoDB) queried(ctx context.Context, partitions []string, cursor string, limit int) (broadcast.Page, error) {
	at, err := parsePosition(cursor, len(partitions))
	if err != nil {
		return broadcast.Page{}, err
	}
	p := newPager(d.o, limit)
	for p.room() > 0 {
		after, err := d.query(ctx, partitions[at.partition], at.after, p)
		if err != nil {
			return broadcast.Page{}, err
		}
		if at.after = after; after == "" {
			at.partition++
		}
		if at.partition == len(partitions) {
			return p.page, nil
		}
	}
	p.page.Next = at.String()
	return p.page, nil
}

// query adds members to the page and returns the sort key to go on after, ""
// at the partition's end.
func (d *DynamoDB) query(ctx context.Context, partition, after string, p *pager) (string, error) {
	in := &dynamodb.QueryInput{
		TableName:                 &d.table,
		ConsistentRead:            aws.Bool(true),
		KeyConditionExpression:    aws.String("pk = :pk"),
		ExpressionAttributeValues: item{":pk": text(partition)},
		Limit:                     aws.Int32(int32(min(p.room(), maxQuery))),
	}
	if after != "" {
		in.ExclusiveStartKey = key{partition, after}.item()
	}
	out, err := d.api.Query(ctx, in)
	if err != nil {
		return "", err
	}
	for _, it := range out.Items {
		member, err := parseMember(it)
		if err != nil {
			return "", err
		}
		p.add(member)
	}
	if len(out.LastEvaluatedKey) == 0 {
		return "", nil
	}
	last := &fields{item: out.LastEvaluatedKey}
	return last.text("sk"), last.err
}

// maxQuery keeps one Query below the 1 MB that DynamoDB reads at most.
const maxQuery = 5000

// listed looks up a part of the list.
func (d *DynamoDB) listed(ctx context.Context, tenant string, ids []string, cursor string, limit int) (broadcast.Page, error) {
	from, err := parseIndex(cursor, len(ids))
	if err != nil {
		return broadcast.Page{}, err
	}
	p := newPager(d.o, limit)
	part := p.part(ids, from)
	keys := make([]key, len(part))
	for i, id := range part {
		keys[i] = connectionKey(id)
	}
	found, err := d.readAll(ctx, keys, "pk, tenant, connectedAt, expiresAt")
	if err != nil {
		return broadcast.Page{}, err
	}
	byID := make(map[string]connection.Connection, len(found))
	for _, it := range found {
		c, err := parseMember(it)
		if err != nil {
			return broadcast.Page{}, err
		}
		byID[c.ID] = c
	}
	for _, id := range part {
		if c, ok := byID[id]; ok && c.Tenant == tenant {
			p.add(c)
		}
	}
	return p.page, nil
}
