package gateway

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"

	"fanfare/localstack/awsproto"
)

// routes registers the control plane. Paths, methods and status codes are
// those of the apigatewayv2 API model; /account is of the older apigateway API,
// which owns the account's settings for both.
func (s *Service) routes() *awsproto.REST {
	c := awsproto.NewREST()
	handle := func(pattern, name string, op awsproto.RESTOperation) { c.Handle(pattern, name, s.locked(op)) }
	handle("POST /v2/apis", "CreateApi", s.createAPI)
	handle("GET /v2/apis", "GetApis", s.getAPIs)
	handle("GET /v2/apis/{api}", "GetApi", s.onAPI(s.getAPI))
	handle("PATCH /v2/apis/{api}", "UpdateApi", s.onAPI(s.updateAPI))
	handle("DELETE /v2/apis/{api}", "DeleteApi", s.onAPI(s.deleteAPI))

	const integrations = "/v2/apis/{api}/integrations"
	handle("POST "+integrations, "CreateIntegration", s.onAPI(s.createIntegration))
	handle("GET "+integrations, "GetIntegrations", s.onAPI(s.getIntegrations))
	handle("GET "+integrations+"/{id}", "GetIntegration", s.onAPI(s.getIntegration))
	handle("PATCH "+integrations+"/{id}", "UpdateIntegration", s.onAPI(s.updateIntegration))
	handle("DELETE "+integrations+"/{id}", "DeleteIntegration", s.onAPI(s.deleteIntegration))

	const routes = "/v2/apis/{api}/routes"
	handle("POST "+routes, "CreateRoute", s.onAPI(s.createRoute))
	handle("GET "+routes, "GetRoutes", s.onAPI(s.getRoutes))
	handle("GET "+routes+"/{id}", "GetRoute", s.onAPI(s.getRoute))
	handle("PATCH "+routes+"/{id}", "UpdateRoute", s.onAPI(s.updateRoute))
	handle("DELETE "+routes+"/{id}", "DeleteRoute", s.onAPI(s.deleteRoute))

	const authorizers = "/v2/apis/{api}/authorizers"
	handle("POST "+authorizers, "CreateAuthorizer", s.onAPI(s.createAuthorizer))
	handle("GET "+authorizers, "GetAuthorizers", s.onAPI(s.getAuthorizers))
	handle("GET "+authorizers+"/{id}", "GetAuthorizer", s.onAPI(s.getAuthorizer))
	handle("PATCH "+authorizers+"/{id}", "UpdateAuthorizer", s.onAPI(s.updateAuthorizer))
	handle("DELETE "+authorizers+"/{id}", "DeleteAuthorizer", s.onAPI(s.deleteAuthorizer))

	const responses = routes + "/{route}/routeresponses"
	handle("POST "+responses, "CreateRouteResponse", s.onAPI(s.createRouteResponse))
	handle("GET "+responses, "GetRouteResponses", s.onAPI(s.getRouteResponses))
	handle("GET "+responses+"/{id}", "GetRouteResponse", s.onAPI(s.getRouteResponse))
	handle("PATCH "+responses+"/{id}", "UpdateRouteResponse", s.onAPI(s.updateRouteResponse))
	handle("DELETE "+responses+"/{id}", "DeleteRouteResponse", s.onAPI(s.deleteRouteResponse))

	const deployments = "/v2/apis/{api}/deployments"
	handle("POST "+deployments, "CreateDeployment", s.onAPI(s.createDeployment))
	handle("GET "+deployments, "GetDeployments", s.onAPI(s.getDeployments))
	handle("GET "+deployments+"/{id}", "GetDeployment", s.onAPI(s.getDeployment))
	handle("PATCH "+deployments+"/{id}", "UpdateDeployment", s.onAPI(s.updateDeployment))
	handle("DELETE "+deployments+"/{id}", "DeleteDeployment", s.onAPI(s.deleteDeployment))

	const stages = "/v2/apis/{api}/stages"
	handle("POST "+stages, "CreateStage", s.onAPI(s.createStage))
	handle("GET "+stages, "GetStages", s.onAPI(s.getStages))
	handle("GET "+stages+"/{id}", "GetStage", s.onAPI(s.getStage))
	handle("PATCH "+stages+"/{id}", "UpdateStage", s.onAPI(s.updateStage))
	handle("DELETE "+stages+"/{id}", "DeleteStage", s.onAPI(s.deleteStage))
	handle("DELETE "+stages+"/{id}/accesslogsettings", "DeleteAccessLogSettings", s.onAPI(s.deleteAccessLogSettings))
	handle("DELETE "+stages+"/{id}/routesettings/{key}", "DeleteRouteSettings", s.onAPI(s.deleteRouteSettings))

	handle("GET /v2/tags/{arn}", "GetTags", s.getTags)
	handle("POST /v2/tags/{arn}", "TagResource", s.tagResource)
	handle("DELETE /v2/tags/{arn}", "UntagResource", s.untagResource)
	handle("GET /account", "GetAccount", s.getAccount)
	handle("PATCH /account", "UpdateAccount", s.updateAccount)
	return c
}

// locked runs op with s.mu held, and marshals its answer before anybody can
// change what that points to. The body is read before: a slow caller must hold
// up no socket.
func (s *Service) locked(op awsproto.RESTOperation) awsproto.RESTOperation {
	return func(r *http.Request) (int, any, error) {
		body, err := awsproto.ReadBody(r)
		if err != nil {
			return 0, nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		s.mu.Lock()
		defer s.mu.Unlock()
		status, out, err := op(r)
		if err != nil || out == nil {
			return status, nil, err
		}
		answer, err := json.Marshal(out)
		return status, json.RawMessage(answer), err
	}
}

// onAPI finds the API that the path names.
func (s *Service) onAPI(op func(*http.Request, *apiState) (int, any, error)) awsproto.RESTOperation {
	return func(r *http.Request) (int, any, error) {
		a, err := find(s.state.APIs, "API", r.PathValue("api"))
		if err != nil {
			return 0, nil, err
		}
		return op(r, a)
	}
}

// decode reads r's JSON body into v. A member that v does not have is one that
// the local cloud does not support, and so refused by name: AWS would act on
// it, so ignoring it would be a lie.
func decode(r *http.Request, v any) error {
	body, err := awsproto.ReadBody(r)
	if err != nil || len(body) == 0 {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	err = dec.Decode(v)
	if err == nil && !json.Valid(body) { // something follows the object
		err = io.ErrUnexpectedEOF
	}
	if err == nil {
		return nil
	}
	if member, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return badRequest("the local cloud does not support %s here", member)
	}
	return badRequest("Invalid request body: %v", err)
}

// patched returns a copy of v with the members of r's body put in: JSON decodes
// into what is there, so members that are absent stay. The copy is deep, so v
// stays as it is if the patch turns out to be wrong.
func patched[T any](r *http.Request, v *T) (*T, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	next := new(T)
	if err := json.Unmarshal(raw, next); err != nil {
		return nil, err
	}
	return next, decode(r, next)
}

func (s *Service) createAPI(r *http.Request) (int, any, error) {
	a := api{APIKeySelectionExpression: "$request.header.x-api-key", IPAddressType: "ipv4"}
	err := decode(r, &a)
	if err == nil {
		err = a.validate()
	}
	if err != nil {
		return 0, nil, err
	}
	if err := belowQuota(len(s.state.APIs), maxAPIs, "APIs", "account"); err != nil {
		return 0, nil, err
	}
	a.ID, a.CreatedDate, a.Tags = newID(10), s.clock.Now().UTC(), orEmpty(a.Tags)
	s.state.APIs[a.ID] = newAPIState(a, awsproto.CallFrom(r.Context()).Region)
	return http.StatusCreated, s.shown(a), nil
}

// shown returns the API as it is answered. Its endpoint is not remembered: a
// restored cloud may listen elsewhere.
func (s *Service) shown(a api) api {
	a.Endpoint = "ws://" + s.endpoint() + DataPath + a.ID
	return a
}

func (s *Service) getAPIs(*http.Request) (int, any, error) {
	all := map[string]*api{}
	for id, a := range s.state.APIs {
		shown := s.shown(a.API)
		all[id] = &shown
	}
	return http.StatusOK, itemsOf(all), nil
}

func (s *Service) getAPI(_ *http.Request, a *apiState) (int, any, error) {
	return http.StatusOK, s.shown(a.API), nil
}

func (s *Service) updateAPI(r *http.Request, a *apiState) (int, any, error) {
	next, err := patched(r, &a.API)
	if err == nil {
		err = next.validate()
	}
	if err != nil {
		return 0, nil, err
	}
	next.ID, next.CreatedDate, next.Tags = a.API.ID, a.API.CreatedDate, a.API.Tags
	a.API = *next
	return http.StatusOK, s.shown(a.API), nil
}

func (s *Service) deleteAPI(_ *http.Request, a *apiState) (int, any, error) {
	delete(s.state.APIs, a.API.ID)
	s.retire(a.API.ID, "")
	return http.StatusNoContent, nil, nil
}

// retire ends what lives on the data plane of a stage that was deleted, of all
// the API's where stage is empty.
func (s *Service) retire(api, stage string) {
	s.sockets.closeStage(api, stage)
	s.throttle.forget(api, stage)
}
