package awsproto

import (
	"net/http"
	"strings"
)

// Authorizer decides whether a call may be done, once its Operation and
// Resources are known and before anything else is: nil lets it pass, else it is
// answered with the error. What the request says beyond that is in r: its form
// in the Query protocol, its path's wildcards in REST. body is the JSON protocol's.
// It must not write to either.
type Authorizer func(call *Call, r *http.Request, body []byte) *Error

// Permit asks the call's Authorizer. The protocols do so before each operation;
// what is served past them has to ask itself.
func (c *Call) Permit(r *http.Request, body []byte) error {
	if c.Authorize == nil {
		return nil
	}
	if e := c.Authorize(c, r, body); e != nil { // a nil *Error is no nil error
		c.Denied = true
		return e
	}
	return nil
}

// admit lets a call be done that is permitted and that no fault rule strikes.
func (c *Call) admit(r *http.Request, body []byte) error {
	if err := c.Permit(r, body); err != nil {
		return err
	}
	return c.strike(r.Context())
}

// AccessDenied is the refusal of an AWS service that evaluates policies: every
// service has these words, in its own protocol and under its own code.
//
// why is "because no identity-based policy allows the … action", or whatever
// else decided, as in
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html.
func AccessDenied(service, principal, action, resource, why string) *Error {
	e := Errorf(http.StatusForbidden, "AccessDenied",
		"User: %s is not authorized to perform: %s on resource: %s %s", principal, action, resource, why)
	switch service {
	case "dynamodb", "logs", "kms":
		e.Status, e.Code, e.Namespace = http.StatusBadRequest, "AccessDeniedException", coralNamespace
	case "sqs":
		e.Code, e.Namespace, e.QueryCode = "AccessDeniedException", coralNamespace, "AccessDenied"
		// SQS writes the action without capitals.
		e.Message = strings.ReplaceAll(e.Message, action, strings.ToLower(action))
	case "lambda":
		e.Code = "AccessDeniedException"
		e.Fields = map[string]any{"Message": e.Message}
	case "apigateway":
		e.Code = "AccessDeniedException"
	case "execute-api": // says why only where something denies
		e.Code = "AccessDeniedException"
		if strings.HasPrefix(why, "because") {
			e.Message = strings.TrimSuffix(e.Message, " "+why)
		}
	}
	return e
}

// coralNamespace is where errors come from that are not a service's own.
const coralNamespace = "com.amazon.coral.service#"
