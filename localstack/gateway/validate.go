package gateway

import (
	"net/http"
	"regexp"
	"strings"

	"fanfare/localstack/awsproto"
)

func badRequest(format string, args ...any) error {
	return awsproto.Errorf(http.StatusBadRequest, "BadRequestException", format, args...)
}

func conflict(format string, args ...any) error {
	return awsproto.Errorf(http.StatusConflict, "ConflictException", format, args...)
}

func (a *api) validate() error {
	switch {
	case a.ProtocolType != "WEBSOCKET":
		return badRequest("the local cloud has WebSocket APIs only: protocolType must be WEBSOCKET, not %q", a.ProtocolType)
	case a.Name == "":
		return badRequest("name is required")
	case a.RouteSelectionExpression == "":
		return badRequest("routeSelectionExpression is required for a WebSocket API")
	}
	_, err := parseSelection(a.RouteSelectionExpression)
	return err
}

func (i *integration) validate() error {
	switch {
	case i.Type != "AWS_PROXY":
		return badRequest("the local cloud has Lambda proxy integrations only: integrationType must be AWS_PROXY, not %q", i.Type)
	case len(i.RequestTemplates) > 0 || i.TemplateSelectionExpression != "":
		return badRequest("the local cloud has no mapping templates: leave out requestTemplates and templateSelectionExpression")
	case len(i.RequestParameters) > 0:
		return badRequest("the local cloud has no request parameter mapping: leave out requestParameters")
	case i.ConnectionType != "INTERNET":
		return badRequest("the local cloud has no VPC links: connectionType must be INTERNET, not %q", i.ConnectionType)
	case i.CredentialsARN != "":
		return badRequest("the local cloud calls functions by their resource policy: leave out credentialsArn")
	case i.TimeoutInMillis < 50 || i.TimeoutInMillis > 29000:
		return badRequest("timeoutInMillis must be between 50 and 29000, not %d", i.TimeoutInMillis)
	}
	_, err := functionARN(i.URI, nil)
	return err
}

func (r *route) validate(a *apiState) error {
	switch {
	case r.Key == "":
		return badRequest("routeKey is required")
	case r.AuthorizationType != "NONE":
		return badRequest("the local cloud has no authorizers: authorizationType must be NONE, not %q", r.AuthorizationType)
	case r.APIKeyRequired:
		return badRequest("the local cloud has no API keys: apiKeyRequired must be false")
	case r.ModelSelectionExpression != "" || len(r.RequestModels) > 0:
		return badRequest("the local cloud has no models: leave out modelSelectionExpression and requestModels")
	case len(r.RequestParameters) > 0:
		return badRequest("the local cloud has no request parameter validation: leave out requestParameters")
	case r.RouteResponseSelectionExpression != "" && r.RouteResponseSelectionExpression != "$default":
		return badRequest("routeResponseSelectionExpression must be $default, not %q", r.RouteResponseSelectionExpression)
	}
	if r.Target != "" {
		if _, ok := a.Integrations[integrationID(r.Target)]; !ok {
			return badRequest("Invalid integration identifier specified in target %q", r.Target)
		}
	}
	for _, other := range a.Routes {
		if other.Key == r.Key && other.ID != r.ID {
			return conflict("Route with key %s already exists for this API", r.Key)
		}
	}
	return nil
}

var stageName = regexp.MustCompile(`^(\$default|[A-Za-z0-9_-]{1,128})$`)

func (st *stage) validate(a *apiState, acc account) error {
	if !stageName.MatchString(st.Name) {
		return badRequest("stageName %q may hold only letters, digits, '-' and '_', at most 128", st.Name)
	}
	if st.DeploymentID != "" {
		if _, err := find(a.Deployments, "Deployment", st.DeploymentID); err != nil {
			return err
		}
	}
	if st.AccessLogSettings != nil && st.AccessLogSettings.DestinationARN != "" {
		return badRequest("the local cloud writes no access logs: leave out accessLogSettings")
	}
	if st.logs() && acc.CloudwatchRoleARN == "" {
		return badRequest("CloudWatch Logs role ARN must be set in account settings to enable logging")
	}
	return nil
}

func (st *stage) logs() bool {
	if d := st.DefaultRouteSettings; d != nil && d.logs() {
		return true
	}
	for _, rs := range st.RouteSettings {
		if rs.logs() {
			return true
		}
	}
	return false
}

func (rs *routeSettings) logs() bool {
	return rs.DataTraceEnabled || (rs.LoggingLevel != "" && rs.LoggingLevel != "OFF")
}

func integrationID(target string) string {
	return strings.TrimPrefix(target, "integrations/")
}

const stageVariable = "${stageVariables."

// functionARN reads the function's ARN out of an integration's URI,
// arn:aws:apigateway:<region>:lambda:path/2015-03-31/functions/<arn>/invocations,
// and puts in the stage's variables. With nil variables it only checks the form.
func functionARN(uri string, variables map[string]string) (string, error) {
	_, rest, ok := strings.Cut(uri, ":lambda:path/2015-03-31/functions/")
	arn, isInvoke := strings.CutSuffix(rest, "/invocations")
	if !ok || !isInvoke || !strings.HasPrefix(uri, "arn:aws") {
		return "", badRequest("integrationUri must be a Lambda function's invoke ARN (arn:aws:apigateway:<region>:lambda:path/2015-03-31/functions/<function ARN>/invocations), not %q", uri)
	}
	for variables != nil {
		before, rest, found := strings.Cut(arn, stageVariable)
		name, after, closed := strings.Cut(rest, "}")
		if !found || !closed {
			break
		}
		arn = before + variables[name] + after
	}
	return arn, nil
}
