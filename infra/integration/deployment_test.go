package integration

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	tfjson "github.com/hashicorp/terraform-json"

	"fanfare/localstack/emulator"
	"fanfare/scripts/stack"
	"fanfare/shared/auth/authtest"
)

// deployment is infra/ on a local cloud, with a copy of infra/ to change.
type deployment struct {
	*workspace
	*cloud
	outputs stack.Outputs
	key     *authtest.Key
}

// sharedDir is where the suite keeps its deployment too: whoever comes second,
// in CI the suite, restores it.
const sharedDir = ".local/test"

// deploy brings infra/ up, or what is kept of it, and then starts a copy of the
// cloud with a copy of the state, so that what is kept stays as it was applied.
func deploy(t *testing.T) *deployment {
	t.Helper()
	if err := build(); err != nil { // for the other test too, at once
		t.Fatal(err)
	}
	port, err := stack.PortOrAny()
	if err != nil {
		t.Fatal(err)
	}
	up, err := stack.Up(t.Context(), stack.Options{Root: root, Dir: sharedDir, Port: port, Out: t.Output()})
	if err != nil {
		t.Fatal(err)
	}
	endpoint, outputs, key := up.Cloud.URL(), up.Outputs, up.Key
	up.Close(t.Context())
	kept, data := filepath.Join(root, sharedDir), t.TempDir()
	copyFile(t, filepath.Join(kept, "cloud", emulator.SnapshotFile), filepath.Join(data, emulator.SnapshotFile))
	u, err := url.Parse(endpoint) // which the functions know
	if err != nil {
		t.Fatal(err)
	}
	c := startCloud(t, emulator.Options{Addr: u.Host, DataDir: data})
	return &deployment{newWorkspace(t, endpoint, filepath.Join(kept, "terraform.tfstate")), c, outputs, key}
}

func (d *deployment) dial(t *testing.T) *client {
	t.Helper()
	return dial(t, d.outputs.WebSocketURL, stack.DevToken(d.key, "ann", "acme", []string{"broadcast:*"}, 24*time.Hour))
}

// TestTheLifeOfADeployment goes through what happens to a deployment after its
// first apply, in this order, because an apply of the root takes half a minute.
func TestTheLifeOfADeployment(t *testing.T) {
	begin(t)
	d := deploy(t)
	for _, stage := range []struct {
		name string
		run  func(*testing.T, *deployment)
	}{
		{"the plan after an apply is empty", func(t *testing.T, d *deployment) { d.wantNothingToDo(t) }},
		{"a change plans what it changes and no more", planEachChange},
		{"all changes are applied, and served", applyAllChanges},
		{"what changed behind Terraform's back is seen and put right", repairDrift},
		{"a function is rolled back and forward", rollBack},
		{"a destroy leaves nothing", destroy},
	} {
		if !t.Run(stage.name, func(t *testing.T) { stage.run(t, d) }) {
			t.Fatalf("stopped at %q: the next stages begin where it ends", stage.name)
		}
	}
}

// Addresses.
const (
	theAPI        = "module.websocket_api.aws_apigatewayv2_api.this"
	theDeployment = "module.websocket_api.aws_apigatewayv2_deployment.this"
	theStage      = "module.websocket_api.aws_apigatewayv2_stage.this"
	theTable      = "module.connections_table.aws_dynamodb_table.this"
)

func route(key string) string {
	return fmt.Sprintf("module.websocket_api.aws_apigatewayv2_route.this[%q]", key)
}

func routeResponse(key string) string {
	return fmt.Sprintf("module.websocket_api.aws_apigatewayv2_route_response.this[%q]", key)
}

func function(key string) string {
	return fmt.Sprintf("module.function[%q].aws_lambda_function.this", key)
}

func alias(key string) string {
	return fmt.Sprintf("module.function[%q].aws_lambda_alias.live", key)
}

func logGroup(key string) string {
	return fmt.Sprintf("module.function[%q].aws_cloudwatch_log_group.this", key)
}

func policy(key string) string {
	return fmt.Sprintf("module.function[%q].aws_iam_role_policy.this", key)
}

func queue(key string) string { return fmt.Sprintf("module.queue[%q].aws_sqs_queue.this", key) }

func mapping(key string) string {
	return fmt.Sprintf("aws_lambda_event_source_mapping.this[%q]", key)
}

// What follows from every change of a function: a new version, and the alias on
// it.
const (
	newVersion = "qualified_arn? qualified_invoke_arn? version?"
	movedAlias = "update function_version?"
)

// What follows from every change of what the API serves: the new deployment is
// made and served before the old one goes.
const (
	newDeployment = "create,delete for [triggers]"
	movedStage    = "update deployment_id?"
)

// change is an edit of what a platform team edits, and what must come of it.
type change struct {
	name string
	edit func(*testing.T, *workspace)
	want func(*tfjson.Plan) changes
	seen func(*testing.T, *deployment) // once it is applied with all the others
}

func exactly(c changes) func(*tfjson.Plan) changes { return func(*tfjson.Plan) changes { return c } }

var edits = []change{
	{
		name: "a route is added",
		edit: func(t *testing.T, w *workspace) {
			w.replace(t, "routes.json", `"ping":`, `"time": { "function": "message", "response": true }, "ping":`)
		},
		want: exactly(changes{route("time"): "create", routeResponse("time"): "create", theDeployment: newDeployment, theStage: movedStage}),
		seen: func(t *testing.T, d *deployment) {
			c := d.dial(t)
			c.send(t, `{"action":"time"}`)
			c.want(t, frame{"new", "time"})
			c.close(t)
		},
	},
	{
		name: "a route is removed",
		edit: func(t *testing.T, w *workspace) {
			w.replace(t, "routes.json", `,
  "authenticate": { "function": "message", "response": true }`, "")
		},
		want: exactly(changes{route("authenticate"): "delete", routeResponse("authenticate"): "delete", theDeployment: newDeployment, theStage: movedStage}),
		seen: func(t *testing.T, d *deployment) {
			c := d.dial(t)
			c.send(t, `{"action":"authenticate"}`)
			// Terraform deletes what a create_before_destroy resource needs only after that
			// is made, so the snapshot still has the route: it goes with the next deployment
			// (infra/README.md; https://github.com/pulumi/pulumi-aws/issues/3683).
			c.want(t, frame{"new", "authenticate"})
			c.close(t)
			if _, ok := d.routes(t)["authenticate"]; ok {
				t.Error("the route is there")
			}
		},
	},
	{
		name: "a route ceases to answer",
		edit: func(t *testing.T, w *workspace) {
			w.replace(t, "routes.json", `"unsubscribe": { "function": "message", "response": true }`, `"unsubscribe": { "function": "message" }`)
		},
		want: exactly(changes{
			route("unsubscribe"): "update route_response_selection_expression", routeResponse("unsubscribe"): "delete",
			theDeployment: newDeployment, theStage: movedStage,
		}),
		seen: func(t *testing.T, d *deployment) {
			if r := d.routes(t)["unsubscribe"]; r.id == "" || r.answers {
				t.Errorf("the route is %+v", r)
			}
		},
	},
	{
		name: "a function's code",
		edit: newCode,
		want: exactly(changes{function("message"): "update last_modified? qualified_arn? qualified_invoke_arn? source_code_hash version?", alias("message"): movedAlias}),
		seen: func(t *testing.T, d *deployment) {
			d.wantVersion(t, "message", "2")
			c := d.dial(t)
			c.send(t, `{"action":"ping"}`)
			c.want(t, frame{"new", "ping"})
			c.close(t)
		},
	},
	{
		name: "a function's time-out, and with it its queue's",
		edit: func(t *testing.T, w *workspace) { w.replace(t, "locals.tf", "deliver    = 30", "deliver    = 20") },
		want: exactly(changes{
			function("deliver"): "update " + strings.Replace(newVersion, " version?", " timeout version?", 1), alias("deliver"): movedAlias,
			queue("deliver"): "update visibility_timeout_seconds",
		}),
		seen: func(t *testing.T, d *deployment) {
			d.wantVersion(t, "deliver", "2")
			f := must(d.fn.GetFunctionConfiguration(t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: aws.String("fanfare-deliver"), Qualifier: aws.String("live")}))(t)
			if *f.Timeout != 20 {
				t.Errorf("the function's time-out is %d s", *f.Timeout)
			}
			d.wantVisibility(t, "120")
		},
	},
	{
		name: "limits",
		edit: func(_ *testing.T, w *workspace) {
			w.set(`limits={ broadcasts_per_tenant = 40, throttling_rate = 500, throttling_burst = 250 }`)
		},
		want: exactly(changes{
			function("message"): "update environment.0.variables.TENANT_BROADCAST_LIMIT " + newVersion, alias("message"): movedAlias,
			theStage: "update default_route_settings.0.throttling_burst_limit default_route_settings.0.throttling_rate_limit",
		}),
		seen: func(t *testing.T, d *deployment) {
			f := must(d.fn.GetFunctionConfiguration(t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: aws.String("fanfare-message"), Qualifier: aws.String("live")}))(t)
			if limit := f.Environment.Variables["TENANT_BROADCAST_LIMIT"]; limit != "40" {
				t.Errorf("the tenants' limit is %s", limit)
			}
			s := must(d.api.GetStage(t.Context(), &apigatewayv2.GetStageInput{ApiId: d.onlyAPI(t), StageName: aws.String("live")}))(t).DefaultRouteSettings
			if *s.ThrottlingRateLimit != 500 || *s.ThrottlingBurstLimit != 250 {
				t.Errorf("the stage takes %v a second, %d at once", *s.ThrottlingRateLimit, *s.ThrottlingBurstLimit)
			}
		},
	},
	{
		name: "log retention",
		edit: func(_ *testing.T, w *workspace) {
			w.set("logs={ retention_days = 7, access = true, manage_account_logging_role = true }")
		},
		want: func(*tfjson.Plan) changes {
			all := changes{"module.websocket_api.aws_cloudwatch_log_group.access[0]": "update retention_in_days"}
			for _, key := range []string{"connect", "message", "broadcast", "deliver", "disconnect"} {
				all[logGroup(key)] = "update retention_in_days"
			}
			return all
		},
		seen: func(t *testing.T, d *deployment) {
			for _, g := range must(d.logs.DescribeLogGroups(t.Context(), &cloudwatchlogs.DescribeLogGroupsInput{}))(t).LogGroups {
				if aws.ToInt32(g.RetentionInDays) != 7 {
					t.Errorf("%s is kept for %d days", *g.LogGroupName, aws.ToInt32(g.RetentionInDays))
				}
			}
		},
	},
	{
		name: "tags",
		edit: func(_ *testing.T, w *workspace) { w.set(`tags={ Team = "push" }`) },
		// Everything that can have tags, and nothing else.
		want: func(p *tfjson.Plan) changes {
			all := changes{}
			for _, r := range p.ResourceChanges {
				if before, ok := r.Change.Before.(map[string]any); ok && r.Mode == tfjson.ManagedResourceMode && before["tags_all"] != nil {
					all[r.Address] = "update tags_all.Team"
				}
			}
			for _, address := range []string{theAPI, theStage, theTable, queue("broadcast"), function("connect"), logGroup("connect"), mapping("deliver")} {
				if all[address] == "" {
					all[address] = "tags"
				}
			}
			return all
		},
		seen: func(t *testing.T, d *deployment) {
			for what, tags := range d.tags(t) {
				if want := map[string]string{"Application": "fanfare", "ManagedBy": "terraform", "Team": "push"}; !maps.Equal(tags, want) {
					t.Errorf("the tags of %s are %v", what, tags)
				}
			}
		},
	},
}

// newCode replaces the message function's zip.
func newCode(t *testing.T, w *workspace) {
	t.Helper()
	if err := os.WriteFile(w.zip("message"), emulator.Build(t, "./testdata/message"), 0o644); err != nil {
		t.Fatal(err)
	}
}

func planEachChange(t *testing.T, d *deployment) {
	for _, e := range edits {
		t.Run(e.name, func(t *testing.T) {
			defer d.reset(t)
			e.edit(t, d.workspace)
			_, p := d.plan(t, false) // which the stage before has seen to be what is there
			planned(p).want(t, e.want(p))
		})
	}
}

func applyAllChanges(t *testing.T, d *deployment) {
	before := d.dial(t)
	before.send(t, `{"action":"ping"}`)
	before.want(t, frame{Type: "pong"})
	before.send(t, `{"action":"time"}`)
	before.want(t, frame{"error", "INVALID_MESSAGE"})
	deploymentBefore := d.servedDeployment(t)

	wanted := map[string]bool{}
	for _, e := range edits {
		e.edit(t, d.workspace)
	}
	file, p := d.plan(t, false)
	for _, e := range edits {
		for address := range e.want(p) {
			wanted[address] = true
		}
	}
	got := planned(p)
	if all, want := slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(wanted)); !slices.Equal(all, want) {
		t.Errorf("together they change\n  %s\nwant\n  %s", strings.Join(all, "\n  "), strings.Join(want, "\n  "))
	}
	d.apply(t, file)

	for _, e := range edits {
		t.Run(e.name, func(t *testing.T) { e.seen(t, d) })
	}
	// Sockets live through all of it, and get the new code and routes.
	before.send(t, `{"action":"time"}`)
	before.want(t, frame{"new", "time"})
	before.close(t)
	if now := d.servedDeployment(t); now == deploymentBefore {
		t.Errorf("the stage still serves the deployment %s", now)
	}
	if all := must(d.api.GetDeployments(t.Context(), &apigatewayv2.GetDeploymentsInput{ApiId: d.onlyAPI(t)}))(t).Items; len(all) != 1 {
		t.Errorf("%d deployments, want the old one to be gone", len(all))
	}
	d.wantNothingToDo(t)
}

func (d *deployment) servedDeployment(t *testing.T) string {
	t.Helper()
	return aws.ToString(must(d.api.GetStage(t.Context(), &apigatewayv2.GetStageInput{ApiId: d.onlyAPI(t), StageName: aws.String("live")}))(t).DeploymentId)
}

// wantVersion asks which version a function's callers get.
func (d *deployment) wantVersion(t *testing.T, key, want string) {
	t.Helper()
	a := must(d.fn.GetAlias(t.Context(), &lambda.GetAliasInput{FunctionName: aws.String("fanfare-" + key), Name: aws.String("live")}))(t)
	if *a.FunctionVersion != want {
		t.Errorf("%s serves version %s, want %s", key, *a.FunctionVersion, want)
	}
}

func (d *deployment) wantVisibility(t *testing.T, want string) {
	t.Helper()
	q := must(d.sqs.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: d.queueURL(t, "fanfare-deliver"), AttributeNames: []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNameAll},
	}))(t)
	if got := q.Attributes["VisibilityTimeout"]; got != want {
		t.Errorf("a received message is hidden for %s s, want %s", got, want)
	}
}

// tags of one of each kind of resource.
func (d *deployment) tags(t *testing.T) map[string]map[string]string {
	t.Helper()
	ctx := t.Context()
	all := map[string]map[string]string{}
	all["API"] = must(d.api.GetApi(ctx, &apigatewayv2.GetApiInput{ApiId: d.onlyAPI(t)}))(t).Tags
	all["stage"] = must(d.api.GetStage(ctx, &apigatewayv2.GetStageInput{ApiId: d.onlyAPI(t), StageName: aws.String("live")}))(t).Tags
	all["function"] = must(d.fn.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: aws.String("fanfare-connect")}))(t).Tags
	all["queue"] = must(d.sqs.ListQueueTags(ctx, &sqs.ListQueueTagsInput{QueueUrl: d.queueURL(t, "fanfare-deliver")}))(t).Tags
	all["role"], all["table"] = map[string]string{}, map[string]string{}
	for _, tag := range must(d.iam.ListRoleTags(ctx, &iam.ListRoleTagsInput{RoleName: aws.String("fanfare-connect-" + region)}))(t).Tags {
		all["role"][*tag.Key] = *tag.Value
	}
	table := must(d.db.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &d.outputs.TableName}))(t).Table
	for _, tag := range must(d.db.ListTagsOfResource(ctx, &dynamodb.ListTagsOfResourceInput{ResourceArn: table.TableArn}))(t).Tags {
		all["table"][*tag.Key] = *tag.Value
	}
	group := must(d.logs.DescribeLogGroups(ctx, &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: aws.String("/aws/lambda/fanfare-connect")}))(t).LogGroups[0]
	all["log group"] = must(d.logs.ListTagsForResource(ctx, &cloudwatchlogs.ListTagsForResourceInput{ResourceArn: group.LogGroupArn}))(t).Tags
	return all
}

// meddling is something done behind Terraform's back, and what a plan then says.
type meddling struct {
	name string
	do   func(context.Context, *testing.T, *deployment) error
	want changes
}

var meddlings = []meddling{
	{"a queue's visibility time-out", func(ctx context.Context, t *testing.T, d *deployment) error {
		_, err := d.sqs.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{QueueUrl: d.queueURL(t, "fanfare-deliver"), Attributes: map[string]string{"VisibilityTimeout": "30"}})
		return err
	}, changes{queue("deliver"): "update visibility_timeout_seconds"}},
	{"a log group's retention", func(ctx context.Context, _ *testing.T, d *deployment) error {
		_, err := d.logs.DeleteRetentionPolicy(ctx, &cloudwatchlogs.DeleteRetentionPolicyInput{LogGroupName: aws.String("/aws/lambda/fanfare-broadcast")})
		return err
	}, changes{logGroup("broadcast"): "update retention_in_days"}},
	{"a log group is gone", func(ctx context.Context, _ *testing.T, d *deployment) error {
		_, err := d.logs.DeleteLogGroup(ctx, &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: aws.String("/aws/lambda/fanfare-deliver")})
		return err
	}, changes{logGroup("deliver"): "create", policy("deliver"): "update policy?"}}, // which names the group's ARN
	{"a role may do more", func(ctx context.Context, _ *testing.T, d *deployment) error {
		_, err := d.iam.PutRolePolicy(ctx, &iam.PutRolePolicyInput{
			RoleName: aws.String("fanfare-disconnect-" + region), PolicyName: aws.String("function"),
			PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Sid":"All","Effect":"Allow","Action":"dynamodb:*","Resource":"*"}]}`),
		})
		return err
	}, changes{policy("disconnect"): "update policy"}},
	{"a role may do nothing", func(ctx context.Context, _ *testing.T, d *deployment) error {
		_, err := d.iam.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: aws.String("fanfare-broadcast-" + region), PolicyName: aws.String("function")})
		return err
	}, changes{policy("broadcast"): "create"}},
	{"a route is gone", func(ctx context.Context, t *testing.T, d *deployment) error {
		_, err := d.api.DeleteRoute(ctx, &apigatewayv2.DeleteRouteInput{ApiId: d.onlyAPI(t), RouteId: aws.String(d.routes(t)["subscribe"].id)})
		return err
	}, changes{route("subscribe"): "create", routeResponse("subscribe"): "create", theDeployment: newDeployment, theStage: movedStage}},
	{"expired rows stay", func(ctx context.Context, _ *testing.T, d *deployment) error {
		_, err := d.db.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{
			TableName: &d.outputs.TableName, TimeToLiveSpecification: &dbtypes.TimeToLiveSpecification{AttributeName: aws.String("expiresAt"), Enabled: aws.Bool(false)},
		})
		return err
	}, changes{theTable: "update ttl.0.attribute_name ttl.0.enabled"}},
	{"a function's environment", func(ctx context.Context, t *testing.T, d *deployment) error {
		f := must(d.fn.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: aws.String("fanfare-connect")}))(t)
		f.Environment.Variables["LOG_LEVEL"] = "debug"
		_, err := d.fn.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{
			FunctionName: f.FunctionName, Environment: &lambdatypes.Environment{Variables: f.Environment.Variables},
		})
		return err
	}, changes{function("connect"): "update environment.0.variables.LOG_LEVEL " + newVersion, alias("connect"): movedAlias}},
	{"an alias on old code", func(ctx context.Context, _ *testing.T, d *deployment) error {
		_, err := d.fn.UpdateAlias(ctx, &lambda.UpdateAliasInput{FunctionName: aws.String("fanfare-deliver"), Name: aws.String("live"), FunctionVersion: aws.String("1")})
		return err
	}, changes{alias("deliver"): "update function_version"}},
	{"a queue is not read", func(ctx context.Context, t *testing.T, d *deployment) error {
		m := must(d.fn.ListEventSourceMappings(ctx, &lambda.ListEventSourceMappingsInput{FunctionName: aws.String("fanfare-deliver:live")}))(t).EventSourceMappings
		if len(m) != 1 {
			t.Fatalf("%d mappings", len(m))
		}
		_, err := d.fn.UpdateEventSourceMapping(ctx, &lambda.UpdateEventSourceMappingInput{UUID: m[0].UUID, Enabled: aws.Bool(false)})
		return err
	}, changes{mapping("deliver"): "update enabled"}},
	{"the API may not call a function", func(ctx context.Context, _ *testing.T, d *deployment) error {
		_, err := d.fn.RemovePermission(ctx, &lambda.RemovePermissionInput{FunctionName: aws.String("fanfare-disconnect"), Qualifier: aws.String("live"), StatementId: aws.String("websocket-api")})
		return err
	}, changes{`module.websocket_api.aws_lambda_permission.this["disconnect"]`: "create"}},
	{"an alarm is gone", func(_ context.Context, t *testing.T, d *deployment) error {
		d.cloudwatch(t, "Action=DeleteAlarms&AlarmNames.member.1=fanfare-failed-connects", "-")
		return nil
	}, changes{`module.observability.aws_cloudwatch_metric_alarm.metric["failed-connects"]`: "create"}},
	{"a tag", func(ctx context.Context, t *testing.T, d *deployment) error {
		_, err := d.sqs.UntagQueue(ctx, &sqs.UntagQueueInput{QueueUrl: d.queueURL(t, "fanfare-broadcast"), TagKeys: []string{"Team"}})
		return err
	}, changes{queue("broadcast"): "update tags_all.Team"}},
}

// ttlPause is how long DynamoDB refuses to change a table's TTL again: it "can
// take up to one hour" and "additional UpdateTimeToLive calls … result in a
// ValidationException" (API reference, UpdateTimeToLive).
const ttlPause = time.Hour + time.Minute

// repairDrift is with the changes of the stage before.
func repairDrift(t *testing.T, d *deployment) {
	d.Clock().Advance(ttlPause)
	want := changes{}
	for _, m := range meddlings {
		if err := m.do(t.Context(), t, d); err != nil {
			t.Fatalf("%s: %v", m.name, err)
		}
		maps.Copy(want, m.want)
	}
	d.Clock().Advance(ttlPause)
	file, p := d.plan(t, true)
	planned(p).want(t, want)
	d.apply(t, file)

	d.wantVisibility(t, "120")
	d.wantVersion(t, "deliver", "2")
	// What Lambda publishes if nothing differs from the last version is that version.
	d.wantVersion(t, "connect", "1")
	f := must(d.fn.GetFunctionConfiguration(t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: aws.String("fanfare-connect")}))(t)
	if level := f.Environment.Variables["LOG_LEVEL"]; level != "info" {
		t.Errorf("the function logs at %s", level)
	}
	if ttl := must(d.db.DescribeTimeToLive(t.Context(), &dynamodb.DescribeTimeToLiveInput{TableName: &d.outputs.TableName}))(t).TimeToLiveDescription; ttl.TimeToLiveStatus != dbtypes.TimeToLiveStatusEnabled || aws.ToString(ttl.AttributeName) != "expiresAt" {
		t.Errorf("TTL is %+v", ttl)
	}
	if !d.routes(t)["subscribe"].answers {
		t.Errorf("routes %v", d.routes(t))
	}
	c := d.dial(t)
	c.send(t, `{"action":"subscribe"}`)
	c.want(t, frame{"new", "subscribe"})
	c.send(t, `{"action":"authenticate"}`) // whose route was removed before the last deployment
	c.want(t, frame{"new", "$default"})
	c.close(t)
	d.wantNothingToDo(t)
}

// rollBack moves one function to the version before its last.
func rollBack(t *testing.T, d *deployment) {
	vars := d.vars
	d.set(`rollback_to={ message = "1" }`)
	file, p := d.plan(t, false)
	planned(p).want(t, changes{alias("message"): "update description function_version"})
	for name, c := range p.OutputChanges {
		if !c.Actions.NoOp() && name != "function_versions" {
			t.Errorf("the output %s changes", name)
		}
	}
	d.apply(t, file)
	d.wantVersion(t, "message", "1")
	c := d.dial(t)
	c.send(t, `{"action":"ping"}`)
	c.want(t, frame{Type: "pong"})
	d.wantNothingToDo(t)

	d.vars = vars
	file, p = d.plan(t, false)
	planned(p).want(t, changes{alias("message"): "update description function_version"})
	d.apply(t, file)
	d.wantVersion(t, "message", "2")
	c.send(t, `{"action":"ping"}`)
	c.want(t, frame{"new", "ping"})
	c.close(t)
}

func destroy(t *testing.T, d *deployment) {
	before := d.everything(t)
	for _, kind := range []string{"functions", "event source mappings", "APIs", "tables", "queues", "roles", "log groups", "alarms", "dashboards"} {
		if len(before[kind]) == 0 {
			t.Errorf("no %s before: their list would show nothing", kind)
		}
	}
	role := d.send(t, "apigateway", http.MethodGet, "/account", "")
	d.destroy(t)
	for kind, names := range d.everything(t) {
		t.Errorf("left: %s %v", kind, names)
	}
	state := must(d.tf.Show(t.Context()))(t)
	if state.Values != nil && len(state.Values.RootModule.Resources)+len(state.Values.RootModule.ChildModules)+len(state.Values.Outputs) > 0 {
		t.Errorf("the state still has %+v", state.Values)
	}
	// As infra/README.md says: it is the account's, and other APIs may rely on it.
	if after := d.send(t, "apigateway", http.MethodGet, "/account", ""); after != role || !strings.Contains(after, "fanfare-api-gateway-logs") {
		t.Errorf("the account's settings were %s and are %s", role, after)
	}
}
