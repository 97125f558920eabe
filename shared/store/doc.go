// Package store is the table of Fanfare: who is connected, who belongs to
// which audience, how far a broadcast has come, and which idempotency keys are
// taken. Every station of a message's path reads or writes it; it is the only
// place that knows the table's keys.
//
//	table := store.NewDynamoDB(dynamodb.NewFromConfig(cfg), "fanfare", store.Options{})
//	err := table.Put(ctx, connection.Connection{ID: id, Tenant: "acme", User: "u1", …})
//	page, err := table.Members(ctx, "acme", protocol.Audience{Channel: "orders"}, "", 500)
//
// There are two implementations, DynamoDB and Memory, and one contract that
// both pass, storetest.Run. The rows are those of DESIGN.md:
//
//	connection/<id>                        connection   user, times, its memberships
//	<tenant>/tenant/<shard>                <id>         member of the tenant
//	<tenant>/user/<user>                   <id>         member of the user
//	<tenant>/channel/<channel>/<shard>     <id>         member of the channel
//	broadcast/<messageId>                  receipt      claim and cursor
//	broadcast/<messageId>                  unit/<n>     counts of a unit
//	idempotency/<tenant>/<user>/<key>      claim        first broadcast of a key
//
// A connection's row lists its memberships, and it is written before and
// deleted before them, so whoever deletes the row knows every row to delete.
// Each row has an expiresAt in seconds since 1970 for DynamoDB's TTL. DynamoDB
// deletes late, so receipts, units and claims past it are not seen; connections
// past it are returned as they are or reported as stale, because somebody has
// to close their sockets.
//
// What it does not promise: a process that dies, or an answer that is lost,
// between the delete of a row and that of its memberships leaves these behind
// until they expire, at most connection.MaxAge after the connection was made.
// Costs in the comments are DynamoDB's on-demand units for rows of up to 1 KB
// (write unit) and 4 KB (read unit, strongly consistent); larger rows cost one
// unit more for each further 1 or 4 KB.
package store
