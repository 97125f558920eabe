// Message is new code for the function of that name: it answers every frame with
// the route that led to it.
package main

import (
	"fmt"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
)

func main() {
	lambda.Start(func(e events.APIGatewayWebsocketProxyRequest) (events.APIGatewayProxyResponse, error) {
		body := fmt.Sprintf(`{"type":"new","code":%q}`, e.RequestContext.RouteKey)
		return events.APIGatewayProxyResponse{StatusCode: 200, Body: body}, nil
	})
}
