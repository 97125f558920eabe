package iam

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"fanfare/localstack/awsproto"
)

type createVersionInput struct {
	PolicyArn      string
	PolicyDocument string
	SetAsDefault   bool
}

type versionOutput struct{ PolicyVersion versionXML }

func (s *Service) createPolicyVersion(_ context.Context, in *createVersionInput) (versionOutput, error) {
	p, err := s.state.ownPolicy(in.PolicyArn)
	if err != nil {
		return versionOutput{}, err
	}
	doc, err := managedDocument(in.PolicyDocument)
	if err != nil {
		return versionOutput{}, err
	}
	if len(p.Versions) == maxPolicyVersions {
		return versionOutput{}, limitExceeded("A managed policy can have up to %d versions. "+
			"Before you create a new version, you must delete an existing version.", maxPolicyVersions)
	}
	v := p.add(doc, s.now())
	if in.SetAsDefault {
		p.Default = v.Number
	}
	return versionOutput{wireVersion(p, v)}, nil
}

type versionInput struct {
	PolicyArn string
	VersionID string `xml:"VersionId"`
}

func (s *Service) getPolicyVersion(_ context.Context, in *versionInput) (versionOutput, error) {
	p, err := s.state.policy(in.PolicyArn)
	if err != nil {
		return versionOutput{}, err
	}
	v, err := findVersion(p, in.VersionID)
	if err != nil {
		return versionOutput{}, err
	}
	out := wireVersion(p, v)
	out.Document = encodeDocument(v.Document)
	return versionOutput{out}, nil
}

type listVersionsOutput struct {
	Versions awsproto.Members[versionXML]
	pageOutput
}

// listPolicyVersions gives the newest first. The documents are left out, as AWS
// does.
func (s *Service) listPolicyVersions(_ context.Context, in *policyPageInput) (listVersionsOutput, error) {
	p, err := s.state.policy(in.PolicyArn)
	if err != nil {
		return listVersionsOutput{}, err
	}
	var versions []versionXML
	for i := range p.Versions {
		versions = append(versions, wireVersion(p, &p.Versions[i]))
	}
	some, next, err := page(in.pageInput, versions, newestFirst)
	return listVersionsOutput{some, next}, err
}

// newestFirst is a key that sorts v10 before v9.
func newestFirst(v versionXML) string {
	number, _ := strconv.Atoi(strings.TrimPrefix(v.VersionID, "v")) // made by versionID
	return fmt.Sprintf("%010d", 1<<30-number)
}

func (s *Service) setDefaultPolicyVersion(_ context.Context, in *versionInput) (any, error) {
	p, err := s.state.ownPolicy(in.PolicyArn)
	if err != nil {
		return nil, err
	}
	v, err := findVersion(p, in.VersionID)
	if err != nil {
		return nil, err
	}
	p.Default = v.Number
	return nil, nil
}

func (s *Service) deletePolicyVersion(_ context.Context, in *versionInput) (any, error) {
	p, err := s.state.ownPolicy(in.PolicyArn)
	if err != nil {
		return nil, err
	}
	v, err := findVersion(p, in.VersionID)
	if err != nil {
		return nil, err
	}
	if v.Number == p.Default {
		return nil, deleteConflict("Cannot delete the default version of a policy.")
	}
	p.Versions = slices.DeleteFunc(p.Versions, func(other policyVersion) bool { return other.Number == v.Number })
	return nil, nil
}

func findVersion(p *policy, id string) (*policyVersion, error) {
	number, err := strconv.Atoi(strings.TrimPrefix(id, "v"))
	if err != nil || versionID(number) != id {
		return nil, validationError("1 validation error detected: Value '%s' at 'versionId' failed to satisfy constraint: "+
			"Member must satisfy regular expression pattern: v[1-9][0-9]*", id)
	}
	if v := p.version(number); v != nil {
		return v, nil
	}
	return nil, noSuchEntity("Policy %s version %s does not exist or is not attachable.", p.ARN, id)
}
