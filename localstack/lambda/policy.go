package lambda

import (
	"encoding/json"
	"slices"
	"strings"
)

// invokeAction is what a caller of a function needs.
const invokeAction = "lambda:InvokeFunction"

// policy is the resource-based policy of a function or of one of its
// qualifiers. A change replaces it by another.
type policy struct {
	RevisionID string
	Statements []statement
}

type statement struct {
	Sid       string
	Effect    string
	Principal principal
	Action    string
	Resource  string
	Condition conditions `json:",omitempty"`
}

// conditions are operator -> key -> value: {"ArnLike":{"AWS:SourceArn":"…"}}.
type conditions map[string]map[string]string

// principal is "*", {"Service":"…"} or {"AWS":"…"}.
type principal struct {
	Everyone bool
	Service  string `json:",omitempty"`
	AWS      string `json:",omitempty"`
}

func (p principal) MarshalJSON() ([]byte, error) {
	switch {
	case p.Everyone:
		return []byte(`"*"`), nil
	case p.Service != "":
		return json.Marshal(map[string]string{"Service": p.Service})
	}
	return json.Marshal(map[string]string{"AWS": p.AWS})
}

func (p *principal) UnmarshalJSON(b []byte) error {
	if string(b) == `"*"` {
		*p = principal{Everyone: true}
		return nil
	}
	type plain principal
	return json.Unmarshal(b, (*plain)(p))
}

// document returns the policy as GetPolicy has it.
func (p *policy) document() string {
	text, _ := json.Marshal(struct {
		Version, Id string
		Statement   []statement
	}{"2012-10-17", "default", p.Statements}) // marshals strings only
	return string(text)
}

func (p *policy) index(sid string) int {
	return slices.IndexFunc(p.Statements, func(st statement) bool { return st.Sid == sid })
}

// access is the question that a policy answers.
type access struct {
	action    string
	principal string // "apigateway.amazonaws.com", an account's id or a principal's ARN
	sourceARN string // what the principal acts for; "" if nothing
}

// allows reports whether a statement permits a. Every statement that
// AddPermission makes has the effect Allow.
func (p *policy) allows(a access) bool {
	return slices.ContainsFunc(p.Statements, func(st statement) bool {
		return st.Effect == "Allow" && wildcard(strings.ToLower(st.Action), strings.ToLower(a.action)) &&
			st.Principal.is(a.principal) && st.Condition.hold(a)
	})
}

func (p principal) is(caller string) bool {
	if p.Everyone || (p.Service != "" && p.Service == caller) {
		return true
	}
	// An account's root stands for everybody in the account.
	if account, ok := strings.CutSuffix(p.AWS, ":root"); ok {
		account = account[strings.LastIndexByte(account, ':')+1:]
		return account == caller || accountOf(caller) == account
	}
	return p.AWS != "" && p.AWS == caller
}

func accountOf(arn string) string {
	if parts := strings.SplitN(arn, ":", 6); len(parts) == 6 {
		return parts[4]
	}
	return ""
}

// hold reports whether all conditions are met. An operator or a key that is not
// known here is not met: a policy must not permit more than it says.
func (c conditions) hold(a access) bool {
	for operator, keys := range c {
		for key, want := range keys {
			if have := a.value(key); have == "" || !compare(operator, want, have) {
				return false
			}
		}
	}
	return true
}

func (a access) value(key string) string {
	switch strings.ToLower(key) {
	case "aws:sourcearn":
		return a.sourceARN
	case "aws:sourceaccount":
		return accountOf(a.sourceARN)
	}
	return ""
}

// compare is one condition operator (IAM user guide, "Condition operators").
func compare(operator, want, have string) bool {
	switch operator {
	case "ArnLike", "ArnEquals":
		return arnLike(want, have)
	case "StringEquals":
		return want == have
	case "StringLike":
		return wildcard(want, have)
	}
	return false
}

// arnLike compares two ARNs part by part, so that a * does not reach across a
// colon, except in the resource, which is the whole rest.
func arnLike(pattern, arn string) bool {
	p, a := strings.SplitN(pattern, ":", 6), strings.SplitN(arn, ":", 6)
	if len(p) != 6 || len(a) != 6 {
		return false
	}
	for i := range p {
		if !wildcard(p[i], a[i]) {
			return false
		}
	}
	return true
}

// wildcard matches text against a pattern with * (any characters, also none)
// and ? (exactly one character). Its time is at most the product of the
// lengths.
func wildcard(pattern, text string) bool {
	p, t := []rune(pattern), []rune(text)
	star, mark := -1, 0 // the last * and where its match ends so far
	i, j := 0, 0
	for j < len(t) {
		switch {
		case i < len(p) && p[i] == '*':
			star, mark = i, j
			i++
		case i < len(p) && (p[i] == '?' || p[i] == t[j]):
			i++
			j++
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	for i < len(p) && p[i] == '*' {
		i++
	}
	return i == len(p)
}
