package policy

import (
	"errors"
	"fmt"
	"reflect"
	"testing"
)

func ExampleParse() {
	doc, err := Parse(`{
		"Version": "2012-10-17",
		"Statement": {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": ["arn:aws:sqs:*:*:orders"]}
	}`)
	fmt.Println(err)
	for _, s := range doc.Statements {
		fmt.Println(s.Effect, s.Action, s.Resource)
	}
	// Output:
	// <nil>
	// Allow [sqs:SendMessage] [arn:aws:sqs:*:*:orders]
}

// [WEB:reference_policies_grammar].
func TestParse(t *testing.T) {
	one := func(s Statement) *Document {
		return &Document{Version: "2012-10-17", Statements: []Statement{s}}
	}
	tests := map[string]struct {
		statement string
		want      *Document
	}{
		"a single value is a list of one": {
			`{"Effect":"Allow","Action":"a:b","Resource":"*"}`,
			one(Statement{Effect: Allow, Action: []string{"a:b"}, Resource: []string{"*"}})},
		"lists stay lists": {
			`[{"Sid":"S1","Effect":"Deny","NotAction":["a:b","a:c"],"NotResource":["x","y"]}]`,
			one(Statement{Sid: "S1", Effect: Deny, NotAction: []string{"a:b", "a:c"}, NotResource: []string{"x", "y"}})},
		"everyone": {
			`{"Effect":"Allow","Principal":"*","Action":"*"}`,
			one(Statement{Effect: Allow, Principal: Principals{"*": {"*"}}, Action: []string{"*"}})},
		"principals of kinds, one or many": {
			`{"Effect":"Deny","NotPrincipal":{"AWS":["a","b"],"Service":"s"},"Action":"*"}`,
			one(Statement{Effect: Deny, NotPrincipal: Principals{"AWS": {"a", "b"}, "Service": {"s"}}, Action: []string{"*"}})},
		"conditions of strings, numbers and booleans": {
			`{"Effect":"Allow","Action":"*","Condition":{"Bool":{"k":true},"NumericLessThan":{"n":1.50},"StringLike":{"s":["a","b"]}}}`,
			one(Statement{Effect: Allow, Action: []string{"*"}, Condition: map[string]map[string][]string{
				"Bool": {"k": {"true"}}, "NumericLessThan": {"n": {"1.50"}}, "StringLike": {"s": {"a", "b"}},
			}})},
		"an empty list is not the same as none": {
			`{"Effect":"Allow","Action":[]}`,
			one(Statement{Effect: Allow, Action: []string{}})},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := Parse(`{"Version":"2012-10-17","Statement":` + tt.statement + `}`)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got  %#v\nwant %#v", got, tt.want)
			}
		})
	}
}

// [WEB:reference_policies_elements_version].
func TestADocumentWithoutVersionIsOf2008(t *testing.T) {
	doc, err := Parse(`{"Id":"i","Statement":{"Effect":"Allow"}}`)
	if err != nil || doc.Version != "2008-10-17" || doc.ID != "i" {
		t.Errorf("got %+v, %v", doc, err)
	}
}

// [WEB:reference_policies_grammar].
func TestParseRefuses(t *testing.T) {
	tests := map[string]string{
		"nothing":                   ``,
		"no object":                 `[]`,
		"null":                      `null`,
		"no statement":              `{"Version":"2012-10-17"}`,
		"an empty statement list":   `{"Statement":[]}`,
		"a null statement":          `{"Statement":null}`,
		"a null in the list":        `{"Statement":[null]}`,
		"a statement that is text":  `{"Statement":"Allow"}`,
		"another version":           `{"Version":"2024-01-01","Statement":{"Effect":"Allow"}}`,
		"no effect":                 `{"Statement":{"Action":"*"}}`,
		"an effect in lower case":   `{"Statement":{"Effect":"allow"}}`,
		"an unknown element":        `{"Statement":{"Effect":"Allow","Actions":"*"}}`,
		"an element in lower case":  `{"statement":{"Effect":"Allow"}}`,
		"an effect's own name":      `{"Statement":{"effect":"Allow"}}`,
		"an unknown element on top": `{"Statements":[],"Statement":{"Effect":"Allow"}}`,
		"an action that is a map":   `{"Statement":{"Effect":"Allow","Action":{"a":"b"}}}`,
		"an action that is null":    `{"Statement":{"Effect":"Allow","Action":null}}`,
		"a principal of one name":   `{"Statement":{"Effect":"Allow","Principal":"arn:aws:iam::1:root"}}`,
		"a null principal":          `{"Statement":{"Effect":"Allow","Principal":null}}`,
		"a condition without key":   `{"Statement":{"Effect":"Allow","Condition":{"Bool":"true"}}}`,
		"a list in a list":          `{"Statement":{"Effect":"Allow","Action":[["a"]]}}`,
		"an unknown operator":       `{"Statement":{"Effect":"Allow","Condition":{"StringIs":{"k":"v"}}}}`,
		"both kinds of actions":     `{"Statement":{"Effect":"Allow","Action":"a:b","NotAction":"a:c"}}`,
		"both kinds of resources":   `{"Statement":{"Effect":"Allow","Resource":"*","NotResource":"*"}}`,
		"both kinds of principals":  `{"Statement":{"Effect":"Deny","Principal":"*","NotPrincipal":"*"}}`,
		"all but these may":         `{"Statement":{"Effect":"Allow","NotPrincipal":{"AWS":"1"}}}`,
		"one operator twice":        `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"a":"1"},"StringEquals":{"b":"2"}}}}`,
		"one action twice":          `{"Statement":{"Effect":"Deny","Action":"a:b","Action":"c:d"}}`,
		"two lists of statements":   `{"Statement":{"Effect":"Deny"},"Statement":[{"Effect":"Allow"}]}`,
		"two documents":             `{"Statement":{"Effect":"Allow"}} {}`,
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			if doc, err := Parse(text); !errors.Is(err, ErrMalformed) {
				t.Errorf("got %+v, %v", doc, err)
			}
		})
	}
}

// FuzzParse also asks each document that it gets: whatever is in it, somebody
// who denies everything has the last word.
func FuzzParse(f *testing.F) {
	f.Add(`{"Statement":{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}}`)
	f.Add(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sqs:Send*"],"Resource":"arn:aws:sqs:*:*:${aws:username, 'x'}-?"}]}`)
	f.Add(`{"Statement":[{"Effect":"Deny","NotPrincipal":{"AWS":["a"]},"NotAction":["b"],"Condition":{"Bool":{"k":[true,1.50]}}}]}`)
	f.Add(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"ForAllValues:StringLike":{"k":"${"},"IpAddress":{"k":"::/0"},"DateLessThan":{"k":"2030-01-01"},"Null":{"k":"false"}}}}`)
	f.Add(`{"Statement":{"Effect":"Allow","Action":null}}`)
	deny := &Document{Statements: []Statement{{Effect: Deny, Action: []string{"*"}, Resource: []string{"*"}}}}
	r := Request{Action: "sqs:SendMessage", Resource: "arn:aws:sqs:eu-west-1:000000000000:a:b", Context: map[string][]string{"k": {"v", ":"}}}
	f.Fuzz(func(t *testing.T, text string) {
		doc, err := Parse(text)
		if err != nil {
			if !errors.Is(err, ErrMalformed) || doc != nil {
				t.Fatalf("got %+v with %v", doc, err)
			}
			return
		}
		if len(doc.Statements) == 0 || doc.Version == "" {
			t.Fatalf("%q gives %+v", text, doc)
		}
		for _, s := range doc.Statements {
			if s.Effect != Allow && s.Effect != Deny {
				t.Fatalf("%q gives the effect %q", text, s.Effect)
			}
		}
		alone, both := Evaluate(r, doc), Evaluate(r, doc, deny)
		if both.Outcome != ExplicitDeny || (alone.Outcome == NoMatch) != (alone.Statement == nil) {
			t.Fatalf("%q alone %+v, with a Deny %+v", text, alone, both)
		}
	})
}
