package lambda

import (
	"errors"
	"regexp"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"fanfare/localstack/faults"
)

func withFault(t *testing.T, f faults.Fault) *cloud {
	t.Helper()
	set := faults.New(1)
	if _, err := set.Add(faults.Rule{Service: "lambda", Operation: "Invoke", Resource: "f", Count: 1, Fault: f}); err != nil {
		t.Fatal(err)
	}
	c := newCloud(t, Options{Faults: set})
	c.create(t, "f", "print")
	c.create(t, "other", "")
	return c
}

func TestAFaultRefusesAnInvoke(t *testing.T) {
	for _, tt := range []struct {
		fault      faults.Fault
		code, part string
	}{
		{faults.Fault{Status: 429}, "TooManyRequestsException", "Rate Exceeded"},
		{faults.Fault{Status: 500}, "ServiceException", "internal error"},
		{faults.Fault{Status: 503, Code: "EC2ThrottledException", Message: "no machine"}, "EC2ThrottledException", "no machine"},
	} {
		t.Run(tt.code, func(t *testing.T) {
			c := withFault(t, tt.fault)
			c.mustInvoke(t, "other", "{}")
			_, err := c.Client.Invoke(t.Context(), &sdk.InvokeInput{FunctionName: aws.String("f")})
			wantFault(t, err, tt.code, tt.part)
			if _, ok := errors.AsType[*types.TooManyRequestsException](err); ok != (tt.fault.Status == 429) {
				t.Errorf("error %v", err)
			}
			c.mustInvoke(t, "f", "{}") // the rule has struck once
		})
	}
}

func TestAFaultsLatencyComesBeforeTheInvoke(t *testing.T) {
	const latency = 150 * time.Millisecond
	c := withFault(t, faults.Fault{Latency: latency})
	began := time.Now()
	if res := c.mustInvoke(t, "f", "{}"); res.FunctionError != "" || time.Since(began) < latency {
		t.Errorf("answer %s after %v", res.Payload, time.Since(began))
	}
}

// The function has done its work, the process dies, and nobody hears of it: what
// the caller gets is a crashed runtime.
func TestAFaultKillsTheProcessInTheMiddleOfAnInvoke(t *testing.T) {
	c := withFault(t, faults.Fault{Kill: true})
	res := c.mustInvoke(t, "f", `{"value":"work done"}`)
	want := regexp.MustCompile(`^{"errorMessage":"RequestId: [0-9a-f-]{36} Error: Runtime exited with error: signal: killed","errorType":"Runtime.ExitError"}$`)
	if res.FunctionError != "Unhandled" || !want.Match(res.Payload) {
		t.Errorf("answer %q %s", res.FunctionError, res.Payload)
	}
	c.logs.wait(t, "work done", 1)
	c.logs.wait(t, "Error Type: Runtime.ExitError", 1)
	if again := c.mustInvoke(t, "f", "{}"); again.FunctionError != "" {
		t.Errorf("the next invoke: %s", again.Payload)
	}
}
