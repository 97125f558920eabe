package lambda_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"

	"fanfare/localstack/lambda"
)

// A function is created through the API, as Terraform does, and found through
// Go, as the gateway does.
func Example() {
	functions := lambda.New(lambda.Options{})
	defer functions.Close()

	var code bytes.Buffer
	z := zip.NewWriter(&code)
	h := &zip.FileHeader{Name: "bootstrap"}
	h.SetMode(0o755)
	w, _ := z.CreateHeader(h)
	fmt.Fprint(w, "#!/bin/sh\nexit 1\n") // a real one speaks the Runtime API
	z.Close()
	body, _ := json.Marshal(map[string]any{
		"FunctionName": "connect", "Runtime": "provided.al2023", "Handler": "bootstrap",
		"Role": "arn:aws:iam::000000000000:role/connect", "Code": map[string]any{"ZipFile": code.Bytes()},
	})
	answer := httptest.NewRecorder()
	functions.ServeHTTP(answer, httptest.NewRequest("POST", "/2015-03-31/functions", bytes.NewReader(body)))
	fmt.Println(answer.Code)

	f, ok := functions.Function("connect")
	fmt.Println(f.ARN, f.Timeout, ok)
	fmt.Println(functions.Allowed(f.ARN, "", "apigateway.amazonaws.com", "arn:aws:execute-api:us-east-1:000000000000:a1/dev/$connect"))

	res, err := functions.Invoke(context.Background(), lambda.Request{Function: "connect", Payload: []byte(`{}`)})
	fmt.Println(res.FunctionError, err)
	_, err = functions.Invoke(context.Background(), lambda.Request{Function: "nobody"})
	fmt.Println(err)
	// Output:
	// 201
	// arn:aws:lambda:us-east-1:000000000000:function:connect 3s true
	// false
	// Unhandled <nil>
	// ResourceNotFoundException: Function not found: arn:aws:lambda:us-east-1:000000000000:function:nobody
}
