package iam

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"fanfare/localstack/awsproto"
)

type createPolicyInput struct {
	PolicyName     string
	Path           string
	PolicyDocument string
	Description    string
	Tags           []tag
}

type policyOutput struct{ Policy policyXML }

func (s *Service) createPolicy(_ context.Context, in *createPolicyInput) (policyOutput, error) {
	path := cmp.Or(in.Path, "/")
	if err := cmp.Or(
		checkName("policyName", in.PolicyName, maxPolicyName),
		checkPath(path),
		checkDescription(in.Description),
	); err != nil {
		return policyOutput{}, err
	}
	tags, err := mergeTags(nil, in.Tags)
	if err != nil {
		return policyOutput{}, err
	}
	doc, err := managedDocument(in.PolicyDocument)
	if err != nil {
		return policyOutput{}, err
	}
	if s.state.hasPolicyNamed(in.PolicyName) {
		return policyOutput{}, entityAlreadyExists("A policy called %s already exists. Duplicate names are not allowed.", in.PolicyName)
	}
	p := &policy{
		Name: in.PolicyName, Path: path, ID: newID("ANPA"), ARN: globalARN("policy", path, in.PolicyName),
		Description: in.Description, Created: s.now(), Tags: tags,
	}
	p.Default = p.add(doc, p.Created).Number
	s.state.Policies[p.ARN] = p
	s.log.Debug("policy created", "policy", p.ARN)
	return policyOutput{wirePolicy(s.state, p)}, nil
}

func managedDocument(text string) (document, error) {
	doc, err := parseIdentity(text)
	if err == nil && doc.size() > maxManagedSize {
		err = limitExceeded("Cannot exceed quota for PolicySize: %d", maxManagedSize)
	}
	return doc, err
}

func (s *Service) getPolicy(_ context.Context, in *policyARNInput) (policyOutput, error) {
	p, err := s.state.policy(in.PolicyArn)
	if err != nil {
		return policyOutput{}, err
	}
	return policyOutput{wirePolicy(s.state, p)}, nil
}

func (s *Service) deletePolicy(_ context.Context, in *policyARNInput) (any, error) {
	p, err := s.state.ownPolicy(in.PolicyArn)
	if err != nil {
		return nil, err
	}
	if len(s.state.attachedTo(p.ARN)) > 0 {
		return nil, deleteConflict("Cannot delete a policy attached to entities.")
	}
	if len(s.state.boundedBy(p.ARN)) > 0 {
		return nil, deleteConflict("Cannot delete a policy that is used as a permissions boundary.")
	}
	if len(p.Versions) > 1 {
		return nil, deleteConflict("This policy has more than one version. Before you delete a policy, you must delete " +
			"the policy's versions. The default version is deleted with the policy.")
	}
	delete(s.state.Policies, p.ARN)
	s.log.Debug("policy deleted", "policy", p.ARN)
	return nil, nil
}

type listPoliciesInput struct {
	Scope        string // All (default), AWS or Local
	OnlyAttached bool
	pathPrefixInput
}

type listPoliciesOutput struct {
	Policies awsproto.Members[policyXML]
	pageOutput
}

func (s *Service) listPolicies(_ context.Context, in *listPoliciesInput) (listPoliciesOutput, error) {
	scope := cmp.Or(in.Scope, "All")
	if !slices.Contains([]string{"All", "AWS", "Local"}, scope) {
		return listPoliciesOutput{}, validationError("1 validation error detected: Value '%s' at 'scope' failed to satisfy constraint: "+
			"Member must satisfy enum value set: [All, AWS, Local]", scope)
	}
	policies := slices.DeleteFunc(s.state.allPolicies(), func(p *policy) bool {
		return scope != "All" && p.aws != (scope == "AWS") ||
			!strings.HasPrefix(p.Path, in.PathPrefix) ||
			in.OnlyAttached && len(s.state.attachedTo(p.ARN)) == 0
	})
	some, next, err := page(in.pageInput, policies, func(p *policy) string { return p.ARN })
	out := listPoliciesOutput{pageOutput: next}
	for _, p := range some {
		out.Policies = append(out.Policies, listedPolicy(s.state, p))
	}
	return out, err
}

type listEntitiesInput struct {
	PolicyArn         string
	EntityFilter      string // only Role can yield something
	PolicyUsageFilter string // PermissionsPolicy, PermissionsBoundary or both ("")
	pathPrefixInput
}

type policyRoleXML struct {
	RoleName string
	RoleID   string `xml:"RoleId"`
}

type listEntitiesOutput struct {
	PolicyGroups awsproto.Members[struct{}]
	PolicyUsers  awsproto.Members[struct{}]
	PolicyRoles  awsproto.Members[policyRoleXML]
	pageOutput
}

func (s *Service) listEntitiesForPolicy(_ context.Context, in *listEntitiesInput) (listEntitiesOutput, error) {
	p, err := s.state.policy(in.PolicyArn)
	if err != nil {
		return listEntitiesOutput{}, err
	}
	roles := s.state.rolesWhere(func(r *role) bool {
		attached := in.PolicyUsageFilter != "PermissionsBoundary" && slices.Contains(r.Attached, p.ARN)
		bounded := in.PolicyUsageFilter != "PermissionsPolicy" && r.Boundary == p.ARN
		return (attached || bounded) && strings.HasPrefix(r.Path, in.PathPrefix)
	})
	if in.EntityFilter != "" && in.EntityFilter != "Role" {
		roles = nil
	}
	some, next, err := page(in.pageInput, roles, func(r *role) string { return r.Name })
	out := listEntitiesOutput{pageOutput: next}
	for _, r := range some {
		out.PolicyRoles = append(out.PolicyRoles, policyRoleXML{r.Name, r.ID})
	}
	return out, err
}

type tagPolicyInput struct {
	PolicyArn string
	Tags      []tag
}

func (s *Service) tagPolicy(_ context.Context, in *tagPolicyInput) (any, error) {
	p, err := s.state.ownPolicy(in.PolicyArn)
	if err != nil {
		return nil, err
	}
	tags, err := mergeTags(p.Tags, in.Tags)
	if err != nil {
		return nil, err
	}
	p.Tags = tags
	return nil, nil
}

type untagPolicyInput struct {
	PolicyArn string
	TagKeys   []string
}

func (s *Service) untagPolicy(_ context.Context, in *untagPolicyInput) (any, error) {
	p, err := s.state.ownPolicy(in.PolicyArn)
	if err != nil {
		return nil, err
	}
	p.Tags = removeTags(p.Tags, in.TagKeys)
	return nil, nil
}

type policyPageInput struct {
	PolicyArn string
	pageInput
}

func (s *Service) listPolicyTags(_ context.Context, in *policyPageInput) (listTagsOutput, error) {
	p, err := s.state.policy(in.PolicyArn)
	if err != nil {
		return listTagsOutput{}, err
	}
	return tagPage(in.pageInput, p.Tags)
}
