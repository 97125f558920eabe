package emulator

import (
	"log/slog"
	"strings"

	"fanfare/localstack/iam"
	"fanfare/localstack/policy"
)

const assumeRole = "sts:AssumeRole"

// grants are what iam says of one role, in the form that decisions need.
type grants struct {
	policies   []*policy.Document
	boundary   *policy.Document // nil: none
	trust      *policy.Document // nil: there is no such role
	conditions bool             // some policy has a Condition
}

// loadGrants asks iam for a role. What does not exist is allowed nothing.
func loadGrants(s *iam.Service, roleARN string, log *slog.Logger) *grants {
	role, ok := s.Role(roleARN)
	if !ok {
		return &grants{}
	}
	g := &grants{policies: s.Policies(roleARN), boundary: role.Boundary, trust: role.Trust}
	for _, doc := range g.all() {
		doc.Statements = usable(doc, role.Name, log)
		for _, s := range doc.Statements {
			g.conditions = g.conditions || len(s.Condition) > 0
		}
	}
	return g
}

// all are the documents that count for what the role does.
func (g *grants) all() []*policy.Document {
	if g.boundary == nil {
		return g.policies
	}
	return append(g.policies[:len(g.policies):len(g.policies)], g.boundary)
}

// usable leaves out what allows something under a condition on a key of a
// service's own (dynamodb:LeadingKeys), which the local cloud's requests do not
// have: an absent key would meet some conditions.
func usable(doc *policy.Document, role string, log *slog.Logger) []policy.Statement {
	var kept []policy.Statement
	for _, s := range doc.Statements {
		key := foreignKey(s)
		if key == "" || s.Effect == policy.Deny {
			kept = append(kept, s)
			continue
		}
		log.Warn("a statement allows nothing here: the local cloud does not know its condition key",
			"role", role, "policy", doc.Name, "statement", s.Sid, "key", key)
	}
	return kept
}

func foreignKey(s policy.Statement) string {
	for _, keys := range s.Condition {
		for key := range keys {
			if !strings.HasPrefix(strings.ToLower(key), "aws:") {
				return key
			}
		}
	}
	return ""
}

// caller is a session of a role.
type caller struct {
	role    string // ARN
	session string // ARN: arn:aws:sts::<account>:assumed-role/<role>/<session>
}

// question is whether a caller has what a request needs.
type question struct {
	who caller
	need
	context func() map[string][]string
}

// verdict is the answer, with what decided if it is no.
type verdict struct {
	allowed bool
	reason  reason
}

type reason int

const (
	notAllowed reason = iota // by nobody
	deniedByIdentity
	deniedByResource
	deniedByBoundary
	outOfBounds // no Allow in the boundary
	notTrusted  // by the role's trust policy
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
	r := policy.Request{Principal: q.who.session, Action: q.action, Resource: q.resource}
	if g.conditions || resourcePolicy != nil {
		r.Context = q.context()
	}
	return r
}

// decide asks the role's policies, and the resource's own, nil if it has none.
// Within one account either of the two may allow; a Deny in any of them, or a
// boundary that does not allow, forbids.
func (g *grants) decide(q question, resourcePolicy *policy.Document) verdict {
	r := g.request(q, resourcePolicy)
	identity := policy.Evaluate(r, g.policies...).Outcome
	resource := policy.NoMatch
	if resourcePolicy != nil {
		resource = policy.Evaluate(r, resourcePolicy).Outcome
	}
	return g.combine(r, identity, resource)
}

func (g *grants) combine(r policy.Request, identity, resource policy.Outcome) verdict {
	bounds := policy.Allowed
	if g.boundary != nil {
		bounds = policy.Evaluate(r, g.boundary).Outcome
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
	case identity != policy.Allowed && resource != policy.Allowed:
		return no(notAllowed)
	case bounds != policy.Allowed:
		return no(outOfBounds)
	}
	return verdict{allowed: true}
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
	return g.combine(r, identity, direct)
}
