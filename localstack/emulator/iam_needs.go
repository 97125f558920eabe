package emulator

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"fanfare/localstack/awsproto"
)

// need is one permission that a request needs: most need one, a transaction one
// for each kind of action in it.
type need struct {
	action   string // "sqs:SendMessage"
	resource string // an ARN, or "*" where the action has no resource
	// shown is how a refusal names the resource, where AWS does it otherwise.
	shown string
}

// needsOf returns what a call needs. Actions and resources are those of
// https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html.
func needsOf(e *Emulator, call *awsproto.Call, r *http.Request, body []byte) []need {
	switch call.Service {
	case "dynamodb":
		return dynamodbNeeds(call, body)
	case "sqs":
		return sqsNeeds(call)
	case "logs":
		return []need{logsNeed(call, body)}
	case "lambda":
		return []need{lambdaNeed(call, r)}
	case "execute-api":
		return []need{connectionsNeed(call, r)}
	case "iam":
		return []need{iamNeed(e, call, r)}
	case "sts":
		return stsNeeds(call, r)
	case "monitoring":
		return cloudwatchNeeds(call)
	case "apigateway":
		return []need{apiGatewayNeed(call, r)}
	}
	return []need{{action: call.Service + ":" + call.Operation, resource: "*"}}
}

// arnIn is an ARN of the account in the call's region.
func arnIn(call *awsproto.Call, service, resource string) string {
	return "arn:aws:" + service + ":" + call.Region + ":" + awsproto.AccountID + ":" + resource
}

// forEach needs the action on each of the resources that the call names, on
// "*" if it names none.
func forEach(call *awsproto.Call, action string, arn func(name string) string) []need {
	if len(call.Resources) == 0 {
		return []need{{action: action, resource: "*"}}
	}
	needs := make([]need, len(call.Resources))
	for i, name := range call.Resources {
		needs[i] = need{action: action, resource: arn(name)}
	}
	return needs
}

// member returns a string of a JSON request, "" if there is none.
func member(body []byte, name string) (text string) {
	awsproto.ScanObject(body, func(m string, value []byte) {
		if m == name && json.Unmarshal(value, &text) != nil {
			text = ""
		}
	})
	return text
}

// transactActions are what the parts of a transaction need: there is no right
// to transact.
var transactActions = map[string]string{
	"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem", "Get": "GetItem",
}

func dynamodbNeeds(call *awsproto.Call, body []byte) []need {
	table := func(name string) string { return arnIn(call, "dynamodb", "table/"+name) }
	switch call.Operation {
	case "TransactWriteItems", "TransactGetItems":
		return transactNeeds(body, table)
	case "Query", "Scan":
		if index := member(body, "IndexName"); index != "" {
			return forEach(call, "dynamodb:"+call.Operation, func(name string) string { return table(name) + "/index/" + index })
		}
	}
	return forEach(call, "dynamodb:"+call.Operation, table)
}

func transactNeeds(body []byte, table func(string) string) (needs []need) {
	awsproto.ScanObject(body, func(m string, items []byte) {
		if m != "TransactItems" {
			return
		}
		awsproto.ScanTransaction(items, func(part, name string) {
			n := need{action: "dynamodb:" + transactActions[part], resource: table(name)}
			if !slices.Contains(needs, n) {
				needs = append(needs, n)
			}
		})
	})
	return needs
}

// sqsNeeds: a batch needs what its single operation does, and a redrive what it
// does to the queue that it empties.
func sqsNeeds(call *awsproto.Call) []need {
	queue := func(name string) string { return arnIn(call, "sqs", name) }
	needs := forEach(call, "sqs:"+strings.TrimSuffix(call.Operation, "Batch"), queue)
	if call.Operation == "StartMessageMoveTask" {
		for _, action := range []string{"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"} {
			needs = append(needs, forEach(call, action, queue)...)
		}
	}
	return needs
}

// logsNeed: all resources of a group end in log-stream:, with the stream's name
// where the request has one. So a policy for log-group:<name> alone allows none
// of it, and log-group:<name>:* does.
func logsNeed(call *awsproto.Call, body []byte) need {
	group := ""
	if len(call.Resources) > 0 {
		group = call.Resources[0]
	}
	return need{action: "logs:" + call.Operation, resource: logStreamARN(call.Region, group, member(body, "logStreamName"))}
}

func logStreamARN(region, group, stream string) string {
	return "arn:aws:logs:" + region + ":" + awsproto.AccountID + ":log-group:" + group + ":log-stream:" + stream
}

// lambdaActions are those that are not called like their operation.
var lambdaActions = map[string]string{"Invoke": "InvokeFunction"}

func lambdaNeed(call *awsproto.Call, r *http.Request) need {
	action := lambdaActions[call.Operation]
	if action == "" {
		action = call.Operation
	}
	n := need{action: "lambda:" + action, resource: "*"}
	switch {
	case r.PathValue("UUID") != "":
		n.resource = arnIn(call, "lambda", "event-source-mapping:"+r.PathValue("UUID"))
	case r.PathValue("Resource") != "":
		n.resource = r.PathValue("Resource") // the ARN whose tags it is about
	case r.PathValue("FunctionName") != "":
		n.resource = arnIn(call, "lambda", "function:"+qualifiedName(r))
	case call.Operation == "CreateFunction" && len(call.Resources) > 0:
		n.resource = arnIn(call, "lambda", "function:"+call.Resources[0])
	}
	return n
}

// qualifiedName is <function> or <function>:<qualifier>, whichever way the
// request spells it.
func qualifiedName(r *http.Request) string {
	name := r.PathValue("FunctionName")
	if _, after, ok := strings.Cut(name, "function:"); ok {
		name = after
	}
	if qualifier := r.URL.Query().Get("Qualifier"); qualifier != "" && !strings.Contains(name, ":") {
		name += ":" + qualifier
	}
	return name
}

// connectionsNeed: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-control-access-iam.html.
// A refusal hides most of the account and all of the connection's id, as AWS's
// does.
func connectionsNeed(call *awsproto.Call, r *http.Request) need {
	n := need{action: "execute-api:ManageConnections", resource: "*"}
	if len(call.Resources) == 1 {
		if path := strings.SplitN(call.Resources[0], "/", 3); len(path) == 3 { // <api>/<stage>/<id>
			stage := path[0] + "/" + path[1] + "/" + r.Method + "/@connections/"
			n.resource = arnIn(call, "execute-api", stage+path[2])
			n.shown = "arn:aws:execute-api:" + call.Region + ":********" + awsproto.AccountID[8:] + ":" + stage + "{connectionId}"
		}
	}
	return n
}

func iamNeed(e *Emulator, call *awsproto.Call, r *http.Request) need {
	n := need{action: "iam:" + call.Operation, resource: "*"}
	arn := func(kind, path, name string) string {
		if path == "" {
			path = "/"
		}
		return "arn:aws:iam::" + awsproto.AccountID + ":" + kind + path + name
	}
	form := func(name string) string { return r.Form.Get(name) }
	switch {
	case form("RoleName") != "":
		n.resource, n.shown = arn("role", form("Path"), form("RoleName")), "role "+form("RoleName")
		if role, ok := e.iam.Role(form("RoleName")); ok {
			n.resource = role.ARN
		}
	case form("PolicyArn") != "":
		n.resource, n.shown = form("PolicyArn"), "policy "+form("PolicyArn")
	case form("PolicyName") != "":
		n.resource, n.shown = arn("policy", form("Path"), form("PolicyName")), "policy "+form("PolicyName")
	case form("UserName") != "":
		n.resource, n.shown = arn("user", "", form("UserName")), "user "+form("UserName")
	}
	return n
}

// stsNeeds: everybody may ask who they are.
func stsNeeds(call *awsproto.Call, r *http.Request) []need {
	switch call.Operation {
	case "GetCallerIdentity":
		return nil
	case "AssumeRole":
		return []need{{action: assumeRole, resource: r.Form.Get("RoleArn")}}
	}
	return []need{{action: "sts:" + call.Operation, resource: "*"}}
}

// cloudwatchNeeds: metrics have no ARNs.
func cloudwatchNeeds(call *awsproto.Call) []need {
	action := "cloudwatch:" + call.Operation
	switch op := call.Operation; {
	case strings.Contains(op, "Metric") && !strings.Contains(op, "Alarm"):
		return []need{{action: action, resource: "*"}}
	case strings.Contains(op, "Dashboard"):
		return forEach(call, action, func(name string) string {
			return "arn:aws:cloudwatch::" + awsproto.AccountID + ":dashboard/" + name
		})
	}
	return forEach(call, action, func(name string) string { return arnIn(call, "cloudwatch", "alarm:"+name) })
}

// apiGatewayNeed: actions are HTTP methods, resources are paths.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-control-access-using-iam-policies-to-create-and-manage-api.html
func apiGatewayNeed(call *awsproto.Call, r *http.Request) need {
	return need{
		action:   "apigateway:" + r.Method,
		resource: "arn:aws:apigateway:" + call.Region + "::" + strings.TrimPrefix(r.URL.Path, "/v2"),
	}
}

// regionOf is the region in an ARN.
func regionOf(arn string) string {
	if parts := strings.SplitN(arn, ":", 6); len(parts) == 6 {
		return parts[3]
	}
	return ""
}
