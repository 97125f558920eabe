package connection

import "errors"

// Answers of a Store.
var (
	// ErrNotFound: the table has no row for the connection.
	ErrNotFound = errors.New("connection not found")
	// ErrTooYoung: the connection may still be opening, so it is not removed.
	ErrTooYoung = errors.New("connection too young to be removed")
	// ErrTooManyChannels: the connection is subscribed to MaxChannels already.
	ErrTooManyChannels = errors.New("too many channels")
)

// Answers of a Sender.
var (
	// ErrGone: the socket is closed (410, or 400 for an id that API Gateway
	// cannot read).
	ErrGone = errors.New("connection gone")
	// ErrForbidden: we may not post (403). It is our configuration's fault and
	// says nothing about the connection.
	ErrForbidden = errors.New("not allowed to post to the connection")
	// ErrInvalid: API Gateway refuses the request itself (400).
	ErrInvalid = errors.New("post refused as invalid")
	// ErrTooLarge: the payload is over 128 KB (413).
	ErrTooLarge = errors.New("payload too large")
	// ErrThrottled: the account's request rate or the client's buffer is full
	// (429).
	ErrThrottled = errors.New("post throttled")
)

// Answers of the Manager.
var (
	// ErrShutdown: the Manager takes no new work.
	ErrShutdown = errors.New("connection manager is shut down")
	// ErrCircuitOpen: the connection failed too often lately and is not tried.
	ErrCircuitOpen = errors.New("circuit breaker open")
)
