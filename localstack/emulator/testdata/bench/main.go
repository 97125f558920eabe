// Function is the Lambda of the benchmarks and of the soak: as little as each
// way through the cloud needs. The route decides what it does.
package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

type event struct {
	RequestContext struct {
		RouteKey     string `json:"routeKey"`
		ConnectionID string `json:"connectionId"`
		APIID        string `json:"apiId"`
		Stage        string `json:"stage"`
	} `json:"requestContext"`
	Body string `json:"body"`
}

type response struct {
	StatusCode int    `json:"statusCode"`
	Body       string `json:"body,omitempty"`
}

// table, if set, gets a row for each open connection.
var table = os.Getenv("TABLE_NAME")

func main() { lambda.Start(handle) }

func handle(ctx context.Context, e event) (response, error) {
	ok := response{StatusCode: http.StatusOK}
	c := e.RequestContext
	switch c.RouteKey {
	case "$connect":
		return ok, row(ctx, "PutItem", `"Item"`, c.ConnectionID)
	case "$disconnect":
		return ok, row(ctx, "DeleteItem", `"Key"`, c.ConnectionID)
	case "oneway":
		return ok, nil
	case "post":
		path := "/_aws/execute-api/" + url.PathEscape(c.APIID) + "/" + url.PathEscape(c.Stage) + "/@connections/" + url.PathEscape(c.ConnectionID)
		_, err := call(ctx, "execute-api", path, nil, e.Body)
		return ok, err
	case "exit": // as a function that runs out of memory
		os.Exit(1)
	}
	ok.Body = e.Body
	return ok, nil
}

// attempts outlive any faults that a test injects but a table that is gone.
const attempts = 12

// row puts or deletes the connection's row, as often as it takes.
func row(ctx context.Context, operation, member, id string) (err error) {
	if table == "" {
		return nil
	}
	header := http.Header{"X-Amz-Target": {"DynamoDB_20120810." + operation}, "Content-Type": {"application/x-amz-json-1.0"}}
	body := fmt.Sprintf(`{"TableName":%q,%s:{"id":{"S":%q}}}`, table, member, id)
	for n := range attempts {
		// Throttles are answered with 400 too, so any status is worth another try.
		if _, err = call(ctx, "dynamodb", "/", header, body); err == nil {
			return nil
		}
		time.Sleep(time.Duration(n) * 5 * time.Millisecond)
	}
	return err
}

var (
	signer    = v4.NewSigner()
	endpoint  = os.Getenv("AWS_ENDPOINT_URL")
	region    = os.Getenv("AWS_REGION")
	ownRights = aws.Credentials{
		AccessKeyID: os.Getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY"), SessionToken: os.Getenv("AWS_SESSION_TOKEN"),
	}
)

// call POSTs a signed request. Any status but 200 is an error.
func call(ctx context.Context, service, path string, header http.Header, body string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint+path, bytes.NewReader([]byte(body)))
	if err != nil {
		return nil, err
	}
	for name, values := range header {
		req.Header[name] = values
	}
	sum := sha256.Sum256([]byte(body))
	if err := signer.SignHTTP(ctx, ownRights, req, hex.EncodeToString(sum[:]), service, region, time.Now()); err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answered %s: %s", service, resp.Status, answer)
	}
	return answer, err
}
