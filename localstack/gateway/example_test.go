package gateway_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/coder/websocket"

	"fanfare/localstack/gateway"
)

// An API whose only function answers every message, from its creation to the
// answer.
func Example() {
	gw := gateway.New(gateway.Options{
		Invoke: func(_ context.Context, inv gateway.Invocation) (gateway.Result, error) {
			var event struct{ Body string }
			err := json.Unmarshal(inv.Payload, &event)
			payload, _ := json.Marshal(map[string]any{"statusCode": 200, "body": "you said " + event.Body})
			return gateway.Result{Payload: payload}, err
		},
	})
	server := httptest.NewServer(gw)
	defer server.Close()
	defer gw.Close(context.Background())

	create := func(path, body string) map[string]any {
		response, err := http.Post(server.URL+"/v2/apis"+path, "application/json", strings.NewReader(body))
		if err != nil {
			panic(err)
		}
		defer response.Body.Close()
		var out map[string]any
		_ = json.NewDecoder(response.Body).Decode(&out)
		return out
	}
	api := "/" + create("", `{"name":"chat","protocolType":"WEBSOCKET","routeSelectionExpression":"$request.body.action"}`)["apiId"].(string)
	integration := create(api+"/integrations", `{"integrationType":"AWS_PROXY",
		"integrationUri":"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:chat/invocations"}`)
	route := create(api+"/routes", `{"routeKey":"$default","routeResponseSelectionExpression":"$default",
		"target":"integrations/`+integration["integrationId"].(string)+`"}`)
	create(api+"/routes/"+route["routeId"].(string)+"/routeresponses", `{"routeResponseKey":"$default"}`)
	deployment := create(api+"/deployments", `{}`)
	create(api+"/stages", `{"stageName":"live","deploymentId":"`+deployment["deploymentId"].(string)+`"}`)

	ctx := context.Background()
	client, _, err := websocket.Dial(ctx, server.URL+"/_aws/execute-api"+api+"/live", nil)
	if err != nil {
		panic(err)
	}
	defer client.CloseNow()
	_ = client.Write(ctx, websocket.MessageText, []byte("hello"))
	_, answer, _ := client.Read(ctx)
	fmt.Println(string(answer))
	// Output: you said hello
}
