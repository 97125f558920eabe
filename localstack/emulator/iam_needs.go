package emulator

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"fanfare/localstack/awsproto"
	"fanfare/localstack/sqs"
)

// need is one permission that a request needs: most need one, a transaction one
// for each kind of action in it.
type need struct {
	action   string // "sqs:SendMessage"
	resource string // an ARN, or "*" where the action has no resource
	// shown is how a refusal names the resource, where AWS does it otherwise.
	shown string
	// keys are the service's own condition keys. They may be missing where no
	// policy of the caller asks for them.
	keys map[string][]string
}

// asked is a call with what it says.
type asked struct {
	*awsproto.Call
	*http.Request
	body []byte // of the JSON protocols
}

// needsOf returns what a call needs. Actions and resources are those of
// https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html.
//
// What a call is about it reads as the service will, member by member: a call
// can hold other names besides, which the service ignores.
func needsOf(e *Emulator, q asked) []need {
	switch q.Service {
	case "dynamodb":
		return dynamodbNeeds(q)
	case "sqs":
		return sqsNeeds(q)
	case "logs":
		return logsNeeds(q)
	case "lambda":
		return lambdaNeeds(q)
	case "execute-api":
		return []need{connectionsNeed(q)}
	case "iam":
		return []need{iamNeed(e, q)}
	case "sts":
		return stsNeeds(q)
	case "monitoring":
		return cloudwatchNeeds(q)
	case "apigateway":
		return apiGatewayNeeds(q)
	}
	return []need{{action: q.Service + ":" + q.Operation, resource: "*"}}
}

// arn is an ARN of the account in the call's region.
func (q asked) arn(service, resource string) string { return regionalARN(service, q.Region, resource) }

func regionalARN(service, region, resource string) string {
	return "arn:aws:" + service + ":" + region + ":" + awsproto.AccountID + ":" + resource
}

// texts returns all that a request could mean by a parameter: those of a form, or
// the strings in the JSON body. Names are compared as the services do it, without
// regard to case.
func (q asked) texts(name string) (all []string) {
	add := func(text string) {
		if text != "" && !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	if q.body == nil {
		for key := range q.Form {
			if strings.EqualFold(key, name) {
				add(q.Form.Get(key))
			}
		}
		return all
	}
	awsproto.ScanObject(q.body, func(m string, value []byte) {
		var text string
		if strings.EqualFold(m, name) && json.Unmarshal(value, &text) == nil {
			add(text)
		}
	})
	return all
}

// member returns a string of a JSON object, "" if there is none. It finds what
// encoding/json does: names without regard to case, the last of several, and
// null changes nothing.
func member(body []byte, name string) (text string) {
	awsproto.ScanObject(body, func(m string, value []byte) {
		if strings.EqualFold(m, name) && json.Unmarshal(value, &text) != nil {
			text = ""
		}
	})
	return text
}

// forEach needs the action on each of the resources, on "*" if there is none.
func forEach(action string, arns ...string) []need {
	if len(arns) == 0 {
		return []need{{action: action, resource: "*"}}
	}
	needs := make([]need, len(arns))
	for i, arn := range arns {
		needs[i] = need{action: action, resource: arn}
	}
	return needs
}

// transactActions are what the parts of a transaction need: there is no right
// to transact.
var transactActions = map[string]string{
	"put": "PutItem", "update": "UpdateItem", "delete": "DeleteItem", "conditioncheck": "ConditionCheckItem", "get": "GetItem",
}

func dynamodbNeeds(q asked) (needs []need) {
	if q.Operation == "TransactWriteItems" || q.Operation == "TransactGetItems" {
		return q.transactNeeds()
	}
	action := "dynamodb:" + q.Operation
	index := ""
	var tables []string
	awsproto.ScanObject(q.body, func(m string, value []byte) {
		switch {
		case strings.EqualFold(m, "TableName"), strings.EqualFold(m, "ResourceArn"):
			var name string
			if json.Unmarshal(value, &name) == nil && name != "" {
				tables = append(tables, q.table(name))
			}
		case strings.EqualFold(m, "RequestItems"):
			awsproto.ScanObject(value, func(name string, _ []byte) { tables = append(tables, q.table(name)) })
		case strings.EqualFold(m, "IndexName") && (q.Operation == "Query" || q.Operation == "Scan"):
			index = member(q.body, "IndexName")
		}
	})
	if index != "" {
		for i := range tables {
			tables[i] += "/index/" + index
		}
	}
	return forEach(action, tables...)
}

// table is the ARN of a table that a request names by its name or its ARN. That
// ARN's region counts.
func (q asked) table(name string) string {
	region := q.Region
	if parts := strings.SplitN(name, ":", 6); len(parts) == 6 && parts[0] == "arn" {
		region, name = parts[3], strings.TrimPrefix(parts[5], "table/")
	}
	return regionalARN("dynamodb", region, "table/"+name)
}

// transactNeeds has each need once: a transaction that DynamoDB will refuse for its
// length may have a million parts.
func (q asked) transactNeeds() (needs []need) {
	seen := map[[2]string]bool{}
	awsproto.ScanObject(q.body, func(m string, items []byte) {
		if !strings.EqualFold(m, "TransactItems") {
			return
		}
		awsproto.ScanTransaction(items, func(part, name string) {
			n := need{action: "dynamodb:" + transactActions[strings.ToLower(part)], resource: q.table(name)}
			if key := [2]string{n.action, n.resource}; !seen[key] {
				seen[key] = true
				needs = append(needs, n)
			}
		})
	})
	return needs
}

// dynamodbNeedsWithKeys are the needs of dynamodbNeeds with their condition keys:
// each part of a transaction has its own. It costs reading all that the request
// says, so it is for callers whose policies ask for such keys.
func dynamodbNeedsWithKeys(e *Emulator, q asked) []need {
	actions := e.dynamodb.Actions(q.Context(), q.Operation, q.body)
	if actions == nil {
		return dynamodbNeeds(q)
	}
	needs := make([]need, len(actions))
	for i, a := range actions {
		needs[i] = need{action: "dynamodb:" + a.Name, resource: q.table(a.Table), keys: a.Keys}
		if a.Index != "" {
			needs[i].resource += "/index/" + a.Index
		}
	}
	return needs
}

// sqsNeeds: a batch needs what its single operation does, and a redrive what it
// does to the queue that it empties and to the one that it fills.
func sqsNeeds(q asked) []need {
	var queues []string
	for _, url := range q.texts("QueueUrl") {
		queues = append(queues, q.arn("sqs", sqs.NameInURL(url)))
	}
	for _, name := range q.texts("QueueName") {
		queues = append(queues, q.arn("sqs", name))
	}
	sources := q.texts("SourceArn")
	needs := forEach("sqs:"+strings.TrimSuffix(q.Operation, "Batch"), append(queues, sources...)...)
	if q.Operation != "StartMessageMoveTask" {
		return needs
	}
	for _, action := range []string{"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"} {
		needs = append(needs, forEach(action, sources...)...)
	}
	for _, destination := range q.texts("DestinationArn") {
		needs = append(needs, need{action: "sqs:SendMessage", resource: destination})
	}
	return needs
}

// logsNeeds: all resources of a group end in log-stream:, with the stream's name
// where the request has one. So a policy for log-group:<name> alone allows none
// of it, and log-group:<name>:* does.
func logsNeeds(q asked) []need {
	groups := q.texts("logGroupName")
	for _, name := range []string{"logGroupIdentifier", "resourceArn"} {
		for _, text := range q.texts(name) {
			if _, group, isARN := strings.Cut(text, ":log-group:"); isARN {
				text = strings.TrimSuffix(group, ":*")
			}
			groups = append(groups, text)
		}
	}
	if len(groups) == 0 {
		groups = []string{""} // any group, as AWS shows it
	}
	arns := make([]string, len(groups))
	for i, group := range groups {
		arns[i] = logStreamARN(q.Region, group, member(q.body, "logStreamName"))
	}
	return forEach("logs:"+q.Operation, arns...)
}

func logStreamARN(region, group, stream string) string {
	return regionalARN("logs", region, "log-group:"+group+":log-stream:"+stream)
}

// lambdaActions are those that are not called like their operation.
var lambdaActions = map[string]string{"Invoke": "InvokeFunction"}

// lambdaNeeds: who gives a function its role must be allowed to pass that role,
// "Granting a user permissions to pass a role to an AWS service",
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html.
func lambdaNeeds(q asked) []need {
	action := lambdaActions[q.Operation]
	if action == "" {
		action = q.Operation
	}
	n := need{action: "lambda:" + action, resource: "*"}
	switch {
	case q.PathValue("UUID") != "":
		n.resource = q.arn("lambda", "event-source-mapping:"+q.PathValue("UUID"))
	case q.PathValue("Resource") != "":
		n.resource = q.PathValue("Resource") // the ARN whose tags it is about
	case q.PathValue("FunctionName") != "":
		n.resource = q.arn("lambda", "function:"+qualifiedName(q.Request))
	}
	switch q.Operation {
	case "CreateFunction":
		body := awsproto.PeekBody(q.Request)
		n.resource = q.arn("lambda", "function:"+functionIn(member(body, "FunctionName")))
		return append([]need{n}, passRole(member(body, "Role"), lambdaPrincipal)...)
	case "UpdateFunctionConfiguration":
		return append([]need{n}, passRole(member(awsproto.PeekBody(q.Request), "Role"), lambdaPrincipal)...)
	case "CreateEventSourceMapping":
		if name := functionIn(member(awsproto.PeekBody(q.Request), "FunctionName")); name != "" {
			n.keys = map[string][]string{"lambda:FunctionArn": {q.arn("lambda", "function:"+name)}}
		}
	}
	return []need{n}
}

// passRole is the need to give a role to a service; nothing where none is given.
func passRole(roleARN, service string) []need {
	if roleARN == "" {
		return nil
	}
	return []need{{action: "iam:PassRole", resource: roleARN, keys: map[string][]string{"iam:PassedToService": {service}}}}
}

// functionIn is what follows "function:" in any of the ways to name a function.
func functionIn(name string) string {
	if _, after, ok := strings.Cut(name, "function:"); ok {
		return after
	}
	return name
}

// qualifiedName is <function> or <function>:<qualifier>, whichever way the
// request spells it.
func qualifiedName(r *http.Request) string {
	name := functionIn(r.PathValue("FunctionName"))
	if qualifier := r.URL.Query().Get("Qualifier"); qualifier != "" && !strings.Contains(name, ":") {
		name += ":" + qualifier
	}
	return name
}

// connectionsNeed: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-control-access-iam.html.
// A refusal hides most of the account and all of the connection's id, as AWS's
// does.
func connectionsNeed(q asked) need {
	n := need{action: "execute-api:ManageConnections", resource: "*"}
	if len(q.Resources) == 1 {
		if path := strings.SplitN(q.Resources[0], "/", 3); len(path) == 3 { // <api>/<stage>/<id>
			stage := path[0] + "/" + path[1] + "/" + q.Method + "/@connections/"
			n.resource = q.arn("execute-api", stage+path[2])
			n.shown = "arn:aws:execute-api:" + q.Region + ":********" + awsproto.AccountID[8:] + ":" + stage + "{connectionId}"
		}
	}
	return n
}

func iamNeed(e *Emulator, q asked) need {
	n := need{action: "iam:" + q.Operation, resource: "*"}
	arn := func(kind, path, name string) string {
		if path == "" {
			path = "/"
		}
		return "arn:aws:iam::" + awsproto.AccountID + ":" + kind + path + name
	}
	form := q.Form.Get
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
func stsNeeds(q asked) []need {
	switch q.Operation {
	case "GetCallerIdentity":
		return nil
	case "AssumeRole":
		return []need{{
			action: assumeRole, resource: q.Form.Get("RoleArn"),
			keys: map[string][]string{"sts:RoleSessionName": {q.Form.Get("RoleSessionName")}},
		}}
	}
	return []need{{action: "sts:" + q.Operation, resource: "*"}}
}

// cloudwatchNeeds: metrics have no ARNs.
func cloudwatchNeeds(q asked) []need {
	action := "cloudwatch:" + q.Operation
	var arns []string
	for name := range q.Form {
		list, _, _ := strings.Cut(name, ".member.")
		switch value := q.Form.Get(name); list {
		case "AlarmName", "AlarmNames":
			arns = append(arns, q.arn("cloudwatch", "alarm:"+value))
		case "DashboardName", "DashboardNames":
			arns = append(arns, "arn:aws:cloudwatch::"+awsproto.AccountID+":dashboard/"+value)
		case "ResourceARN":
			arns = append(arns, value)
		}
	}
	slices.Sort(arns) // a form has no order
	return forEach(action, arns...)
}

// apiGatewayNeeds: actions are HTTP methods, resources are paths.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-control-access-using-iam-policies-to-create-and-manage-api.html
func apiGatewayNeeds(q asked) []need {
	n := need{
		action:   "apigateway:" + q.Method,
		resource: "arn:aws:apigateway:" + q.Region + "::" + strings.TrimPrefix(q.URL.Path, "/v2"),
	}
	if q.Operation != "UpdateAccount" {
		return []need{n}
	}
	var account struct {
		PatchOperations []struct{ Path, Value string }
	}
	_ = json.Unmarshal(awsproto.PeekBody(q.Request), &account) // what is wrong with it, the service says
	needs := []need{n}
	for _, p := range account.PatchOperations {
		if p.Path == "/cloudwatchRoleArn" {
			needs = append(needs, passRole(p.Value, apiGatewayPrincipal)...)
		}
	}
	return needs
}

// regionOf is the region in an ARN.
func regionOf(arn string) string {
	if parts := strings.SplitN(arn, ":", 6); len(parts) == 6 {
		return parts[3]
	}
	return ""
}
