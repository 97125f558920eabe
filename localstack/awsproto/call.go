// Package awsproto speaks the wire protocols of the AWS services that the local
// cloud has: JSON 1.0 and 1.1, Query with XML answers, and REST-JSON, together
// with the credential scope of a SigV4 signature and the shapes of errors.
//
// A service registers its operations and returns Go values or an *Error; the
// bytes, headers and status codes are written here and nowhere else:
//
//	api := awsproto.JSON{Target: "AmazonSQS", Version: "1.0", Operations: map[string]awsproto.JSONOperation{
//		"CreateQueue": awsproto.JSONOp(s.createQueue),
//	}}
//
// Before an operation runs, the call's resources are found in the request, its
// Authorizer is asked whether the caller may do it, and then its fault rules
// (package faults), so every operation of every service can be refused, be slow,
// fail or be throttled.
//
// The package knows no policies, and of the services only which members of their
// requests name a resource and how each words a refusal. Verifier checks
// signatures, for whoever knows the secret of a key.
package awsproto

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"

	"fanfare/localstack/faults"
)

// AccountID is the account that owns everything in the local cloud.
const AccountID = "000000000000"

// DefaultRegion is used where a request names none.
const DefaultRegion = "us-east-1"

// Call describes one request while it is served. The front door puts it into
// the context; the protocols fill in Operation and Resources, so that the
// request log can name them.
type Call struct {
	RequestID  string
	Service    string   // as in the credential scope: "dynamodb", "apigateway"
	Operation  string   // as AWS names it: "PutItem", "CreateRoute"
	Resources  []string // what it is about, by bare name: a table, a queue, a function
	Region     string
	Credential Credential
	Authorize  Authorizer  // asked before each operation; nil lets everybody do everything
	Denied     bool        // Authorize refused it
	Faults     *faults.Set // asked before each operation; nil has no rules
	Faulted    bool        // a rule answered instead of the operation
	Invocation string      // the function's invoke that made or answered it, where there is one
	Unknown    bool        // no such operation here: the log says so
}

type callKey struct{}

// WithCall returns a context that carries c.
func WithCall(ctx context.Context, c *Call) context.Context {
	return context.WithValue(ctx, callKey{}, c)
}

// CallFrom returns the request's Call; outside of a request, one with the
// default region.
func CallFrom(ctx context.Context) *Call {
	if c, ok := ctx.Value(callKey{}).(*Call); ok {
		return c
	}
	return &Call{Region: DefaultRegion, RequestID: NewRequestID()}
}

// NewCall reads what r's signature says of itself. service is used where the
// request is not signed.
func NewCall(r *http.Request, service string) *Call {
	c := &Call{RequestID: NewRequestID(), Service: service, Region: DefaultRegion}
	if cred, ok := ParseCredential(r); ok {
		c.Credential, c.Region = cred, cred.Region
		if service == "" {
			c.Service = cred.Service
		}
	}
	return c
}

// NewRequestID returns a random UUID, the shape of most AWS request ids.
func NewRequestID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails since Go 1.24
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// ARN returns arn:aws:<service>:<region>:<account>:<resource> for the region
// of the request in ctx.
func ARN(ctx context.Context, service, resource string) string {
	return fmt.Sprintf("arn:aws:%s:%s:%s:%s", service, CallFrom(ctx).Region, AccountID, resource)
}
