package emulator

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"fanfare/localstack/awsproto"
	"fanfare/localstack/policy"
	"fanfare/localstack/sts"
)

// authority decides what sessions of roles may do, as AWS's policy evaluation
// does within one account: identity policies, inline and attached; the
// permissions boundary; the resource's own policy, where queues and functions
// have one; and a Deny in any of them. The deployer's keys, which sts did not
// issue, may do everything. See
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html.
//
// It does not know service control policies, tags, or managed session policies.
type authority struct {
	cloud *Emulator
	usage usage

	mu         sync.RWMutex
	generation uint64             // of what iam holds
	grants     map[string]*grants // by role ARN; of this generation
	resources  map[string]*policy.Document
	sessions   map[string]*sessionPolicy
}

func newAuthority(e *Emulator) *authority {
	return &authority{cloud: e, grants: map[string]*grants{}, resources: map[string]*policy.Document{}, sessions: map[string]*sessionPolicy{}}
}

// changed forgets what iam said. Every decision from now on is made by what it
// says then.
func (a *authority) changed() {
	a.mu.Lock()
	a.generation++
	clear(a.grants)
	a.mu.Unlock()
}

// of returns what iam says of a role, parsed and kept until something in iam
// changes.
func (a *authority) of(roleARN string) *grants {
	a.mu.RLock()
	g, generation := a.grants[roleARN], a.generation
	a.mu.RUnlock()
	if g != nil {
		return g
	}
	g = loadGrants(a.cloud.iam, roleARN, a.cloud.log)
	a.mu.Lock()
	defer a.mu.Unlock()
	if generation == a.generation { // else it may be what was before
		a.grants[roleARN] = g
	}
	return g
}

// maxParsed bounds the parsed policies of resources, and those of sessions, that
// are kept.
const maxParsed = 256

// resourcePolicy parses a queue's or function's policy. One that is no policy
// allows nothing.
func (a *authority) resourcePolicy(text string) *policy.Document {
	if text == "" {
		return nil
	}
	return parsed(a, a.resources, text, func() *policy.Document {
		doc, err := policy.Parse(text)
		if err != nil {
			a.cloud.log.Warn("a resource's policy cannot be read", "error", err)
			return nil
		}
		doc.Statements = usable(doc, a.cloud.log)
		return withoutDelegation(doc)
	})
}

// sessionPolicy parses the policy of a session. sts has read it before; one that
// is no policy allows nothing.
func (a *authority) sessionPolicy(text string) *sessionPolicy {
	if text == "" {
		return nil
	}
	return parsed(a, a.sessions, text, func() *sessionPolicy {
		doc, err := policy.Parse(text)
		if err != nil {
			doc = &policy.Document{}
		}
		doc.Statements = usable(doc, a.cloud.log)
		p := &sessionPolicy{Document: doc}
		p.conditions.add(doc)
		return p
	})
}

// parsed returns what was made of a text before, or makes it and keeps it.
func parsed[T any](a *authority, kept map[string]*T, text string, parse func() *T) *T {
	a.mu.RLock()
	p, ok := kept[text]
	a.mu.RUnlock()
	if ok {
		return p
	}
	p = parse()
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(kept) >= maxParsed {
		clear(kept)
	}
	kept[text] = p
	return p
}

// withoutDelegation takes the accounts out of a resource policy's Allow
// statements: to name an account only leaves it to the account's identity
// policies, and those are asked anyway. What names nobody allows nobody.
func withoutDelegation(doc *policy.Document) *policy.Document {
	doc.Statements = slices.DeleteFunc(doc.Statements, func(s policy.Statement) bool {
		if s.Effect == policy.Deny {
			return s.Principal == nil && s.NotPrincipal == nil
		}
		names := slices.DeleteFunc(s.Principal["AWS"], func(name string) bool {
			return strings.HasSuffix(name, ":root") || len(name) == 12 && !strings.Contains(name, ":")
		})
		delete(s.Principal, "AWS")
		if len(names) > 0 {
			s.Principal["AWS"] = names
		}
		return len(s.Principal) == 0
	})
	return doc
}

// authorize is the Authorizer of calls that are signed with temporary keys.
func (a *authority) authorize(call *awsproto.Call, r *http.Request, body []byte) *awsproto.Error {
	who, issued := a.cloud.sts.Lookup(call.Credential.AccessKeyID)
	if !issued {
		return nil
	}
	if who.Expired(a.cloud.clock.Now()) {
		return awsproto.ExpiredToken()
	}
	q := question{who: a.callerOf(who), context: a.contextOf(who, call, r)}
	for _, n := range a.needs(q.who, asked{call, r, body}) {
		q.need = n
		if v := a.decide(q); !v.allowed {
			return a.refusal(call.Service, q, v)
		}
	}
	return nil
}

func (a *authority) callerOf(who sts.Identity) caller {
	return caller{who.RoleARN, who.ARN, a.sessionPolicy(who.Policy)}
}

// needs are those of a call, with the condition keys that the caller's policies
// ask for.
func (a *authority) needs(who caller, q asked) []need {
	if q.Service == "dynamodb" && who.wants(a.of(who.role)).dynamodb {
		return dynamodbNeedsWithKeys(a.cloud, q)
	}
	return needsOf(a.cloud, q)
}

// refusal words a verdict as the service does.
func (a *authority) refusal(service string, q question, v verdict) *awsproto.Error {
	resource := q.shown
	if resource == "" {
		resource = q.resource
	}
	return awsproto.AccessDenied(service, q.who.session, q.action, resource, v.why(q.action))
}

// contextOf has the condition keys that every request has: see
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html.
// They are put together only for roles whose policies have conditions.
func (a *authority) contextOf(who sts.Identity, call *awsproto.Call, r *http.Request) func() map[string][]string {
	return func() map[string][]string {
		c := a.contextFor(who.RoleARN, call.Region)
		c["aws:userid"] = []string{who.UserID}
		c["aws:TokenIssueTime"] = []string{who.Issued.UTC().Format(time.RFC3339)}
		if who.Function != "" {
			c["lambda:SourceFunctionArn"] = []string{who.Function}
		}
		c["aws:SourceIp"] = []string{sourceOf(r)}
		c["aws:SecureTransport"] = []string{"true"} // it is plain HTTP, and stands for AWS's TLS
		if agent := r.UserAgent(); agent != "" {
			c["aws:UserAgent"] = []string{agent}
		}
		return c
	}
}

// contextFor has the keys of what a service does for a role.
func (a *authority) contextFor(roleARN, region string) map[string][]string {
	c := a.timeOfRequest()
	for key, value := range map[string]string{
		"aws:PrincipalArn": roleARN, "aws:PrincipalAccount": awsproto.AccountID, "aws:PrincipalType": "AssumedRole",
		"aws:PrincipalIsAWSService": "false", "aws:ViaAWSService": "false",
		"aws:ResourceAccount": awsproto.AccountID, "aws:RequestedRegion": region,
	} {
		c[key] = []string{value}
	}
	return c
}

func (a *authority) timeOfRequest() map[string][]string {
	now := a.cloud.clock.Now().UTC()
	return map[string][]string{"aws:CurrentTime": {now.Format(time.RFC3339)}, "aws:EpochTime": {strconv.FormatInt(now.Unix(), 10)}}
}

// may decides what a service does with a function's role: Lambda polls queues
// and writes logs so. The session is the function's name.
func (a *authority) may(roleARN, function, action, resource string) bool {
	return a.mayFrom(roleARN, function, action, resource, "")
}

// mayFrom is may for what Lambda does on behalf of the function's code, whose ARN
// is then in the request: see
// https://docs.aws.amazon.com/lambda/latest/dg/permissions-source-function-arn.html.
func (a *authority) mayFrom(roleARN, function, action, resource, functionARN string) bool {
	who := caller{role: roleARN, session: sts.SessionARN(roleARN, function)}
	v := a.decide(question{who: who, need: need{action: action, resource: resource}, context: func() map[string][]string {
		c := a.contextFor(roleARN, regionOf(resource))
		if functionARN != "" {
			c["lambda:SourceFunctionArn"] = []string{functionARN}
		}
		return c
	}})
	return v.allowed
}

// decide answers a question, and remembers what it answered.
func (a *authority) decide(q question) verdict {
	var v verdict
	if mine := a.of(q.who.role); q.action == assumeRole {
		v = mine.decideAssume(q, a.of(q.resource))
	} else {
		v = mine.decide(q, a.resourcePolicy(a.policyTextOf(q.need)))
	}
	if first := a.usage.note(use{role: q.who.role, action: q.action, resource: q.resource}, v); first && !v.allowed {
		a.cloud.log.Warn("access denied", "principal", q.who.session, "action", q.action, "resource", q.resource, "reason", v.why(q.action))
	}
	return v
}

// policyTextOf is the policy of the resource itself, "" where there is none.
func (a *authority) policyTextOf(n need) string {
	switch service, _, _ := strings.Cut(n.action, ":"); service {
	case "sqs":
		info, _ := a.cloud.sqs.Lookup(n.resource)
		return info.Policy
	case "lambda":
		return a.cloud.lambda.Policy(n.resource)
	}
	return ""
}
