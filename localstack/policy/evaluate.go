package policy

import (
	"slices"
	"strings"
)

// Request is what somebody wants to do.
type Request struct {
	// Principal is who asks: an account's id, the ARN of a user, role or role
	// session, or a service ("sqs.amazonaws.com"). Only statements that name
	// principals look at it.
	Principal string
	Action    string // "sqs:SendMessage"
	// Resource is the ARN of what it is done to, or "*" for actions that have
	// none. It is empty where the policy belongs to one resource and its
	// statements name none, as in trust policies.
	Resource string
	// Bounded is for a principal with a permissions boundary: AWS denies it what a
	// statement with NotPrincipal denies, whomever that names
	// (https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html).
	Bounded bool
	// Context holds the condition keys that the request has, whose case does not
	// matter: {"aws:SourceArn": {"arn:…"}}. A key without values is absent.
	Context map[string][]string
}

// values returns what the request says for a condition key.
func (r Request) values(key string) []string {
	if values, ok := r.Context[key]; ok {
		return values
	}
	for k, values := range r.Context {
		if strings.EqualFold(k, key) {
			return values
		}
	}
	return nil
}

// Outcome is what documents say to a request. Anything but Allowed means no.
type Outcome int

// The outcomes.
const (
	NoMatch      Outcome = iota // no statement applies, which denies implicitly
	Allowed                     // a statement allows it and none denies it
	ExplicitDeny                // a statement denies it, whatever others allow
)

// Decision is an Outcome with what it came from: the document and statement
// that decided, both nil if none did.
type Decision struct {
	Outcome   Outcome
	Document  *Document
	Statement *Statement
}

// Evaluate asks all documents: a Deny in any of them decides, else the first
// Allow in the order given. See
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html.
//
// A statement without a principal is an identity policy's: it applies to
// whoever holds the policy, so a holder of resource policies must refuse those
// that name none.
func Evaluate(r Request, documents ...*Document) Decision {
	var d Decision
	for _, doc := range documents {
		q := question{Request: r, variables: doc.Version == Version2012}
		for i := range doc.Statements {
			s := &doc.Statements[i]
			if s.Effect == Allow && d.Outcome == Allowed || !q.appliesTo(s) {
				continue
			}
			if s.Effect == Deny {
				return Decision{ExplicitDeny, doc, s}
			}
			d = Decision{Allowed, doc, s}
		}
	}
	return d
}

// question is a request as one document sees it.
type question struct {
	Request
	variables bool // the document's version has policy variables
	// allows is for an Allow, which a variable without a value makes void: AWS
	// says of such a statement that it may be invalid, so nothing is to be allowed
	// by what then differs from it.
	allows bool
}

func (q question) appliesTo(s *Statement) bool {
	q.allows = s.Effect == Allow
	return q.byPrincipal(s) && q.byAction(s) && q.byResource(s) && q.byConditions(s.Condition)
}

func (q question) byPrincipal(s *Statement) bool {
	switch {
	case s.Principal != nil:
		return s.Principal.include(q.Principal)
	case s.NotPrincipal != nil:
		return q.Bounded || !s.NotPrincipal.include(q.Principal)
	}
	return true
}

// byAction: a statement without actions applies to none.
func (q question) byAction(s *Statement) bool {
	matches := func(pattern string) bool { return matchAction(pattern, q.Action) }
	if len(s.NotAction) > 0 {
		return !slices.ContainsFunc(s.NotAction, matches)
	}
	return slices.ContainsFunc(s.Action, matches)
}

func (q question) byResource(s *Statement) bool {
	switch {
	case len(s.Resource) > 0:
		return slices.ContainsFunc(s.Resource, q.isResource)
	case len(s.NotResource) > 0:
		return !q.isVoid(s.NotResource) && !slices.ContainsFunc(s.NotResource, q.isResource)
	}
	return q.Resource == ""
}

func (q question) isResource(pattern string) bool {
	if isPlain(pattern) && isPlain(q.Resource) {
		return matchPlainResource(pattern, q.Resource)
	}
	p, ok := q.expand(pattern, wildcards)
	return ok && matchResource(p, q.Resource)
}
