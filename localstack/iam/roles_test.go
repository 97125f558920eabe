package iam_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// Documents come back URL-encoded [BOTO:iam GetRole; TFRUN].
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

// [BOTO:iam CreateRole RoleName].
func TestRoleNamesAreUniqueWithoutRegardToCase(t *testing.T) {
	c, _ := newClient(t)
	createRole(t, c, "connect")
	_, err := c.CreateRole(t.Context(), &sdk.CreateRoleInput{
		RoleName: aws.String("Connect"), AssumeRolePolicyDocument: aws.String(trust),
	})
	wantCode(t, err, 409, "EntityAlreadyExists")
}

// [BOTO:iam CreateRole].
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

// [TFRUN], AWS.md 6.2.
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

// [BOTO:iam DeleteRole].
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

// [BOTO:iam TagRole].
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
