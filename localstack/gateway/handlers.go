package gateway

import (
	"encoding/json"
	"maps"
	"net/http"
	"strings"

	"fanfare/localstack/awsproto"
)

// routes registers the control plane. Paths, methods and status codes are
// those of the apigatewayv2 API model; /account is of the older apigateway API,
// which owns the account's settings for both.
func (s *Service) routes() *awsproto.REST {
	c := awsproto.NewREST()
	c.Handle("POST /v2/apis", "CreateApi", s.createAPI)
	c.Handle("GET /v2/apis", "GetApis", s.getAPIs)
	c.Handle("GET /v2/apis/{api}", "GetApi", s.onAPI(s.getAPI))
	c.Handle("PATCH /v2/apis/{api}", "UpdateApi", s.onAPI(s.updateAPI))
	c.Handle("DELETE /v2/apis/{api}", "DeleteApi", s.onAPI(s.deleteAPI))

	const integrations = "/v2/apis/{api}/integrations"
	c.Handle("POST "+integrations, "CreateIntegration", s.onAPI(s.createIntegration))
	c.Handle("GET "+integrations, "GetIntegrations", s.onAPI(s.getIntegrations))
	c.Handle("GET "+integrations+"/{id}", "GetIntegration", s.onAPI(s.getIntegration))
	c.Handle("PATCH "+integrations+"/{id}", "UpdateIntegration", s.onAPI(s.updateIntegration))
	c.Handle("DELETE "+integrations+"/{id}", "DeleteIntegration", s.onAPI(s.deleteIntegration))

	const routes = "/v2/apis/{api}/routes"
	c.Handle("POST "+routes, "CreateRoute", s.onAPI(s.createRoute))
	c.Handle("GET "+routes, "GetRoutes", s.onAPI(s.getRoutes))
	c.Handle("GET "+routes+"/{id}", "GetRoute", s.onAPI(s.getRoute))
	c.Handle("PATCH "+routes+"/{id}", "UpdateRoute", s.onAPI(s.updateRoute))
	c.Handle("DELETE "+routes+"/{id}", "DeleteRoute", s.onAPI(s.deleteRoute))

	const responses = routes + "/{route}/routeresponses"
	c.Handle("POST "+responses, "CreateRouteResponse", s.onAPI(s.createRouteResponse))
	c.Handle("GET "+responses, "GetRouteResponses", s.onAPI(s.getRouteResponses))
	c.Handle("GET "+responses+"/{id}", "GetRouteResponse", s.onAPI(s.getRouteResponse))
	c.Handle("PATCH "+responses+"/{id}", "UpdateRouteResponse", s.onAPI(s.updateRouteResponse))
	c.Handle("DELETE "+responses+"/{id}", "DeleteRouteResponse", s.onAPI(s.deleteRouteResponse))

	const deployments = "/v2/apis/{api}/deployments"
	c.Handle("POST "+deployments, "CreateDeployment", s.onAPI(s.createDeployment))
	c.Handle("GET "+deployments, "GetDeployments", s.onAPI(s.getDeployments))
	c.Handle("GET "+deployments+"/{id}", "GetDeployment", s.onAPI(s.getDeployment))
	c.Handle("PATCH "+deployments+"/{id}", "UpdateDeployment", s.onAPI(s.updateDeployment))
	c.Handle("DELETE "+deployments+"/{id}", "DeleteDeployment", s.onAPI(s.deleteDeployment))

	const stages = "/v2/apis/{api}/stages"
	c.Handle("POST "+stages, "CreateStage", s.onAPI(s.createStage))
	c.Handle("GET "+stages, "GetStages", s.onAPI(s.getStages))
	c.Handle("GET "+stages+"/{id}", "GetStage", s.onAPI(s.getStage))
	c.Handle("PATCH "+stages+"/{id}", "UpdateStage", s.onAPI(s.updateStage))
	c.Handle("DELETE "+stages+"/{id}", "DeleteStage", s.onAPI(s.deleteStage))
	c.Handle("DELETE "+stages+"/{id}/routesettings/{key}", "DeleteRouteSettings", s.onAPI(s.deleteRouteSettings))

	c.Handle("GET /v2/tags/{arn}", "GetTags", s.getTags)
	c.Handle("POST /v2/tags/{arn}", "TagResource", s.tagResource)
	c.Handle("DELETE /v2/tags/{arn}", "UntagResource", s.untagResource)
	c.Handle("GET /account", "GetAccount", s.getAccount)
	c.Handle("PATCH /account", "UpdateAccount", s.updateAccount)
	return c
}

// onAPI finds the API that the path names and holds the lock while op runs.
func (s *Service) onAPI(op func(*http.Request, *apiState) (int, any, error)) awsproto.RESTOperation {
	return func(r *http.Request) (int, any, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		a, err := find(s.state.APIs, "API", r.PathValue("api"))
		if err != nil {
			return 0, nil, err
		}
		status, out, err := op(r, a)
		if err != nil || out == nil {
			return status, nil, err
		}
		// Marshalled here, while nobody can change what out points to.
		raw, err := json.Marshal(out)
		return status, json.RawMessage(raw), err
	}
}

// patched returns a copy of v with the members of r's body put in: JSON
// decodes into what is there, so members that are absent stay.
func patched[T any](r *http.Request, v *T) (*T, error) {
	next := *v
	return &next, awsproto.DecodeREST(r, &next)
}

func (s *Service) createAPI(r *http.Request) (int, any, error) {
	a := api{APIKeySelectionExpression: "$request.header.x-api-key"}
	if err := awsproto.DecodeREST(r, &a); err != nil {
		return 0, nil, err
	}
	if err := a.validate(); err != nil {
		return 0, nil, err
	}
	a.ID, a.CreatedDate, a.Tags = newID(10), s.clock.Now().UTC(), cloneTags(a.Tags)
	a.Endpoint = "ws://" + s.endpoint() + DataPath + a.ID
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.APIs[a.ID] = newAPIState(a, awsproto.CallFrom(r.Context()).Region)
	return http.StatusCreated, a, nil
}

func (s *Service) getAPIs(*http.Request) (int, any, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	all := map[string]*api{}
	for id, a := range s.state.APIs {
		all[id] = &a.API
	}
	return http.StatusOK, itemsOf(all, func(a *api) string { return a.ID }), nil
}

func (s *Service) getAPI(_ *http.Request, a *apiState) (int, any, error) {
	return http.StatusOK, a.API, nil
}

func (s *Service) updateAPI(r *http.Request, a *apiState) (int, any, error) {
	next, err := patched(r, &a.API)
	if err == nil {
		err = next.validate()
	}
	if err != nil {
		return 0, nil, err
	}
	next.ID, next.Endpoint, next.CreatedDate, next.Tags = a.API.ID, a.API.Endpoint, a.API.CreatedDate, a.API.Tags
	a.API = *next
	return http.StatusOK, a.API, nil
}

func (s *Service) deleteAPI(_ *http.Request, a *apiState) (int, any, error) {
	delete(s.state.APIs, a.API.ID)
	return http.StatusNoContent, nil, nil
}

// tagged finds the tags of arn:aws:apigateway:<region>::/apis/<id> or of
// …/apis/<id>/stages/<name>. s.mu is held.
func (s *Service) tagged(arn string) (map[string]string, error) {
	_, path, _ := strings.Cut(arn, "::/apis/")
	id, stageName, isStage := strings.Cut(path, "/stages/")
	a, err := find(s.state.APIs, "API", id)
	if err != nil {
		return nil, err
	}
	if !isStage {
		return a.API.Tags, nil
	}
	st, err := find(a.Stages, "stage", stageName)
	if err != nil {
		return nil, err
	}
	return st.Tags, nil
}

func (s *Service) getTags(r *http.Request) (int, any, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	tags, err := s.tagged(r.PathValue("arn"))
	return http.StatusOK, map[string]any{"tags": maps.Clone(tags)}, err
}

func (s *Service) tagResource(r *http.Request) (int, any, error) {
	var in struct{ Tags map[string]string }
	if err := awsproto.DecodeREST(r, &in); err != nil {
		return 0, nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	tags, err := s.tagged(r.PathValue("arn"))
	if err != nil {
		return 0, nil, err
	}
	maps.Copy(tags, in.Tags)
	return http.StatusCreated, map[string]any{}, nil
}

func (s *Service) untagResource(r *http.Request) (int, any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	tags, err := s.tagged(r.PathValue("arn"))
	if err != nil {
		return 0, nil, err
	}
	for _, key := range r.URL.Query()["tagKeys"] {
		delete(tags, key)
	}
	return http.StatusNoContent, nil, nil
}

func (s *Service) getAccount(*http.Request) (int, any, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return http.StatusOK, s.state.Account, nil
}

// updateAccount knows the one patch that Terraform sends.
func (s *Service) updateAccount(r *http.Request) (int, any, error) {
	var in struct {
		PatchOperations []struct{ Op, Path, Value string }
	}
	if err := awsproto.DecodeREST(r, &in); err != nil {
		return 0, nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range in.PatchOperations {
		if p.Op != "replace" || p.Path != "/cloudwatchRoleArn" {
			return 0, nil, badRequest("the local cloud only replaces /cloudwatchRoleArn of an account, not %s %s", p.Op, p.Path)
		}
		s.state.Account.CloudwatchRoleARN = p.Value
	}
	return http.StatusOK, s.state.Account, nil
}
