// Package connection is the heart of the path: it takes a message that is
// ready to send and the ids of those who shall have it, and sees to it that
// every one of them is posted to, tried again, or found to be gone.
//
// It holds the vocabulary (Connection, the ports Store and Sender, the errors)
// and the Manager: a pool of workers, a circuit breaker for each connection
// that fails, retries, clean-up of connections that are gone, a limit on the
// rate, and metrics. On the path it stands between shared/broadcast, which
// decides who gets a message, and shared/gateway, which makes one post.
//
//	manager := connection.NewManager(store, sender, connection.Options{Adaptive: true})
//	err := manager.Broadcast(ctx, ids, frame)
//	if failed := (*connection.BroadcastError)(nil); errors.As(err, &failed) {
//		for _, f := range failed.Failed {
//			log.Info("not delivered", "connection", f.ID, "type", connection.TypeOf(f.Err))
//		}
//	}
//
// It does not promise that a client has the message (API Gateway gives no
// acknowledgement), that it has it only once (a post may succeed although its
// answer is lost), any order between messages, or that breakers, rate and
// metrics reach beyond this process. DELIVERY_NOTES.md has the details.
package connection
