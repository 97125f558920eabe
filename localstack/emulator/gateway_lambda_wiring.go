package emulator

import (
	"context"

	"fanfare/localstack/gateway"
	"fanfare/localstack/lambda"
)

// apiGatewayPrincipal is who API Gateway is to a function's resource policy.
const apiGatewayPrincipal = "apigateway.amazonaws.com"

// invokeForGateway calls a function for a route or as an authorizer, if the
// function's resource policy lets API Gateway do so from there.
func (e *Emulator) invokeForGateway(ctx context.Context, inv gateway.Invocation) (gateway.Result, error) {
	if !e.lambda.Allowed(inv.FunctionARN, "lambda:InvokeFunction", apiGatewayPrincipal, inv.SourceARN) {
		return gateway.Result{}, gateway.ErrNotAllowed
	}
	resp, err := e.lambda.Invoke(ctx, lambda.Request{Function: inv.FunctionARN, Payload: inv.Payload, TraceID: inv.TraceID})
	if err != nil {
		return gateway.Result{}, err
	}
	return gateway.Result{Payload: resp.Payload, Failed: resp.FunctionError != "", RequestID: resp.RequestID}, nil
}
