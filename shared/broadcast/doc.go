// Package broadcast turns a message for an audience into posts to connections:
// audience -> pages -> units -> receipt. It is the middle of the path, between
// the broadcast queue and @connections, and knows neither AWS nor JSON events;
// tables, queues and senders are ports that its callers provide.
//
//	message, err := broadcast.ParseMessage(body, sqsMessageID, sentAt)
//	…
//	outcome, err := splitter.Run(ctx, message) // behind the broadcast queue
//	counts, err := deliverer.Deliver(ctx, unit) // behind the delivery queue
//
// Delivery is at least once: a crash repeats at most one page or one unit, and
// the messageId in the frame tells duplicates apart. Order between broadcasts
// is not promised, nor that a client who connects while a broadcast is split
// gets it.
package broadcast
