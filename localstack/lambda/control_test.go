package lambda

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

func TestCreateFunctionEchoesEverything(t *testing.T) {
	c := newCloud(t, Options{})
	in := functionInput("connect", "")
	in.Description = aws.String("takes connections")
	in.Timeout, in.MemorySize = aws.Int32(7), aws.Int32(512)
	in.Environment = &types.Environment{Variables: map[string]string{"TABLE_NAME": "t", "EMPTY": ""}}
	in.TracingConfig = &types.TracingConfig{Mode: types.TracingModeActive}
	in.LoggingConfig = &types.LoggingConfig{LogFormat: types.LogFormatJson, LogGroup: aws.String("/g")}
	in.EphemeralStorage = &types.EphemeralStorage{Size: aws.Int32(1024)}
	in.Architectures = []types.Architecture{types.ArchitectureArm64}
	in.VpcConfig = &types.VpcConfig{SubnetIds: []string{}, SecurityGroupIds: []string{}}
	in.Layers = []string{}
	in.Tags = map[string]string{"team": "a"}
	created, err := c.CreateFunction(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if created.State != types.StatePending || created.StateReasonCode != types.StateReasonCodeCreating {
		t.Errorf("state while it is created: %s %s", created.State, created.StateReasonCode)
	}
	out, err := c.GetFunction(t.Context(), &sdk.GetFunctionInput{FunctionName: in.FunctionName})
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(out.Configuration)
	if err != nil {
		t.Fatal(err)
	}
	have := decode[map[string]any](t, got)
	for name, want := range map[string]string{
		"FunctionArn": `"` + arnHead + `connect"`, "Version": `"$LATEST"`, "State": `"Active"`, "LastUpdateStatus": `"Successful"`,
		"Description": `"takes connections"`, "Timeout": "7", "MemorySize": "512", "PackageType": `"Zip"`,
		"Role": `"` + testRole + `"`, "Runtime": `"provided.al2023"`, "Handler": `"bootstrap"`,
		"CodeSize":         "176",
		"Environment":      `{"Error":null,"Variables":{"EMPTY":"","TABLE_NAME":"t"}}`,
		"TracingConfig":    `{"Mode":"Active"}`,
		"EphemeralStorage": `{"Size":1024}`,
		"SnapStart":        `{"ApplyOn":"None","OptimizationStatus":"Off"}`,
		"Architectures":    `["arm64"]`,
		"VpcConfig":        `null`,
		"LoggingConfig":    `{"ApplicationLogLevel":"INFO","LogFormat":"JSON","LogGroup":"/g","SystemLogLevel":"INFO"}`,
	} {
		if name == "CodeSize" {
			want = string(mustJSON(t, len(scriptZip)))
		}
		if text := string(mustJSON(t, have[name])); text != want {
			t.Errorf("%s = %s, want %s", name, text, want)
		}
	}
	a, _ := openArchive(scriptZip)
	if *out.Configuration.CodeSha256 != a.sha256 || len(a.sha256) != 44 {
		t.Errorf("CodeSha256 %s", *out.Configuration.CodeSha256)
	}
	if _, err := time.Parse("2006-01-02T15:04:05.000-0700", *out.Configuration.LastModified); err != nil {
		t.Error(err)
	}
	if out.Tags["team"] != "a" {
		t.Errorf("tags %v", out.Tags)
	}
	_, err = c.CreateFunction(t.Context(), in)
	wantFault(t, err, "ResourceConflictException", "Function already exist: connect")
}

func mustJSON(t testing.TB, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestCreateFunctionRefuses(t *testing.T) {
	c := newCloud(t, Options{})
	const invalid, validation = "InvalidParameterValueException", "ValidationException"
	for _, tt := range []struct {
		what       string
		change     func(*sdk.CreateFunctionInput)
		code, part string
	}{
		{"a managed runtime", func(in *sdk.CreateFunctionInput) { in.Runtime = types.RuntimeNodejs20x }, invalid, "runs only `bootstrap` binaries"},
		{"no runtime", func(in *sdk.CreateFunctionInput) { in.Runtime = "" }, invalid, "Runtime and Handler are mandatory"},
		{"a container image", func(in *sdk.CreateFunctionInput) { in.PackageType = types.PackageTypeImage }, invalid, "does not support PackageType Image"},
		{"code in S3", func(in *sdk.CreateFunctionInput) {
			in.Code = &types.FunctionCode{S3Bucket: aws.String("b"), S3Key: aws.String("k")}
		}, invalid, "send the code as ZipFile"},
		{"a layer", func(in *sdk.CreateFunctionInput) { in.Layers = []string{"arn:l"} }, invalid, "does not support Layers"},
		{"a VPC", func(in *sdk.CreateFunctionInput) { in.VpcConfig = &types.VpcConfig{SubnetIds: []string{"subnet-1"}} }, invalid, "does not support VpcConfig"},
		{"a dead-letter queue", func(in *sdk.CreateFunctionInput) {
			in.DeadLetterConfig = &types.DeadLetterConfig{TargetArn: aws.String(queueARN)}
		}, invalid, "does not support DeadLetterConfig"},
		{"SnapStart", func(in *sdk.CreateFunctionInput) {
			in.SnapStart = &types.SnapStart{ApplyOn: types.SnapStartApplyOnPublishedVersions}
		}, invalid, "not supported for SnapStart"},
		{"a bad role", func(in *sdk.CreateFunctionInput) { in.Role = aws.String("admin") }, validation, "'role'"},
		{"a bad name", func(in *sdk.CreateFunctionInput) { in.FunctionName = aws.String("a b") }, validation, "'functionName'"},
		{"a name with qualifier", func(in *sdk.CreateFunctionInput) { in.FunctionName = aws.String("a:1") }, validation, "without a qualifier"},
		{"15 minutes and a second", func(in *sdk.CreateFunctionInput) { in.Timeout = aws.Int32(901) }, validation, "less than or equal to 900"},
		{"too little memory", func(in *sdk.CreateFunctionInput) { in.MemorySize = aws.Int32(127) }, validation, "greater than or equal to 128"},
		{"two processors", func(in *sdk.CreateFunctionInput) { in.Architectures = types.ArchitectureArm64.Values() }, validation, "'architectures'"},
		{"a reserved variable", variables("AWS_REGION", "eu"), invalid, "Reserved keys used in this request: AWS_REGION"},
		{"a variable that is no name", variables("9X", "1"), validation, "Map keys must satisfy"},
		{"more than 4 KB of variables", variables("KEY", strings.Repeat("s", 4<<10)), invalid, "exceeded the 4KB limit"},
		{"levels for text logs", func(in *sdk.CreateFunctionInput) {
			in.LoggingConfig = &types.LoggingConfig{ApplicationLogLevel: types.ApplicationLogLevelDebug}
		}, invalid, "set your LogFormat to JSON"},
		{"a bootstrap for another machine", func(in *sdk.CreateFunctionInput) {
			in.Code.ZipFile = mustZip(t, entry{bootstrap, 0o755, elfHeader(22)})
		}, invalid, "built for linux/s390"},
	} {
		t.Run(tt.what, func(t *testing.T) {
			in := functionInput("f", "")
			tt.change(in)
			_, err := c.CreateFunction(t.Context(), in)
			wantFault(t, err, tt.code, tt.part)
			if strings.Contains(err.Error(), "ssss") {
				t.Error("the message quotes what may be a secret")
			}
		})
	}
}

func variables(name, value string) func(*sdk.CreateFunctionInput) {
	return func(in *sdk.CreateFunctionInput) {
		in.Environment = &types.Environment{Variables: map[string]string{name: value}}
	}
}

func TestUpdateChangesOnlyWhatIsSent(t *testing.T) {
	c := newCloud(t, Options{})
	c.create(t, "f", "sleep", func(in *sdk.CreateFunctionInput) { in.Description = aws.String("d") })
	before, err := c.GetFunctionConfiguration(t.Context(), &sdk.GetFunctionConfigurationInput{FunctionName: aws.String("f")})
	if err != nil {
		t.Fatal(err)
	}
	answer, err := c.UpdateFunctionConfiguration(t.Context(), &sdk.UpdateFunctionConfigurationInput{
		FunctionName: aws.String("f"), MemorySize: aws.Int32(256), RevisionId: before.RevisionId})
	if err != nil {
		t.Fatal(err)
	}
	if answer.LastUpdateStatus != types.LastUpdateStatusInProgress {
		t.Errorf("status of the update %s", answer.LastUpdateStatus)
	}
	after, err := c.GetFunctionConfiguration(t.Context(), &sdk.GetFunctionConfigurationInput{FunctionName: aws.String("f")})
	if err != nil {
		t.Fatal(err)
	}
	if *after.MemorySize != 256 || *after.Description != "d" || *after.Timeout != 30 || after.Environment.Variables["BEHAVIOUR"] != "sleep" {
		t.Errorf("after the update: %+v", after)
	}
	if *after.RevisionId == *before.RevisionId || after.LastUpdateStatus != types.LastUpdateStatusSuccessful {
		t.Errorf("revision %s, status %s", *after.RevisionId, after.LastUpdateStatus)
	}
	_, err = c.UpdateFunctionConfiguration(t.Context(), &sdk.UpdateFunctionConfigurationInput{FunctionName: aws.String("f"), RevisionId: before.RevisionId})
	wantFault(t, err, "PreconditionFailedException", "does not match the latest Revision Id")

	cleared, err := c.UpdateFunctionConfiguration(t.Context(), &sdk.UpdateFunctionConfigurationInput{
		FunctionName: aws.String("f"), Environment: &types.Environment{Variables: map[string]string{}}})
	if err != nil || cleared.Environment != nil {
		t.Errorf("cleared variables: %+v, %v", cleared.Environment, err)
	}
	_, err = c.UpdateFunctionCode(t.Context(), &sdk.UpdateFunctionCodeInput{FunctionName: aws.String("nope"), ZipFile: scriptZip})
	wantFault(t, err, "ResourceNotFoundException", "Function not found: "+arnHead+"nope")
	code, err := c.UpdateFunctionCode(t.Context(), &sdk.UpdateFunctionCodeInput{FunctionName: aws.String("f"), ZipFile: scriptZip, Publish: true})
	if err != nil || *code.Version != "1" || *code.FunctionArn != arnHead+"f:1" || code.CodeSize != int64(len(scriptZip)) {
		t.Errorf("published code: %+v, %v", code, err)
	}
}

// [LDG:configuration-versions]
func TestVersionsAreImmutable(t *testing.T) {
	c := newCloud(t, Options{})
	created := c.create(t, "f", "", func(in *sdk.CreateFunctionInput) { in.Publish = true })
	if *created.Version != "1" || *created.FunctionArn != arnHead+"f" {
		t.Errorf("created %s %s", *created.Version, *created.FunctionArn)
	}
	publish := func() *sdk.PublishVersionOutput {
		t.Helper()
		v, err := c.PublishVersion(t.Context(), &sdk.PublishVersionInput{FunctionName: aws.String("f")})
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	if v := publish(); *v.Version != "1" {
		t.Errorf("without a change, publishing gives version %s", *v.Version)
	}
	if _, err := c.UpdateFunctionConfiguration(t.Context(), &sdk.UpdateFunctionConfigurationInput{FunctionName: aws.String("f"), Timeout: aws.Int32(9)}); err != nil {
		t.Fatal(err)
	}
	if v := publish(); *v.Version != "2" || *v.FunctionArn != arnHead+"f:2" || *v.Timeout != 9 {
		t.Errorf("version %s %s", *v.Version, *v.FunctionArn)
	}
	first, err := c.GetFunctionConfiguration(t.Context(), &sdk.GetFunctionConfigurationInput{FunctionName: aws.String(arnHead + "f:1"), Qualifier: aws.String("1")})
	if err != nil || *first.Timeout != 30 || *first.FunctionArn != arnHead+"f:1" {
		t.Errorf("version 1: %+v, %v", first, err)
	}
	list, err := c.ListVersionsByFunction(t.Context(), &sdk.ListVersionsByFunctionInput{FunctionName: aws.String("f"), MaxItems: aws.Int32(2)})
	if err != nil || len(list.Versions) != 2 || *list.Versions[0].FunctionArn != arnHead+"f:$LATEST" || list.NextMarker == nil {
		t.Fatalf("first page: %+v, %v", list, err)
	}
	list, err = c.ListVersionsByFunction(t.Context(), &sdk.ListVersionsByFunctionInput{FunctionName: aws.String("f"), Marker: list.NextMarker})
	if err != nil || len(list.Versions) != 1 || *list.Versions[0].Version != "2" || list.NextMarker != nil {
		t.Errorf("second page: %+v, %v", list, err)
	}
	_, err = c.GetFunction(t.Context(), &sdk.GetFunctionInput{FunctionName: aws.String("f:1"), Qualifier: aws.String("2")})
	wantFault(t, err, "InvalidParameterValueException", "derived qualifier")
	_, err = c.DeleteFunction(t.Context(), &sdk.DeleteFunctionInput{FunctionName: aws.String("f"), Qualifier: aws.String("$LATEST")})
	wantFault(t, err, "InvalidParameterValueException", "$LATEST version cannot be deleted")
	if _, err := c.DeleteFunction(t.Context(), &sdk.DeleteFunctionInput{FunctionName: aws.String("f"), Qualifier: aws.String("1")}); err != nil {
		t.Error(err)
	}
	_, err = c.GetFunction(t.Context(), &sdk.GetFunctionInput{FunctionName: aws.String("f"), Qualifier: aws.String("1")})
	wantFault(t, err, "ResourceNotFoundException", "Function not found: "+arnHead+"f:1")
}

// [LDG:configuration-aliases]
func TestAliases(t *testing.T) {
	c := newCloud(t, Options{})
	c.create(t, "f", "context", func(in *sdk.CreateFunctionInput) { in.Publish = true })
	if _, err := c.UpdateFunctionConfiguration(t.Context(), &sdk.UpdateFunctionConfigurationInput{FunctionName: aws.String("f"), Timeout: aws.Int32(9)}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.PublishVersion(t.Context(), &sdk.PublishVersionInput{FunctionName: aws.String("f")}); err != nil {
		t.Fatal(err)
	}
	in := &sdk.CreateAliasInput{FunctionName: aws.String("f"), Name: aws.String("live"), FunctionVersion: aws.String("1"), Description: aws.String("d")}
	a, err := c.CreateAlias(t.Context(), in)
	if err != nil || *a.AliasArn != arnHead+"f:live" {
		t.Fatalf("alias %+v, %v", a, err)
	}
	_, err = c.CreateAlias(t.Context(), in)
	wantFault(t, err, "ResourceConflictException", "Alias already exists: "+arnHead+"f:live")
	res := c.mustInvoke(t, "f:live", "{}")
	if got := decode[map[string]any](t, res.Payload); res.ExecutedVersion != "1" || got["arn"] != arnHead+"f:live" || got["version"] != "1" {
		t.Errorf("the alias ran version %s as %v", res.ExecutedVersion, got)
	}
	_, err = c.DeleteFunction(t.Context(), &sdk.DeleteFunctionInput{FunctionName: aws.String("f"), Qualifier: aws.String("1")})
	wantFault(t, err, "ResourceConflictException", "alias live")

	if _, err := c.UpdateAlias(t.Context(), &sdk.UpdateAliasInput{FunctionName: aws.String("f"), Name: aws.String("live"),
		RoutingConfig: &types.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{"2": 1}}}); err != nil {
		t.Fatal(err)
	}
	if res := c.mustInvoke(t, "f:live", "{}"); res.ExecutedVersion != "2" {
		t.Errorf("with all traffic on 2, version %s ran", res.ExecutedVersion)
	}
	got, err := c.GetAlias(t.Context(), &sdk.GetAliasInput{FunctionName: aws.String("f"), Name: aws.String("live")})
	if err != nil || *got.FunctionVersion != "1" || *got.Description != "d" || got.RoutingConfig.AdditionalVersionWeights["2"] != 1 {
		t.Errorf("alias %+v, %v", got, err)
	}
	_, err = c.CreateAlias(t.Context(), &sdk.CreateAliasInput{FunctionName: aws.String("f"), Name: aws.String("x"), FunctionVersion: aws.String("9")})
	wantFault(t, err, "ResourceNotFoundException", arnHead+"f:9")
	list, err := c.ListAliases(t.Context(), &sdk.ListAliasesInput{FunctionName: aws.String("f")})
	if err != nil || len(list.Aliases) != 1 {
		t.Errorf("%d aliases, %v", len(list.Aliases), err)
	}
	if _, err := c.DeleteAlias(t.Context(), &sdk.DeleteAliasInput{FunctionName: aws.String("f"), Name: aws.String("live")}); err != nil {
		t.Error(err)
	}
	_, err = c.GetAlias(t.Context(), &sdk.GetAliasInput{FunctionName: aws.String("f"), Name: aws.String("live")})
	wantFault(t, err, "ResourceNotFoundException", "Cannot find alias arn: "+arnHead+"f:live")
}

func TestPermissions(t *testing.T) {
	const api = "arn:aws:execute-api:us-east-1:000000000000:a1b2/*/$connect"
	c := newCloud(t, Options{})
	c.create(t, "f", "")
	get := func() (string, error) {
		out, err := c.GetPolicy(t.Context(), &sdk.GetPolicyInput{FunctionName: aws.String("f")})
		if err != nil {
			return "", err
		}
		return *out.Policy, nil
	}
	_, err := get()
	if _, ok := errors.AsType[*types.ResourceNotFoundException](err); !ok {
		t.Fatalf("no policy: %v", err)
	}
	in := &sdk.AddPermissionInput{FunctionName: aws.String("f"), StatementId: aws.String("gateway"), Action: aws.String(invokeAction),
		Principal: aws.String("apigateway.amazonaws.com"), SourceArn: aws.String(api)}
	if _, err := c.AddPermission(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	_, err = c.AddPermission(t.Context(), in)
	if _, ok := errors.AsType[*types.ResourceConflictException](err); !ok {
		t.Errorf("the same Sid again: %v", err)
	}
	text, err := get()
	want := `{"Version":"2012-10-17","Id":"default","Statement":[{"Sid":"gateway","Effect":"Allow",` +
		`"Principal":{"Service":"apigateway.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"` + arnHead + `f",` +
		`"Condition":{"ArnLike":{"AWS:SourceArn":"` + api + `"}}}]}`
	if err != nil || text != want {
		t.Errorf("policy %s, %v\nwant   %s", text, err, want)
	}
	for _, tt := range []struct {
		function, action, principal, source string
		want                                bool
	}{
		{arnHead + "f", "", "apigateway.amazonaws.com", "arn:aws:execute-api:us-east-1:000000000000:a1b2/prod/$connect", true},
		{"f", invokeAction, "apigateway.amazonaws.com", "arn:aws:execute-api:us-east-1:000000000000:a1b2/prod/$connect", true},
		{"f:$LATEST", "", "apigateway.amazonaws.com", "arn:aws:execute-api:us-east-1:000000000000:a1b2/prod/$connect", true},
		{"f", "", "apigateway.amazonaws.com", "arn:aws:execute-api:us-east-1:000000000000:other/prod/$connect", false},
		{"f:live", "", "apigateway.amazonaws.com", "arn:aws:execute-api:us-east-1:000000000000:a1b2/prod/$connect", false},
		{"unknown", "", "apigateway.amazonaws.com", "", false},
		{"not a name", "", "apigateway.amazonaws.com", "", false},
	} {
		if got := c.Allowed(tt.function, tt.action, tt.principal, tt.source); got != tt.want {
			t.Errorf("Allowed(%+v) = %v", tt, got)
		}
	}
	_, err = c.RemovePermission(t.Context(), &sdk.RemovePermissionInput{FunctionName: aws.String("f"), StatementId: aws.String("other")})
	wantFault(t, err, "ResourceNotFoundException", "Statement other is not found")
	if _, err := c.RemovePermission(t.Context(), &sdk.RemovePermissionInput{FunctionName: aws.String("f"), StatementId: aws.String("gateway")}); err != nil {
		t.Fatal(err)
	}
	if _, err := get(); err == nil {
		t.Error("a policy without statements is still there")
	}
	in.PrincipalOrgID = aws.String("o-1234567890")
	_, err = c.AddPermission(t.Context(), in)
	wantFault(t, err, "InvalidParameterValueException", "does not support PrincipalOrgID")
}

func TestEventSourceMappings(t *testing.T) {
	var heard []Mapping
	c := newCloud(t, Options{OnMapping: func(m Mapping) { heard = append(heard, m) }})
	c.create(t, "f", "")
	in := &sdk.CreateEventSourceMappingInput{FunctionName: aws.String("f"), EventSourceArn: aws.String(queueARN),
		BatchSize: aws.Int32(50), MaximumBatchingWindowInSeconds: aws.Int32(1), Tags: map[string]string{"k": "v"},
		FunctionResponseTypes: []types.FunctionResponseType{types.FunctionResponseTypeReportBatchItemFailures},
		ScalingConfig:         &types.ScalingConfig{MaximumConcurrency: aws.Int32(4)}}
	created, err := c.CreateEventSourceMapping(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if *created.State != "Creating" || *created.FunctionArn != arnHead+"f" {
		t.Errorf("created %+v", created)
	}
	want := Mapping{UUID: *created.UUID, State: MappingEnabled, Region: "us-east-1", QueueARN: queueARN, FunctionARN: arnHead + "f",
		BatchSize: 50, BatchWindow: time.Second, ReportsFailed: true, MaximumConcurrency: 4}
	if len(heard) != 1 || heard[0] != want {
		t.Fatalf("heard %+v, want %+v", heard, want)
	}
	got, err := c.GetEventSourceMapping(t.Context(), &sdk.GetEventSourceMappingInput{UUID: created.UUID})
	if err != nil || *got.State != "Enabled" || *got.BatchSize != 50 || *got.ScalingConfig.MaximumConcurrency != 4 || got.LastModified.IsZero() {
		t.Errorf("mapping %+v, %v", got, err)
	}
	tags, err := c.ListTags(t.Context(), &sdk.ListTagsInput{Resource: created.EventSourceMappingArn})
	if err != nil || tags.Tags["k"] != "v" {
		t.Errorf("tags %v, %v", tags, err)
	}
	_, err = c.CreateEventSourceMapping(t.Context(), in)
	wantFault(t, err, "ResourceConflictException", "mapping with UUID "+*created.UUID)

	updated, err := c.UpdateEventSourceMapping(t.Context(), &sdk.UpdateEventSourceMappingInput{UUID: created.UUID, Enabled: aws.Bool(false),
		ScalingConfig: &types.ScalingConfig{}, FilterCriteria: &types.FilterCriteria{}})
	if err != nil || *updated.State != "Updating" || *updated.BatchSize != 50 {
		t.Errorf("updated %+v, %v", updated, err)
	}
	want.State, want.MaximumConcurrency = MappingDisabled, 0
	if len(heard) != 2 || heard[1] != want {
		t.Errorf("heard %+v, want %+v", heard[1], want)
	}
	list, err := c.ListEventSourceMappings(t.Context(), &sdk.ListEventSourceMappingsInput{FunctionName: aws.String("f"), EventSourceArn: aws.String(queueARN)})
	if err != nil || len(list.EventSourceMappings) != 1 || *list.EventSourceMappings[0].State != "Disabled" {
		t.Errorf("list %+v, %v", list, err)
	}
	if _, err := c.DeleteEventSourceMapping(t.Context(), &sdk.DeleteEventSourceMappingInput{UUID: created.UUID}); err != nil {
		t.Fatal(err)
	}
	if heard[len(heard)-1].State != MappingDeleting {
		t.Errorf("heard %+v", heard[len(heard)-1])
	}
	_, err = c.GetEventSourceMapping(t.Context(), &sdk.GetEventSourceMappingInput{UUID: created.UUID})
	wantFault(t, err, "ResourceNotFoundException", "does not exist")
}

// What CreateEventSourceMapping refuses [LDG:with-sqs; BOTO:lambda].
func TestEventSourceMappingRefuses(t *testing.T) {
	c := newCloud(t, Options{QueueVisibility: func(arn string) (time.Duration, bool) {
		return 29 * time.Second, !strings.HasSuffix(arn, ":missing")
	}})
	c.create(t, "slow", "")
	c.create(t, "f", "", func(in *sdk.CreateFunctionInput) { in.Timeout = aws.Int32(29) })
	const invalid, validation = "InvalidParameterValueException", "ValidationException"
	for _, tt := range []struct {
		what       string
		change     func(*sdk.CreateEventSourceMappingInput)
		code, part string
	}{
		{"a visibility time-out below the function's", func(in *sdk.CreateEventSourceMappingInput) { in.FunctionName = aws.String("slow") },
			invalid, "Queue visibility timeout: 29 seconds is less than Function timeout: 30 seconds"},
		{"a queue that is not there", func(in *sdk.CreateEventSourceMappingInput) { in.EventSourceArn = aws.String(queueARN + ":missing") }, invalid, "The specified queue does not exist"},
		{"a function that is not there", func(in *sdk.CreateEventSourceMappingInput) { in.FunctionName = aws.String("nope") }, "ResourceNotFoundException", "Function not found"},
		{"a stream", func(in *sdk.CreateEventSourceMappingInput) {
			in.EventSourceArn = aws.String("arn:aws:kinesis:us-east-1:000000000000:stream/s")
		}, invalid, "event sources other than SQS"},
		{"a filter", func(in *sdk.CreateEventSourceMappingInput) {
			in.FilterCriteria = &types.FilterCriteria{Filters: []types.Filter{{Pattern: aws.String("{}")}}}
		}, invalid, "does not support FilterCriteria"},
		{"a starting position", func(in *sdk.CreateEventSourceMappingInput) {
			in.StartingPosition = types.EventSourcePositionLatest
		}, invalid, "does not support StartingPosition"},
		{"a large batch without a window", func(in *sdk.CreateEventSourceMappingInput) { in.BatchSize = aws.Int32(11) }, invalid, "Maximum batch window"},
		{"an empty batch", func(in *sdk.CreateEventSourceMappingInput) { in.BatchSize = aws.Int32(0) }, validation, "greater than or equal to 1"},
		{"a concurrency of one", func(in *sdk.CreateEventSourceMappingInput) {
			in.ScalingConfig = &types.ScalingConfig{MaximumConcurrency: aws.Int32(1)}
		}, validation, "greater than or equal to 2"},
		{"a concurrency of 1,001", func(in *sdk.CreateEventSourceMappingInput) {
			in.ScalingConfig = &types.ScalingConfig{MaximumConcurrency: aws.Int32(1001)}
		}, validation, "less than or equal to 1000"},
		{"a FIFO queue, which the local cloud does not have", func(in *sdk.CreateEventSourceMappingInput) {
			in.EventSourceArn = aws.String(queueARN + ".fifo")
		}, invalid, "does not support FIFO queues"},
	} {
		t.Run(tt.what, func(t *testing.T) {
			in := &sdk.CreateEventSourceMappingInput{FunctionName: aws.String("f"), EventSourceArn: aws.String(queueARN)}
			tt.change(in)
			_, err := c.CreateEventSourceMapping(t.Context(), in)
			wantFault(t, err, tt.code, tt.part)
		})
	}
	if len(c.Mappings()) != 0 {
		t.Error("a refused mapping is there")
	}
}

func TestEventInvokeConfig(t *testing.T) {
	c := newCloud(t, Options{})
	c.create(t, "f", "")
	f := aws.String("f")
	_, err := c.GetFunctionEventInvokeConfig(t.Context(), &sdk.GetFunctionEventInvokeConfigInput{FunctionName: f})
	wantFault(t, err, "ResourceNotFoundException", "The function "+arnHead+"f:$LATEST doesn't have an EventInvokeConfig")
	if _, err := c.PutFunctionEventInvokeConfig(t.Context(), &sdk.PutFunctionEventInvokeConfigInput{FunctionName: f, MaximumRetryAttempts: aws.Int32(1)}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.UpdateFunctionEventInvokeConfig(t.Context(), &sdk.UpdateFunctionEventInvokeConfigInput{FunctionName: f, MaximumEventAgeInSeconds: aws.Int32(60)}); err != nil {
		t.Fatal(err)
	}
	got, err := c.GetFunctionEventInvokeConfig(t.Context(), &sdk.GetFunctionEventInvokeConfigInput{FunctionName: f})
	if err != nil || *got.MaximumRetryAttempts != 1 || *got.MaximumEventAgeInSeconds != 60 || *got.FunctionArn != arnHead+"f:$LATEST" {
		t.Errorf("config %+v, %v", got, err)
	}
	list, err := c.ListFunctionEventInvokeConfigs(t.Context(), &sdk.ListFunctionEventInvokeConfigsInput{FunctionName: f})
	if err != nil || len(list.FunctionEventInvokeConfigs) != 1 {
		t.Errorf("list %+v, %v", list, err)
	}
	_, err = c.PutFunctionEventInvokeConfig(t.Context(), &sdk.PutFunctionEventInvokeConfigInput{FunctionName: f,
		DestinationConfig: &types.DestinationConfig{OnFailure: &types.OnFailure{Destination: aws.String(queueARN)}}})
	wantFault(t, err, "InvalidParameterValueException", "does not support destinations")
	_, err = c.PutFunctionEventInvokeConfig(t.Context(), &sdk.PutFunctionEventInvokeConfigInput{FunctionName: f, MaximumRetryAttempts: aws.Int32(3)})
	wantFault(t, err, "ValidationException", "less than or equal to 2")
	if _, err := c.DeleteFunctionEventInvokeConfig(t.Context(), &sdk.DeleteFunctionEventInvokeConfigInput{FunctionName: f}); err != nil {
		t.Error(err)
	}
}

func TestTagsListsAndLimits(t *testing.T) {
	c := newCloud(t, Options{})
	c.create(t, "a", "", func(in *sdk.CreateFunctionInput) { in.Publish = true })
	c.create(t, "b", "")
	arn := aws.String(arnHead + "a")
	if _, err := c.TagResource(t.Context(), &sdk.TagResourceInput{Resource: arn, Tags: map[string]string{"x": "1", "y": "2"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.UntagResource(t.Context(), &sdk.UntagResourceInput{Resource: arn, TagKeys: []string{"x"}}); err != nil {
		t.Fatal(err)
	}
	tags, err := c.ListTags(t.Context(), &sdk.ListTagsInput{Resource: arn})
	if err != nil || len(tags.Tags) != 1 || tags.Tags["y"] != "2" {
		t.Errorf("tags %v, %v", tags, err)
	}
	_, err = c.ListTags(t.Context(), &sdk.ListTagsInput{Resource: aws.String(arnHead + "nope")})
	wantFault(t, err, "ResourceNotFoundException", "Function not found")

	for want, in := range map[int]*sdk.ListFunctionsInput{2: {}, 3: {FunctionVersion: types.FunctionVersionAll}, 1: {MaxItems: aws.Int32(1)}} {
		list, err := c.ListFunctions(t.Context(), in)
		if err != nil || len(list.Functions) != want {
			t.Errorf("%d functions, want %d, %v", len(list.Functions), want, err)
		}
	}
	elsewhere, err := c.ListFunctions(t.Context(), &sdk.ListFunctionsInput{}, func(o *sdk.Options) { o.Region = "eu-west-1" })
	if err != nil || len(elsewhere.Functions) != 0 {
		t.Errorf("another region has %d functions, %v", len(elsewhere.Functions), err)
	}
	signing, err := c.GetFunctionCodeSigningConfig(t.Context(), &sdk.GetFunctionCodeSigningConfigInput{FunctionName: aws.String("a")})
	if err != nil || *signing.FunctionName != "a" || aws.ToString(signing.CodeSigningConfigArn) != "" {
		t.Errorf("code signing %+v, %v", signing, err)
	}
	settings, err := c.GetAccountSettings(t.Context(), &sdk.GetAccountSettingsInput{})
	if err != nil || settings.AccountLimit.ConcurrentExecutions != 1000 || settings.AccountUsage.FunctionCount != 2 {
		t.Errorf("settings %+v, %v", settings, err)
	}
	if _, err := c.DeleteFunction(t.Context(), &sdk.DeleteFunctionInput{FunctionName: aws.String("a")}); err != nil {
		t.Fatal(err)
	}
	_, err = c.GetFunction(t.Context(), &sdk.GetFunctionInput{FunctionName: aws.String("a")})
	if _, ok := errors.AsType[*types.ResourceNotFoundException](err); !ok {
		t.Errorf("a deleted function: %v", err)
	}
	_, err = c.GetFunctionUrlConfig(t.Context(), &sdk.GetFunctionUrlConfigInput{FunctionName: aws.String("b")})
	wantFault(t, err, "UnknownOperationException", "no operation")
}
