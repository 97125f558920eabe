package suite

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"fanfare/localstack/emulator"
	"fanfare/localstack/faults"
	"fanfare/localstack/gateway"
	"fanfare/scripts/stack"
	"fanfare/shared/auth/authtest"
)

// need is what not every target has.
type need string

const (
	movingClock   need = "clock that can be moved"
	faultRules    need = "faults that can be ordered"
	ownIssuer     need = "issuer of its own, at an address of this machine"
	ownAPI        need = "API of the cloud itself, with its requests and logs"
	ownDeployment need = "deployment that was made just now"
	ownCloud      need = "second cloud for what would touch all others"
	ownImage      need = "image of ours, in a Docker engine of this machine"
	ownProcess    need = "cloud in this process, which tells what roles were refused"
)

// target is a deployed Fanfare, wherever it runs.
type target struct {
	Outputs stack.Outputs      // as this machine reaches them
	Key     *authtest.Key      // signs tokens that the stack trusts
	AWS     aws.Config         // how a back end on this machine reaches the cloud
	Cloud   *cloudAPI          // nil without ownAPI
	Here    *emulator.Emulator // nil without ownProcess

	has              map[need]bool
	run              string                                            // of this run's tenants
	asked            *asked                                            // nil without ownAPI
	clone            func(testing.TB, gateway.Limits) (*target, error) // nil without ownCloud
	issuer, audience string
	local            bool // clients come from 127.0.0.1
	planIsEmpty      func(context.Context) (empty bool, changes []string, err error)
}

// onStack is a target on a local cloud that s was deployed to. has is what
// that cloud can do.
func onStack(s *stack.Stack, outputs stack.Outputs, has ...need) *target {
	t := &target{
		Outputs: outputs, Key: s.Key, Cloud: &cloudAPI{s.Cloud.URL()}, planIsEmpty: s.PlanIsEmpty,
		AWS: aws.Config{
			Region: "us-east-1", BaseEndpoint: aws.String(s.Cloud.URL()),
			Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
		},
		has: map[need]bool{ownDeployment: !s.Restored}, // planning takes longer than all the rest
		run: newRun(), issuer: stack.Issuer, audience: stack.Audience,
	}
	for _, n := range has {
		t.has[n] = true
	}
	return t
}

func newRun() string { return strconv.FormatInt(time.Now().UnixMilli(), 36) }

// claims are those of a token that the stack admits.
func (t *target) claims(user, tenant string, permissions ...string) authtest.Claims {
	return authtest.Claims{
		Subject: user, Tenant: tenant, Permissions: permissions,
		Issuer: t.issuer, Audience: []string{t.audience}, TTL: time.Hour,
	}
}

// Token returns a JWT that the stack admits, for an hour.
func (t *target) Token(user, tenant string, permissions ...string) string {
	return t.Key.Sign(t.claims(user, tenant, permissions...))
}

// isOurs reports whether a client of this machine may have the address. What a
// container or AWS sees is up to the networks in between.
func (t *target) isOurs(ip string) bool {
	if t.local {
		return ip == "127.0.0.1"
	}
	return net.ParseIP(ip) != nil
}

// cloudAPI is the local cloud's own API, in this process or in a container.
type cloudAPI struct{ base string }

// URL is the cloud's endpoint, as this machine reaches it.
func (c *cloudAPI) URL() string { return c.base }

// call sends in as JSON, unless it is nil, and decodes the answer into out, unless
// that is nil.
func (c *cloudAPI) call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+"/_localstack/"+path, body)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("%s %s: HTTP %d %s", method, path, resp.StatusCode, answer)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(answer, out)
}

// fault orders a fault until the test ends, and returns the count of calls that it
// has struck. The scenario begins with faultRules, and the rule names a resource
// that is only its own.
func (s *scenario) fault(rule faults.Rule) (struck func() int) {
	s.Helper()
	var added struct{ ID string }
	if err := s.stack.Cloud.call(s.Context(), http.MethodPost, "faults", rule, &added); err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() {
		// The test's own context has ended.
		if err := s.stack.Cloud.call(context.Background(), http.MethodDelete, "faults/"+added.ID, nil, nil); err != nil {
			s.Error(err)
		}
	})
	return func() int { return s.struck(added.ID) }
}

func (s *scenario) struck(id string) int {
	s.Helper()
	var list struct {
		Rules []struct {
			ID      string
			Faulted int
		}
	}
	if err := s.stack.Cloud.call(s.Context(), http.MethodGet, "faults", nil, &list); err != nil {
		s.Fatal(err)
	}
	for _, rule := range list.Rules {
		if rule.ID == id {
			return rule.Faulted
		}
	}
	s.Fatalf("the fault rule %s is gone: %+v", id, list)
	return 0
}

func TestAThrottledPostIsTriedAgain(t *testing.T) {
	s := begin(t, faultRules)
	c := s.dial("u", s.tenant)
	id := s.connectionID(c, "u")
	struck := s.fault(faults.Rule{Service: "execute-api", Operation: "PostToConnection", Resource: id, Count: 1, Fault: faults.Fault{Throttle: true}})
	c.ask(`{"action":"broadcast","to":{"tenant":true},"data":1}`, "accepted")
	c.message()
	c.silent("the receiver of a post that was tried again")
	if n := struck(); n != 1 {
		t.Errorf("the fault struck %d posts, want 1", n)
	}
}
