package sts_test

import (
	"net/http"
	"testing"

	"fanfare/localstack/awsproto/awsprototest"
	"fanfare/localstack/sts"
)

func FuzzForms(f *testing.F) {
	awsprototest.FuzzForms(f, func() http.Handler { return sts.New(sts.Options{}) },
		`Action=GetCallerIdentity&Version=2011-06-15`,
		`Action=AssumeRole&RoleArn=arn:aws:iam::000000000000:role/r&RoleSessionName=s&DurationSeconds=900`,
		`Action=AssumeRole&RoleArn=x&RoleSessionName=&Policy=%7B%7D&Tags.member.1.Key=a`,
		`Action=GetAccessKeyInfo&AccessKeyId=AKIAIOSFODNN7EXAMPLE`,
	)
}
