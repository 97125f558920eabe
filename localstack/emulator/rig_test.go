package emulator_test

import (
	"context"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	gwtypes "github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/coder/websocket"

	"fanfare/localstack/emulator"
)

// rig deploys to a local cloud, in this process or another, for benchmarks and
// the soak.
type rig struct {
	tb  testing.TB
	url string // of the cloud
}

// embed starts a cloud in this process. create is emulator.New or like it.
func embed(tb testing.TB, create func(emulator.Options) (*emulator.Emulator, error), o emulator.Options) (*emulator.Emulator, rig) {
	tb.Helper()
	o.Addr = "127.0.0.1:0"
	cloud, err := create(o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := cloud.Close(ctx); err != nil {
			tb.Errorf("close: %v", err)
		}
	})
	if err := cloud.Start(); err != nil {
		tb.Fatal(err)
	}
	return cloud, rig{tb, cloud.URL()}
}

func (r rig) config() aws.Config {
	return aws.Config{Region: "eu-west-1", BaseEndpoint: &r.url, Credentials: benchCredentials}
}

var benchCredentials = credentials.NewStaticCredentialsProvider("test", "test", "")

// role creates the role that functions run with. It may be called once.
func (r rig) role() *string {
	role, err := iam.NewFromConfig(r.config()).CreateRole(r.tb.Context(), &iam.CreateRoleInput{
		RoleName:                 aws.String("function"),
		AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`),
	})
	if err != nil {
		r.tb.Fatal(err)
	}
	_, err = iam.NewFromConfig(r.config()).PutRolePolicy(r.tb.Context(), &iam.PutRolePolicyInput{
		RoleName: role.Role.RoleName, PolicyName: aws.String("all"),
		PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`),
	})
	if err != nil {
		r.tb.Fatal(err)
	}
	return role.Role.Arn
}

// function creates a function that API Gateway may call, and returns its ARN.
func (r rig) function(name string, role *string, code []byte, environment map[string]string) string {
	ctx, client := r.tb.Context(), lambda.NewFromConfig(r.config())
	out, err := client.CreateFunction(ctx, &lambda.CreateFunctionInput{
		FunctionName: &name, Role: role, Handler: aws.String("bootstrap"), Timeout: aws.Int32(30),
		Runtime: lambdatypes.RuntimeProvidedal2023, Code: &lambdatypes.FunctionCode{ZipFile: code},
		Architectures: []lambdatypes.Architecture{architecture()},
		Environment:   &lambdatypes.Environment{Variables: environment},
	})
	if err == nil {
		_, err = client.AddPermission(ctx, &lambda.AddPermissionInput{
			FunctionName: &name, StatementId: aws.String("api"), Action: aws.String("lambda:InvokeFunction"),
			Principal: aws.String("apigateway.amazonaws.com"), SourceArn: aws.String("arn:aws:execute-api:eu-west-1:000000000000:*"),
		})
	}
	if err != nil {
		r.tb.Fatal(err)
	}
	return *out.FunctionArn
}

// api deploys a WebSocket API and returns its stage's URL without the scheme.
// functions are by route key; twoWay are the routes with a route response.
func (r rig) api(functions map[string]string, twoWay ...string) string {
	ctx, gw := r.tb.Context(), apigatewayv2.NewFromConfig(r.config())
	api, err := gw.CreateApi(ctx, &apigatewayv2.CreateApiInput{
		Name: aws.String("test"), ProtocolType: gwtypes.ProtocolTypeWebsocket,
		RouteSelectionExpression: aws.String("$request.body.action"),
	})
	if err != nil {
		r.tb.Fatal(err)
	}
	for _, key := range slices.Sorted(maps.Keys(functions)) {
		if err := createRoute(ctx, gw, api.ApiId, key, functions[key], slices.Contains(twoWay, key)); err != nil {
			r.tb.Fatal(err)
		}
	}
	d, err := gw.CreateDeployment(ctx, &apigatewayv2.CreateDeploymentInput{ApiId: api.ApiId})
	if err == nil {
		_, err = gw.CreateStage(ctx, &apigatewayv2.CreateStageInput{ApiId: api.ApiId, StageName: aws.String("live"), DeploymentId: d.DeploymentId})
	}
	if err != nil {
		r.tb.Fatal(err)
	}
	return r.url[len("http://"):] + "/_aws/execute-api/" + *api.ApiId + "/live"
}

func createRoute(ctx context.Context, gw *apigatewayv2.Client, api *string, key, function string, twoWay bool) error {
	integration, err := gw.CreateIntegration(ctx, &apigatewayv2.CreateIntegrationInput{
		ApiId: api, IntegrationType: gwtypes.IntegrationTypeAwsProxy,
		IntegrationUri: aws.String("arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/" + function + "/invocations"),
	})
	if err != nil {
		return err
	}
	return createRouteTo(ctx, gw, api, key, *integration.IntegrationId, twoWay)
}

func createRouteTo(ctx context.Context, gw *apigatewayv2.Client, api *string, key, integration string, twoWay bool) error {
	in := &apigatewayv2.CreateRouteInput{ApiId: api, RouteKey: &key, Target: aws.String("integrations/" + integration)}
	if twoWay {
		in.RouteResponseSelectionExpression = aws.String("$default")
	}
	route, err := gw.CreateRoute(ctx, in)
	if err != nil || !twoWay {
		return err
	}
	_, err = gw.CreateRouteResponse(ctx, &apigatewayv2.CreateRouteResponseInput{ApiId: api, RouteId: route.RouteId, RouteResponseKey: aws.String("$default")})
	return err
}

// build compiles as functions are compiled for AWS.
func build(out, pkg string) error {
	cmd := exec.Command("go", "build", "-tags", "lambda.norpc", "-ldflags", "-s -w", "-o", out, pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", pkg, err, text)
	}
	return nil
}

// benchZip is the zip of testdata/bench.
func benchZip(tb testing.TB) []byte {
	tb.Helper()
	return emulator.Build(tb, "./testdata/bench")
}

// freeAddr is an address that nobody listens at.
func freeAddr(tb testing.TB) string {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// ask sends a frame and returns the next that comes.
func ask(ctx context.Context, c *websocket.Conn, frame []byte) (string, error) {
	if err := c.Write(ctx, websocket.MessageText, frame); err != nil {
		return "", err
	}
	return read(ctx, c)
}

func read(ctx context.Context, c *websocket.Conn) (string, error) {
	_, frame, err := c.Read(ctx)
	return string(frame), err
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}
