// Package gateway is the client of API Gateway's @connections API: it posts a
// message to a connection, asks about one and closes one. It is the last
// station of a message's path before the client.
//
//	gw, err := gateway.New(gateway.Options{Endpoint: endpoint, Region: region, Credentials: cfg.Credentials})
//	err = gw.Post(ctx, connectionID, connection.NewMessage(frame))
//
// It makes one attempt per call and neither retries nor paces: that is
// connection.Manager's. A post costs a signature and a round trip; the SDK's
// general client, which does the same, takes a multiple of the CPU, and on a
// small Lambda that is what limits a broadcast.
//
// nil means that API Gateway has the message, not that the client does.
package gateway
