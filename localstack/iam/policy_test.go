package iam_test

import (
	"errors"
	"fmt"
	"reflect"
	"testing"

	"fanfare/localstack/iam"
)

func ExampleParseDocument() {
	doc, err := iam.ParseDocument(`{
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
func TestParseDocument(t *testing.T) {
	one := func(s iam.Statement) iam.Document {
		return iam.Document{Version: "2012-10-17", Statements: []iam.Statement{s}}
	}
	tests := map[string]struct {
		statement string
		want      iam.Document
	}{
		"a single value is a list of one": {
			`{"Effect":"Allow","Action":"a:b","Resource":"*"}`,
			one(iam.Statement{Effect: iam.Allow, Action: []string{"a:b"}, Resource: []string{"*"}})},
		"lists stay lists": {
			`[{"Sid":"S1","Effect":"Deny","NotAction":["a:b","a:c"],"NotResource":["x","y"]}]`,
			one(iam.Statement{Sid: "S1", Effect: iam.Deny, NotAction: []string{"a:b", "a:c"}, NotResource: []string{"x", "y"}})},
		"everyone": {
			`{"Effect":"Allow","Principal":"*","Action":"*"}`,
			one(iam.Statement{Effect: iam.Allow, Principal: iam.Principals{"*": {"*"}}, Action: []string{"*"}})},
		"principals of kinds, one or many": {
			`{"Effect":"Allow","NotPrincipal":{"AWS":["a","b"],"Service":"s"},"Action":"*"}`,
			one(iam.Statement{Effect: iam.Allow, NotPrincipal: iam.Principals{"AWS": {"a", "b"}, "Service": {"s"}}, Action: []string{"*"}})},
		"conditions of strings, numbers and booleans": {
			`{"Effect":"Allow","Action":"*","Condition":{"Bool":{"k":true},"NumericLessThan":{"n":1.50},"StringLike":{"s":["a","b"]}}}`,
			one(iam.Statement{Effect: iam.Allow, Action: []string{"*"}, Condition: map[string]map[string][]string{
				"Bool": {"k": {"true"}}, "NumericLessThan": {"n": {"1.50"}}, "StringLike": {"s": {"a", "b"}},
			}})},
		"an empty list is not the same as none": {
			`{"Effect":"Allow","Action":[]}`,
			one(iam.Statement{Effect: iam.Allow, Action: []string{}})},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := iam.ParseDocument(`{"Version":"2012-10-17","Statement":` + tt.statement + `}`)
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
	doc, err := iam.ParseDocument(`{"Id":"i","Statement":{"Effect":"Allow"}}`)
	if err != nil || doc.Version != "2008-10-17" || doc.ID != "i" {
		t.Errorf("got %+v, %v", doc, err)
	}
}

// [WEB:reference_policies_grammar].
func TestParseDocumentRefuses(t *testing.T) {
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
		"an unknown element on top": `{"Statements":[],"Statement":{"Effect":"Allow"}}`,
		"an action that is a map":   `{"Statement":{"Effect":"Allow","Action":{"a":"b"}}}`,
		"an action that is null":    `{"Statement":{"Effect":"Allow","Action":null}}`,
		"a principal of one name":   `{"Statement":{"Effect":"Allow","Principal":"arn:aws:iam::1:root"}}`,
		"a null principal":          `{"Statement":{"Effect":"Allow","Principal":null}}`,
		"a condition without key":   `{"Statement":{"Effect":"Allow","Condition":{"Bool":"true"}}}`,
		"a list in a list":          `{"Statement":{"Effect":"Allow","Action":[["a"]]}}`,
		"two documents":             `{"Statement":{"Effect":"Allow"}} {}`,
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			if doc, err := iam.ParseDocument(text); !errors.Is(err, iam.ErrMalformedDocument) {
				t.Errorf("got %+v, %v", doc, err)
			}
		})
	}
}

func FuzzParseDocument(f *testing.F) {
	f.Add(trust)
	f.Add(allowed)
	f.Add(`{"Statement":[{"Effect":"Deny","Principal":{"AWS":["a"]},"NotAction":[],"Condition":{"Bool":{"k":[true,1.50]}}}]}`)
	f.Add(`{"Statement":{"Effect":"Allow","Action":null}}`)
	f.Fuzz(func(t *testing.T, text string) {
		doc, err := iam.ParseDocument(text)
		if err != nil {
			if !errors.Is(err, iam.ErrMalformedDocument) || doc.Statements != nil {
				t.Fatalf("got %+v with %v", doc, err)
			}
			return
		}
		if len(doc.Statements) == 0 || doc.Version == "" {
			t.Fatalf("%q gives %+v", text, doc)
		}
		for _, s := range doc.Statements {
			if s.Effect != iam.Allow && s.Effect != iam.Deny {
				t.Fatalf("%q gives the effect %q", text, s.Effect)
			}
		}
	})
}
