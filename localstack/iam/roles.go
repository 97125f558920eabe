package iam

import (
	"cmp"
	"context"
	"strings"

	"fanfare/localstack/awsproto"
)

type createRoleInput struct {
	Path                     string
	RoleName                 string
	AssumeRolePolicyDocument string
	Description              string
	MaxSessionDuration       *int
	PermissionsBoundary      string
	Tags                     []tag
}

type roleOutput struct{ Role roleXML }

func (s *Service) createRole(_ context.Context, in *createRoleInput) (roleOutput, error) {
	r, err := s.newRole(in)
	if err != nil {
		return roleOutput{}, err
	}
	if s.state.hasRoleNamed(in.RoleName) {
		return roleOutput{}, entityAlreadyExists("Role with name %s already exists.", in.RoleName)
	}
	s.state.Roles[r.Name] = r
	s.log.Debug("role created", "role", r.ARN)
	return roleOutput{wireRole(r)}, nil
}

func (s *Service) newRole(in *createRoleInput) (*role, error) {
	r := &role{
		Name: in.RoleName, Path: cmp.Or(in.Path, "/"), ID: newID("AROA"), Created: s.now(),
		Description: in.Description, MaxSession: minSessionDuration,
		Inline: make(map[string]document),
	}
	r.ARN = globalARN("role", r.Path, r.Name)
	if in.MaxSessionDuration != nil {
		r.MaxSession = *in.MaxSessionDuration
	}
	var err error
	if r.Tags, err = mergeTags(nil, in.Tags); err != nil {
		return nil, err
	}
	if err = cmp.Or(
		checkName("roleName", r.Name, maxRoleName),
		checkPath(r.Path),
		checkDescription(r.Description),
		checkSessionDuration(r.MaxSession),
	); err != nil {
		return nil, err
	}
	if r.Trust, err = trustDocument(in.AssumeRolePolicyDocument); err != nil {
		return nil, err
	}
	return r, s.setBoundary(r, in.PermissionsBoundary)
}

func trustDocument(text string) (document, error) {
	doc, err := parseTrust(text)
	if err == nil && doc.size() > maxTrustSize {
		err = limitExceeded("Cannot exceed quota for ACLSizePerRole: %d", maxTrustSize)
	}
	return doc, err
}

func (s *Service) setBoundary(r *role, arn string) error {
	if arn == "" {
		return nil
	}
	if err := checkPolicyARN(arn); err != nil {
		return err
	}
	if _, ok := s.state.lookupPolicy(arn); !ok {
		return noSuchEntity("Scope ARN: %s does not exist or is not attachable.", arn)
	}
	r.Boundary = arn
	return nil
}

func (s *Service) getRole(_ context.Context, in *roleNameInput) (roleOutput, error) {
	r, err := s.state.role(in.RoleName)
	if err != nil {
		return roleOutput{}, err
	}
	return roleOutput{wireRole(r)}, nil
}

type listRolesOutput struct {
	Roles awsproto.Members[roleXML]
	pageOutput
}

func (s *Service) listRoles(_ context.Context, in *pathPrefixInput) (listRolesOutput, error) {
	roles := s.state.rolesWhere(func(r *role) bool { return strings.HasPrefix(r.Path, in.PathPrefix) })
	some, next, err := page(in.pageInput, roles, func(r *role) string { return r.Name })
	out := listRolesOutput{pageOutput: next}
	for _, r := range some {
		out.Roles = append(out.Roles, listedRole(r))
	}
	return out, err
}

type updateRoleInput struct {
	RoleName           string
	Description        *string
	MaxSessionDuration *int
}

// updateRole leaves the description alone where none is given, but sets the
// session's duration back to an hour: so the API reference has it.
func (s *Service) updateRole(_ context.Context, in *updateRoleInput) (struct{}, error) {
	r, err := s.state.role(in.RoleName)
	if err != nil {
		return struct{}{}, err
	}
	description, duration := r.Description, minSessionDuration
	if in.Description != nil {
		description = *in.Description
	}
	if in.MaxSessionDuration != nil {
		duration = *in.MaxSessionDuration
	}
	if err := cmp.Or(checkDescription(description), checkSessionDuration(duration)); err != nil {
		return struct{}{}, err
	}
	r.Description, r.MaxSession = description, duration
	return struct{}{}, nil
}

type updateRoleDescriptionInput struct{ RoleName, Description string }

func (s *Service) updateRoleDescription(_ context.Context, in *updateRoleDescriptionInput) (roleOutput, error) {
	r, err := s.state.role(in.RoleName)
	if err == nil {
		err = checkDescription(in.Description)
	}
	if err != nil {
		return roleOutput{}, err
	}
	r.Description = in.Description
	return roleOutput{wireRole(r)}, nil
}

type updateAssumeRolePolicyInput struct{ RoleName, PolicyDocument string }

func (s *Service) updateAssumeRolePolicy(_ context.Context, in *updateAssumeRolePolicyInput) (any, error) {
	r, err := s.state.role(in.RoleName)
	if err != nil {
		return nil, err
	}
	doc, err := trustDocument(in.PolicyDocument)
	if err != nil {
		return nil, err
	}
	r.Trust = doc
	return nil, nil
}

type putBoundaryInput struct{ RoleName, PermissionsBoundary string }

func (s *Service) putRolePermissionsBoundary(_ context.Context, in *putBoundaryInput) (any, error) {
	r, err := s.state.role(in.RoleName)
	if err != nil {
		return nil, err
	}
	if err := checkPolicyARN(in.PermissionsBoundary); err != nil {
		return nil, err
	}
	return nil, s.setBoundary(r, in.PermissionsBoundary)
}

func (s *Service) deleteRolePermissionsBoundary(_ context.Context, in *roleNameInput) (any, error) {
	r, err := s.state.role(in.RoleName)
	if err != nil {
		return nil, err
	}
	if r.Boundary == "" {
		return nil, noSuchEntity("The role with name %s has no permissions boundary.", r.Name)
	}
	r.Boundary = ""
	return nil, nil
}

func (s *Service) deleteRole(_ context.Context, in *roleNameInput) (any, error) {
	r, err := s.state.role(in.RoleName)
	if err != nil {
		return nil, err
	}
	if len(r.Attached) > 0 {
		return nil, deleteConflict("Cannot delete entity, must detach all policies first.")
	}
	if len(r.Inline) > 0 {
		return nil, deleteConflict("Cannot delete entity, must delete policies first.")
	}
	delete(s.state.Roles, r.Name)
	s.log.Debug("role deleted", "role", r.ARN)
	return nil, nil
}

type tagRoleInput struct {
	RoleName string
	Tags     []tag
}

func (s *Service) tagRole(_ context.Context, in *tagRoleInput) (any, error) {
	r, err := s.state.role(in.RoleName)
	if err != nil {
		return nil, err
	}
	tags, err := mergeTags(r.Tags, in.Tags)
	if err != nil {
		return nil, err
	}
	r.Tags = tags
	return nil, nil
}

type untagRoleInput struct {
	RoleName string
	TagKeys  []string
}

func (s *Service) untagRole(_ context.Context, in *untagRoleInput) (any, error) {
	r, err := s.state.role(in.RoleName)
	if err != nil {
		return nil, err
	}
	r.Tags = removeTags(r.Tags, in.TagKeys)
	return nil, nil
}

type rolePageInput struct {
	RoleName string
	pageInput
}

type listTagsOutput struct {
	Tags awsproto.Members[tag]
	pageOutput
}

func (s *Service) listRoleTags(_ context.Context, in *rolePageInput) (listTagsOutput, error) {
	r, err := s.state.role(in.RoleName)
	if err != nil {
		return listTagsOutput{}, err
	}
	return tagPage(in.pageInput, r.Tags)
}

func tagPage(in pageInput, tags []tag) (listTagsOutput, error) {
	some, next, err := page(in, tags, func(t tag) string { return t.Key })
	return listTagsOutput{some, next}, err
}

type instanceProfilesOutput struct {
	InstanceProfiles awsproto.Members[struct{}]
	pageOutput
}

// listInstanceProfilesForRole is always empty: there are no instances here.
// Terraform asks before it deletes a role.
func (s *Service) listInstanceProfilesForRole(_ context.Context, in *rolePageInput) (instanceProfilesOutput, error) {
	_, err := s.state.role(in.RoleName)
	return instanceProfilesOutput{}, err
}
