package gateway

import (
	"net/http"
	"net/url"
	"strings"

	"fanfare/localstack/awsproto"
)

// target is the stage that a request is for, with what it serves. It is a copy
// that later changes of the API do not touch.
type target struct {
	api, stage string
	region     string
	selection  selection
	routes     release
	variables  map[string]string
	defaults   *routeSettings
	settings   map[string]routeSettings // by route key
	accessLog  accessLogSettings
}

// lookup finds a deployed stage.
func (s *Service) lookup(apiID, stageName string) (target, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	a, ok := s.state.APIs[apiID]
	if !ok {
		return target{}, false
	}
	st, ok := a.Stages[stageName]
	if !ok {
		return target{}, false
	}
	served, ok := a.served(st)
	if !ok {
		return target{}, false
	}
	sel, err := parseSelection(a.API.RouteSelectionExpression)
	if err != nil { // validated when it was set
		return target{}, false
	}
	return target{
		api: apiID, stage: stageName, region: a.Region,
		selection: sel, routes: served, variables: st.StageVariables,
		defaults: st.DefaultRouteSettings, settings: st.RouteSettings,
		accessLog: st.AccessLogSettings,
	}, true
}

// serveData takes /_aws/execute-api/<apiId>/<stage>[/@connections/<id>].
func (s *Service) serveData(w http.ResponseWriter, r *http.Request) {
	call := awsproto.CallFrom(r.Context())
	call.Service = serviceName
	w.Header().Set("x-amzn-requestid", call.RequestID)
	w.Header().Set("x-amz-apigw-id", newRequestID())
	path, ok := parseDataPath(r.URL.EscapedPath())
	if !ok {
		call.Operation = "Unknown path"
		forbidden(w)
		return
	}
	t, ok := s.lookup(path.api, path.stage)
	if !ok {
		call.Operation = "Unknown API or stage"
		forbidden(w)
		return
	}
	if path.management {
		s.manage(w, r, call, t, path.connection)
		return
	}
	call.Operation = "$connect"
	s.upgrade(w, r, t) // the socket outlives the request, and so does its $disconnect
}

// dataPath is what a path of the data plane names.
type dataPath struct {
	api, stage string
	management bool   // @connections/<connection>
	connection string // as the client spelled it, valid or not
}

// parseDataPath reads an escaped path. It is split before it is unescaped, for
// a connection id may hold an escaped slash; '@' may be spelled %40.
func parseDataPath(escaped string) (dataPath, bool) {
	rest, ok := strings.CutPrefix(escaped, DataPath)
	if !ok {
		return dataPath{}, false
	}
	parts := strings.Split(rest, "/")
	for i := range parts {
		part, err := url.PathUnescape(parts[i])
		if err != nil {
			return dataPath{}, false
		}
		parts[i] = part
	}
	switch {
	case len(parts) == 2, len(parts) == 3 && parts[2] == "":
		return dataPath{api: parts[0], stage: parts[1]}, true
	case len(parts) == 4 && parts[2] == "@connections":
		return dataPath{api: parts[0], stage: parts[1], management: true, connection: parts[3]}, true
	}
	return dataPath{}, false
}

func forbidden(w http.ResponseWriter) {
	refuse(w, http.StatusForbidden, "ForbiddenException", `{"message":"Forbidden"}`)
}

// refuse answers with an error in API Gateway's words. The header alone tells
// the SDKs which one it is.
func refuse(w http.ResponseWriter, status int, errorType, body string) {
	w.Header().Set("x-amzn-ErrorType", errorType)
	respond(w, status, "application/json", body)
}
