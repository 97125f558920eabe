package emulator

import (
	"iter"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"fanfare/localstack/iam"
	"fanfare/localstack/policy"
)

const assumeRole = "sts:AssumeRole"

// grants are what iam says of one role, in the form that decisions need.
type grants struct {
	name       string
	policies   []*policy.Document
	boundary   *policy.Document // nil: none
	trust      *policy.Document // nil: there is no such role
	conditions conditions       // of all of them but the trust policy
}

// loadGrants asks iam for a role. What does not exist is allowed nothing.
func loadGrants(s *iam.Service, roleARN string, log *slog.Logger) *grants {
	role, ok := s.Role(roleARN)
	if !ok {
		return &grants{}
	}
	g := &grants{name: role.Name, policies: s.Policies(roleARN), boundary: role.Boundary, trust: role.Trust}
	log = log.With("role", role.Name)
	for _, doc := range append(g.policies, g.trust) {
		doc.Statements = usable(doc, log)
	}
	g.conditions.add(g.policies...)
	if g.boundary != nil {
		g.boundary.Statements = usable(g.boundary, log)
		g.conditions.add(g.boundary)
	}
	return g
}

// conditions tell what documents want to know of a request besides action and
// resource. To find it out costs more than the decision.
type conditions struct {
	any      bool
	dynamodb bool // some of the keys of dynamodb.Actions
}

func (c *conditions) add(docs ...*policy.Document) {
	for _, doc := range docs {
		for _, s := range doc.Statements {
			for _, pattern := range slices.Concat(s.Resource, s.NotResource) {
				c.any = c.any || strings.Contains(pattern, "${")
			}
			for key := range conditionKeys(s) {
				c.any = true
				c.dynamodb = c.dynamodb || strings.HasPrefix(strings.ToLower(key), "dynamodb:")
			}
		}
	}
}

func conditionKeys(s policy.Statement) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, keys := range s.Condition {
			for key := range keys {
				if !yield(key) {
					return
				}
			}
		}
	}
}

// usable leaves out what allows something under a condition on a key that the
// local cloud's requests do not have: an absent key would meet some conditions.
// What denies under such a key stays, and may not strike.
func usable(doc *policy.Document, log *slog.Logger) []policy.Statement {
	var kept []policy.Statement
	for _, s := range doc.Statements {
		unknown := ""
		for key := range conditionKeys(s) {
			if !knowsKey(key) {
				unknown = key
			}
		}
		if unknown == "" || s.Effect == policy.Deny {
			kept = append(kept, s)
		}
		if unknown == "" {
			continue
		}
		what := "a statement allows nothing here: the local cloud does not know its condition key"
		if s.Effect == policy.Deny {
			what = "a statement may deny less here than in AWS: the local cloud does not know its condition key"
		}
		log.Warn(what, "policy", doc.Name, "statement", s.Sid, "key", unknown)
	}
	return kept
}

// serviceKeys are the services' own condition keys that requests have here, in
// small letters.
var serviceKeys = []string{
	"dynamodb:leadingkeys", "dynamodb:attributes", "dynamodb:select", "dynamodb:returnvalues", "dynamodb:returnconsumedcapacity",
	"dynamodb:enclosingoperation",
	"lambda:functionarn", "lambda:sourcefunctionarn", "iam:passedtoservice", "sts:rolesessionname",
}

// tagKeys are AWS's own keys that requests do not have here: nothing looks at
// tags.
var tagKeys = []string{"aws:principaltag/", "aws:resourcetag/", "aws:requesttag/", "aws:tagkeys"}

func knowsKey(key string) bool {
	key = strings.ToLower(key)
	if strings.HasPrefix(key, "aws:") {
		return !slices.ContainsFunc(tagKeys, func(prefix string) bool { return strings.HasPrefix(key, prefix) })
	}
	return slices.Contains(serviceKeys, key)
}

// caller is a session of a role.
type caller struct {
	role    string // ARN
	session string // ARN: arn:aws:sts::<account>:assumed-role/<role>/<session>
	// policy is what AssumeRole was told to allow at most, nil where it was told
	// nothing.
	policy *sessionPolicy
}

// sessionPolicy is a document that bounds one session.
type sessionPolicy struct {
	*policy.Document
	conditions conditions
}

// wants tells what the policies that count for the caller want to know.
func (c caller) wants(g *grants) conditions {
	wants := g.conditions
	if c.policy != nil {
		wants.any = wants.any || c.policy.conditions.any
		wants.dynamodb = wants.dynamodb || c.policy.conditions.dynamodb
	}
	return wants
}

// question is whether a caller has what a request needs.
type question struct {
	who caller
	need
	context func() map[string][]string // of the request; the need's keys come with them
}

// verdict is the answer, with what decided if it is no.
type verdict struct {
	allowed    bool
	byResource bool // allowed by the resource's own policy alone
	reason     reason
}

type reason int

const (
	notAllowed reason = iota // by nobody
	deniedByIdentity
	deniedByResource
	deniedByBoundary
	deniedBySession
	outOfBounds  // no Allow in the boundary
	outOfSession // no Allow in the session's policy
	notTrusted   // by the role's trust policy
)

// why is the end of AWS's sentence:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html.
func (v verdict) why(action string) string {
	switch v.reason {
	case deniedByIdentity:
		return "with an explicit deny in an identity-based policy"
	case deniedByResource:
		return "with an explicit deny in a resource-based policy"
	case deniedByBoundary:
		return "with an explicit deny in a permissions boundary"
	case deniedBySession:
		return "with an explicit deny in a session policy"
	case outOfSession:
		return "because no session policy allows the " + action + " action"
	case outOfBounds:
		return "because no permissions boundary allows the " + action + " action"
	case notTrusted:
		return "because no resource-based policy allows the " + action + " action"
	}
	return "because no identity-based policy allows the " + action + " action"
}

func no(r reason) verdict { return verdict{reason: r} }

// request is q as the policies see it.
func (g *grants) request(q question, resourcePolicy *policy.Document) policy.Request {
	r := policy.Request{Principal: q.who.session, Action: q.action, Resource: q.resource, Bounded: g.boundary != nil}
	if resourcePolicy != nil || q.who.wants(g).any {
		r.Context = q.context()
		maps.Copy(r.Context, q.keys)
	}
	return r
}

// decide asks the role's policies, and the resource's own, nil if it has none.
// Within one account either of the two may allow; a Deny in any of them, or a
// boundary or session policy that does not allow, forbids.
func (g *grants) decide(q question, resourcePolicy *policy.Document) verdict {
	r := g.request(q, resourcePolicy)
	identity := policy.Evaluate(r, g.policies...).Outcome
	resource := policy.NoMatch
	if resourcePolicy != nil {
		resource = policy.Evaluate(r, resourcePolicy).Outcome
	}
	return g.combine(q.who, r, identity, resource)
}

func (g *grants) combine(who caller, r policy.Request, identity, resource policy.Outcome) verdict {
	bounds, session := policy.Allowed, policy.Allowed
	if g.boundary != nil {
		bounds = policy.Evaluate(r, g.boundary).Outcome
	}
	if who.policy != nil {
		session = policy.Evaluate(r, who.policy.Document).Outcome
	}
	switch {
	case g.trust == nil:
		return no(notAllowed) // a role that was deleted takes its sessions with it
	case identity == policy.ExplicitDeny:
		return no(deniedByIdentity)
	case resource == policy.ExplicitDeny:
		return no(deniedByResource)
	case bounds == policy.ExplicitDeny:
		return no(deniedByBoundary)
	case session == policy.ExplicitDeny:
		return no(deniedBySession)
	case identity != policy.Allowed && resource != policy.Allowed:
		return no(notAllowed)
	case bounds != policy.Allowed:
		return no(outOfBounds)
	case session != policy.Allowed:
		return no(outOfSession)
	}
	return verdict{allowed: true, byResource: identity != policy.Allowed}
}

// decideAssume is decide for sts:AssumeRole. The resource's policy is the other
// role's trust policy, which must allow it in any case; it is enough on its own
// only if it names the caller and not just its account.
func (g *grants) decideAssume(q question, other *grants) verdict {
	if other.trust == nil {
		return no(notTrusted)
	}
	r := g.request(q, other.trust)
	identity := policy.Evaluate(r, g.policies...).Outcome
	r.Resource = "" // a trust policy names none
	switch policy.Evaluate(r, other.trust).Outcome {
	case policy.ExplicitDeny:
		return no(deniedByResource)
	case policy.NoMatch:
		return no(notTrusted)
	}
	direct := policy.Evaluate(r, withoutDelegation(other.trust.Clone())).Outcome
	r.Resource = q.resource
	return g.combine(q.who, r, identity, direct)
}
