package lambda

import (
	"encoding/json"
	"strconv"
	"testing"
)

func TestPolicyAllows(t *testing.T) {
	const (
		service = "apigateway.amazonaws.com"
		api     = "arn:aws:execute-api:us-east-1:000000000000:a1b2/"
	)
	invoke := func(st statement) statement {
		st.Effect = "Allow"
		if st.Action == "" {
			st.Action = invokeAction
		}
		return st
	}
	like := func(arn string) conditions { return conditions{"ArnLike": {"AWS:SourceArn": arn}} }
	gateway := principal{Service: service}
	for _, tt := range []struct {
		what string
		st   statement
		ask  access
		want bool
	}{
		{"the service it names", statement{Principal: gateway}, access{invokeAction, service, ""}, true},
		{"another service", statement{Principal: gateway}, access{invokeAction, "sns.amazonaws.com", ""}, false},
		{"everybody", statement{Principal: principal{Everyone: true}}, access{invokeAction, service, ""}, true},
		{"every action", statement{Principal: gateway, Action: "lambda:*"}, access{invokeAction, service, ""}, true},
		{"another action", statement{Principal: gateway, Action: "lambda:GetFunction"}, access{invokeAction, service, ""}, false},
		{"an account by its id", statement{Principal: principal{AWS: "arn:aws:iam::123456789012:root"}}, access{invokeAction, "123456789012", ""}, true},
		{"a role of that account", statement{Principal: principal{AWS: "arn:aws:iam::123456789012:root"}}, access{invokeAction, "arn:aws:iam::123456789012:role/r", ""}, true},
		{"a role of another account", statement{Principal: principal{AWS: "arn:aws:iam::123456789012:root"}}, access{invokeAction, "arn:aws:iam::999999999999:role/r", ""}, false},
		{"any stage and route", statement{Principal: gateway, Condition: like(api + "*/*")}, access{invokeAction, service, api + "prod/$connect"}, true},
		{"one route", statement{Principal: gateway, Condition: like(api + "*/$connect")}, access{invokeAction, service, api + "prod/$connect"}, true},
		{"another route", statement{Principal: gateway, Condition: like(api + "*/$connect")}, access{invokeAction, service, api + "prod/message"}, false},
		{"another API", statement{Principal: gateway, Condition: like("arn:aws:execute-api:us-east-1:000000000000:zzzz/*")}, access{invokeAction, service, api + "prod/x"}, false},
		{"an ARN without its account", statement{Principal: gateway, Condition: like("arn:aws:execute-api:us-east-1::a1b2/*")}, access{invokeAction, service, api + "prod/x"}, false},
		{"no source at all", statement{Principal: gateway, Condition: like(api + "*")}, access{invokeAction, service, ""}, false},
		{"ArnEquals takes wildcards too", statement{Principal: gateway, Condition: conditions{"ArnEquals": {"aws:SourceArn": api + "prod/?essage"}}}, access{invokeAction, service, api + "prod/message"}, true},
		{"StringEquals does not", statement{Principal: gateway, Condition: conditions{"StringEquals": {"AWS:SourceArn": api + "*"}}}, access{invokeAction, service, api + "prod/message"}, false},
		{"the source's account", statement{Principal: gateway, Condition: conditions{"StringEquals": {"AWS:SourceAccount": "000000000000"}}}, access{invokeAction, service, api + "x"}, true},
		{"another account's source", statement{Principal: gateway, Condition: conditions{"StringEquals": {"AWS:SourceAccount": "111111111111"}}}, access{invokeAction, service, api + "x"}, false},
		{"an operator that is not known here", statement{Principal: gateway, Condition: conditions{"IpAddress": {"AWS:SourceArn": api + "*"}}}, access{invokeAction, service, api + "x"}, false},
	} {
		t.Run(tt.what, func(t *testing.T) {
			st := invoke(tt.st)
			text, err := json.Marshal(st)
			if err != nil {
				t.Fatal(err)
			}
			var restored statement // as after a Restore
			if err := json.Unmarshal(text, &restored); err != nil {
				t.Fatal(err)
			}
			p := &policy{Statements: []statement{{Sid: "other", Effect: "Allow"}, restored}}
			if got := p.allows(tt.ask); got != tt.want {
				t.Errorf("%s allows %+v: %v, want %v", text, tt.ask, got, tt.want)
			}
		})
	}
}

// What has been answered before is answered the same, and what is kept of it is
// bounded.
func TestAPolicyRemembersItsAnswers(t *testing.T) {
	const service = "apigateway.amazonaws.com"
	p := &policy{Statements: []statement{{Effect: "Allow", Principal: principal{Service: service}, Action: invokeAction}}}
	for i := range 3 * maxAnswered {
		yes, no := access{invokeAction, service, strconv.Itoa(i)}, access{invokeAction, "sqs.amazonaws.com", strconv.Itoa(i)}
		for range 2 {
			if !p.allows(yes) || p.allows(no) {
				t.Fatalf("answers to %+v and %+v", yes, no)
			}
		}
	}
	if n := len(p.answered); n > maxAnswered {
		t.Errorf("%d answers are kept", n)
	}
}
