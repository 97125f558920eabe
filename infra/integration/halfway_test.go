package integration

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/hashicorp/terraform-exec/tfexec"

	"fanfare/localstack/emulator"
	"fanfare/localstack/faults"
)

// denied is an answer that no client tries again.
var denied = faults.Fault{Status: 403, Code: "AccessDenied", Message: "as the test wants it"}

// TestADeploymentThatBreaksOffIsFinished deploys anew and is stopped three
// times: each apply goes on where the last one ended.
func TestADeploymentThatBreaksOffIsFinished(t *testing.T) {
	begin(t)
	var onRequest atomic.Pointer[func(emulator.Request)]
	c := startCloud(t, emulator.Options{Addr: "127.0.0.1:0", OnRequest: func(r emulator.Request) {
		if f := onRequest.Load(); f != nil {
			(*f)(r)
		}
	}})
	w := newWorkspace(t, c.URL(), "")
	options := []tfexec.ApplyOption{tfexec.VarFile("environments/local.tfvars")}
	for _, v := range w.vars {
		options = append(options, tfexec.Var(v))
	}

	t.Run("a role's policy and a route are refused", func(t *testing.T) {
		liftRoute := c.fault(t, faults.Rule{Service: "apigateway", Operation: "CreateRoute", Count: 1, Fault: denied})
		liftPolicy := c.fault(t, faults.Rule{Service: "iam", Operation: "PutRolePolicy", Resource: "fanfare-deliver-" + region, Fault: denied})
		err := w.tf.Apply(t.Context(), options...)
		wantFailure(t, err, policy("deliver"))
		wantFailure(t, err, "module.websocket_api.aws_apigatewayv2_route.this[")
		liftPolicy()
		liftRoute()
		if n := len(c.routes(t)); n != 7 {
			t.Errorf("%d routes, want all but the refused one", n)
		}
		if _, err := c.fn.GetFunction(t.Context(), &lambda.GetFunctionInput{FunctionName: aws.String("fanfare-deliver")}); err == nil {
			t.Error("the function is there, without its policy")
		}
	})
	t.Run("somebody interrupts it while a function is made", func(t *testing.T) {
		ctx, interrupt := context.WithCancel(t.Context())
		defer interrupt()
		// The provider's first look at the new function: it has noted it down, and now
		// waits 5 s. One thing at a time, so that nothing else is under way that the
		// cloud has made and the state does not know.
		f := func(r emulator.Request) {
			if r.Operation == "GetFunction" && !r.Failed() {
				interrupt()
			}
		}
		onRequest.Store(&f)
		defer onRequest.Store(nil)
		if err := w.tf.Apply(ctx, append(options, tfexec.Parallelism(1))...); err == nil {
			t.Error("an apply that was interrupted succeeds")
		}
		if ctx.Err() == nil {
			t.Error("no function was made")
		}
		if made := must(c.fn.ListFunctions(t.Context(), &lambda.ListFunctionsInput{}))(t).Functions; len(made) != 1 {
			t.Errorf("Terraform went on: there are %d functions", len(made))
		}
	})
	t.Run("the stage and an event source mapping are refused", func(t *testing.T) {
		liftStage := c.fault(t, faults.Rule{Service: "apigateway", Operation: "CreateStage", Fault: denied})
		liftMapping := c.fault(t, faults.Rule{Service: "lambda", Operation: "CreateEventSourceMapping", Resource: "fanfare-deliver*", Fault: denied})
		err := w.tf.Apply(t.Context(), options...)
		wantFailure(t, err, theStage)
		wantFailure(t, err, mapping("deliver"))
		liftStage()
		liftMapping()
	})
	t.Run("the next apply finishes it", func(t *testing.T) {
		if err := w.tf.Apply(t.Context(), options...); err != nil {
			t.Fatal(err)
		}
		if n := len(c.routes(t)); n != 8 {
			t.Errorf("%d routes, want 8", n)
		}
		w.wantNothingToDo(t)
	})
}

// fault orders a fault and returns what lifts it, once it has struck.
func (c *cloud) fault(t *testing.T, r faults.Rule) (lift func()) {
	t.Helper()
	id, err := c.Faults().Add(r)
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		t.Helper()
		for _, s := range c.Faults().List() {
			if s.ID == id && s.Faulted == 0 {
				t.Errorf("%s was never refused", r.Operation)
			}
		}
		c.Faults().Remove(id)
	}
}

// wantFailure wants an error that names the address and the cause.
func wantFailure(t *testing.T, err error, address string) {
	t.Helper()
	switch {
	case err == nil:
		t.Errorf("the apply succeeds, without %s", address)
	case !strings.Contains(err.Error(), address) || !strings.Contains(err.Error(), denied.Message):
		t.Errorf("%q does not name %s and the cause", err, address)
	}
}
