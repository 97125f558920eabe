package lambda

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

const testTrace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"

func TestTheTraceHeaderCountsEachFunction(t *testing.T) {
	a, b := arnHead+"a", arnHead+"b"
	trace := testTrace
	for range 3 {
		trace = withHop(trace, a)
	}
	trace = withHop(trace, b)
	want := testTrace + ";Lineage=" + hopName(a) + ":3|" + hopName(b) + ":1"
	if trace != want {
		t.Errorf("trace %s, want %s", trace, want)
	}
	encoded := strings.ReplaceAll(trace, "|", "%7C") // as aws-sdk-go-v2 writes it into X-Amzn-Trace-Id
	for what, tt := range map[string]struct {
		trace string
		want  int
	}{
		"as it was written":                     {trace, 3},
		"percent-encoded by the SDK":            {encoded, 3},
		"a header without a lineage":            {testTrace, 0},
		"nothing":                               {"", 0},
		"a lineage that is no number":           {testTrace + ";Lineage=" + hopName(a) + ":many", 0},
		"a lineage of nobody":                   {testTrace + ";Lineage=:3", 0},
		"a negative count":                      {testTrace + ";Lineage=" + hopName(a) + ":-3", 0},
		"a percent sign that encodes nothing":   {testTrace + ";Lineage=" + hopName(a) + ":4%", 0},
		"only other functions in between":       {testTrace + ";Lineage=a87bd80c:9|68fd508a:5", 0},
		"the highest of two counts, if it lies": {testTrace + ";Lineage=" + hopName(a) + ":2|" + hopName(a) + ":7", 7},
	} {
		if got := hopsOf(tt.trace, a); got != tt.want {
			t.Errorf("%s: %d, want %d", what, got, tt.want)
		}
	}
}

func FuzzLineage(f *testing.F) {
	f.Add(testTrace + ";Lineage=a87bd80c:1|68fd508a:5")
	f.Add("Lineage=%7C%7c|:|::")
	f.Fuzz(func(t *testing.T, trace string) {
		before := hopsOf(trace, arnHead+"f")
		after := withHop(trace, arnHead+"f")
		if n := hopsOf(after, arnHead+"f"); n != before+1 && before < 1<<20 {
			t.Errorf("%d after %d: %q -> %q", n, before, trace, after)
		}
		if n := len(lineage(after)); n > maxLineage {
			t.Errorf("%d functions remembered", n)
		}
	})
}

// hop invokes a function in a chain and returns the header that the function
// would pass on.
func (c *cloud) hop(t *testing.T, name, trace string) (string, error) {
	t.Helper()
	res, err := c.Invoke(context.Background(), Request{Function: name, TraceID: trace, ClientContext: `{"custom":{}}`})
	if err != nil {
		return "", err
	}
	return decode[map[string]any](t, res.Payload)["trace"].(string), nil
}

func TestTheSeventeenthRunInAChainIsRefused(t *testing.T) {
	t.Run("one function in a loop [LDG:invocation-recursion]", func(t *testing.T) {
		c := newCloud(t, Options{})
		c.create(t, "a", "context")
		trace, err := testTrace, error(nil)
		for i := range maxHops {
			if trace, err = c.hop(t, "a", trace); err != nil {
				t.Fatalf("run %d: %v", i+1, err)
			}
		}
		_, err = c.hop(t, "a", trace)
		wantFault(t, err, "RecursiveInvocationException", "recursive loop")
		if counts, refused := c.Lineage("a", trace); counts != hopName(arnHead+"a")+":16" || !refused {
			t.Errorf("Lineage = %s, %v", counts, refused)
		}
		if _, err := c.hop(t, "a", testTrace); err != nil {
			t.Errorf("another chain is refused too: %v", err)
		}
	})
	t.Run("two functions that call one another [LDG:invocation-recursion]", func(t *testing.T) {
		c := newCloud(t, Options{})
		c.create(t, "a", "context")
		c.create(t, "b", "context")
		trace, err := testTrace, error(nil)
		for i := range maxHops {
			for _, name := range []string{"a", "b"} {
				if trace, err = c.hop(t, name, trace); err != nil {
					t.Fatalf("run %d of %s: %v", i+1, name, err)
				}
			}
		}
		_, err = c.hop(t, "a", trace)
		wantFault(t, err, "RecursiveInvocationException", "")
	})
	t.Run("RecursiveLoop Allow [LDG:invocation-recursion]", func(t *testing.T) {
		c := newCloud(t, Options{})
		c.create(t, "a", "context")
		deep := testTrace + ";Lineage=" + hopName(arnHead+"a") + ":16"
		name := aws.String("a")
		if out, err := c.GetFunctionRecursionConfig(t.Context(), &sdk.GetFunctionRecursionConfigInput{FunctionName: name}); err != nil || out.RecursiveLoop != types.RecursiveLoopTerminate {
			t.Errorf("at first: %+v %v, want Terminate", out, err)
		}
		put, err := c.PutFunctionRecursionConfig(t.Context(), &sdk.PutFunctionRecursionConfigInput{FunctionName: name, RecursiveLoop: types.RecursiveLoopAllow})
		if err != nil || put.RecursiveLoop != types.RecursiveLoopAllow {
			t.Fatalf("put: %+v %v", put, err)
		}
		if out, err := c.GetFunctionRecursionConfig(t.Context(), &sdk.GetFunctionRecursionConfigInput{FunctionName: name}); err != nil || out.RecursiveLoop != types.RecursiveLoopAllow {
			t.Errorf("then: %+v %v", out, err)
		}
		if next, err := c.hop(t, "a", deep); err != nil || hopsOf(next, arnHead+"a") != 17 {
			t.Errorf("run 17: %s %v", next, err)
		}
		_, err = c.PutFunctionRecursionConfig(t.Context(), &sdk.PutFunctionRecursionConfigInput{FunctionName: name, RecursiveLoop: "Perhaps"})
		wantFault(t, err, "ValidationException", "[Allow, Terminate]")
		_, err = c.GetFunctionRecursionConfig(t.Context(), &sdk.GetFunctionRecursionConfigInput{FunctionName: aws.String("nobody")})
		wantFault(t, err, "ResourceNotFoundException", "")
		_, err = c.GetFunctionRecursionConfig(t.Context(), &sdk.GetFunctionRecursionConfigInput{FunctionName: aws.String("a:$LATEST")})
		wantFault(t, err, "InvalidParameterValueException", "without a qualifier")
	})
	t.Run("an asynchronous event is dropped, not tried again [LDG:invocation-recursion]", func(t *testing.T) {
		c := newCloud(t, Options{})
		c.create(t, "a", "context")
		err := c.enqueue(Request{Function: "a", TraceID: fmt.Sprintf("%s;Lineage=%s:%d", testTrace, hopName(arnHead+"a"), maxHops)}, "id")
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, "the event is dropped", func() bool { return pending(c) == nil })
	})
}
