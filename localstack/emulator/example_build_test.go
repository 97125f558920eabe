package emulator_test

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	gwtypes "github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/coder/websocket"

	"fanfare/localstack/emulator"
)

// A WebSocket API with a Go function, from its source to the frame that it
// answers. In a test, t is its *testing.T.
func ExampleBuild() {
	t, end := exampleT()
	defer end()

	cloud := emulator.Start(t)
	url, err := deployAPI(t.Context(), cloud.Config(), emulator.Build(t, "./testdata/function"))
	if err != nil {
		t.Fatalf("deploy: %v", err)
	}
	socket, _, err := websocket.Dial(t.Context(), url, nil)
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	defer socket.CloseNow()
	if err := socket.Write(t.Context(), websocket.MessageText, []byte(`{"action":"hello"}`)); err != nil {
		t.Fatalf("send: %v", err)
	}
	_, frame, err := socket.Read(t.Context())
	fmt.Println(string(frame), err)
	// Output: echo {"action":"hello"} <nil>
}

// deployAPI does what else Terraform would: it makes a function of the code and
// puts a WebSocket API in front of it, whose URL it returns.
func deployAPI(ctx context.Context, cfg aws.Config, code []byte) (url string, err error) {
	function, err := deployFunction(ctx, cfg, "echo", code)
	if err != nil {
		return "", err
	}
	gateway := apigatewayv2.NewFromConfig(cfg)
	api, err := gateway.CreateApi(ctx, &apigatewayv2.CreateApiInput{
		Name: aws.String("example"), ProtocolType: gwtypes.ProtocolTypeWebsocket,
		RouteSelectionExpression: aws.String("$request.body.action"),
	})
	if err != nil {
		return "", err
	}
	integration, err := gateway.CreateIntegration(ctx, &apigatewayv2.CreateIntegrationInput{
		ApiId: api.ApiId, IntegrationType: gwtypes.IntegrationTypeAwsProxy,
		IntegrationUri: aws.String("arn:aws:apigateway:" + cfg.Region + ":lambda:path/2015-03-31/functions/" + function + "/invocations"),
	})
	if err != nil {
		return "", err
	}
	target := aws.String("integrations/" + *integration.IntegrationId)
	if _, err = gateway.CreateRoute(ctx, &apigatewayv2.CreateRouteInput{ApiId: api.ApiId, RouteKey: aws.String("$connect"), Target: target}); err != nil {
		return "", err
	}
	// A route response sends the client what the function returns.
	route, err := gateway.CreateRoute(ctx, &apigatewayv2.CreateRouteInput{
		ApiId: api.ApiId, RouteKey: aws.String("$default"), Target: target, RouteResponseSelectionExpression: aws.String("$default"),
	})
	if err != nil {
		return "", err
	}
	_, err = gateway.CreateRouteResponse(ctx, &apigatewayv2.CreateRouteResponseInput{ApiId: api.ApiId, RouteId: route.RouteId, RouteResponseKey: aws.String("$default")})
	if err != nil {
		return "", err
	}
	_, err = gateway.CreateStage(ctx, &apigatewayv2.CreateStageInput{ApiId: api.ApiId, StageName: aws.String("live"), AutoDeploy: aws.Bool(true)})
	return *api.ApiEndpoint + "/live", err
}

// deployFunction creates a function with a role that may do nothing, and lets
// API Gateway call it.
func deployFunction(ctx context.Context, cfg aws.Config, name string, code []byte) (arn string, err error) {
	role, err := iam.NewFromConfig(cfg).CreateRole(ctx, &iam.CreateRoleInput{
		RoleName:                 &name,
		AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`),
	})
	if err != nil {
		return "", err
	}
	functions := lambda.NewFromConfig(cfg)
	function, err := functions.CreateFunction(ctx, &lambda.CreateFunctionInput{
		FunctionName: &name, Role: role.Role.Arn, Handler: aws.String("bootstrap"),
		Runtime: lambdatypes.RuntimeProvidedal2023, Code: &lambdatypes.FunctionCode{ZipFile: code},
	})
	if err != nil {
		return "", err
	}
	_, err = functions.AddPermission(ctx, &lambda.AddPermissionInput{
		FunctionName: &name, StatementId: aws.String("api"), Action: aws.String("lambda:InvokeFunction"), Principal: aws.String("apigateway.amazonaws.com"),
	})
	return *function.FunctionArn, err
}
