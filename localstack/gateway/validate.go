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

func notFound(kind, id string) error {
	return awsproto.Errorf(http.StatusNotFound, "NotFoundException", "Invalid %s identifier specified %s", kind, id)
}

func (a *api) validate() error {
	switch {
	case a.ProtocolType != "WEBSOCKET":
		return badRequest("the local cloud has WebSocket APIs only: protocolType must be WEBSOCKET, not %q", a.ProtocolType)
	case a.Name == "":
		return badRequest("name is required")
	case a.RouteSelectionExpression == "":
		return badRequest("routeSelectionExpression is required for a WebSocket API")
	case a.DisableExecuteAPIEndpoint:
		return badRequest("the local cloud has no custom domain names: disableExecuteApiEndpoint must be false")
	case a.IPAddressType != "ipv4":
		return badRequest("the local cloud has ipAddressType ipv4 only, not %q", a.IPAddressType)
	}
	_, err := parseSelection(a.RouteSelectionExpression)
	return err
}

func (i *integration) validate() error {
	switch {
	case i.Type != "AWS_PROXY":
		return badRequest("the local cloud has Lambda proxy integrations only: integrationType must be AWS_PROXY, not %q", i.Type)
	case i.ConnectionType != "INTERNET":
		return badRequest("the local cloud has no VPC links: connectionType must be INTERNET, not %q", i.ConnectionType)
	case i.Method != "" && i.Method != "POST":
		return badRequest("a Lambda function is invoked by POST: integrationMethod must be POST, not %q", i.Method)
	case i.ContentHandlingStrategy != "" && i.ContentHandlingStrategy != "CONVERT_TO_TEXT":
		return badRequest("the local cloud handles text only: contentHandlingStrategy must be CONVERT_TO_TEXT, not %q", i.ContentHandlingStrategy)
	case i.PayloadFormatVersion != "1.0":
		return badRequest("payloadFormatVersion of a WebSocket API must be 1.0, not %q", i.PayloadFormatVersion)
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
	case r.APIKeyRequired:
		return badRequest("the local cloud has no API keys: apiKeyRequired must be false")
	case r.RouteResponseSelectionExpression != "" && r.RouteResponseSelectionExpression != "$default":
		return badRequest("routeResponseSelectionExpression must be $default, not %q", r.RouteResponseSelectionExpression)
	}
	if r.Target != "" {
		if _, ok := a.Integrations[integrationID(r.Target)]; !ok {
			return badRequest("Invalid integration identifier specified in target %q", r.Target)
		}
	}
	if err := r.validateAuthorization(a); err != nil {
		return err
	}
	for _, other := range a.Routes {
		if other.Key == r.Key && other.ID != r.ID {
			return conflict("Route with key %s already exists for this API", r.Key)
		}
	}
	return nil
}

// integrationID reads a route's target, integrations/<id>.
func integrationID(target string) string {
	return strings.TrimPrefix(target, "integrations/")
}

func (r *routeResponse) validate() error {
	if r.Key != "$default" {
		return badRequest("routeResponseKey must be $default, not %q", r.Key)
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
	for _, rs := range st.allSettings() {
		if rs.rate() < 0 || rs.burst() < 0 {
			return badRequest("throttlingRateLimit and throttlingBurstLimit must not be negative")
		}
		if rs.logs() && acc.CloudwatchRoleARN == "" {
			return badRequest("CloudWatch Logs role ARN must be set in account settings to enable logging")
		}
	}
	return st.AccessLogSettings.validate(acc)
}

func (st *stage) allSettings() []routeSettings {
	var all []routeSettings
	if st.DefaultRouteSettings != nil {
		all = append(all, *st.DefaultRouteSettings)
	}
	for _, rs := range st.RouteSettings {
		all = append(all, rs)
	}
	return all
}

func (rs *routeSettings) logs() bool {
	return rs.DataTraceEnabled || (rs.LoggingLevel != "" && rs.LoggingLevel != "OFF")
}
