package awsproto

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// The members by which requests of the local cloud's services name what they
// are about, in all three protocols. What has none of them is about no one
// resource (ListTables).
var resourceMembers = []string{
	"TableName",                          // DynamoDB
	"QueueName", "QueueUrl", "SourceArn", // SQS
	"logGroupName", "logGroupIdentifier", // CloudWatch Logs
	"KeyId",                                          // KMS
	"FunctionName",                                   // Lambda
	"RoleName", "RoleArn", "PolicyName", "PolicyArn", // IAM, STS
	"AlarmName", "DashboardName", "Namespace", // CloudWatch
	"ResourceArn", "ResourceARN", "resourceArn", // tags of any service
}

// resourceLists are members that name several: RequestItems by its keys,
// TransactItems by the table within each element, the others in a form as
// AlarmNames.member.1.
var resourceLists = []string{"RequestItems", "TransactItems", "AlarmNames", "DashboardNames"}

// pathMembers are the wildcards of REST patterns that name a resource, besides
// FunctionName.
var pathMembers = []string{"UUID", "Resource", "api", "arn"}

// jsonResources names what a JSON request is about. It reads the members'
// names and skips all other values without decoding them, so that a large item
// costs little.
func jsonResources(body []byte) []string {
	var names []string
	ScanObject(body, func(member string, value []byte) {
		switch {
		case slices.Contains(resourceMembers, member):
			var text string
			if json.Unmarshal(value, &text) == nil {
				names = append(names, resourceName(text))
			}
		case member == "RequestItems":
			ScanObject(value, func(table string, _ []byte) { names = append(names, resourceName(table)) })
		case member == "TransactItems":
			names = append(names, transactTables(value)...)
		}
	})
	return distinct(names)
}

// transactTables reads [{"Put":{"TableName":…}}, …].
func transactTables(items []byte) []string {
	var names []string
	ScanTransaction(items, func(_, table string) { names = append(names, resourceName(table)) })
	return names
}

// ScanTransaction calls visit for each action of TransactItems, a list of
// {"Put":{"TableName":…}}, with the action's name and its table's name or ARN, both
// as they are written.
func ScanTransaction(items []byte, visit func(action, table string)) {
	ScanArray(items, func(item []byte) {
		ScanObject(item, func(action string, value []byte) {
			ScanObject(value, func(member string, value []byte) {
				var table string
				if strings.EqualFold(member, "TableName") && json.Unmarshal(value, &table) == nil {
					visit(action, table)
				}
			})
		})
	})
}

// formResources names what a Query request is about.
func formResources(form url.Values) []string {
	var names []string
	for _, member := range resourceMembers {
		names = append(names, resourceName(form.Get(member)))
	}
	for member := range form {
		list, _, ok := strings.Cut(member, ".member.")
		if ok && slices.Contains(resourceLists, list) {
			names = append(names, resourceName(form.Get(member)))
		}
	}
	return distinct(names)
}

// restResources names what a REST request is about: by its path, and where
// that has no wildcard by its query or a member of its body, for what is created
// is named there. A body that is read for that is put back.
func restResources(r *http.Request) []string {
	names := []string{functionName(r.PathValue("FunctionName"))}
	for _, member := range pathMembers {
		names = append(names, resourceName(r.PathValue(member)))
	}
	if names = distinct(names); len(names) > 0 {
		return names
	}
	if name := r.URL.Query().Get("FunctionName"); name != "" {
		return []string{functionName(name)}
	}
	if r.Method != http.MethodPost {
		return nil
	}
	body := PeekBody(r)
	names = jsonResources(body)
	if len(names) == 0 { // CreateApi
		ScanObject(body, func(member string, value []byte) {
			var text string
			if member == "name" && json.Unmarshal(value, &text) == nil {
				names = append(names, text)
			}
		})
	}
	return distinct(names)
}

// PeekBody reads r's body as ReadBody does, and puts it back. An error is left to
// whoever reads next.
func PeekBody(r *http.Request) []byte {
	body, err := ReadBody(r)
	r.Body = &readBody{Reader: bytes.NewReader(body), data: body, err: err}
	return body
}

// readBody is a body that ReadBody returns again without copying it.
type readBody struct {
	*bytes.Reader
	data []byte
	err  error
}

func (*readBody) Close() error { return nil }

// distinct drops what is empty or there already, and sorts, because forms and
// maps have no order.
func distinct(names []string) []string {
	names = slices.DeleteFunc(names, func(n string) bool { return n == "" })
	slices.Sort(names)
	return slices.Compact(names)
}

// functionName is the bare name in any of the ways to name a function: the name,
// <account>:function:<name> or an ARN, each with or without a qualifier.
func functionName(s string) string {
	if _, name, ok := strings.Cut(s, "function:"); ok {
		s = name
	}
	name, _, _ := strings.Cut(s, ":")
	return name
}

// resourceName is the bare name in an ARN or a queue's URL.
func resourceName(s string) string {
	if strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://") {
		return s[strings.LastIndex(s, "/")+1:]
	}
	parts := strings.SplitN(s, ":", 6)
	if parts[0] != "arn" || len(parts) < 6 {
		return s
	}
	name := parts[5]
	switch parts[2] {
	case "iam": // role/path/name
		return name[strings.LastIndex(name, "/")+1:]
	case "apigateway": // /apis/<id>/stages/<name>
		name = strings.TrimPrefix(name, "/apis/")
		name, _, _ = strings.Cut(name, "/")
		return name
	case "logs": // log-group:<name>:*
		return strings.TrimSuffix(strings.TrimPrefix(name, "log-group:"), ":*")
	case "dynamodb": // table/<name>/index/<index>
		name = strings.TrimPrefix(name, "table/")
		name, _, _ = strings.Cut(name, "/")
		return name
	case "lambda": // function:<name>:<qualifier>
		_, name, _ = strings.Cut(name, ":")
		name, _, _ = strings.Cut(name, ":")
		return name
	}
	if i := strings.IndexAny(name, ":/"); i >= 0 { // alarm:<name>, key/<id>
		return name[i+1:]
	}
	return name
}
