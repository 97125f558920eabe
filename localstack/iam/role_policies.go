package iam

import (
	"context"
	"maps"
	"slices"
	"strings"

	"fanfare/localstack/awsproto"
)

type putRolePolicyInput struct{ RoleName, PolicyName, PolicyDocument string }

func (s *Service) putRolePolicy(_ context.Context, in *putRolePolicyInput) (any, error) {
	r, err := s.state.role(in.RoleName)
	if err != nil {
		return nil, err
	}
	if err := checkName("policyName", in.PolicyName, maxPolicyName); err != nil {
		return nil, err
	}
	doc, err := parseIdentity(in.PolicyDocument)
	if err != nil {
		return nil, err
	}
	total := doc.size()
	for name, other := range r.Inline {
		if name != in.PolicyName {
			total += other.size()
		}
	}
	if total > maxInlineSize {
		return nil, limitExceeded("Maximum policy size of %d bytes exceeded for role %s", maxInlineSize, r.Name)
	}
	r.Inline[in.PolicyName] = doc
	return nil, nil
}

type rolePolicyInput struct{ RoleName, PolicyName string }

type rolePolicyOutput struct{ RoleName, PolicyName, PolicyDocument string }

func (s *Service) getRolePolicy(_ context.Context, in *rolePolicyInput) (rolePolicyOutput, error) {
	_, doc, err := s.inline(in)
	if err != nil {
		return rolePolicyOutput{}, err
	}
	return rolePolicyOutput{in.RoleName, in.PolicyName, encodeDocument(doc)}, nil
}

func (s *Service) deleteRolePolicy(_ context.Context, in *rolePolicyInput) (any, error) {
	r, _, err := s.inline(in)
	if err != nil {
		return nil, err
	}
	delete(r.Inline, in.PolicyName)
	return nil, nil
}

func (s *Service) inline(in *rolePolicyInput) (*role, document, error) {
	r, err := s.state.role(in.RoleName)
	if err != nil {
		return nil, document{}, err
	}
	doc, ok := r.Inline[in.PolicyName]
	if !ok {
		return nil, document{}, noSuchEntity("The role policy with name %s cannot be found.", in.PolicyName)
	}
	return r, doc, nil
}

type listRolePoliciesOutput struct {
	PolicyNames awsproto.Members[string]
	pageOutput
}

func (s *Service) listRolePolicies(_ context.Context, in *rolePageInput) (listRolePoliciesOutput, error) {
	r, err := s.state.role(in.RoleName)
	if err != nil {
		return listRolePoliciesOutput{}, err
	}
	names := slices.Collect(maps.Keys(r.Inline))
	some, next, err := page(in.pageInput, names, func(name string) string { return name })
	return listRolePoliciesOutput{some, next}, err
}

type attachInput struct{ RoleName, PolicyArn string }

// attachRolePolicy does nothing to a policy that is attached already, as AWS.
func (s *Service) attachRolePolicy(_ context.Context, in *attachInput) (any, error) {
	r, err := s.state.role(in.RoleName)
	if err != nil {
		return nil, err
	}
	if err := checkPolicyARN(in.PolicyArn); err != nil {
		return nil, err
	}
	if _, ok := s.state.lookupPolicy(in.PolicyArn); !ok {
		return nil, noSuchEntity("Policy %s does not exist or is not attachable.", in.PolicyArn)
	}
	if slices.Contains(r.Attached, in.PolicyArn) {
		return nil, nil
	}
	if len(r.Attached) == maxAttached {
		return nil, limitExceeded("Cannot exceed quota for PoliciesPerRole: %d", maxAttached)
	}
	r.Attached = append(r.Attached, in.PolicyArn)
	s.log.Debug("policy attached", "role", r.ARN, "policy", in.PolicyArn)
	return nil, nil
}

func (s *Service) detachRolePolicy(_ context.Context, in *attachInput) (any, error) {
	r, err := s.state.role(in.RoleName)
	if err != nil {
		return nil, err
	}
	i := slices.Index(r.Attached, in.PolicyArn)
	if i < 0 {
		return nil, noSuchEntity("Policy %s was not found.", in.PolicyArn)
	}
	r.Attached = slices.Delete(r.Attached, i, i+1)
	return nil, nil
}

type listAttachedInput struct {
	RoleName string
	pathPrefixInput
}

type listAttachedOutput struct {
	AttachedPolicies awsproto.Members[attachedXML]
	pageOutput
}

func (s *Service) listAttachedRolePolicies(_ context.Context, in *listAttachedInput) (listAttachedOutput, error) {
	r, err := s.state.role(in.RoleName)
	if err != nil {
		return listAttachedOutput{}, err
	}
	var attached []attachedXML
	for _, arn := range r.Attached {
		p, err := s.state.policy(arn)
		if err != nil {
			return listAttachedOutput{}, err
		}
		if strings.HasPrefix(p.Path, in.PathPrefix) {
			attached = append(attached, attachedXML{p.Name, p.ARN})
		}
	}
	some, next, err := page(in.pageInput, attached, func(a attachedXML) string { return a.PolicyArn })
	return listAttachedOutput{some, next}, err
}
