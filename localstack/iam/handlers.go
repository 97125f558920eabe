package iam

import (
	"context"
	"net/url"
	"strings"
	"time"

	"fanfare/localstack/awsproto"
)

// operations is the API: what is not here is answered with InvalidAction.
func (s *Service) operations() map[string]awsproto.QueryOperation {
	return map[string]awsproto.QueryOperation{
		"CreateRole":                    locked(s, s.createRole),
		"GetRole":                       locked(s, s.getRole),
		"ListRoles":                     locked(s, s.listRoles),
		"UpdateRole":                    locked(s, s.updateRole),
		"UpdateRoleDescription":         locked(s, s.updateRoleDescription),
		"UpdateAssumeRolePolicy":        locked(s, s.updateAssumeRolePolicy),
		"PutRolePermissionsBoundary":    locked(s, s.putRolePermissionsBoundary),
		"DeleteRolePermissionsBoundary": locked(s, s.deleteRolePermissionsBoundary),
		"DeleteRole":                    locked(s, s.deleteRole),
		"TagRole":                       locked(s, s.tagRole),
		"UntagRole":                     locked(s, s.untagRole),
		"ListRoleTags":                  locked(s, s.listRoleTags),
		"ListInstanceProfilesForRole":   locked(s, s.listInstanceProfilesForRole),

		"PutRolePolicy":            locked(s, s.putRolePolicy),
		"GetRolePolicy":            locked(s, s.getRolePolicy),
		"DeleteRolePolicy":         locked(s, s.deleteRolePolicy),
		"ListRolePolicies":         locked(s, s.listRolePolicies),
		"AttachRolePolicy":         locked(s, s.attachRolePolicy),
		"DetachRolePolicy":         locked(s, s.detachRolePolicy),
		"ListAttachedRolePolicies": locked(s, s.listAttachedRolePolicies),

		"CreatePolicy":            locked(s, s.createPolicy),
		"GetPolicy":               locked(s, s.getPolicy),
		"DeletePolicy":            locked(s, s.deletePolicy),
		"ListPolicies":            locked(s, s.listPolicies),
		"ListEntitiesForPolicy":   locked(s, s.listEntitiesForPolicy),
		"TagPolicy":               locked(s, s.tagPolicy),
		"UntagPolicy":             locked(s, s.untagPolicy),
		"ListPolicyTags":          locked(s, s.listPolicyTags),
		"CreatePolicyVersion":     locked(s, s.createPolicyVersion),
		"GetPolicyVersion":        locked(s, s.getPolicyVersion),
		"ListPolicyVersions":      locked(s, s.listPolicyVersions),
		"SetDefaultPolicyVersion": locked(s, s.setDefaultPolicyVersion),
		"DeletePolicyVersion":     locked(s, s.deletePolicyVersion),

		"GetUser": locked(s, s.getUser),
	}
}

// isChange tells the operations that change something by their names.
func isChange(operation string) bool {
	return !strings.HasPrefix(operation, "Get") && !strings.HasPrefix(operation, "List")
}

// telling has the operations that change something tell that they did. It does
// so for those that failed, too, which costs nobody more than a look.
func (s *Service) telling(operations map[string]awsproto.QueryOperation) map[string]awsproto.QueryOperation {
	for name, op := range operations {
		if isChange(name) {
			operations[name] = func(ctx context.Context, form url.Values) (any, error) {
				defer s.changed()
				return op(ctx, form)
			}
		}
	}
	return operations
}

// locked runs an operation under the service's lock, so that operations read
// and change the state without a thought. Their results are copies: they are
// written out after the lock is gone.
func locked[In, Out any](s *Service, op func(context.Context, *In) (Out, error)) awsproto.QueryOperation {
	return awsproto.FormOp(func(ctx context.Context, in *In) (Out, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		return op(ctx, in)
	})
}

type getUserInput struct{ UserName string }

type getUserOutput struct{ User userXML }

// getUser knows one user, the deployer, who is everybody that has long-term
// keys. Terraform's provider asks for it when it may not ask STS.
func (s *Service) getUser(ctx context.Context, in *getUserInput) (getUserOutput, error) {
	const name = "deployer"
	isSession := strings.HasPrefix(awsproto.CallFrom(ctx).Credential.AccessKeyID, "ASIA")
	if in.UserName == "" && isSession {
		return getUserOutput{}, validationError("Must specify userName when calling with non-User credentials")
	}
	if in.UserName != "" && in.UserName != name {
		return getUserOutput{}, noSuchEntity("The user with name %s cannot be found.", in.UserName)
	}
	return getUserOutput{userXML{
		Path: "/", UserName: name, UserID: "AIDADEPLOYERDEPLOYER1",
		Arn: globalARN("user", "/", name), CreateDate: s.born.UTC().Truncate(time.Second),
	}}, nil
}
