package iam_test

import (
	"net/http"
	"testing"

	"fanfare/localstack/awsproto/awsprototest"
	"fanfare/localstack/iam"
)

func FuzzForms(f *testing.F) {
	awsprototest.FuzzForms(f, func() http.Handler { return iam.New(iam.Options{}) },
		`Action=CreateRole&RoleName=r&AssumeRolePolicyDocument=%7B%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22sts%3AAssumeRole%22%2C%22Principal%22%3A%7B%22Service%22%3A%22lambda.amazonaws.com%22%7D%7D%5D%7D&Tags.member.1.Key=k&Tags.member.1.Value=v&MaxSessionDuration=3600`,
		`Action=CreatePolicy&PolicyName=p&PolicyDocument=%7B%22Statement%22%3A%7B%22Effect%22%3A%22Deny%22%2C%22Action%22%3A%22*%22%2C%22Resource%22%3A%22*%22%7D%7D&Path=/a/`,
		`Action=PutRolePolicy&RoleName=r&PolicyName=p&PolicyDocument=%7B`,
		`Action=ListRoles&PathPrefix=/&MaxItems=1&Marker=x`,
		`Action=AttachRolePolicy&RoleName=r&PolicyArn=arn:aws:iam::aws:policy/x`,
		`Action=ListPolicies&Scope=AWS&OnlyAttached=true`,
		`Action=CreatePolicyVersion&PolicyArn=arn:aws:iam::000000000000:policy/p&PolicyDocument=%7B%7D&SetAsDefault=true`,
		`Action=ListEntitiesForPolicy&PolicyArn=a&EntityFilter=Role`,
		`Action=GetUser`,
		`Action=UpdateRole&RoleName=r&MaxSessionDuration=-1`,
	)
}
