package gateway

import (
	"encoding/json"
	"net/http"
	"regexp"

	"fanfare/localstack/awsproto"
)

// maxAuthorizers is AWS's quota for one API.
const maxAuthorizers = 10

// authorizer is a Lambda function that decides who may connect, in the shape of
// the API's JSON. What follows IdentitySource exists for HTTP APIs only, or not
// here, and is never kept: each is refused with a sentence.
type authorizer struct {
	ID             string   `json:"authorizerId"`
	Name           string   `json:"name"`
	Type           string   `json:"authorizerType"`
	URI            string   `json:"authorizerUri"`
	IdentitySource []string `json:"identitySource"`

	CredentialsARN        string          `json:"authorizerCredentialsArn,omitempty"`
	PayloadFormatVersion  string          `json:"authorizerPayloadFormatVersion,omitempty"`
	ResultTTL             *int            `json:"authorizerResultTtlInSeconds,omitempty"`
	EnableSimpleResponses bool            `json:"enableSimpleResponses,omitempty"`
	JWT                   json.RawMessage `json:"jwtConfiguration,omitempty"`
}

// servedAuthorizer is what serving a route with an authorizer takes.
type servedAuthorizer struct {
	ID             string
	FunctionURI    string
	IdentitySource []string
}

// identitySource is a mapping expression that an authorizer may need.
var identitySource = regexp.MustCompile("^(route\\.request\\.(header|querystring)|stageVariables|context)\\.[A-Za-z0-9!#$%&'*+.^_`|~-]+$")

func (au *authorizer) validate(a *apiState) error {
	switch {
	case au.Name == "":
		return badRequest("name is required")
	case au.Type != "REQUEST":
		return badRequest("a WebSocket API has REQUEST authorizers only: authorizerType must be REQUEST, not %q", au.Type)
	case len(au.JWT) > 0:
		return badRequest("jwtConfiguration is supported only for JWT authorizers of HTTP APIs")
	case au.PayloadFormatVersion != "":
		return badRequest("authorizerPayloadFormatVersion is supported only for HTTP API Lambda authorizers")
	case au.EnableSimpleResponses:
		return badRequest("enableSimpleResponses is supported only for HTTP API Lambda authorizers")
	case au.ResultTTL != nil:
		return badRequest("authorizerResultTtlInSeconds is supported only for HTTP API Lambda authorizers: a WebSocket API asks its authorizer at each connect")
	case au.CredentialsARN != "":
		return badRequest("the local cloud invokes authorizers by the function's resource policy: authorizerCredentialsArn must be empty")
	}
	if _, err := functionARN(au.URI, nil); err != nil {
		return badRequest("Invalid Authorizer URI: %s. Authorizer URI should be a valid API Gateway ARN that represents a Lambda function invocation.", au.URI)
	}
	for _, source := range au.IdentitySource {
		if !identitySource.MatchString(source) {
			return badRequest("Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression parameter specified: %s]", source)
		}
	}
	for _, other := range a.Authorizers {
		if other.Name == au.Name && other.ID != au.ID {
			return badRequest("Authorizer name must be unique. Authorizer %s already exists in this RestApi.", au.Name)
		}
	}
	return nil
}

func tooManyAuthorizers() error {
	return awsproto.Errorf(http.StatusTooManyRequests, "TooManyRequestsException",
		"Maximum number of Authorizers for this API has been reached. Please contact AWS if you need additional Authorizers.")
}

// validateAuthorization checks who may use the route.
func (r *route) validateAuthorization(a *apiState) error {
	switch {
	case r.AuthorizationType == "NONE" && r.AuthorizerID == "":
		return nil
	case r.AuthorizationType == "NONE":
		return badRequest("authorizerId needs the authorizationType CUSTOM")
	case r.AuthorizationType != "CUSTOM" && r.AuthorizationType != "AWS_IAM":
		return badRequest("authorizationType of a WebSocket API must be NONE, AWS_IAM or CUSTOM, not %q", r.AuthorizationType)
	case r.Key != "$connect":
		return badRequest("Currently, authorization is restricted to the $connect route only")
	case r.AuthorizationType == "AWS_IAM":
		return badRequest("the local cloud does not check the signatures of clients: authorizationType must be NONE or CUSTOM, not AWS_IAM")
	}
	if _, ok := a.Authorizers[r.AuthorizerID]; !ok {
		return badRequest("Invalid authorizer identifier specified %q", r.AuthorizerID)
	}
	return nil
}

// servedAuthorizer freezes the route's authorizer, nil if it has none. One that
// is missing, as only a damaged snapshot could have it, lets nobody in.
func (a *apiState) servedAuthorizer(rt *route) *servedAuthorizer {
	if rt.AuthorizationType != "CUSTOM" {
		return nil
	}
	au, ok := a.Authorizers[rt.AuthorizerID]
	if !ok {
		return &servedAuthorizer{ID: rt.AuthorizerID}
	}
	return &servedAuthorizer{ID: au.ID, FunctionURI: au.URI, IdentitySource: au.IdentitySource}
}
