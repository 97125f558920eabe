package iam_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
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
	iampolicy "fanfare/localstack/policy"
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

// large is a policy of about n characters.

// [BOTO:iam ListRoles Marker, MaxItems].
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
	if docs := restored.Policies(*role.Arn); len(docs) != 2 || docs[0].Statements[0].Effect != iampolicy.Deny {
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

func TestAnswersAreCopies(t *testing.T) {
	ctx := t.Context()
	c, s := newClient(t)
	role := createRole(t, c, "r")
	var readers sync.WaitGroup
	for range 2 { // the race detector is what can fail here
		readers.Go(func() {
			for range 20 {
				_, _ = c.GetRole(ctx, &sdk.GetRoleInput{RoleName: role.RoleName})
				s.Policies(*role.Arn)
			}
		})
	}
	for i := range 20 {
		must[*sdk.TagRoleOutput](t)(c.TagRole(ctx, &sdk.TagRoleInput{
			RoleName: role.RoleName, Tags: []types.Tag{{Key: aws.String("k"), Value: aws.String(fmt.Sprint(i))}}}))
		must[*sdk.PutRolePolicyOutput](t)(c.PutRolePolicy(ctx, &sdk.PutRolePolicyInput{
			RoleName: role.RoleName, PolicyName: aws.String("p"), PolicyDocument: aws.String(allowed)}))
	}
	readers.Wait()
}
