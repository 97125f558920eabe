package lambda

import (
	"encoding/json"
	"slices"
	"strings"

	iampolicy "fanfare/localstack/policy"
)

// invokeAction is what a caller of a function needs.
const invokeAction = "lambda:InvokeFunction"

// policy is the resource-based policy of a function or of one of its
// qualifiers. A change replaces it by another.
type policy struct {
	RevisionID string
	Statements []statement

	// answered holds what allows has answered before: API Gateway asks for every
	// message, and has few questions. Guarded by the Service's mu.
	answered map[access]bool
}

// maxAnswered bounds policy.answered.
const maxAnswered = 1000

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

// allows reports whether a statement permits a. Service.mu is held.
func (p *policy) allows(a access) bool {
	yes, known := p.answered[a]
	if known {
		return yes
	}
	if len(p.answered) >= maxAnswered || p.answered == nil {
		p.answered = map[access]bool{}
	}
	yes = p.evaluate(a)
	p.answered[a] = yes
	return yes
}

// evaluate does not compare the statements' resources: the policy is the
// function's own.
func (p *policy) evaluate(a access) bool {
	doc := iampolicy.Document{Version: iampolicy.Version2012}
	for _, st := range p.Statements {
		doc.Statements = append(doc.Statements, st.rule())
	}
	r := iampolicy.Request{Action: a.action, Principal: a.principal}
	if a.sourceARN != "" {
		r.Context = map[string][]string{"aws:SourceArn": {a.sourceARN}}
		if parts := strings.SplitN(a.sourceARN, ":", 6); len(parts) == 6 && parts[4] != "" {
			r.Context["aws:SourceAccount"] = parts[4:5]
		}
	}
	return iampolicy.Evaluate(r, &doc).Outcome == iampolicy.Allowed
}

// rule is the statement as IAM's grammar has it.
func (st statement) rule() iampolicy.Statement {
	rule := iampolicy.Statement{
		Sid: st.Sid, Effect: iampolicy.Effect(st.Effect), Principal: st.Principal.names(), Action: []string{st.Action},
		Condition: map[string]map[string][]string{},
	}
	for operator, keys := range st.Condition {
		rule.Condition[operator] = map[string][]string{}
		for key, value := range keys {
			rule.Condition[operator][key] = []string{value}
		}
	}
	return rule
}

func (p principal) names() iampolicy.Principals {
	switch {
	case p.Everyone:
		return iampolicy.Principals{"*": {"*"}}
	case p.Service != "":
		return iampolicy.Principals{"Service": {p.Service}}
	}
	return iampolicy.Principals{"AWS": {p.AWS}}
}
