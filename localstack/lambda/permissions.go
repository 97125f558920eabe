package lambda

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"fanfare/localstack/awsproto"
)

var (
	sidPattern    = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,100}$`)
	actionPattern = regexp.MustCompile(`^(lambda:\*|lambda:[a-zA-Z]+|\*)$`)
	sourcePattern = regexp.MustCompile(`^arn:(aws[a-zA-Z0-9-]*):[a-zA-Z0-9-]+:([a-z]{2}(-[a-z]+)+-\d)?:(\d{12})?:.+$`)
)

// Allowed reports whether the resource policy of a function lets principal
// ("apigateway.amazonaws.com", an account id, a principal's ARN) do action on
// behalf of sourceARN. functionARN may be a name or an ARN; its qualifier
// selects the policy, as each alias and version has its own. An empty action
// means lambda:InvokeFunction. An unknown function allows nothing.
//
// It knows nothing of identity policies: callers of the same account may be
// allowed by those alone.
func (s *Service) Allowed(functionARN, action, principal, sourceARN string) bool {
	ref, err := s.parse(functionARN)
	if err != nil {
		return false
	}
	if action == "" {
		action = invokeAction
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f, ok := s.functions[ref.arn()]
	if !ok {
		return false
	}
	p, ok := f.Policies[policyKey(ref.qualifier)]
	return ok && p.allows(access{action, principal, sourceARN})
}

// Policy returns the resource policy of a function, as GetPolicy has it; ""
// without one. A qualifier selects as for Allowed.
func (s *Service) Policy(functionARN string) string {
	ref, err := s.parse(functionARN)
	if err != nil {
		return ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f, ok := s.functions[ref.arn()]
	if !ok || f.Policies[policyKey(ref.qualifier)] == nil {
		return ""
	}
	return f.Policies[policyKey(ref.qualifier)].document()
}

// parse reads a function's name or ARN outside of a request.
func (s *Service) parse(text string) (reference, error) {
	ref, err := parseReference(text)
	if ref.region == "" {
		ref.region = awsproto.DefaultRegion
	}
	return ref, err
}

// policyKey: $LATEST and the bare name are the same resource.
func policyKey(qualifier string) string {
	if qualifier == latest {
		return ""
	}
	return qualifier
}

func (s *Service) addPermission(r *http.Request) (int, any, error) {
	var in addPermissionInput
	if err := awsproto.DecodeREST(r, &in); err != nil {
		return 0, nil, err
	}
	st, err := in.statement()
	if err != nil {
		return 0, nil, err
	}
	out, err := s.withFunction(r, func(ref reference, f *function) (any, error) {
		if _, err := f.resolve(ref.qualifier, 1); err != nil {
			return nil, err
		}
		st.Resource = ref.qualified()
		if err := f.addStatement(policyKey(ref.qualifier), in.RevisionId, st); err != nil {
			return nil, err
		}
		text, err := json.Marshal(st)
		return map[string]string{"Statement": string(text)}, err
	})
	return http.StatusCreated, out, err
}

func (in addPermissionInput) statement() (statement, error) {
	st := statement{Sid: in.StatementId, Effect: "Allow", Action: in.Action}
	if err := refuse(map[string]json.RawMessage{
		"EventSourceToken": in.EventSourceToken, "FunctionUrlAuthType": in.FunctionUrlAuthType,
		"InvokedViaFunctionUrl": in.InvokedViaFunctionUrl, "PrincipalOrgID": in.PrincipalOrgID,
	}); err != nil {
		return st, err
	}
	if !sidPattern.MatchString(in.StatementId) {
		return st, constraint(in.StatementId, "statementId", "Member must satisfy regular expression pattern: %s", sidPattern)
	}
	if !actionPattern.MatchString(in.Action) {
		return st, constraint(in.Action, "action", "Member must satisfy regular expression pattern: %s", actionPattern)
	}
	if in.SourceArn != "" && !sourcePattern.MatchString(in.SourceArn) {
		return st, constraint(in.SourceArn, "sourceArn", "Member must satisfy regular expression pattern: %s", sourcePattern)
	}
	if in.SourceAccount != "" && !accountPattern.MatchString(in.SourceAccount) {
		return st, constraint(in.SourceAccount, "sourceAccount", `Member must satisfy regular expression pattern: \d{12}`)
	}
	var err error
	st.Principal, err = parsePrincipal(in.Principal)
	st.Condition = in.conditions()
	return st, err
}

func parsePrincipal(text string) (principal, error) {
	switch {
	case text == "*":
		return principal{Everyone: true}, nil
	case accountPattern.MatchString(text):
		return principal{AWS: "arn:aws:iam::" + text + ":root"}, nil
	case strings.HasPrefix(text, "arn:"):
		return principal{AWS: text}, nil
	case strings.Contains(text, ".") && !strings.ContainsAny(text, " :/"):
		return principal{Service: text}, nil
	}
	return principal{}, invalidParameter("The provided principal was invalid. Please check the principal and try again.")
}

func (in addPermissionInput) conditions() conditions {
	c := conditions{}
	if in.SourceAccount != "" {
		c["StringEquals"] = map[string]string{"AWS:SourceAccount": in.SourceAccount}
	}
	if in.SourceArn != "" {
		c["ArnLike"] = map[string]string{"AWS:SourceArn": in.SourceArn}
	}
	return c
}

func (f *function) addStatement(key, revision string, st statement) error {
	p, ok := f.Policies[key]
	if !ok {
		p = &policy{}
	}
	if revision != "" && revision != p.RevisionID {
		return revisionMismatch()
	}
	if p.index(st.Sid) >= 0 {
		return conflict("The statement id (%s) provided already exists. Please provide a new statement id, or remove the existing statement.", st.Sid)
	}
	f.Policies[key] = &policy{RevisionID: awsproto.NewRequestID(), Statements: append(slices.Clone(p.Statements), st)}
	return nil
}

func (s *Service) getPolicy(r *http.Request) (int, any, error) {
	out, err := s.withFunction(r, func(ref reference, f *function) (any, error) {
		p, ok := f.Policies[policyKey(ref.qualifier)]
		if !ok {
			return nil, notFound("The resource you requested does not exist.")
		}
		return map[string]string{"Policy": p.document(), "RevisionId": p.RevisionID}, nil
	})
	return http.StatusOK, out, err
}

func (s *Service) removePermission(r *http.Request) (int, any, error) {
	_, err := s.withFunction(r, func(ref reference, f *function) (any, error) {
		key := policyKey(ref.qualifier)
		p, ok := f.Policies[key]
		if !ok {
			return nil, notFound("No policy is associated with the given resource.")
		}
		i := p.index(r.PathValue("StatementId"))
		if i < 0 {
			return nil, notFound("Statement %s is not found in resource policy.", r.PathValue("StatementId"))
		}
		if revision := r.URL.Query().Get("RevisionId"); revision != "" && revision != p.RevisionID {
			return nil, revisionMismatch()
		}
		if len(p.Statements) == 1 {
			delete(f.Policies, key) // a policy without statements does not exist
			return nil, nil
		}
		f.Policies[key] = &policy{RevisionID: awsproto.NewRequestID(), Statements: slices.Delete(slices.Clone(p.Statements), i, i+1)}
		return nil, nil
	})
	return http.StatusNoContent, nil, err
}
