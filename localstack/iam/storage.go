package iam

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"fanfare/localstack/awsproto"
)

// state is everything that a snapshot holds.
type state struct {
	Roles    map[string]*role   // by name
	Policies map[string]*policy // by ARN; AWS's own are in awsManaged
}

type role struct {
	Name, Path, ID, ARN string
	Description         string
	Created             time.Time
	MaxSession          int // seconds
	Boundary            string
	Tags                []tag
	Trust               document
	Inline              map[string]document
	Attached            []string // ARNs, in the order of attaching
}

type policy struct {
	Name, Path, ID, ARN string
	Description         string
	Created, Updated    time.Time
	Tags                []tag
	Versions            []policyVersion // oldest first
	Default             int             // number of the version in force
	LastVersion         int             // numbers are never used twice

	aws bool
}

type policyVersion struct {
	Number   int
	Document document
	Created  time.Time
}

func newState() state {
	return state{Roles: make(map[string]*role), Policies: make(map[string]*policy)}
}

// decodeState reads a snapshot.
func decodeState(snapshot []byte) (state, error) {
	var st state
	if err := json.Unmarshal(snapshot, &st); err != nil {
		return state{}, fmt.Errorf("restore iam: %w", err)
	}
	if st.Roles == nil || st.Policies == nil {
		return state{}, errors.New("restore iam: the snapshot has no Roles or no Policies")
	}
	for name, r := range st.Roles {
		if r == nil || len(r.Trust.parsed.Statements) == 0 {
			return state{}, fmt.Errorf("restore iam: role %q has no trust policy", name)
		}
		if r.Inline == nil {
			r.Inline = make(map[string]document)
		}
	}
	for arn, p := range st.Policies {
		if p == nil || p.version(p.Default) == nil {
			return state{}, fmt.Errorf("restore iam: policy %q has no default version", arn)
		}
	}
	return st, nil
}

func (st state) role(name string) (*role, error) {
	if r, ok := st.Roles[name]; ok {
		return r, nil
	}
	return nil, noSuchEntity("The role with name %s cannot be found.", name)
}

// hasRoleNamed compares as IAM does for new names: without regard to case.
func (st state) hasRoleNamed(name string) bool {
	for existing := range st.Roles {
		if strings.EqualFold(existing, name) {
			return true
		}
	}
	return false
}

func (st state) hasPolicyNamed(name string) bool {
	for _, p := range st.Policies {
		if strings.EqualFold(p.Name, name) {
			return true
		}
	}
	return false
}

func (st state) policy(arn string) (*policy, error) {
	if p, ok := st.lookupPolicy(arn); ok {
		return p, nil
	}
	if err := checkPolicyARN(arn); err != nil {
		return nil, err
	}
	return nil, noSuchEntity("Policy %s was not found.", arn)
}

func (st state) lookupPolicy(arn string) (*policy, bool) {
	if p, ok := awsManaged[arn]; ok {
		return p, true
	}
	p, ok := st.Policies[arn]
	return p, ok
}

// ownPolicy is policy for those who mean to change it.
func (st state) ownPolicy(arn string) (*policy, error) {
	p, err := st.policy(arn)
	if err == nil && p.aws {
		err = awsproto.Errorf(403, "AccessDenied", "Policy %s is AWS's own and cannot be changed.", arn)
	}
	return p, err
}

// attachedTo returns the roles that have the policy attached, by name.
func (st state) attachedTo(arn string) []*role {
	return st.rolesWhere(func(r *role) bool { return slices.Contains(r.Attached, arn) })
}

// boundedBy returns the roles that have the policy as permissions boundary.
func (st state) boundedBy(arn string) []*role {
	return st.rolesWhere(func(r *role) bool { return r.Boundary == arn })
}

func (st state) rolesWhere(match func(*role) bool) []*role {
	var found []*role
	for _, name := range slices.Sorted(maps.Keys(st.Roles)) {
		if r := st.Roles[name]; match(r) {
			found = append(found, r)
		}
	}
	return found
}

// allPolicies returns AWS's and the account's own, by ARN.
func (st state) allPolicies() []*policy {
	all := slices.AppendSeq(slices.Collect(maps.Values(awsManaged)), maps.Values(st.Policies))
	slices.SortFunc(all, func(a, b *policy) int { return strings.Compare(a.ARN, b.ARN) })
	return all
}

func (p *policy) version(number int) *policyVersion {
	for i := range p.Versions {
		if p.Versions[i].Number == number {
			return &p.Versions[i]
		}
	}
	return nil
}

// add appends a version under the next free number.
func (p *policy) add(doc document, now time.Time) *policyVersion {
	p.LastVersion++
	p.Updated = now
	p.Versions = append(p.Versions, policyVersion{Number: p.LastVersion, Document: doc, Created: now})
	return &p.Versions[len(p.Versions)-1]
}

// newID returns a unique id as IAM makes them: a prefix that tells the kind
// (AROA for roles, ANPA for managed policies) and 17 characters of base32.
func newID(prefix string) string { return prefix + rand.Text()[:17] }

// globalARN is an ARN without a region, as all of IAM's are.
func globalARN(kind, path, name string) string {
	return "arn:aws:iam::" + awsproto.AccountID + ":" + kind + path + name
}
