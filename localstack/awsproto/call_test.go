package awsproto_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"fanfare/localstack/awsproto"
)

func TestNewCallReadsTheSignature(t *testing.T) {
	tests := map[string]struct {
		authorization, service  string
		wantService, wantRegion string
		wantKey                 string
	}{
		"unsigned requests have the default region": {"", "lambda", "lambda", "us-east-1", ""},
		"the scope names service and region":        {signature("AKIA", "eu-west-1", "sqs"), "", "sqs", "eu-west-1", "AKIA"},
		"what the front door knows wins":            {signature("AKIA", "eu-west-1", "execute-api"), "gateway", "gateway", "eu-west-1", "AKIA"},
		"another scheme is no signature":            {"Bearer token", "iam", "iam", "us-east-1", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest("POST", "/", nil)
			r.Header.Set("Authorization", tt.authorization)
			c := awsproto.NewCall(r, tt.service)
			if c.Service != tt.wantService || c.Region != tt.wantRegion || c.Credential.AccessKeyID != tt.wantKey {
				t.Errorf("got %+v", c)
			}
		})
	}
}

func TestTheCallTravelsInTheContext(t *testing.T) {
	c := &awsproto.Call{Region: "eu-west-1"}
	ctx := awsproto.WithCall(t.Context(), c)
	awsproto.CallFrom(ctx).Operation = "PutItem"
	if c.Operation != "PutItem" {
		t.Error("CallFrom gave another call than WithCall took")
	}
	if got := awsproto.ARN(ctx, "sqs", "q"); got != "arn:aws:sqs:eu-west-1:000000000000:q" {
		t.Errorf("ARN %s", got)
	}
	if got := awsproto.ARN(context.Background(), "sqs", "q"); got != "arn:aws:sqs:us-east-1:000000000000:q" {
		t.Errorf("ARN outside of a request %s", got)
	}
}

func TestRequestIDsAreUniqueUUIDs(t *testing.T) {
	uuid := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	a, b := awsproto.NewRequestID(), awsproto.NewRequestID()
	if !uuid.MatchString(a) || a == b {
		t.Errorf("got %s and %s", a, b)
	}
}

func TestAsErrorKeepsAWSErrorsAndHidesNothing(t *testing.T) {
	gone := awsproto.Errorf(404, "NoSuchEntity", "no %s", "role")
	if got := awsproto.AsError(errors.Join(errors.New("context"), gone)); got != gone {
		t.Errorf("got %v, want the wrapped error", got)
	}
	got := awsproto.AsError(errors.New("disk full"))
	if got.Status != 500 || got.Code != "InternalFailure" || !strings.Contains(got.Message, "disk full") {
		t.Errorf("got %+v", got)
	}
}
