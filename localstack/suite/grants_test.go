package suite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"fanfare/localstack/emulator"
	"fanfare/localstack/faults"
)

// exemptions are statements that nothing here can miss, by Sid, and why. There
// may be at most five: whatever else is granted must be needed.
var exemptions = map[string]string{
	"SendTraces": "the local cloud has no X-Ray, to which only Lambda itself sends traces",
}

// TestEveryGrantIsNeeded takes each grant away for a moment and sees something
// break: every statement of every policy of a function's role, every single
// action and resource of those that have several, Lambda's right to assume the
// role, and every right of API Gateway to invoke a function. So nothing is granted that nothing needs; that everything
// is granted that something needs, the rest of the suite shows.
//
//	go test ./localstack/suite -target embedded -run TestEveryGrantIsNeeded
//
// Of a role, what breaks is that it is refused the very action while Fanfare does
// all that it does (drill); of API Gateway, that an outcome is missing.
func TestEveryGrantIsNeeded(t *testing.T) {
	s := beginFirst(t, ownProcess) // all others wait until everything is granted again
	if len(exemptions) > 5 {
		t.Errorf("%d exemptions: five are the most", len(exemptions))
	}
	all := slices.Concat(s.roleGrants(), s.trustGrants(), s.invokeGrants())
	s.Cleanup(s.purge)
	if err := s.drive(t.Context(), nil, "nothing-removed"); err != nil {
		t.Fatalf("with everything granted: %v", err)
	}
	for _, d := range s.stack.Here.Access() {
		if d.Denied > 0 {
			t.Errorf("%s lacks %s, with everything granted", d.Role, d.Action)
		}
	}
	for i, g := range all {
		t.Run(g.name, func(t *testing.T) {
			if why, ok := exemptions[g.sid]; ok {
				t.Skip(why)
			}
			sub := s.sub(t)
			switch broken := sub.without(g, fmt.Sprintf("grants-%d", i)); {
			case broken != "":
				t.Log(broken)
			case !t.Failed():
				t.Error("nothing needs it: everything works without")
			}
		})
	}
}

// purge drops what a function was refused to handle, which would otherwise wait
// out its visibility time-out in the other scenarios' queues.
func (s *scenario) purge() {
	s.Helper()
	for _, function := range []string{broadcaster, deliverer} {
		if _, err := s.sqs().PurgeQueue(context.WithoutCancel(s.Context()), &sqs.PurgeQueueInput{QueueUrl: aws.String(s.queueOf(function))}); err != nil {
			s.Error(err)
		}
	}
}

// grant is something that a policy allows.
type grant struct {
	name     string // "fanfare-connect: UseTable: dynamodb:PutItem"
	sid      string
	function string   // "connect"
	role     string   // ARN, "" where the policy is the function's own
	policy   string   // of the role, "" for its trust policy
	actions  []string // that are missed when it is gone
	starting bool     // it is missed only when a function starts, so once all that run have ended
	remove   func(context.Context) error
	putBack  func(context.Context) error
}

// breaking is how long a scenario may take to miss an outcome.
const breaking = 10 * time.Second

// without says what breaks without g, "" if nothing does.
func (s *scenario) without(g grant, tenant string) (broken string) {
	s.Helper()
	before := s.denials(g)
	if err := g.remove(s.Context()); err != nil {
		s.Fatal(err)
	}
	defer func() {
		if err := g.putBack(context.WithoutCancel(s.Context())); err != nil {
			s.Fatal(err)
		}
	}()
	ctx, cancel := context.WithTimeout(s.Context(), breaking)
	defer cancel()
	outcome := make(chan error, 1)
	go func() {
		err := s.drive(ctx, []string{g.function}, tenant)
		for n := 1; g.starting && ctx.Err() == nil; n++ { // each ends a few that run
			err = s.drive(ctx, []string{g.function}, fmt.Sprintf("%s-%d", tenant, n))
		}
		outcome <- err
	}()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	var err error
	for done := false; !done; {
		select {
		case <-tick.C:
			if s.denials(g) > before {
				cancel() // it has shown what it can
				err = <-outcome
				done = true
			}
		case err = <-outcome:
			done = true
		}
	}
	switch refused := s.denials(g) > before; {
	case refused:
		return "refused: " + strings.Join(g.actions, " or ")
	case err != nil && g.role != "":
		s.Errorf("something else is broken, nobody was refused anything: %v", err)
	case err != nil:
		return "missing: " + err.Error()
	}
	return ""
}

// denials is how often the role was refused one of the grant's actions so far.
func (s *scenario) denials(g grant) (n int) {
	for _, a := range s.stack.Here.Access() {
		if a.Role == g.role && slices.Contains(g.actions, a.Action) {
			n += a.Denied
		}
	}
	return n
}

// shortName is what Terraform's map of functions calls a function.
func shortName(function string) string { return function[strings.LastIndexByte(function, '-')+1:] }

// roleGrants lists what the roles' policies allow: whole statements first.
func (s *scenario) roleGrants() (all []grant) {
	s.Helper()
	api := iam.NewFromConfig(s.config())
	for name, role := range s.functionRoles() {
		roleName := role[strings.LastIndexByte(role, '/')+1:]
		attached, err := api.ListAttachedRolePolicies(s.Context(), &iam.ListAttachedRolePoliciesInput{RoleName: &roleName})
		if err != nil || len(attached.AttachedPolicies) > 0 {
			s.Fatalf("attached policies of %s: %+v, error %v; this test takes only inline ones apart", roleName, attached, err)
		}
		policies, err := api.ListRolePolicies(s.Context(), &iam.ListRolePoliciesInput{RoleName: &roleName})
		if err != nil {
			s.Fatal(err)
		}
		for _, policy := range policies.PolicyNames {
			out, err := api.GetRolePolicy(s.Context(), &iam.GetRolePolicyInput{RoleName: &roleName, PolicyName: &policy})
			if err != nil {
				s.Fatal(err)
			}
			put := func(ctx context.Context, document string) error {
				_, err := api.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: &roleName, PolicyName: &policy, PolicyDocument: &document})
				return err
			}
			whole, err := url.QueryUnescape(*out.PolicyDocument)
			if err != nil {
				s.Fatal(err)
			}
			for _, less := range s.reductions(whole) {
				all = append(all, grant{
					name: name + ": " + less.name, sid: less.sid, function: shortName(name), role: role, policy: policy, actions: less.actions,
					remove:  func(ctx context.Context) error { return put(ctx, less.document) },
					putBack: func(ctx context.Context) error { return put(ctx, whole) },
				})
			}
		}
	}
	slices.SortFunc(all, func(a, b grant) int { return strings.Compare(a.name, b.name) })
	return all
}

// trustGrants lists who may assume the roles: each principal of each statement of
// their trust policies. Lambda asks when it starts a function, so the functions
// have to die meanwhile: a fault kills each at the end of its invoke.
func (s *scenario) trustGrants() (all []grant) {
	s.Helper()
	api := iam.NewFromConfig(s.config())
	for name, role := range s.functionRoles() {
		roleName := role[strings.LastIndexByte(role, '/')+1:]
		out, err := api.GetRole(s.Context(), &iam.GetRoleInput{RoleName: &roleName})
		if err != nil {
			s.Fatal(err)
		}
		whole, err := url.QueryUnescape(*out.Role.AssumeRolePolicyDocument)
		if err != nil {
			s.Fatal(err)
		}
		put := func(ctx context.Context, document string) error {
			_, err := api.UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: &roleName, PolicyDocument: &document})
			return err
		}
		for _, less := range s.distrusting(whole) {
			var rule string
			all = append(all, grant{
				name: name + ": " + less.name, sid: less.sid, function: shortName(name), role: role, actions: less.actions, starting: true,
				remove: func(ctx context.Context) (err error) {
					if err := put(ctx, less.document); err != nil {
						return err
					}
					rule, err = s.stack.Here.Faults().Add(faults.Rule{Service: "lambda", Operation: "Invoke", Resource: name, Fault: faults.Fault{Kill: true}})
					return err
				},
				putBack: func(ctx context.Context) error {
					s.stack.Here.Faults().Remove(rule)
					return put(ctx, whole)
				},
			})
		}
	}
	if len(all) == 0 {
		s.Error("nobody may assume a role: this test looks in the wrong place")
	}
	slices.SortFunc(all, func(a, b grant) int { return strings.Compare(a.name, b.name) })
	return all
}

// policy is a policy document.
type policy struct {
	Version   string
	Statement []statement
}

func (s *scenario) readPolicy(document string) (p policy) {
	s.Helper()
	if err := json.Unmarshal([]byte(document), &p); err != nil {
		s.Fatal(err)
	}
	return p
}

func (s *scenario) written(p policy) string {
	s.Helper()
	text, err := json.Marshal(p)
	if err != nil {
		s.Fatal(err)
	}
	return string(text)
}

// distrusting are a trust policy's reductions: each with one principal replaced
// by one that does not ask. A policy without any is none.
func (s *scenario) distrusting(document string) (all []reduction) {
	s.Helper()
	doc := s.readPolicy(document)
	for i, st := range doc.Statement {
		var principals map[string]json.RawMessage
		if err := json.Unmarshal(st["Principal"], &principals); err != nil {
			s.Fatal(err)
		}
		for kind := range principals {
			services := statement(principals).list(kind)
			for j, service := range services {
				less := doc
				less.Statement = slices.Clone(doc.Statement)
				others := slices.Clone(services)
				others[j] = "ec2.amazonaws.com"
				less.Statement[i] = st.with("Principal", map[string][]string{kind: others})
				all = append(all, reduction{"trust in " + service, st.sid(), st.list("Action"), s.written(less)})
			}
		}
	}
	return all
}

func (s *scenario) functionRoles() map[string]string {
	s.Helper()
	out, err := lambda.NewFromConfig(s.config()).ListFunctions(s.Context(), &lambda.ListFunctionsInput{})
	if err != nil {
		s.Fatal(err)
	}
	roles := map[string]string{}
	for _, f := range out.Functions {
		roles[*f.FunctionName] = *f.Role
	}
	return roles
}

// reduction is a policy with something less.
type reduction struct {
	name, sid string
	actions   []string // of what is gone
	document  string
}

type statement map[string]json.RawMessage

func (st statement) list(element string) (list []string) {
	if json.Unmarshal(st[element], &list) != nil {
		var one string
		if json.Unmarshal(st[element], &one) == nil {
			list = []string{one}
		}
	}
	return list
}

// reductions of a policy: each without one statement, or without one action or
// resource of a statement that has several.
func (s *scenario) reductions(document string) (all []reduction) {
	s.Helper()
	doc := s.readPolicy(document)
	add := func(name string, st statement, actions []string, with func([]statement) []statement) {
		less := doc
		less.Statement = with(slices.Clone(doc.Statement))
		if len(less.Statement) == 0 { // IAM takes no empty policy
			less.Statement = []statement{{"Effect": []byte(`"Deny"`), "Action": []byte(`"none:None"`), "Resource": []byte(`"*"`)}}
		}
		all = append(all, reduction{name, st.sid(), actions, s.written(less)})
	}
	for i, st := range doc.Statement {
		actions := st.list("Action")
		add(st.sid(), st, actions, func(list []statement) []statement { return slices.Delete(list, i, i+1) })
		for _, element := range []string{"Action", "Resource"} {
			values := st.list(element)
			if len(values) < 2 {
				continue
			}
			for j, value := range values {
				missed := actions
				if element == "Action" {
					missed = []string{value}
				}
				add(st.sid()+": "+value, st, missed, func(list []statement) []statement {
					list[i] = st.without(element, j)
					return list
				})
			}
		}
	}
	return all
}

func (st statement) sid() string {
	var sid string
	_ = json.Unmarshal(st["Sid"], &sid) // none is ""
	return sid
}

// without leaves out one value of an element.
func (st statement) without(element string, i int) statement {
	return st.with(element, slices.Delete(slices.Clone(st.list(element)), i, i+1))
}

func (st statement) with(element string, value any) statement {
	other := maps.Clone(st)
	other[element], _ = json.Marshal(value) // strings
	return other
}

// TestTheSmallestPolicyIsEnough gives each function's role nothing but what the
// local cloud's report suggests after a drill, and drills again.
func TestTheSmallestPolicyIsEnough(t *testing.T) {
	s := beginAlone(t, ownProcess)
	s.Cleanup(s.purge)
	if err := s.drive(t.Context(), nil, "before"); err != nil {
		t.Fatal(err)
	}
	api, smallest := iam.NewFromConfig(s.config()), map[string]string{}
	for _, r := range s.stack.Here.AccessReport() {
		smallest[r.Role] = string(r.Policy)
	}
	for _, g := range s.roleGrants() {
		s.Cleanup(func() { // any of a role's grants knows its whole policies
			if err := g.putBack(context.WithoutCancel(t.Context())); err != nil {
				t.Error(err)
			}
		})
		name := g.role[strings.LastIndexByte(g.role, '/')+1:]
		if _, err := api.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: &name, PolicyName: &g.policy, PolicyDocument: aws.String(smallest[g.role])}); err != nil {
			t.Fatalf("%s: %v: %s", g.role, err, smallest[g.role])
		}
	}
	before := s.stack.Here.Access()
	if err := s.drive(t.Context(), nil, "after"); err != nil {
		t.Errorf("with the smallest policies: %v", err)
	}
	for _, a := range s.stack.Here.Access() {
		same := func(b emulator.Access) bool {
			return b.Role == a.Role && b.Action == a.Action && b.Resource == a.Resource && b.Denied == a.Denied
		}
		if a.Denied > 0 && !slices.ContainsFunc(before, same) {
			t.Errorf("%s lacks %s on %s", a.Role, a.Action, a.Resource)
		}
	}
}

// invokeGrants lists who may invoke the functions, by their names and aliases.
func (s *scenario) invokeGrants() (all []grant) {
	s.Helper()
	api := lambda.NewFromConfig(s.config())
	for name := range s.functionRoles() {
		aliases, err := api.ListAliases(s.Context(), &lambda.ListAliasesInput{FunctionName: &name})
		if err != nil {
			s.Fatal(err)
		}
		qualifiers := []*string{nil}
		for _, a := range aliases.Aliases {
			qualifiers = append(qualifiers, a.Name)
		}
		for _, qualifier := range qualifiers {
			all = append(all, s.invokersOf(api, name, qualifier)...)
		}
	}
	if len(all) == 0 {
		s.Error("nobody may invoke a function: this test looks in the wrong place")
	}
	return all
}

func (s *scenario) invokersOf(api *lambda.Client, name string, qualifier *string) (all []grant) {
	s.Helper()
	out, err := api.GetPolicy(s.Context(), &lambda.GetPolicyInput{FunctionName: &name, Qualifier: qualifier})
	if _, none := errors.AsType[*lambdatypes.ResourceNotFoundException](err); none {
		return nil
	}
	if err != nil {
		s.Fatal(err)
	}
	var doc struct {
		Statement []struct {
			Sid, Action string
			Principal   struct{ Service string }
			Condition   map[string]map[string]string
		}
	}
	if err := json.Unmarshal([]byte(*out.Policy), &doc); err != nil {
		s.Fatal(err)
	}
	for _, st := range doc.Statement {
		all = append(all, grant{
			name: name + ": invoked by " + st.Principal.Service, sid: st.Sid, function: shortName(name), actions: []string{st.Action},
			remove: func(ctx context.Context) error {
				_, err := api.RemovePermission(ctx, &lambda.RemovePermissionInput{FunctionName: &name, Qualifier: qualifier, StatementId: &st.Sid})
				return err
			},
			putBack: func(ctx context.Context) error {
				_, err := api.AddPermission(ctx, &lambda.AddPermissionInput{
					FunctionName: &name, Qualifier: qualifier, StatementId: &st.Sid, Action: &st.Action, Principal: &st.Principal.Service,
					SourceArn: aws.String(st.Condition["ArnLike"]["AWS:SourceArn"]),
				})
				return err
			},
		})
	}
	return all
}
