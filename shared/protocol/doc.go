// Package protocol is the language between clients and the service: the frames
// that go over the WebSocket, their limits, the codes of errors, and the names
// of permissions. Both the functions and a client written in Go can use it.
//
//	request, err := protocol.ParseRequest(body)
//	if err != nil {
//		return protocol.Encode(protocol.NewError(request.ID, err))
//	}
//
// It knows nothing of sockets, queues or tables. API Gateway's own frames
// ({"message": "Internal server error", …}) have no "type" and are not here.
package protocol
