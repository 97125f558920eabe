package lambda

import (
	"encoding/json"
	"regexp"
	"strings"
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

func TestArnLikeDoesNotReachAcrossAColon(t *testing.T) {
	if arnLike("arn:aws:*:a1b2", "arn:aws:execute-api:us-east-1:000000000000:a1b2") {
		t.Error("a pattern with fewer parts matched")
	}
	if arnLike("arn:aws:sqs:*:000000000000:q", "arn:aws:sqs:us-east-1:x:000000000000:q") {
		t.Error("* matched two parts")
	}
}

// FuzzWildcard compares with the regular expression that says the same.
func FuzzWildcard(f *testing.F) {
	f.Add("*", "")
	f.Add("a*b?c", "axxbyc")
	f.Add("*a*a*a*b", strings.Repeat("a", 50))
	f.Add("arn:aws:execute-api:*:a/*/$connect", "arn:aws:execute-api:us-east-1:a/prod/$connect")
	f.Fuzz(func(t *testing.T, pattern, text string) {
		pattern, text = strings.ToValidUTF8(pattern, "x"), strings.ToValidUTF8(text, "x")
		if len(pattern) > 200 {
			t.Skip("longer than any regular expression should be")
		}
		quoted := strings.NewReplacer(`\*`, `.*`, `\?`, `.`).Replace(regexp.QuoteMeta(pattern))
		want := regexp.MustCompile(`(?s)^(?:` + quoted + `)$`).MatchString(text)
		if got := wildcard(pattern, text); got != want {
			t.Errorf("wildcard(%q, %q) = %v", pattern, text, got)
		}
	})
}
