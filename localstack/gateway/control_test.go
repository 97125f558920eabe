package gateway

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
)

func TestAPILifecycle(t *testing.T) {
	c := newCloud(t)
	created, err := c.CreateApi(t.Context(), &sdk.CreateApiInput{
		Name: ptr("chat"), ProtocolType: types.ProtocolTypeWebsocket, Description: ptr("a < b"),
		RouteSelectionExpression: ptr("$request.body.action"), Tags: map[string]string{"team": "chat"},
	})
	must(t, err)
	id := created.ApiId
	if *created.ApiEndpoint != "ws://localhost:4566/_aws/execute-api/"+*id || *created.ApiKeySelectionExpression != "$request.header.x-api-key" {
		t.Errorf("created %s %s", *created.ApiEndpoint, *created.ApiKeySelectionExpression)
	}
	if since := c.clock.Since(*created.CreatedDate); since < 0 || since > patience {
		t.Errorf("created %v ago", since)
	}

	updated, err := c.UpdateApi(t.Context(), &sdk.UpdateApiInput{ApiId: id, Version: ptr("2")})
	must(t, err)
	got, err := c.GetApi(t.Context(), &sdk.GetApiInput{ApiId: id})
	must(t, err)
	for what, s := range map[string]*string{"update": updated.Description, "get": got.Description} {
		if aws.ToString(s) != "a < b" {
			t.Errorf("%s: a member absent from PATCH is now %q", what, aws.ToString(s))
		}
	}
	if *got.Name != "chat" || *got.Version != "2" || !maps.Equal(got.Tags, map[string]string{"team": "chat"}) {
		t.Errorf("after PATCH: %s %s %v", *got.Name, *got.Version, got.Tags)
	}
	list, err := c.GetApis(t.Context(), &sdk.GetApisInput{})
	must(t, err)
	if len(list.Items) != 1 || *list.Items[0].ApiId != *id || *list.Items[0].ApiEndpoint != *created.ApiEndpoint {
		t.Errorf("listed %v", list.Items)
	}
	_, err = c.DeleteApi(t.Context(), &sdk.DeleteApiInput{ApiId: id})
	must(t, err)
	_, err = c.GetApi(t.Context(), &sdk.GetApiInput{ApiId: id})
	wantFault(t, err, "NotFoundException", 404, *id)
}

func TestIntegrationLifecycle(t *testing.T) {
	d := &deployed{cloud: newCloud(t)}
	d.id = d.createAPI(t)
	created, err := d.CreateIntegration(t.Context(), &sdk.CreateIntegrationInput{
		ApiId: &d.id, IntegrationType: types.IntegrationTypeAwsProxy, IntegrationUri: invokeARN("f"), IntegrationMethod: ptr("POST"),
		ContentHandlingStrategy: types.ContentHandlingStrategyConvertToText,
	})
	must(t, err)
	id := created.IntegrationId
	if *created.TimeoutInMillis != 29000 || *created.PayloadFormatVersion != "1.0" || created.ConnectionType != "INTERNET" || created.PassthroughBehavior != "WHEN_NO_MATCH" {
		t.Errorf("AWS's defaults are missing in %+v", created)
	}
	_, err = d.UpdateIntegration(t.Context(), &sdk.UpdateIntegrationInput{ApiId: &d.id, IntegrationId: id, TimeoutInMillis: ptr(int32(50))})
	must(t, err)
	got, err := d.GetIntegration(t.Context(), &sdk.GetIntegrationInput{ApiId: &d.id, IntegrationId: id})
	must(t, err)
	if *got.TimeoutInMillis != 50 || *got.IntegrationUri != *invokeARN("f") || *got.IntegrationMethod != "POST" || *got.PayloadFormatVersion != "1.0" {
		t.Errorf("after PATCH: %+v", got)
	}
	list, err := d.GetIntegrations(t.Context(), &sdk.GetIntegrationsInput{ApiId: &d.id})
	must(t, err)
	if len(list.Items) != 1 || *list.Items[0].IntegrationId != *id {
		t.Errorf("listed %v", list.Items)
	}

	route := d.route(t, "$default", *id, false)
	remove := func() error {
		_, err := d.DeleteIntegration(t.Context(), &sdk.DeleteIntegrationInput{ApiId: &d.id, IntegrationId: id})
		return err
	}
	wantFault(t, remove(), "ConflictException", 409, "$default")
	_, err = d.DeleteRoute(t.Context(), &sdk.DeleteRouteInput{ApiId: &d.id, RouteId: &route})
	must(t, err)
	must(t, remove())
}

func TestRouteLifecycle(t *testing.T) {
	d := &deployed{cloud: newCloud(t)}
	d.id = d.createAPI(t)
	integration := d.integrate(t, "f", 29000)
	id := d.route(t, "join", integration, false)
	_, err := d.UpdateRoute(t.Context(), &sdk.UpdateRouteInput{ApiId: &d.id, RouteId: &id, OperationName: ptr("Join")})
	must(t, err)
	got, err := d.GetRoute(t.Context(), &sdk.GetRouteInput{ApiId: &d.id, RouteId: &id})
	must(t, err)
	if *got.RouteKey != "join" || *got.Target != "integrations/"+integration || *got.OperationName != "Join" || got.AuthorizationType != "NONE" {
		t.Errorf("after PATCH: %+v", got)
	}
	_, err = d.CreateRoute(t.Context(), &sdk.CreateRouteInput{ApiId: &d.id, RouteKey: ptr("join")})
	wantFault(t, err, "ConflictException", 409, "join")
	other := d.route(t, "leave", integration, false)
	_, err = d.UpdateRoute(t.Context(), &sdk.UpdateRouteInput{ApiId: &d.id, RouteId: &other, RouteKey: ptr("join")})
	wantFault(t, err, "ConflictException", 409, "join")
	list, err := d.GetRoutes(t.Context(), &sdk.GetRoutesInput{ApiId: &d.id})
	must(t, err)
	if len(list.Items) != 2 {
		t.Errorf("listed %v", list.Items)
	}
}

func TestRouteResponseLifecycle(t *testing.T) {
	d := &deployed{cloud: newCloud(t)}
	d.id = d.createAPI(t)
	route := d.route(t, "join", d.integrate(t, "f", 29000), true)
	create := &sdk.CreateRouteResponseInput{ApiId: &d.id, RouteId: &route, RouteResponseKey: ptr("$default")}
	_, err := d.CreateRouteResponse(t.Context(), create)
	wantFault(t, err, "ConflictException", 409, "$default")
	list, err := d.GetRouteResponses(t.Context(), &sdk.GetRouteResponsesInput{ApiId: &d.id, RouteId: &route})
	must(t, err)
	if len(list.Items) != 1 {
		t.Fatalf("listed %v", list.Items)
	}
	id := list.Items[0].RouteResponseId
	_, err = d.UpdateRouteResponse(t.Context(), &sdk.UpdateRouteResponseInput{ApiId: &d.id, RouteId: &route, RouteResponseId: id, RouteResponseKey: ptr("other")})
	wantFault(t, err, "BadRequestException", 400, "$default")
	_, err = d.UpdateRouteResponse(t.Context(), &sdk.UpdateRouteResponseInput{ApiId: &d.id, RouteId: &route, RouteResponseId: id, RouteResponseKey: ptr("$default")})
	must(t, err)
	got, err := d.GetRouteResponse(t.Context(), &sdk.GetRouteResponseInput{ApiId: &d.id, RouteId: &route, RouteResponseId: id})
	must(t, err)
	if *got.RouteResponseKey != "$default" {
		t.Errorf("got %+v", got)
	}
	_, err = d.DeleteRouteResponse(t.Context(), &sdk.DeleteRouteResponseInput{ApiId: &d.id, RouteId: &route, RouteResponseId: id})
	must(t, err)
	_, err = d.CreateRouteResponse(t.Context(), create)
	must(t, err)
}

func TestDeploymentLifecycle(t *testing.T) {
	d := &deployed{cloud: newCloud(t)}
	d.id = d.createAPI(t)
	_, err := d.CreateDeployment(t.Context(), &sdk.CreateDeploymentInput{ApiId: &d.id})
	wantFault(t, err, "BadRequestException", 400, "At least one route is required")
	d.route(t, "$default", d.integrate(t, "f", 29000), false)
	_, err = d.CreateDeployment(t.Context(), &sdk.CreateDeploymentInput{ApiId: &d.id, StageName: ptr("nope")})
	wantFault(t, err, "NotFoundException", 404, "nope")

	created, err := d.CreateDeployment(t.Context(), &sdk.CreateDeploymentInput{ApiId: &d.id, Description: ptr("first")})
	must(t, err)
	id := created.DeploymentId
	if created.DeploymentStatus != types.DeploymentStatusDeployed {
		t.Errorf("status %s", created.DeploymentStatus)
	}
	_, err = d.UpdateDeployment(t.Context(), &sdk.UpdateDeploymentInput{ApiId: &d.id, DeploymentId: id})
	must(t, err)
	got, err := d.GetDeployment(t.Context(), &sdk.GetDeploymentInput{ApiId: &d.id, DeploymentId: id})
	must(t, err)
	if *got.Description != "first" {
		t.Errorf("after an empty PATCH: %+v", got)
	}
	updated, err := d.UpdateDeployment(t.Context(), &sdk.UpdateDeploymentInput{ApiId: &d.id, DeploymentId: id, Description: ptr("1st")})
	must(t, err)
	if *updated.Description != "1st" {
		t.Errorf("after PATCH: %+v", updated)
	}

	_, err = d.CreateStage(t.Context(), &sdk.CreateStageInput{ApiId: &d.id, StageName: ptr("live"), DeploymentId: id})
	must(t, err)
	remove := func() error {
		_, err := d.DeleteDeployment(t.Context(), &sdk.DeleteDeploymentInput{ApiId: &d.id, DeploymentId: id})
		return err
	}
	wantFault(t, remove(), "BadRequestException", 400, "Active stages")
	redeploy(t, d) // moves the stage
	must(t, remove())
	list, err := d.GetDeployments(t.Context(), &sdk.GetDeploymentsInput{ApiId: &d.id})
	must(t, err)
	if len(list.Items) != 1 {
		t.Errorf("listed %v", list.Items)
	}
}

func TestStageLifecycle(t *testing.T) {
	d := newCloud(t).deploy(t, chat)
	stage := &sdk.GetStageInput{ApiId: &d.id, StageName: ptr(testStage)}
	_, err := d.UpdateStage(t.Context(), &sdk.UpdateStageInput{
		ApiId: &d.id, StageName: stage.StageName, Description: ptr("d"), StageVariables: map[string]string{"a": "1", "b": "2"},
		DefaultRouteSettings: settings(10, 20), RouteSettings: map[string]types.RouteSettings{"join": *settings(1, 2)},
	})
	must(t, err)
	_, err = d.UpdateStage(t.Context(), &sdk.UpdateStageInput{
		ApiId: &d.id, StageName: stage.StageName, StageVariables: map[string]string{"a": "", "c": "3"},
		RouteSettings: map[string]types.RouteSettings{"leave": *settings(3, 4)},
	})
	must(t, err)
	got, err := d.GetStage(t.Context(), stage)
	must(t, err)
	if want := map[string]string{"b": "2", "c": "3"}; !maps.Equal(got.StageVariables, want) {
		t.Errorf("variables %v, want %v: the empty value removes", got.StageVariables, want)
	}
	if *got.Description != "d" || *got.DefaultRouteSettings.ThrottlingRateLimit != 10 || aws.ToString(got.DeploymentId) == "" {
		t.Errorf("members absent from PATCH have changed: %+v", got)
	}
	if keys := slices.Sorted(maps.Keys(got.RouteSettings)); !slices.Equal(keys, []string{"join", "leave"}) {
		t.Errorf("route settings of %v", keys)
	}
	removeSettings := func() error {
		_, err := d.DeleteRouteSettings(t.Context(), &sdk.DeleteRouteSettingsInput{ApiId: &d.id, StageName: stage.StageName, RouteKey: ptr("join")})
		return err
	}
	must(t, removeSettings())
	wantFault(t, removeSettings(), "NotFoundException", 404, "join")
	list, err := d.GetStages(t.Context(), &sdk.GetStagesInput{ApiId: &d.id})
	must(t, err)
	if len(list.Items) != 1 || len(list.Items[0].RouteSettings) != 1 {
		t.Errorf("listed %v", list.Items)
	}
	_, err = d.CreateStage(t.Context(), &sdk.CreateStageInput{ApiId: &d.id, StageName: stage.StageName})
	wantFault(t, err, "ConflictException", 409, "exists")
	_, err = d.DeleteStage(t.Context(), &sdk.DeleteStageInput{ApiId: &d.id, StageName: stage.StageName})
	must(t, err)
	_, err = d.GetStage(t.Context(), stage)
	wantFault(t, err, "NotFoundException", 404, testStage)
}

func TestAPatchThatIsRefusedChangesNothing(t *testing.T) {
	d := newCloud(t).deploy(t, chat)
	_, err := d.UpdateStage(t.Context(), &sdk.UpdateStageInput{ApiId: &d.id, StageName: ptr(testStage), DefaultRouteSettings: settings(10, 20)})
	must(t, err)
	before, err := d.Snapshot()
	must(t, err)
	_, err = d.UpdateStage(t.Context(), &sdk.UpdateStageInput{
		ApiId: &d.id, StageName: ptr(testStage), DefaultRouteSettings: settings(30, -1), StageVariables: map[string]string{"a": "1"},
		RouteSettings: map[string]types.RouteSettings{"join": *settings(1, 1)},
	})
	wantFault(t, err, "BadRequestException", 400, "negative")
	status, _ := d.raw(t, "PATCH", "/v2/apis/"+d.id, `{"tags":{"a":"b"},"routeSelectionExpression":"$nope"}`)
	if status != 400 {
		t.Errorf("status %d", status)
	}
	if after, _ := d.Snapshot(); !bytes.Equal(before, after) {
		t.Errorf("before %s\nafter  %s", before, after)
	}
}

func TestTags(t *testing.T) {
	d := newCloud(t).deploy(t, chat)
	for _, resource := range []string{"/apis/" + d.id, "/apis/" + d.id + "/stages/" + testStage} {
		arn := "arn:aws:apigateway:eu-west-1::" + resource
		_, err := d.TagResource(t.Context(), &sdk.TagResourceInput{ResourceArn: &arn, Tags: map[string]string{"a": "1", "b": "2"}})
		must(t, err)
		_, err = d.UntagResource(t.Context(), &sdk.UntagResourceInput{ResourceArn: &arn, TagKeys: []string{"a", "never there"}})
		must(t, err)
		got, err := d.GetTags(t.Context(), &sdk.GetTagsInput{ResourceArn: &arn})
		must(t, err)
		if !maps.Equal(got.Tags, map[string]string{"b": "2"}) {
			t.Errorf("%s has %v", arn, got.Tags)
		}
	}
	for _, arn := range []string{"arn:aws:apigateway:eu-west-1::/apis/nope", "arn:aws:apigateway:eu-west-1::/apis/" + d.id + "/stages/nope", "arn:aws:sqs:eu-west-1:000000000000:q"} {
		_, err := d.GetTags(t.Context(), &sdk.GetTagsInput{ResourceArn: &arn})
		wantFault(t, err, "NotFoundException", 404, "")
		_, err = d.TagResource(t.Context(), &sdk.TagResourceInput{ResourceArn: &arn, Tags: map[string]string{"a": "1"}})
		wantFault(t, err, "NotFoundException", 404, "")
		_, err = d.UntagResource(t.Context(), &sdk.UntagResourceInput{ResourceArn: &arn, TagKeys: []string{"a"}})
		wantFault(t, err, "NotFoundException", 404, "")
	}
}

// raw makes a request of the control plane that the SDK would not.
func (c *cloud) raw(t *testing.T, method, path, body string) (status int, answer string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, c.url+path, strings.NewReader(body))
	must(t, err)
	response, err := http.DefaultClient.Do(r)
	must(t, err)
	defer response.Body.Close()
	b, err := io.ReadAll(response.Body)
	must(t, err)
	return response.StatusCode, string(b)
}

// The account is of the older API, whose SDK nothing else here needs.
func TestAccount(t *testing.T) {
	c := newCloud(t)
	const fresh = `{"throttleSettings":{"burstLimit":5000,"rateLimit":10000},"features":["UsagePlans"],"apiKeyVersion":"4"}`
	if status, body := c.raw(t, "GET", "/account", ""); status != 200 || body != fresh {
		t.Errorf("%d %s", status, body)
	}
	const role = `{"op":"replace","path":"/cloudwatchRoleArn","value":"arn:aws:iam::000000000000:role/logs"}`
	status, body := c.raw(t, "PATCH", "/account", `{"patchOperations":[`+role+`,{"op":"add","path":"/features","value":"x"}]}`)
	if status != 400 || !strings.Contains(body, "/features") {
		t.Errorf("%d %s", status, body)
	}
	if _, body := c.raw(t, "GET", "/account", ""); body != fresh {
		t.Errorf("a refused patch has changed it: %s", body)
	}
	status, body = c.raw(t, "PATCH", "/account", `{"patchOperations":[`+role+`]}`)
	if status != 200 || !strings.Contains(body, `"cloudwatchRoleArn":"arn:aws:iam::000000000000:role/logs"`) {
		t.Errorf("%d %s", status, body)
	}
}

func TestLoggingNeedsTheAccountsRole(t *testing.T) {
	d := newCloud(t).deploy(t, chat)
	in := &sdk.UpdateStageInput{ApiId: &d.id, StageName: ptr(testStage), DefaultRouteSettings: &types.RouteSettings{LoggingLevel: types.LoggingLevelError}}
	_, err := d.UpdateStage(t.Context(), in)
	wantFault(t, err, "BadRequestException", 400, "CloudWatch Logs role ARN must be set in account settings to enable logging")
	d.raw(t, "PATCH", "/account", `{"patchOperations":[{"op":"replace","path":"/cloudwatchRoleArn","value":"arn:aws:iam::000000000000:role/logs"}]}`)
	_, err = d.UpdateStage(t.Context(), in)
	must(t, err)
}

func TestWhatDoesNotExistIsNotFound(t *testing.T) {
	d := newCloud(t).deploy(t, chat)
	no, ctx := ptr("nope"), t.Context()
	existing := d.route(t, "join", d.integrate(t, "f", 29000), true)
	for of, api := range map[string]*string{"an unknown API": no, "a known API": &d.id} {
		route := ptr(existing)
		tests := map[string]func() error{
			"GetIntegration": func() error {
				_, err := d.GetIntegration(ctx, &sdk.GetIntegrationInput{ApiId: api, IntegrationId: no})
				return err
			},
			"UpdateIntegration": func() error {
				_, err := d.UpdateIntegration(ctx, &sdk.UpdateIntegrationInput{ApiId: api, IntegrationId: no})
				return err
			},
			"DeleteIntegration": func() error {
				_, err := d.DeleteIntegration(ctx, &sdk.DeleteIntegrationInput{ApiId: api, IntegrationId: no})
				return err
			},
			"GetRoute":    func() error { _, err := d.GetRoute(ctx, &sdk.GetRouteInput{ApiId: api, RouteId: no}); return err },
			"UpdateRoute": func() error { _, err := d.UpdateRoute(ctx, &sdk.UpdateRouteInput{ApiId: api, RouteId: no}); return err },
			"DeleteRoute": func() error { _, err := d.DeleteRoute(ctx, &sdk.DeleteRouteInput{ApiId: api, RouteId: no}); return err },
			"CreateRouteResponse": func() error {
				_, err := d.CreateRouteResponse(ctx, &sdk.CreateRouteResponseInput{ApiId: api, RouteId: no, RouteResponseKey: ptr("$default")})
				return err
			},
			"GetRouteResponses": func() error {
				_, err := d.GetRouteResponses(ctx, &sdk.GetRouteResponsesInput{ApiId: api, RouteId: no})
				return err
			},
			"GetRouteResponse": func() error {
				_, err := d.GetRouteResponse(ctx, &sdk.GetRouteResponseInput{ApiId: api, RouteId: route, RouteResponseId: no})
				return err
			},
			"UpdateRouteResponse": func() error {
				_, err := d.UpdateRouteResponse(ctx, &sdk.UpdateRouteResponseInput{ApiId: api, RouteId: route, RouteResponseId: no})
				return err
			},
			"DeleteRouteResponse": func() error {
				_, err := d.DeleteRouteResponse(ctx, &sdk.DeleteRouteResponseInput{ApiId: api, RouteId: route, RouteResponseId: no})
				return err
			},
			"GetDeployment": func() error {
				_, err := d.GetDeployment(ctx, &sdk.GetDeploymentInput{ApiId: api, DeploymentId: no})
				return err
			},
			"UpdateDeployment": func() error {
				_, err := d.UpdateDeployment(ctx, &sdk.UpdateDeploymentInput{ApiId: api, DeploymentId: no})
				return err
			},
			"DeleteDeployment": func() error {
				_, err := d.DeleteDeployment(ctx, &sdk.DeleteDeploymentInput{ApiId: api, DeploymentId: no})
				return err
			},
			"GetStage": func() error { _, err := d.GetStage(ctx, &sdk.GetStageInput{ApiId: api, StageName: no}); return err },
			"UpdateStage": func() error {
				_, err := d.UpdateStage(ctx, &sdk.UpdateStageInput{ApiId: api, StageName: no})
				return err
			},
			"DeleteStage": func() error {
				_, err := d.DeleteStage(ctx, &sdk.DeleteStageInput{ApiId: api, StageName: no})
				return err
			},
			"DeleteRouteSettings": func() error {
				_, err := d.DeleteRouteSettings(ctx, &sdk.DeleteRouteSettingsInput{ApiId: api, StageName: no, RouteKey: no})
				return err
			},
			"CreateStage": func() error {
				_, err := d.CreateStage(ctx, &sdk.CreateStageInput{ApiId: api, StageName: ptr("new"), DeploymentId: no})
				return err
			},
		}
		for name, call := range tests {
			t.Run(name+" of "+of, func(t *testing.T) { wantFault(t, call(), "NotFoundException", 404, "nope") })
		}
	}
}

func TestWhatTheLocalCloudLacksIsRefused(t *testing.T) {
	d := newCloud(t).deploy(t, chat)
	api := func(change func(*sdk.CreateApiInput)) func() error {
		in := &sdk.CreateApiInput{Name: ptr("x"), ProtocolType: types.ProtocolTypeWebsocket, RouteSelectionExpression: ptr("$request.body.a")}
		change(in)
		return func() error { _, err := d.CreateApi(context.Background(), in); return err }
	}
	integration := func(change func(*sdk.CreateIntegrationInput)) func() error {
		in := &sdk.CreateIntegrationInput{ApiId: &d.id, IntegrationType: types.IntegrationTypeAwsProxy, IntegrationUri: invokeARN("f")}
		change(in)
		return func() error { _, err := d.CreateIntegration(context.Background(), in); return err }
	}
	route := func(change func(*sdk.CreateRouteInput)) func() error {
		in := &sdk.CreateRouteInput{ApiId: &d.id, RouteKey: ptr("new")}
		change(in)
		return func() error { _, err := d.CreateRoute(context.Background(), in); return err }
	}
	stage := func(change func(*sdk.CreateStageInput)) func() error {
		in := &sdk.CreateStageInput{ApiId: &d.id, StageName: ptr("new")}
		change(in)
		return func() error { _, err := d.CreateStage(context.Background(), in); return err }
	}
	tests := map[string]struct {
		call func() error
		text string
	}{
		"an HTTP API":                   {api(func(in *sdk.CreateApiInput) { in.ProtocolType = types.ProtocolTypeHttp }), "WEBSOCKET"},
		"an API without a selection":    {api(func(in *sdk.CreateApiInput) { in.RouteSelectionExpression = nil }), "routeSelectionExpression"},
		"a selection by header":         {api(func(in *sdk.CreateApiInput) { in.RouteSelectionExpression = ptr("$request.header.x") }), "$request.header.x"},
		"a selection of the whole body": {api(func(in *sdk.CreateApiInput) { in.RouteSelectionExpression = ptr("$request.body") }), "$request.body"},
		"a selection that does not end": {api(func(in *sdk.CreateApiInput) { in.RouteSelectionExpression = ptr("${request.body.a") }), "${request.body.a"},
		"an API without its endpoint":   {api(func(in *sdk.CreateApiInput) { in.DisableExecuteApiEndpoint = ptr(true) }), "disableExecuteApiEndpoint"},
		"an API with IPv6":              {api(func(in *sdk.CreateApiInput) { in.IpAddressType = types.IpAddressTypeDualstack }), "ipAddressType"},
		"CORS":                          {api(func(in *sdk.CreateApiInput) { in.CorsConfiguration = &types.Cors{} }), "corsConfiguration"},
		"a mock integration":            {integration(func(in *sdk.CreateIntegrationInput) { in.IntegrationType = types.IntegrationTypeMock }), "AWS_PROXY"},
		"an HTTP integration":           {integration(func(in *sdk.CreateIntegrationInput) { in.IntegrationType = types.IntegrationTypeHttpProxy }), "AWS_PROXY"},
		"a custom Lambda integration":   {integration(func(in *sdk.CreateIntegrationInput) { in.IntegrationType = types.IntegrationTypeAws }), "AWS_PROXY"},
		"another service's URI": {integration(func(in *sdk.CreateIntegrationInput) {
			in.IntegrationUri = ptr("arn:aws:apigateway:eu-west-1:sqs:path/q")
		}), "invoke ARN"},
		"a function's own ARN": {integration(func(in *sdk.CreateIntegrationInput) {
			in.IntegrationUri = ptr("arn:aws:lambda:eu-west-1:000000000000:function:f")
		}), "invoke ARN"},
		"mapping templates":    {integration(func(in *sdk.CreateIntegrationInput) { in.RequestTemplates = map[string]string{"a": "b"} }), "requestTemplates"},
		"a template selection": {integration(func(in *sdk.CreateIntegrationInput) { in.TemplateSelectionExpression = ptr("x") }), "templateSelectionExpression"},
		"request parameters":   {integration(func(in *sdk.CreateIntegrationInput) { in.RequestParameters = map[string]string{"a": "b"} }), "requestParameters"},
		"credentials":          {integration(func(in *sdk.CreateIntegrationInput) { in.CredentialsArn = ptr("x") }), "credentialsArn"},
		"a VPC link":           {integration(func(in *sdk.CreateIntegrationInput) { in.ConnectionType = types.ConnectionTypeVpcLink }), "VPC"},
		"binary content": {integration(func(in *sdk.CreateIntegrationInput) {
			in.ContentHandlingStrategy = types.ContentHandlingStrategyConvertToBinary
		}), "contentHandlingStrategy"},
		"payload format 2.0":             {integration(func(in *sdk.CreateIntegrationInput) { in.PayloadFormatVersion = ptr("2.0") }), "payloadFormatVersion"},
		"another method than POST":       {integration(func(in *sdk.CreateIntegrationInput) { in.IntegrationMethod = ptr("GET") }), "integrationMethod"},
		"a time-out of more than 29 s":   {integration(func(in *sdk.CreateIntegrationInput) { in.TimeoutInMillis = ptr(int32(29001)) }), "29000"},
		"a time-out of less than 50 ms":  {integration(func(in *sdk.CreateIntegrationInput) { in.TimeoutInMillis = ptr(int32(49)) }), "50"},
		"API keys":                       {route(func(in *sdk.CreateRouteInput) { in.ApiKeyRequired = ptr(true) }), "apiKeyRequired"},
		"a model selection":              {route(func(in *sdk.CreateRouteInput) { in.ModelSelectionExpression = ptr("x") }), "modelSelectionExpression"},
		"request models":                 {route(func(in *sdk.CreateRouteInput) { in.RequestModels = map[string]string{"a": "b"} }), "requestModels"},
		"another response selection":     {route(func(in *sdk.CreateRouteInput) { in.RouteResponseSelectionExpression = ptr("$x") }), "routeResponseSelectionExpression"},
		"a target that is not there":     {route(func(in *sdk.CreateRouteInput) { in.Target = ptr("integrations/nope") }), "nope"},
		"access logs without a role":     {stage(func(in *sdk.CreateStageInput) { in.AccessLogSettings = &types.AccessLogSettings{Format: ptr("x")} }), "CloudWatch Logs role ARN"},
		"a client certificate":           {stage(func(in *sdk.CreateStageInput) { in.ClientCertificateId = ptr("x") }), "clientCertificateId"},
		"a stage name with a slash":      {stage(func(in *sdk.CreateStageInput) { in.StageName = ptr("a/b") }), "a/b"},
		"a stage name of 129 characters": {stage(func(in *sdk.CreateStageInput) { in.StageName = ptr(strings.Repeat("a", 129)) }), "128"},
		"negative throttling":            {stage(func(in *sdk.CreateStageInput) { in.DefaultRouteSettings = settings(-1, 1) }), "negative"},
		"negative throttling of a route": {stage(func(in *sdk.CreateStageInput) {
			in.RouteSettings = map[string]types.RouteSettings{"a": *settings(1, -1)}
		}), "negative"},
		"response models": {func() error {
			r := d.route(t, "models", d.integrate(t, "f", 29000), false)
			_, err := d.CreateRouteResponse(context.Background(), &sdk.CreateRouteResponseInput{ApiId: &d.id, RouteId: &r, RouteResponseKey: ptr("$default"), ResponseModels: map[string]string{"a": "b"}})
			return err
		}, "responseModels"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) { wantFault(t, tt.call(), "BadRequestException", 400, tt.text) })
	}
}

func TestOperationsThatAreNotThereSaySo(t *testing.T) {
	d := newCloud(t).deploy(t, chat)
	_, err := d.CreateModel(t.Context(), &sdk.CreateModelInput{ApiId: &d.id, Name: ptr("m"), Schema: ptr("{}")})
	wantFault(t, err, "UnknownOperationException", 404, "/models")
	_, err = d.CreateIntegrationResponse(t.Context(), &sdk.CreateIntegrationResponseInput{ApiId: &d.id, IntegrationId: ptr("i"), IntegrationResponseKey: ptr("$default")})
	wantFault(t, err, "UnknownOperationException", 404, "/integrationresponses")
	_, err = d.GetDomainNames(t.Context(), &sdk.GetDomainNamesInput{})
	wantFault(t, err, "UnknownOperationException", 404, "/domainnames")
}

func TestBodiesThatAreNoJSONAreRefused(t *testing.T) {
	c := newCloud(t)
	for name, body := range map[string]string{"no JSON": "{", "a list": "[]", "a number for a name": `{"name":1}`, "more than one value": `{} {}`} {
		if status, answer := c.raw(t, "POST", "/v2/apis", body); status != 400 || !strings.Contains(answer, "Invalid request body") {
			t.Errorf("%s: %d %s", name, status, answer)
		}
	}
}

func TestADeploymentPinsTheRoutes(t *testing.T) {
	d := newCloud(t).deploy(t, chat)
	d.set("new", answers(200, "new"))
	c := d.dial(t)
	const message = `{"action":"new"}`
	d.route(t, "new", d.integrate(t, "new", 29000), true)
	c.send(message)
	c.want(message) // still $default's echo
	redeploy(t, d)
	c.send(message) // on the same connection
	c.want("new")
}

func TestAutoDeployServesTheRoutesAsTheyAre(t *testing.T) {
	d := newCloud(t).deploy(t, chat)
	d.set("new", answers(200, "new"))
	_, err := d.UpdateStage(t.Context(), &sdk.UpdateStageInput{ApiId: &d.id, StageName: ptr(testStage), AutoDeploy: ptr(true)})
	must(t, err)
	c := d.dial(t)
	const message = `{"action":"new"}`
	c.send(message)
	c.want(message)
	d.route(t, "new", d.integrate(t, "new", 29000), true)
	c.send(message)
	c.want("new")
}

func TestAStageWithoutADeploymentServesNothing(t *testing.T) {
	d := newCloud(t).deploy(t, chat)
	_, err := d.CreateStage(t.Context(), &sdk.CreateStageInput{ApiId: &d.id, StageName: ptr("empty")})
	must(t, err)
	if status, body := d.raw(t, "GET", DataPath+d.id+"/empty", ""); status != 403 || body != `{"message":"Forbidden"}` {
		t.Errorf("%d %s", status, body)
	}
}

func TestSnapshotAndRestore(t *testing.T) {
	d := newCloud(t).deploy(t, chat)
	_, err := d.UpdateStage(t.Context(), &sdk.UpdateStageInput{
		ApiId: &d.id, StageName: ptr(testStage), StageVariables: map[string]string{"a": "1"}, DefaultRouteSettings: settings(100, 100),
	})
	must(t, err)
	d.raw(t, "PATCH", "/account", `{"patchOperations":[{"op":"replace","path":"/cloudwatchRoleArn","value":"arn:aws:iam::000000000000:role/logs"}]}`)
	d.route(t, "later", d.integrate(t, "f", 50), true) // not deployed
	saved, err := d.Snapshot()
	must(t, err)

	restored := &deployed{cloud: newCloud(t), id: d.id}
	restored.createAPI(t) // is replaced
	restored.set("echo", echo)
	must(t, restored.Restore(saved))
	if again, err := restored.Snapshot(); err != nil || !bytes.Equal(saved, again) {
		t.Errorf("%v: saved\n%s\nrestored\n%s", err, saved, again)
	}
	c := restored.dial(t) // it serves what was deployed
	c.send(`{"action":"later"}`)
	c.want(`{"action":"later"}`)
	restored.route(t, "more", restored.integrate(t, "f", 50), true) // and goes on from there
}

func TestRestoreTakesASnapshotThatLacksSomething(t *testing.T) {
	d := &deployed{cloud: newCloud(t), id: "abc"}
	must(t, d.Restore([]byte(`{"APIs":{"abc":{"API":{"apiId":"abc"}}}}`)))
	d.route(t, "$default", d.integrate(t, "echo", 29000), true) // nothing is nil
	if err := d.Restore([]byte(`{`)); err == nil {
		t.Error("half a snapshot was taken")
	}
}
