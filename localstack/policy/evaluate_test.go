package policy

import (
	"fmt"
	"strings"
	"testing"
)

func ExampleEvaluate() {
	doc, err := Parse(`{"Version": "2012-10-17", "Statement": [
		{"Sid": "Own", "Effect": "Allow", "Action": "sqs:*", "Resource": "arn:aws:sqs:*:*:${aws:username}-*"},
		{"Sid": "Keep", "Effect": "Deny", "Action": "sqs:DeleteQueue", "Resource": "*"}
	]}`)
	if err != nil {
		panic(err)
	}
	for _, action := range []string{"sqs:SendMessage", "sqs:DeleteQueue"} {
		d := Evaluate(Request{
			Action: action, Resource: "arn:aws:sqs:eu-west-1:000000000000:ann-orders",
			Context: map[string][]string{"aws:username": {"ann"}},
		}, doc)
		fmt.Println(action, d.Outcome == Allowed, d.Statement.Sid)
	}
	// Output:
	// sqs:SendMessage true Own
	// sqs:DeleteQueue false Keep
}

func parse(t *testing.T, statements string) *Document {
	t.Helper()
	doc, err := Parse(`{"Version":"2012-10-17","Statement":` + statements + `}`)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// [WEB:reference_policies_evaluation-logic].
func TestADenyDecidesThenTheFirstAllow(t *testing.T) {
	const allow, deny = `{"Sid":"A","Effect":"Allow","Action":"a:b","Resource":"*"}`, `{"Sid":"D","Effect":"Deny","Action":"a:b","Resource":"*"}`
	const again, other = `{"Sid":"B","Effect":"Allow","Action":"a:b","Resource":"*"}`, `{"Sid":"O","Effect":"Deny","Action":"a:c","Resource":"*"}`
	tests := map[string]struct {
		documents []string
		want      Outcome
		sid       string
	}{
		"no documents":                       {nil, NoMatch, ""},
		"nothing that applies":               {[]string{other}, NoMatch, ""},
		"an Allow":                           {[]string{allow}, Allowed, "A"},
		"a Deny of something else":           {[]string{other, allow}, Allowed, "A"},
		"the first of two Allows":            {[]string{allow, again}, Allowed, "A"},
		"a Deny before":                      {[]string{`[` + deny + `,` + allow + `]`}, ExplicitDeny, "D"},
		"a Deny after":                       {[]string{`[` + allow + `,` + deny + `]`}, ExplicitDeny, "D"},
		"a Deny in a document after":         {[]string{allow, deny}, ExplicitDeny, "D"},
		"a Deny without any Allow":           {[]string{deny}, ExplicitDeny, "D"},
		"a statement without action says no": {[]string{`{"Effect":"Allow","Resource":"*"}`}, NoMatch, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var docs []*Document
			for _, text := range tt.documents {
				docs = append(docs, parse(t, text))
			}
			d := Evaluate(Request{Action: "a:b", Resource: "arn:aws:a:::x"}, docs...)
			sid := ""
			if d.Statement != nil {
				sid = d.Statement.Sid
			}
			if d.Outcome != tt.want || sid != tt.sid || (d.Document == nil) != (d.Statement == nil) {
				t.Errorf("got %v by %q, want %v by %q", d.Outcome, sid, tt.want, tt.sid)
			}
		})
	}
}

// [WEB:reference_policies_elements_action].
func TestActions(t *testing.T) {
	tests := map[string]struct {
		element, action string
		want            bool
	}{
		"the same":                      {`"Action":"sqs:SendMessage"`, "sqs:SendMessage", true},
		"in another case":               {`"Action":"SQS:sendmessage"`, "sqs:SendMessage", true},
		"another":                       {`"Action":"sqs:SendMessage"`, "sqs:SendMessageBatch", false},
		"a * for the rest":              {`"Action":"sqs:Send*"`, "sqs:SendMessage", true},
		"a * in the middle":             {`"Action":"s*Message"`, "sqs:SendMessage", true},
		"a ? is one character":          {`"Action":"sqs:SendMessag?"`, "sqs:SendMessage", true},
		"a ? is not none":               {`"Action":"sqs:SendMessage?"`, "sqs:SendMessage", false},
		"everything":                    {`"Action":"*"`, "sqs:SendMessage", true},
		"one of a list":                 {`"Action":["a:b","sqs:*"]`, "sqs:SendMessage", true},
		"no list at all":                {`"Action":[]`, "sqs:SendMessage", false},
		"NotAction is all others":       {`"NotAction":["sqs:DeleteQueue","sqs:Purge*"]`, "sqs:SendMessage", true},
		"NotAction is not its own":      {`"NotAction":["sqs:DeleteQueue","sqs:Purge*"]`, "sqs:PurgeQueue", false},
		"an empty NotAction is nothing": {`"NotAction":[]`, "sqs:SendMessage", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			doc := parse(t, `{"Effect":"Allow","Resource":"*",`+tt.element+`}`)
			if got := Evaluate(Request{Action: tt.action, Resource: "*"}, doc).Outcome == Allowed; got != tt.want {
				t.Errorf("%s allows %s: %v", tt.element, tt.action, got)
			}
		})
	}
}

// [WEB:reference_policies_elements_resource; reference_policies_variables].
func TestResources(t *testing.T) {
	const queue = "arn:aws:sqs:eu-west-1:000000000000:orders"
	const method = "arn:aws:execute-api:eu-west-1:000000000000:a1b2/prod/$connect"
	tests := map[string]struct {
		element, resource string
		want              bool
	}{
		"the same":                                     {`"Resource":"` + queue + `"`, queue, true},
		"in another case":                              {`"Resource":"` + queue + `"`, strings.ToUpper(queue), false},
		"everything":                                   {`"Resource":"*"`, queue, true},
		"an action's without a resource":               {`"Resource":"*"`, "*", true},
		"one resource is not any":                      {`"Resource":"` + queue + `"`, "*", false},
		"wildcards in parts":                           {`"Resource":"arn:aws:sqs:*:*:ord??s"`, queue, true},
		"a * does not reach across a colon":            {`"Resource":"arn:aws:sqs:*:orders"`, queue, false},
		"but in the resource it does":                  {`"Resource":"arn:aws:lambda:*:*:f*"`, "arn:aws:lambda:eu-west-1:000000000000:function:f:1", true},
		"missing parts are any":                        {`"Resource":"arn:aws:sqs"`, queue, true},
		"missing parts of another service are not":     {`"Resource":"arn:aws:sns"`, queue, false},
		"a * reaches across slashes":                   {`"Resource":"arn:aws:execute-api:*:*:a1b2/*"`, method, true},
		"a slash more than there is":                   {`"Resource":"arn:aws:execute-api:*:*:a1b2/prod/*/*"`, method, false},
		"one of a list":                                {`"Resource":["arn:aws:s3:::x","` + queue + `"]`, queue, true},
		"NotResource is all others":                    {`"NotResource":"arn:aws:s3:::x"`, queue, true},
		"NotResource is not its own":                   {`"NotResource":["arn:aws:sqs:*:*:o*"]`, queue, false},
		"none, of a resource":                          {`"Sid":"x"`, queue, false},
		"none, where the policy has its one":           {`"Sid":"x"`, "", true},
		"a variable":                                   {`"Resource":"arn:aws:sqs:*:*:${aws:PrincipalTag/queue}"`, queue, true},
		"a variable in another case":                   {`"Resource":"arn:aws:sqs:*:*:${AWS:principaltag/Queue}"`, queue, true},
		"a variable that has no value":                 {`"Resource":"arn:aws:sqs:*:*:${aws:username}*"`, queue, false},
		"a variable with a default":                    {`"Resource":"arn:aws:sqs:*:*:${aws:username, 'orders'}"`, queue, true},
		"a variable whose value wins over the default": {`"Resource":"arn:aws:sqs:*:*:${aws:PrincipalTag/queue, 'x'}"`, queue, true},
		"a variable of several values":                 {`"Resource":"arn:aws:sqs:*:*:${several}"`, "arn:aws:sqs:eu-west-1:000000000000:a", false},
		"a value's * is no wildcard":                   {`"Resource":"arn:aws:sqs:*:*:${star}"`, queue, false},
		"a value's colon divides no ARN":               {`"Resource":"arn:aws:${colon}:*:*:orders"`, queue, false},
		"a value's colon within the resource":          {`"Resource":"arn:aws:lambda:*:*:${colon}"`, "arn:aws:lambda:eu-west-1:000000000000:sqs:eu-west-1", true},
		"a literal *":                                  {`"Resource":"arn:aws:s3:::a${*}b"`, "arn:aws:s3:::a*b", true},
		"a literal * is no wildcard":                   {`"Resource":"arn:aws:s3:::a${*}b"`, "arn:aws:s3:::axb", false},
		"a variable that does not end":                 {`"Resource":"arn:aws:s3:::a${b"`, "arn:aws:s3:::a${b", true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			doc := parse(t, `{"Effect":"Allow","Action":"*",`+tt.element+`}`)
			r := Request{Action: "a:b", Resource: tt.resource, Context: map[string][]string{
				"aws:PrincipalTag/queue": {"orders"}, "several": {"a", "b"}, "star": {"*"}, "colon": {"sqs:eu-west-1"},
			}}
			if got := Evaluate(r, doc).Outcome == Allowed; got != tt.want {
				t.Errorf("%s allows %s: %v", tt.element, tt.resource, got)
			}
		})
	}
}

// [WEB:reference_policies_variables].
func TestTheVersionOf2008HasNoVariables(t *testing.T) {
	doc, err := Parse(`{"Version":"2008-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::${aws:username}"}}`)
	if err != nil {
		t.Fatal(err)
	}
	r := Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::ann", Context: map[string][]string{"aws:username": {"ann"}}}
	if Evaluate(r, doc).Outcome != NoMatch {
		t.Error("a variable was replaced")
	}
	r.Resource = "arn:aws:s3:::${aws:username}"
	if Evaluate(r, doc).Outcome != Allowed {
		t.Error("the text itself does not match")
	}
}

// [WEB:reference_policies_elements_principal].
func TestPrincipals(t *testing.T) {
	const account, role = "123456789012", "arn:aws:iam::123456789012:role/team/r"
	tests := map[string]struct {
		principal, caller string
		want              bool
	}{
		"everyone":                     {`"*"`, role, true},
		"everyone, unknown":            {`"*"`, "", true},
		"all of AWS is everyone":       {`{"AWS":"*"}`, "sqs.amazonaws.com", true},
		"a service":                    {`{"Service":"sqs.amazonaws.com"}`, "sqs.amazonaws.com", true},
		"another service":              {`{"Service":"sqs.amazonaws.com"}`, "sns.amazonaws.com", false},
		"no wildcards in services":     {`{"Service":"*"}`, "sns.amazonaws.com", false},
		"an account by its id":         {`{"AWS":"123456789012"}`, account, true},
		"an account by its root":       {`{"AWS":"arn:aws:iam::123456789012:root"}`, account, true},
		"a role of the account":        {`{"AWS":"123456789012"}`, role, true},
		"a role of another account":    {`{"AWS":"123456789012"}`, "arn:aws:iam::999999999999:role/r", false},
		"the role":                     {`{"AWS":["x","` + role + `"]}`, role, true},
		"a session of the role":        {`{"AWS":"` + role + `"}`, "arn:aws:sts::123456789012:assumed-role/r/s1", true},
		"a session of another role":    {`{"AWS":"` + role + `"}`, "arn:aws:sts::123456789012:assumed-role/r2/s1", false},
		"a session of another account": {`{"AWS":"` + role + `"}`, "arn:aws:sts::999999999999:assumed-role/r/s1", false},
		"no wildcards in roles":        {`{"AWS":"arn:aws:iam::123456789012:role/*"}`, role, false},
		"an unknown caller":            {`{"AWS":"123456789012"}`, "", false},
		"an empty name is nobody":      {`{"AWS":""}`, "", false},
		"somebody federated":           {`{"Federated":"accounts.google.com"}`, "accounts.google.com", true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			ask := func(statement string) Outcome {
				return Evaluate(Request{Principal: tt.caller, Action: "a:b"}, parse(t, statement)).Outcome
			}
			if got := ask(`{"Effect":"Allow","Action":"*","Principal":` + tt.principal + `}`); (got == Allowed) != tt.want {
				t.Errorf("%s allows %s: %v", tt.principal, tt.caller, got)
			}
			if got := ask(`{"Effect":"Deny","Action":"*","NotPrincipal":` + tt.principal + `}`); (got == NoMatch) != tt.want {
				t.Errorf("all but %s deny %s: %v", tt.principal, tt.caller, got)
			}
		})
	}
}

// "If AWS cannot resolve a variable this might cause the entire statement to be
// invalid": where the statement is about all but the variable, too
// [WEB:reference_policies_variables].
func TestAnAllowOfAllButAVariableWithoutValueAllowsNothing(t *testing.T) {
	r := Request{Action: "sqs:SendMessage", Resource: "arn:aws:sqs:eu-west-1:000000000000:orders", Context: map[string][]string{"aws:PrincipalAccount": {"000000000000"}}}
	for name, tt := range map[string]struct {
		elements    string
		allow, deny Outcome
	}{
		"a resource":          {`"NotResource":"arn:aws:sqs:*:*:${aws:username}"`, NoMatch, ExplicitDeny},
		"one of two":          {`"NotResource":["arn:aws:sqs:*:*:other","arn:aws:sqs:*:*:${aws:username}"]`, NoMatch, ExplicitDeny},
		"with a default":      {`"NotResource":"arn:aws:sqs:*:*:${aws:username, 'ann'}"`, Allowed, ExplicitDeny},
		"a condition":         {`"Resource":"*","Condition":{"StringNotEquals":{"aws:PrincipalAccount":"${aws:username}"}}`, NoMatch, ExplicitDeny},
		"of all values":       {`"Resource":"*","Condition":{"ForAllValues:StringNotLike":{"aws:PrincipalAccount":"${aws:username}*"}}`, NoMatch, ExplicitDeny},
		"of any value":        {`"Resource":"*","Condition":{"ForAnyValue:ArnNotLike":{"aws:PrincipalAccount":"${aws:username}"}}`, NoMatch, ExplicitDeny},
		"if there is any key": {`"Resource":"*","Condition":{"StringNotEqualsIfExists":{"aws:SourceVpc":"${aws:username}"}}`, Allowed, ExplicitDeny},
	} {
		t.Run(name, func(t *testing.T) {
			for effect, want := range map[Effect]Outcome{Allow: tt.allow, Deny: tt.deny} {
				doc := parse(t, `{"Effect":"`+string(effect)+`","Action":"*",`+tt.elements+`}`)
				if got := Evaluate(r, doc).Outcome; got != want {
					t.Errorf("%s: %v, want %v", effect, got, want)
				}
			}
		})
	}
}
