package iam_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"

	"fanfare/localstack/iam"
)

func Example() {
	s := iam.New(iam.Options{})
	call := func(form url.Values) {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		s.ServeHTTP(httptest.NewRecorder(), r)
	}
	call(url.Values{"Action": {"CreateRole"}, "RoleName": {"connect"}, "AssumeRolePolicyDocument": {trust}})
	call(url.Values{"Action": {"AttachRolePolicy"}, "RoleName": {"connect"}, "PolicyArn": {basic}})

	role, ok := s.Role("connect")
	fmt.Println(ok, role.ARN, role.Trust.Statements[0].Principal["Service"])
	for _, doc := range s.Policies(role.ARN) {
		fmt.Println(doc.Name, doc.Statements[0].Action)
	}
	// Output:
	// true arn:aws:iam::000000000000:role/connect [lambda.amazonaws.com]
	// arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole [logs:CreateLogGroup logs:CreateLogStream logs:PutLogEvents]
}
