// Goclient is a client with github.com/coder/websocket, as a Go program has it:
//
//	TOKEN=… goclient URL header|subprotocols
//
// It sends each line of its input, prints each frame, and closes the socket at
// the input's end. It speaks as wscat does.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/coder/websocket"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: TOKEN=… goclient URL header|subprotocols")
		os.Exit(2)
	}
	if err := run(context.Background(), os.Args[1], os.Args[2], os.Getenv("TOKEN")); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, url, way, token string) error {
	options := &websocket.DialOptions{HTTPHeader: http.Header{"Authorization": {"Bearer " + token}}}
	if way == "subprotocols" {
		options = &websocket.DialOptions{Subprotocols: []string{"bearer", token}}
	}
	socket, response, err := websocket.Dial(ctx, url, options)
	if err != nil {
		return refusal(response, err)
	}
	fmt.Printf("Connected (subprotocol: %q)\n", socket.Subprotocol())
	go send(ctx, socket)
	for {
		_, frame, err := socket.Read(ctx)
		var end websocket.CloseError
		switch {
		case errors.As(err, &end):
			fmt.Printf("Disconnected (code: %d, reason: %q)\n", end.Code, end.Reason)
			return nil
		case err != nil:
			return err
		}
		fmt.Printf("< %s\n", frame)
	}
}

// refusal is the service's answer, whose code says what is wrong with the token.
func refusal(response *http.Response, err error) error {
	if response == nil {
		return err
	}
	body, _ := io.ReadAll(response.Body) // err says enough without it
	return fmt.Errorf("%w: %s", err, body)
}

// send sends what is typed, and closes the socket when nothing more is. run
// reads of it if the socket ends before.
func send(ctx context.Context, socket *websocket.Conn) {
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		if lines.Text() == "/ping" {
			if err := socket.Ping(ctx); err != nil {
				return
			}
			fmt.Println("Received pong")
			continue
		}
		if err := socket.Write(ctx, websocket.MessageText, lines.Bytes()); err != nil {
			return
		}
	}
	_ = socket.Close(websocket.StatusNormalClosure, "")
}
