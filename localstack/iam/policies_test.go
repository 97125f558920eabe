package iam_test

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// [BOTO:iam PutRolePolicy]; 10,240 characters a role [WEB:reference_iam-quotas].
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

func large(n int) string {
	return strings.Replace(allowed, "sqs:SendMessage", "sqs:"+strings.Repeat("a", n), 1)
}

// [BOTO:iam AttachRolePolicy, DeletePolicy].
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

// [WEB:reference_iam-quotas].
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

// [BOTO:iam CreatePolicyVersion].
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

func TestPolicyDocumentsAreCheckedAsTheirKind(t *testing.T) {
	statement := func(s string) string { return `{"Version":"2012-10-17","Statement":` + s + `}` }
	permissions := map[string]string{
		"a principal":               `{"Effect":"Allow","Principal":"*","Action":"a:b","Resource":"*"}`,
		"no action":                 `{"Effect":"Allow","Resource":"*"}`,
		"any service's action":      `{"Effect":"Allow","Action":"*:GetItem","Resource":"*"}`,
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
