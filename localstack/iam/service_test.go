package iam_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/smithy-go"

	"fanfare/localstack/awsproto"
	"fanfare/localstack/clock"
	"fanfare/localstack/iam"
)

const (
	trust   = `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}}`
	allowed = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sqs:SendMessage"],"Resource":"*"}]}`
	denied  = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"sqs:*","Resource":"arn:aws:sqs:*:*:other"}]}`
	basic   = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
)

// client returns the real SDK's client of s, with the given access key.
func client(t *testing.T, s http.Handler, key string) *sdk.Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		call := awsproto.NewCall(r, "")
		s.ServeHTTP(w, r.WithContext(awsproto.WithCall(r.Context(), call)))
	}))
	t.Cleanup(server.Close)
	return sdk.New(sdk.Options{
		BaseEndpoint: &server.URL, Region: "us-east-1", RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(key, "secret", ""),
	})
}

func newClient(t *testing.T) (*sdk.Client, *iam.Service) {
	s := iam.New(iam.Options{})
	return client(t, s, "AKIATEST"), s
}

func wantCode(t *testing.T, err error, status int, code string) {
	t.Helper()
	api, ok := errors.AsType[smithy.APIError](err)
	response, isHTTP := errors.AsType[interface {
		error
		HTTPStatusCode() int
	}](err)
	if !ok || !isHTTP || api.ErrorCode() != code || response.HTTPStatusCode() != status {
		t.Errorf("got %v, want %d %s", err, status, code)
	}
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func createRole(t *testing.T, c *sdk.Client, name string) types.Role {
	t.Helper()
	out := must[*sdk.CreateRoleOutput](t)(c.CreateRole(t.Context(), &sdk.CreateRoleInput{
		RoleName: &name, AssumeRolePolicyDocument: aws.String(trust),
	}))
	return *out.Role
}

func createPolicy(t *testing.T, c *sdk.Client, name string) string {
	t.Helper()
	out := must[*sdk.CreatePolicyOutput](t)(c.CreatePolicy(t.Context(), &sdk.CreatePolicyInput{
		PolicyName: &name, PolicyDocument: aws.String(allowed),
	}))
	return *out.Policy.Arn
}

func TestARoleComesBackAsItWasPut(t *testing.T) {
	c, _ := newClient(t)
	boundary := createPolicy(t, c, "boundary")
	in := &sdk.CreateRoleInput{
		RoleName: aws.String("connect"), Path: aws.String("/fanfare/"),
		AssumeRolePolicyDocument: aws.String(trust), Description: aws.String("opens the door"),
		MaxSessionDuration: aws.Int32(7200), PermissionsBoundary: &boundary,
		Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("chat")}},
	}
	created := must[*sdk.CreateRoleOutput](t)(c.CreateRole(t.Context(), in)).Role
	got := must[*sdk.GetRoleOutput](t)(c.GetRole(t.Context(), &sdk.GetRoleInput{RoleName: in.RoleName})).Role

	if *got.Arn != "arn:aws:iam::000000000000:role/fanfare/connect" || *got.Arn != *created.Arn {
		t.Errorf("ARN %s after %s", *got.Arn, *created.Arn)
	}
	if !strings.HasPrefix(*got.RoleId, "AROA") || *got.RoleId != *created.RoleId {
		t.Errorf("id %s after %s, want the same AROA…", *got.RoleId, *created.RoleId)
	}
	if strings.ContainsAny(*got.AssumeRolePolicyDocument, `{" +`) {
		t.Errorf("document %s is not percent-encoded", *got.AssumeRolePolicyDocument)
	}
	if text, err := url.PathUnescape(*got.AssumeRolePolicyDocument); err != nil || text != trust {
		t.Errorf("document decodes to %s, %v", text, err)
	}
	if *got.MaxSessionDuration != 7200 || *got.Description != "opens the door" ||
		*got.PermissionsBoundary.PermissionsBoundaryArn != boundary || *got.Tags[0].Value != "chat" {
		t.Errorf("got %+v", got)
	}
}

func TestRoleNamesAreUniqueWithoutRegardToCase(t *testing.T) {
	c, _ := newClient(t)
	createRole(t, c, "connect")
	_, err := c.CreateRole(t.Context(), &sdk.CreateRoleInput{
		RoleName: aws.String("Connect"), AssumeRolePolicyDocument: aws.String(trust),
	})
	wantCode(t, err, 409, "EntityAlreadyExists")
}

func TestCreateRoleRefuses(t *testing.T) {
	tests := map[string]struct {
		change func(*sdk.CreateRoleInput)
		status int
		code   string
	}{
		"a name with a slash":        {func(in *sdk.CreateRoleInput) { in.RoleName = aws.String("a/b") }, 400, "ValidationError"},
		"a name of 65 characters":    {func(in *sdk.CreateRoleInput) { in.RoleName = aws.String(strings.Repeat("n", 65)) }, 400, "ValidationError"},
		"a path without last slash":  {func(in *sdk.CreateRoleInput) { in.Path = aws.String("/team") }, 400, "ValidationError"},
		"a session of 13 hours":      {func(in *sdk.CreateRoleInput) { in.MaxSessionDuration = aws.Int32(46800) }, 400, "ValidationError"},
		"a trust policy that is XML": {func(in *sdk.CreateRoleInput) { in.AssumeRolePolicyDocument = aws.String("<a/>") }, 400, "MalformedPolicyDocument"},
		"a permission as trust":      {func(in *sdk.CreateRoleInput) { in.AssumeRolePolicyDocument = aws.String(allowed) }, 400, "MalformedPolicyDocument"},
		"a boundary that is not there": {func(in *sdk.CreateRoleInput) {
			in.PermissionsBoundary = aws.String("arn:aws:iam::000000000000:policy/none")
		}, 404, "NoSuchEntity"},
		"one tag twice": {func(in *sdk.CreateRoleInput) {
			in.Tags = []types.Tag{{Key: aws.String("a"), Value: aws.String("1")}, {Key: aws.String("A"), Value: aws.String("2")}}
		}, 400, "InvalidInput"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c, _ := newClient(t)
			in := &sdk.CreateRoleInput{RoleName: aws.String("r"), AssumeRolePolicyDocument: aws.String(trust)}
			tt.change(in)
			_, err := c.CreateRole(t.Context(), in)
			wantCode(t, err, tt.status, tt.code)
			roles := must[*sdk.ListRolesOutput](t)(c.ListRoles(t.Context(), &sdk.ListRolesInput{})).Roles
			if len(roles) != 0 {
				t.Errorf("a refused role is there: %v", roles)
			}
		})
	}
}

func TestADeletedRoleIsGone(t *testing.T) {
	c, _ := newClient(t)
	role := createRole(t, c, "r")
	must[*sdk.DeleteRoleOutput](t)(c.DeleteRole(t.Context(), &sdk.DeleteRoleInput{RoleName: role.RoleName}))
	_, err := c.GetRole(t.Context(), &sdk.GetRoleInput{RoleName: role.RoleName})
	if _, ok := errors.AsType[*types.NoSuchEntityException](err); !ok {
		t.Errorf("got %v, want NoSuchEntityException", err)
	}
	wantCode(t, err, 404, "NoSuchEntity")
}

func TestARoleWithPoliciesCannotBeDeleted(t *testing.T) {
	ctx := t.Context()
	c, _ := newClient(t)
	role := createRole(t, c, "r").RoleName
	remove := func() error {
		_, err := c.DeleteRole(ctx, &sdk.DeleteRoleInput{RoleName: role})
		return err
	}

	must[*sdk.PutRolePolicyOutput](t)(c.PutRolePolicy(ctx, &sdk.PutRolePolicyInput{
		RoleName: role, PolicyName: aws.String("p"), PolicyDocument: aws.String(allowed)}))
	must[*sdk.AttachRolePolicyOutput](t)(c.AttachRolePolicy(ctx, &sdk.AttachRolePolicyInput{
		RoleName: role, PolicyArn: aws.String(basic)}))
	wantCode(t, remove(), 409, "DeleteConflict")

	must[*sdk.DetachRolePolicyOutput](t)(c.DetachRolePolicy(ctx, &sdk.DetachRolePolicyInput{
		RoleName: role, PolicyArn: aws.String(basic)}))
	wantCode(t, remove(), 409, "DeleteConflict")

	must[*sdk.DeleteRolePolicyOutput](t)(c.DeleteRolePolicy(ctx, &sdk.DeleteRolePolicyInput{
		RoleName: role, PolicyName: aws.String("p")}))
	profiles := must[*sdk.ListInstanceProfilesForRoleOutput](t)(c.ListInstanceProfilesForRole(ctx,
		&sdk.ListInstanceProfilesForRoleInput{RoleName: role}))
	if len(profiles.InstanceProfiles) != 0 {
		t.Errorf("instance profiles %v, want none", profiles.InstanceProfiles)
	}
	if err := remove(); err != nil {
		t.Error(err)
	}
}

func TestUpdatesOfARole(t *testing.T) {
	ctx := t.Context()
	c, _ := newClient(t)
	name := createRole(t, c, "r").RoleName
	boundary := createPolicy(t, c, "boundary")
	get := func() types.Role {
		return *must[*sdk.GetRoleOutput](t)(c.GetRole(ctx, &sdk.GetRoleInput{RoleName: name})).Role
	}

	must[*sdk.UpdateRoleOutput](t)(c.UpdateRole(ctx, &sdk.UpdateRoleInput{
		RoleName: name, Description: aws.String("d"), MaxSessionDuration: aws.Int32(10800)}))
	if r := get(); *r.Description != "d" || *r.MaxSessionDuration != 10800 {
		t.Errorf("after UpdateRole: %q, %d s", *r.Description, *r.MaxSessionDuration)
	}
	must[*sdk.UpdateRoleDescriptionOutput](t)(c.UpdateRoleDescription(ctx, &sdk.UpdateRoleDescriptionInput{
		RoleName: name, Description: aws.String("e")}))
	if r := get(); *r.Description != "e" || *r.MaxSessionDuration != 10800 {
		t.Errorf("after UpdateRoleDescription: %q, %d s", *r.Description, *r.MaxSessionDuration)
	}
	newTrust := strings.ReplaceAll(trust, "lambda", "apigateway")
	must[*sdk.UpdateAssumeRolePolicyOutput](t)(c.UpdateAssumeRolePolicy(ctx, &sdk.UpdateAssumeRolePolicyInput{
		RoleName: name, PolicyDocument: &newTrust}))
	if text, _ := url.PathUnescape(*get().AssumeRolePolicyDocument); text != newTrust {
		t.Errorf("after UpdateAssumeRolePolicy: %s", text)
	}
	must[*sdk.PutRolePermissionsBoundaryOutput](t)(c.PutRolePermissionsBoundary(ctx, &sdk.PutRolePermissionsBoundaryInput{
		RoleName: name, PermissionsBoundary: &boundary}))
	if r := get(); *r.PermissionsBoundary.PermissionsBoundaryArn != boundary {
		t.Errorf("boundary %v", r.PermissionsBoundary)
	}
	must[*sdk.DeleteRolePermissionsBoundaryOutput](t)(c.DeleteRolePermissionsBoundary(ctx,
		&sdk.DeleteRolePermissionsBoundaryInput{RoleName: name}))
	if r := get(); r.PermissionsBoundary != nil {
		t.Errorf("boundary %v after its deletion", r.PermissionsBoundary)
	}
}

func TestTagsOfARole(t *testing.T) {
	ctx := t.Context()
	c, _ := newClient(t)
	name := createRole(t, c, "r").RoleName
	put := func(tags ...types.Tag) error {
		_, err := c.TagRole(ctx, &sdk.TagRoleInput{RoleName: name, Tags: tags})
		return err
	}
	kv := func(k, v string) types.Tag { return types.Tag{Key: &k, Value: &v} }
	if err := errors.Join(put(kv("a", "1"), kv("b", "2")), put(kv("b", "3"), kv("c", ""))); err != nil {
		t.Fatal(err)
	}
	must[*sdk.UntagRoleOutput](t)(c.UntagRole(ctx, &sdk.UntagRoleInput{RoleName: name, TagKeys: []string{"a", "none"}}))
	tags := must[*sdk.ListRoleTagsOutput](t)(c.ListRoleTags(ctx, &sdk.ListRoleTagsInput{RoleName: name})).Tags
	if len(tags) != 2 || *tags[0].Key != "b" || *tags[0].Value != "3" || *tags[1].Key != "c" || *tags[1].Value != "" {
		t.Errorf("got %v", tags)
	}
	wantCode(t, put(kv("aws:x", "1")), 400, "InvalidInput")
	wantCode(t, put(kv("b;", "1")), 400, "ValidationError")
}

func TestInlinePolicies(t *testing.T) {
	ctx := t.Context()
	c, _ := newClient(t)
	name := createRole(t, c, "r").RoleName
	put := func(policy, text string) error {
		_, err := c.PutRolePolicy(ctx, &sdk.PutRolePolicyInput{RoleName: name, PolicyName: &policy, PolicyDocument: &text})
		return err
	}
	if err := errors.Join(put("b", allowed), put("a", allowed), put("a", denied)); err != nil {
		t.Fatal(err)
	}
	names := must[*sdk.ListRolePoliciesOutput](t)(c.ListRolePolicies(ctx, &sdk.ListRolePoliciesInput{RoleName: name})).PolicyNames
	if !slices.Equal(names, []string{"a", "b"}) {
		t.Errorf("names %v", names)
	}
	got := must[*sdk.GetRolePolicyOutput](t)(c.GetRolePolicy(ctx, &sdk.GetRolePolicyInput{RoleName: name, PolicyName: aws.String("a")}))
	if text, _ := url.PathUnescape(*got.PolicyDocument); text != denied {
		t.Errorf("a is %s, want what was put last", text)
	}
	wantCode(t, put("x", trust), 400, "MalformedPolicyDocument")
	wantCode(t, put("x", large(maxInline)), 409, "LimitExceeded")
	_, err := c.GetRolePolicy(ctx, &sdk.GetRolePolicyInput{RoleName: name, PolicyName: aws.String("x")})
	wantCode(t, err, 404, "NoSuchEntity")
}

const maxInline = 10240

// large is a policy of about n characters.
func large(n int) string {
	return strings.Replace(allowed, "sqs:SendMessage", "sqs:"+strings.Repeat("a", n), 1)
}

func TestAttachedPolicies(t *testing.T) {
	ctx := t.Context()
	c, _ := newClient(t)
	name := createRole(t, c, "r").RoleName
	own := createPolicy(t, c, "own")
	attach := func(arn string) error {
		_, err := c.AttachRolePolicy(ctx, &sdk.AttachRolePolicyInput{RoleName: name, PolicyArn: &arn})
		return err
	}
	if err := errors.Join(attach(own), attach(basic), attach(own)); err != nil {
		t.Fatal(err)
	}
	attached := must[*sdk.ListAttachedRolePoliciesOutput](t)(c.ListAttachedRolePolicies(ctx,
		&sdk.ListAttachedRolePoliciesInput{RoleName: name})).AttachedPolicies
	if len(attached) != 2 || *attached[0].PolicyName != "own" || *attached[1].PolicyName != "AWSLambdaBasicExecutionRole" {
		t.Errorf("attached %v", attached)
	}
	entities := must[*sdk.ListEntitiesForPolicyOutput](t)(c.ListEntitiesForPolicy(ctx, &sdk.ListEntitiesForPolicyInput{PolicyArn: &own}))
	if len(entities.PolicyRoles) != 1 || *entities.PolicyRoles[0].RoleName != "r" {
		t.Errorf("entities %v", entities.PolicyRoles)
	}
	wantCode(t, attach("arn:aws:iam::aws:policy/NoSuchPolicy"), 404, "NoSuchEntity")
	wantCode(t, attach("AWSLambdaBasicExecutionRole and more"), 400, "ValidationError")
	_, err := c.DetachRolePolicy(ctx, &sdk.DetachRolePolicyInput{
		RoleName: name, PolicyArn: aws.String("arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess")})
	wantCode(t, err, 404, "NoSuchEntity")
	_, err = c.DeletePolicy(ctx, &sdk.DeletePolicyInput{PolicyArn: &own})
	wantCode(t, err, 409, "DeleteConflict")
}

func TestARoleTakesTenPolicies(t *testing.T) {
	ctx := t.Context()
	c, _ := newClient(t)
	name := createRole(t, c, "r").RoleName
	for i := range 11 {
		arn := createPolicy(t, c, fmt.Sprint("p", i))
		_, err := c.AttachRolePolicy(ctx, &sdk.AttachRolePolicyInput{RoleName: name, PolicyArn: &arn})
		if i < 10 && err != nil {
			t.Fatal(err)
		}
		if i == 10 {
			wantCode(t, err, 409, "LimitExceeded")
		}
	}
}

func TestAPolicyHasAtMostFiveVersions(t *testing.T) {
	ctx := t.Context()
	c, _ := newClient(t)
	arn := createPolicy(t, c, "p")
	add := func(asDefault bool) (string, error) {
		out, err := c.CreatePolicyVersion(ctx, &sdk.CreatePolicyVersionInput{
			PolicyArn: &arn, PolicyDocument: aws.String(denied), SetAsDefault: asDefault})
		if err != nil {
			return "", err
		}
		return *out.PolicyVersion.VersionId, nil
	}
	for _, want := range []string{"v2", "v3", "v4", "v5"} {
		if got := must[string](t)(add(want == "v3")); got != want {
			t.Errorf("version %s, want %s", got, want)
		}
	}
	_, err := add(false)
	wantCode(t, err, 409, "LimitExceeded")

	got := must[*sdk.GetPolicyOutput](t)(c.GetPolicy(ctx, &sdk.GetPolicyInput{PolicyArn: &arn})).Policy
	if *got.DefaultVersionId != "v3" {
		t.Errorf("default %s, want v3", *got.DefaultVersionId)
	}
	remove := func(version string) error {
		_, err := c.DeletePolicyVersion(ctx, &sdk.DeletePolicyVersionInput{PolicyArn: &arn, VersionId: &version})
		return err
	}
	wantCode(t, remove("v3"), 409, "DeleteConflict")
	wantCode(t, remove("v9"), 404, "NoSuchEntity")
	wantCode(t, remove("3"), 400, "ValidationError")
	if err := remove("v5"); err != nil {
		t.Fatal(err)
	}
	if got := must[string](t)(add(false)); got != "v6" {
		t.Errorf("version %s after deleting v5, want v6: numbers are not used twice", got)
	}
	_, err = c.DeletePolicy(ctx, &sdk.DeletePolicyInput{PolicyArn: &arn})
	wantCode(t, err, 409, "DeleteConflict")

	must[*sdk.SetDefaultPolicyVersionOutput](t)(c.SetDefaultPolicyVersion(ctx, &sdk.SetDefaultPolicyVersionInput{
		PolicyArn: &arn, VersionId: aws.String("v1")}))
	versions := must[*sdk.ListPolicyVersionsOutput](t)(c.ListPolicyVersions(ctx, &sdk.ListPolicyVersionsInput{PolicyArn: &arn})).Versions
	var ids []string
	for _, v := range versions {
		ids = append(ids, *v.VersionId)
		if v.IsDefaultVersion != (*v.VersionId == "v1") {
			t.Errorf("%s: default %v", *v.VersionId, v.IsDefaultVersion)
		}
	}
	if !slices.Equal(ids, []string{"v6", "v4", "v3", "v2", "v1"}) {
		t.Errorf("versions %v, want the newest first", ids)
	}
}

func TestAWSManagedPolicies(t *testing.T) {
	ctx := t.Context()
	c, _ := newClient(t)
	want := map[string]string{
		basic: "logs:PutLogEvents",
		"arn:aws:iam::aws:policy/service-role/AWSLambdaSQSQueueExecutionRole":       "sqs:ReceiveMessage",
		"arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole":      "ec2:CreateNetworkInterface",
		"arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess":                          "xray:PutTraceSegments",
		"arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs": "logs:FilterLogEvents",
	}
	listed := must[*sdk.ListPoliciesOutput](t)(c.ListPolicies(ctx, &sdk.ListPoliciesInput{Scope: types.PolicyScopeTypeAws})).Policies
	if len(listed) != len(want) {
		t.Errorf("%d policies of AWS's, want %d", len(listed), len(want))
	}
	for arn, action := range want {
		p := must[*sdk.GetPolicyOutput](t)(c.GetPolicy(ctx, &sdk.GetPolicyInput{PolicyArn: &arn})).Policy
		v := must[*sdk.GetPolicyVersionOutput](t)(c.GetPolicyVersion(ctx, &sdk.GetPolicyVersionInput{
			PolicyArn: &arn, VersionId: p.DefaultVersionId})).PolicyVersion
		text, _ := url.PathUnescape(*v.Document)
		if !strings.Contains(text, action) || !v.IsDefaultVersion {
			t.Errorf("%s: %s", arn, text)
		}
		_, err := c.DeletePolicy(ctx, &sdk.DeletePolicyInput{PolicyArn: &arn})
		wantCode(t, err, 403, "AccessDenied")
	}
}

func TestPolicyTagsAndScopes(t *testing.T) {
	ctx := t.Context()
	c, _ := newClient(t)
	arn := createPolicy(t, c, "p")
	must[*sdk.TagPolicyOutput](t)(c.TagPolicy(ctx, &sdk.TagPolicyInput{PolicyArn: &arn,
		Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("1")}, {Key: aws.String("b"), Value: aws.String("2")}}}))
	must[*sdk.UntagPolicyOutput](t)(c.UntagPolicy(ctx, &sdk.UntagPolicyInput{PolicyArn: &arn, TagKeys: []string{"a"}}))
	tags := must[*sdk.ListPolicyTagsOutput](t)(c.ListPolicyTags(ctx, &sdk.ListPolicyTagsInput{PolicyArn: &arn})).Tags
	if len(tags) != 1 || *tags[0].Key != "b" {
		t.Errorf("tags %v", tags)
	}
	local := must[*sdk.ListPoliciesOutput](t)(c.ListPolicies(ctx, &sdk.ListPoliciesInput{Scope: types.PolicyScopeTypeLocal})).Policies
	if len(local) != 1 || *local[0].Arn != arn {
		t.Errorf("own policies %v", local)
	}
	attached := must[*sdk.ListPoliciesOutput](t)(c.ListPolicies(ctx, &sdk.ListPoliciesInput{OnlyAttached: true})).Policies
	if len(attached) != 0 {
		t.Errorf("attached policies %v, want none", attached)
	}
	_, err := c.CreatePolicy(ctx, &sdk.CreatePolicyInput{PolicyName: aws.String("P"), PolicyDocument: aws.String(allowed)})
	wantCode(t, err, 409, "EntityAlreadyExists")
}

func TestListsComeInPages(t *testing.T) {
	c, _ := newClient(t)
	for _, name := range []string{"d", "a", "c", "b", "e"} {
		createRole(t, c, name)
	}
	var pages []string
	pager := sdk.NewListRolesPaginator(c, &sdk.ListRolesInput{MaxItems: aws.Int32(2)})
	for pager.HasMorePages() {
		out := must[*sdk.ListRolesOutput](t)(pager.NextPage(t.Context()))
		var names string
		for _, r := range out.Roles {
			names += *r.RoleName
		}
		pages = append(pages, names)
	}
	if !slices.Equal(pages, []string{"ab", "cd", "e"}) {
		t.Errorf("pages %v", pages)
	}
	_, err := c.ListRoles(t.Context(), &sdk.ListRolesInput{MaxItems: aws.Int32(1001)})
	wantCode(t, err, 400, "ValidationError")
	_, err = c.ListRoles(t.Context(), &sdk.ListRolesInput{Marker: aws.String("%")})
	wantCode(t, err, 400, "ValidationError")
}

func TestGetUserAnswersForTheCaller(t *testing.T) {
	s := iam.New(iam.Options{})
	user := must[*sdk.GetUserOutput](t)(client(t, s, "AKIATEST").GetUser(t.Context(), &sdk.GetUserInput{})).User
	if *user.Arn != "arn:aws:iam::000000000000:user/deployer" {
		t.Errorf("got %s", *user.Arn)
	}
	_, err := client(t, s, "AKIATEST").GetUser(t.Context(), &sdk.GetUserInput{UserName: aws.String("bob")})
	wantCode(t, err, 404, "NoSuchEntity")
	_, err = client(t, s, "ASIASESSION").GetUser(t.Context(), &sdk.GetUserInput{})
	wantCode(t, err, 400, "ValidationError")
}

func TestPoliciesAreWhatTheRoleHas(t *testing.T) {
	ctx := t.Context()
	c, s := newClient(t)
	role := createRole(t, c, "r")
	own := createPolicy(t, c, "own")
	for _, arn := range []string{own, basic} {
		must[*sdk.AttachRolePolicyOutput](t)(c.AttachRolePolicy(ctx, &sdk.AttachRolePolicyInput{RoleName: role.RoleName, PolicyArn: &arn}))
	}
	must[*sdk.PutRolePolicyOutput](t)(c.PutRolePolicy(ctx, &sdk.PutRolePolicyInput{
		RoleName: role.RoleName, PolicyName: aws.String("inline"), PolicyDocument: aws.String(denied)}))
	must[*sdk.CreatePolicyVersionOutput](t)(c.CreatePolicyVersion(ctx, &sdk.CreatePolicyVersionInput{
		PolicyArn: &own, PolicyDocument: aws.String(denied)})) // not the default

	names := func() (names, effects []string) {
		for _, doc := range s.Policies(*role.Arn) {
			names = append(names, doc.Name)
			effects = append(effects, string(doc.Statements[0].Effect))
		}
		return names, effects
	}
	gotNames, effects := names()
	if !slices.Equal(gotNames, []string{"inline", own, basic}) || !slices.Equal(effects, []string{"Deny", "Allow", "Allow"}) {
		t.Errorf("got %v with %v", gotNames, effects)
	}
	s.Policies(*role.Arn)[0].Statements[0].Action[0] = "changed"
	if got := s.Policies(*role.Arn)[0].Statements[0].Action[0]; got != "sqs:*" {
		t.Errorf("a caller changed the store: %s", got)
	}
	if docs := s.Policies("arn:aws:iam::000000000000:role/other/r"); docs != nil {
		t.Errorf("a role with another path has policies %v", docs)
	}
}

func TestRoleIsFoundByARNAndByName(t *testing.T) {
	c, s := newClient(t)
	role := createRole(t, c, "r")
	for _, id := range []string{"r", *role.Arn} {
		got, ok := s.Role(id)
		if !ok || got.ARN != *role.Arn || got.MaxSession != time.Hour || got.Boundary != nil ||
			!slices.Equal(got.Trust.Statements[0].Principal["Service"], []string{"lambda.amazonaws.com"}) {
			t.Errorf("Role(%q) = %+v, %v", id, got, ok)
		}
	}
	for _, id := range []string{"", "x", "arn:aws:iam::111111111111:role/r"} {
		if got, ok := s.Role(id); ok {
			t.Errorf("Role(%q) = %+v, want none", id, got)
		}
	}
}

func TestSnapshotAndRestore(t *testing.T) {
	ctx := t.Context()
	c, s := newClient(t)
	role := createRole(t, c, "r")
	own := createPolicy(t, c, "own")
	must[*sdk.AttachRolePolicyOutput](t)(c.AttachRolePolicy(ctx, &sdk.AttachRolePolicyInput{RoleName: role.RoleName, PolicyArn: &own}))
	must[*sdk.PutRolePolicyOutput](t)(c.PutRolePolicy(ctx, &sdk.PutRolePolicyInput{
		RoleName: role.RoleName, PolicyName: aws.String("inline"), PolicyDocument: aws.String(denied)}))
	snapshot := must[[]byte](t)(s.Snapshot())

	restored := iam.New(iam.Options{Clock: clock.New()})
	if err := restored.Restore(snapshot); err != nil {
		t.Fatal(err)
	}
	if again := must[[]byte](t)(restored.Snapshot()); string(again) != string(snapshot) {
		t.Errorf("got  %s\nwant %s", again, snapshot)
	}
	if docs := restored.Policies(*role.Arn); len(docs) != 2 || docs[0].Statements[0].Effect != iam.Deny {
		t.Errorf("policies after Restore: %+v", docs)
	}
	for _, broken := range []string{`{`, `null`, `{"Roles":null}`, `{"Roles":{"r":null},"Policies":{}}`,
		`{"Roles":{"r":{"Trust":"{}"}},"Policies":{}}`, `{"Roles":{"r":{}},"Policies":{}}`, `{"Roles":{},"Policies":{"p":{}}}`} {
		if err := restored.Restore([]byte(broken)); err == nil {
			t.Errorf("Restore(%s) succeeded", broken)
		}
	}
	if _, ok := restored.Role("r"); !ok {
		t.Error("a refused Restore changed the state")
	}
}

func TestUnknownParametersAndOperationsAreRefusedByName(t *testing.T) {
	for form, want := range map[string]string{
		"Action=CreateUser&UserName=u":                                           "CreateUser",
		"Action=ListPolicies&PolicyUsageFilter=PermissionsBoundary":              "PolicyUsageFilter",
		"Action=CreateRole&RoleName=r&Tags.member.1.Key=k&Tags.member.1.Colour=": "Tags.member.1.Colour",
	} {
		r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/", strings.NewReader(form))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		iam.New(iam.Options{}).ServeHTTP(w, r)
		if w.Code != 400 || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %d %s", form, w.Code, w.Body)
		}
	}
}

func TestPolicyDocumentsAreCheckedAsTheirKind(t *testing.T) {
	statement := func(s string) string { return `{"Version":"2012-10-17","Statement":` + s + `}` }
	permissions := map[string]string{
		"a principal":               `{"Effect":"Allow","Principal":"*","Action":"a:b","Resource":"*"}`,
		"no action":                 `{"Effect":"Allow","Resource":"*"}`,
		"Action and NotAction":      `{"Effect":"Allow","Action":"a:b","NotAction":"a:c","Resource":"*"}`,
		"an action without name":    `{"Effect":"Allow","Action":"SendMessage","Resource":"*"}`,
		"no resource":               `{"Effect":"Allow","Action":"a:b"}`,
		"an empty resource list":    `{"Effect":"Allow","Action":"a:b","Resource":[]}`,
		"a resource that is no ARN": `{"Effect":"Allow","Action":"a:b","Resource":"queue"}`,
		"a Sid with a dash":         `{"Sid":"a-b","Effect":"Allow","Action":"a:b","Resource":"*"}`,
		"a Sid twice":               `[{"Sid":"a","Effect":"Allow","Action":"a:b","Resource":"*"},{"Sid":"a","Effect":"Deny","Action":"a:b","Resource":"*"}]`,
	}
	trusts := map[string]string{
		"no principal":                `{"Effect":"Allow","Action":"sts:AssumeRole"}`,
		"a resource":                  `{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","Resource":"*"}`,
		"an action that is not STS's": `{"Effect":"Allow","Principal":"*","Action":"sqs:SendMessage"}`,
		"a service that is none":      `{"Effect":"Allow","Principal":{"Service":"lambda"},"Action":"sts:AssumeRole"}`,
	}
	c, _ := newClient(t)
	role := createRole(t, c, "r").RoleName
	for name, text := range permissions {
		t.Run("permissions with "+name, func(t *testing.T) {
			_, err := c.PutRolePolicy(t.Context(), &sdk.PutRolePolicyInput{
				RoleName: role, PolicyName: aws.String("p"), PolicyDocument: aws.String(statement(text))})
			wantCode(t, err, 400, "MalformedPolicyDocument")
		})
	}
	for name, text := range trusts {
		t.Run("trust with "+name, func(t *testing.T) {
			_, err := c.UpdateAssumeRolePolicy(t.Context(), &sdk.UpdateAssumeRolePolicyInput{
				RoleName: role, PolicyDocument: aws.String(statement(text))})
			wantCode(t, err, 400, "MalformedPolicyDocument")
		})
	}
}
