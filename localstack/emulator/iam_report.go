package emulator

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"fanfare/localstack/policy"
)

// RoleAccess is what one role is allowed by its policies, and what was done with
// it since the cloud started or ClearAccess.
type RoleAccess struct {
	Role string `json:"role"` // ARN
	// Granted is what its policies allow as they are now, each action with each
	// resource of a statement on its own. A permissions boundary is not in it.
	Granted []Grant  `json:"granted"`
	Used    []Access `json:"used"`    // what was allowed at least once, by its policies or the resource's
	Refused []Access `json:"refused"` // what was refused at least once
	// AssumedBy is who got, or did not get, the role by its trust policy alone.
	AssumedBy []Access `json:"assumedBy"`
	// Policy is the smallest policy that allows what was used, as one would write
	// it, without the conditions that the present ones have. It is empty where
	// nothing was used that an identity policy must allow.
	Policy json.RawMessage `json:"policy,omitempty"`
}

// Grant is one action on one resource that a statement allows.
type Grant struct {
	Policy      string `json:"policy"` // an inline policy's name or a managed policy's ARN
	Sid         string `json:"sid,omitempty"`
	Action      string `json:"action"`   // as in the statement, wildcards included; "all but …" for NotAction
	Resource    string `json:"resource"` // the same for NotResource
	Conditional bool   `json:"conditional,omitempty"`
	// Used is how many allowed calls it covers. Several grants may cover a call.
	Used int `json:"used"`
}

// AccessReport tells of every role what it may do and what it did, in the order
// of their ARNs: so one can see what was granted and never used, and what was
// refused.
func (e *Emulator) AccessReport() []RoleAccess {
	roles := map[string]*RoleAccess{}
	of := func(arn string) *RoleAccess {
		if roles[arn] == nil {
			roles[arn] = &RoleAccess{Role: arn, Granted: []Grant{}, Used: []Access{}, Refused: []Access{}, AssumedBy: []Access{}}
		}
		return roles[arn]
	}
	for _, a := range e.Access() {
		r := of(a.Role)
		if a.Service != "" {
			r.AssumedBy = append(r.AssumedBy, a)
			continue
		}
		if a.Allowed > 0 {
			r.Used = append(r.Used, a)
		}
		if a.Denied > 0 {
			r.Refused = append(r.Refused, a)
		}
	}
	for _, arn := range e.iam.RoleARNs() {
		r := of(arn)
		for _, doc := range e.iam.Policies(arn) {
			r.Granted = append(r.Granted, e.authority.grantsOf(doc, r)...)
		}
	}
	report := make([]RoleAccess, 0, len(roles))
	for _, arn := range slices.Sorted(maps.Keys(roles)) {
		roles[arn].Policy = smallestPolicy(roles[arn].Used)
		report = append(report, *roles[arn])
	}
	return report
}

// grantsOf takes a policy apart.
func (a *authority) grantsOf(doc *policy.Document, r *RoleAccess) (all []Grant) {
	for _, s := range doc.Statements {
		if s.Effect != policy.Allow {
			continue
		}
		for _, action := range eachOrAllBut(s.Action, s.NotAction) {
			for _, resource := range eachOrAllBut(s.Resource, s.NotResource) {
				g := Grant{
					Policy: doc.Name, Sid: s.Sid, Conditional: len(s.Condition) > 0,
					Action: action.String(), Resource: resource.String(),
				}
				one := &policy.Document{Version: doc.Version, Statements: []policy.Statement{{
					Effect: policy.Allow, Action: action.each, NotAction: action.allBut, Resource: resource.each, NotResource: resource.allBut,
				}}}
				for _, u := range r.Used {
					if a.covers(one, u) {
						g.Used += u.Allowed
					}
				}
				all = append(all, g)
			}
		}
	}
	return all
}

// covers asks as if the call came again, but for what only a call has.
func (a *authority) covers(doc *policy.Document, u Access) bool {
	return policy.Evaluate(policy.Request{
		Action: u.Action, Resource: u.sample, Context: a.contextFor(u.Role, regionOf(u.sample)),
	}, doc).Outcome == policy.Allowed
}

// part is one value of an element, or the whole of its negation.
type part struct{ each, allBut []string }

func (p part) String() string {
	if len(p.allBut) > 0 {
		return "all but " + strings.Join(p.allBut, ", ")
	}
	return p.each[0]
}

func eachOrAllBut(values, not []string) (parts []part) {
	for _, v := range values {
		parts = append(parts, part{each: []string{v}})
	}
	if len(not) > 0 {
		parts = append(parts, part{allBut: not})
	}
	return parts
}

// smallestPolicy allows what was used and no more: resources of one service that
// need the same actions share a statement.
func smallestPolicy(used []Access) json.RawMessage {
	actions := map[string][]string{} // by service and resource
	for _, u := range used {
		if u.byResource == u.Allowed {
			continue // the resource's own policy has it
		}
		service, _, _ := strings.Cut(u.Action, ":")
		key := service + " " + u.Resource
		actions[key] = append(actions[key], u.Action)
	}
	type statement struct {
		Effect           string
		Action, Resource []string
	}
	byActions := map[string]*statement{}
	for _, key := range slices.Sorted(maps.Keys(actions)) {
		_, resource, _ := strings.Cut(key, " ")
		slices.Sort(actions[key])
		same := strings.Join(actions[key], " ")
		if byActions[same] == nil {
			byActions[same] = &statement{Effect: "Allow", Action: actions[key]}
		}
		byActions[same].Resource = append(byActions[same].Resource, resource)
	}
	if len(byActions) == 0 {
		return nil
	}
	statements := slices.SortedFunc(maps.Values(byActions), func(a, b *statement) int {
		return cmp.Or(slices.Compare(a.Action, b.Action), slices.Compare(a.Resource, b.Resource))
	})
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(struct { // strings into memory
		Version   string
		Statement []*statement
	}{policy.Version2012, statements})
	return bytes.TrimSpace(b.Bytes())
}
