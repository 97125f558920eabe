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
// It does not know session policies, service control policies, resource tags,
// or whether a role may be passed to a function (iam:PassRole).
type authority struct {
	cloud *Emulator
	usage usage

	mu         sync.RWMutex
	generation uint64             // of what iam holds
	grants     map[string]*grants // by role ARN; of this generation
	resources  map[string]*policy.Document
}

func newAuthority(e *Emulator) *authority {
	return &authority{cloud: e, grants: map[string]*grants{}, resources: map[string]*policy.Document{}}
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

// maxResourcePolicies bounds the parsed resource policies that are kept.
const maxResourcePolicies = 256

// resourcePolicy parses a queue's or function's policy. One that is no policy
// allows nothing.
func (a *authority) resourcePolicy(text string) *policy.Document {
	if text == "" {
		return nil
	}
	a.mu.RLock()
	doc, ok := a.resources[text]
	a.mu.RUnlock()
	if ok {
		return doc
	}
	doc, err := policy.Parse(text)
	if err != nil {
		a.cloud.log.Warn("a resource's policy cannot be read", "error", err)
	} else {
		doc = withoutDelegation(doc)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.resources) >= maxResourcePolicies {
		clear(a.resources)
	}
	a.resources[text] = doc
	return doc
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
		if s.Principal["AWS"] = names; len(names) == 0 {
			delete(s.Principal, "AWS")
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
	for _, n := range needsOf(a.cloud, call, r, body) {
		q := question{who: caller{who.RoleARN, who.ARN}, need: n, context: a.contextOf(who, call, r)}
		if v := a.decide(q); !v.allowed {
			return a.refusal(call.Service, q, v)
		}
	}
	return nil
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
		c := a.contextFor(caller{who.RoleARN, who.ARN}, call.Region)
		c["aws:userid"] = []string{who.UserID}
		c["aws:SourceIp"] = []string{sourceOf(r)}
		c["aws:SecureTransport"] = []string{"true"} // it is plain HTTP, and stands for AWS's TLS
		if agent := r.UserAgent(); agent != "" {
			c["aws:UserAgent"] = []string{agent}
		}
		return c
	}
}

// contextFor has the keys of what a service does for a role.
func (a *authority) contextFor(who caller, region string) map[string][]string {
	now := a.cloud.clock.Now().UTC()
	return map[string][]string{
		"aws:PrincipalArn":     {who.role},
		"aws:PrincipalAccount": {awsproto.AccountID},
		"aws:PrincipalType":    {"AssumedRole"},
		"aws:ResourceAccount":  {awsproto.AccountID},
		"aws:RequestedRegion":  {region},
		"aws:CurrentTime":      {now.Format(time.RFC3339)},
		"aws:EpochTime":        {strconv.FormatInt(now.Unix(), 10)},
		"aws:ViaAWSService":    {"false"},
	}
}

// may decides what a service does with a function's role: Lambda polls queues
// and writes logs so. The session is the function's name.
func (a *authority) may(roleARN, function, action, resource string) bool {
	who := caller{roleARN, sts.SessionARN(roleARN, function)}
	v := a.decide(question{who: who, need: need{action: action, resource: resource}, context: func() map[string][]string {
		return a.contextFor(who, regionOf(resource))
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
	if first := a.usage.note(q.who.role, q.action, v.allowed); first && !v.allowed {
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
