package main

import (
	"github.com/aws/aws-lambda-go/events"

	"fanfare/shared/auth"
)

// token takes the token from the upgrade request. subprotocol is what the
// answer must carry so that a browser that sent the token as one goes on.
func token(e events.APIGatewayWebsocketProxyRequest) (token, subprotocol string, err error) {
	return auth.TokenFromRequest(e.Headers, e.QueryStringParameters)
}
