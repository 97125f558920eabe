package main

import (
	"strings"

	"github.com/aws/aws-lambda-go/events"

	"fanfare/shared/auth"
)

// token takes the token from the upgrade request. subprotocol is what the
// answer must carry so that a browser that sent the token as one goes on.
//
// API Gateway's plain maps keep the last of repeated values. Which of two
// tokens counts must not depend on who folds them, so two that differ are
// refused here.
func token(e events.APIGatewayWebsocketProxyRequest) (token, subprotocol string, err error) {
	if differ(e.MultiValueQueryStringParameters["token"]) {
		return "", "", auth.ErrTokenConflict
	}
	for name, values := range e.MultiValueHeaders {
		if strings.EqualFold(name, "Authorization") && differ(values) {
			return "", "", auth.ErrTokenConflict
		}
	}
	return auth.TokenFromRequest(e.Headers, e.QueryStringParameters)
}

func differ(values []string) bool {
	for _, v := range values {
		if v != values[0] {
			return true
		}
	}
	return false
}
