package gateway

import "net/http"

func (s *Service) createRoute(r *http.Request, a *apiState) (int, any, error) {
	rt := &route{AuthorizationType: "NONE"}
	err := decode(r, rt)
	if err == nil {
		err = rt.validate(a)
	}
	if err == nil {
		err = belowQuota(len(a.Routes), maxRoutes, "Routes", "API")
	}
	if err != nil {
		return 0, nil, err
	}
	rt.ID = newID(7)
	a.Routes[rt.ID] = rt
	return http.StatusCreated, rt, nil
}

func (s *Service) getRoutes(_ *http.Request, a *apiState) (int, any, error) {
	return http.StatusOK, itemsOf(a.Routes), nil
}

func (s *Service) getRoute(r *http.Request, a *apiState) (int, any, error) {
	rt, err := find(a.Routes, "Route", r.PathValue("id"))
	return http.StatusOK, rt, err
}

func (s *Service) updateRoute(r *http.Request, a *apiState) (int, any, error) {
	rt, err := find(a.Routes, "Route", r.PathValue("id"))
	if err != nil {
		return 0, nil, err
	}
	next, err := patched(r, rt)
	if err == nil {
		next.ID = rt.ID
		if next.AuthorizationType == "NONE" && next.AuthorizerID == rt.AuthorizerID {
			next.AuthorizerID = "" // goes with the type that needed it
		}
		err = next.validate(a)
	}
	if err != nil {
		return 0, nil, err
	}
	a.Routes[rt.ID] = next
	return http.StatusOK, next, nil
}

func (s *Service) deleteRoute(r *http.Request, a *apiState) (int, any, error) {
	rt, err := find(a.Routes, "Route", r.PathValue("id"))
	if err != nil {
		return 0, nil, err
	}
	delete(a.Routes, rt.ID)
	delete(a.Responses, rt.ID)
	return http.StatusNoContent, nil, nil
}

func (s *Service) createRouteResponse(r *http.Request, a *apiState) (int, any, error) {
	rt, err := find(a.Routes, "Route", r.PathValue("route"))
	if err != nil {
		return 0, nil, err
	}
	resp := new(routeResponse)
	if err := decode(r, resp); err != nil {
		return 0, nil, err
	}
	if err := resp.validate(); err != nil {
		return 0, nil, err
	}
	if len(a.Responses[rt.ID]) > 0 {
		return 0, nil, conflict("Route response with key %s already exists for route %s", resp.Key, rt.ID)
	}
	resp.ID = newID(7)
	a.Responses[rt.ID] = map[string]*routeResponse{resp.ID: resp}
	return http.StatusCreated, resp, nil
}

func (s *Service) getRouteResponses(r *http.Request, a *apiState) (int, any, error) {
	rt, err := find(a.Routes, "Route", r.PathValue("route"))
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, itemsOf(a.Responses[rt.ID]), nil
}

func (s *Service) getRouteResponse(r *http.Request, a *apiState) (int, any, error) {
	resp, err := find(a.Responses[r.PathValue("route")], "RouteResponse", r.PathValue("id"))
	return http.StatusOK, resp, err
}

func (s *Service) updateRouteResponse(r *http.Request, a *apiState) (int, any, error) {
	responses := a.Responses[r.PathValue("route")]
	resp, err := find(responses, "RouteResponse", r.PathValue("id"))
	if err != nil {
		return 0, nil, err
	}
	next, err := patched(r, resp)
	if err == nil {
		err = next.validate()
	}
	if err != nil {
		return 0, nil, err
	}
	next.ID = resp.ID
	responses[resp.ID] = next
	return http.StatusOK, next, nil
}

func (s *Service) deleteRouteResponse(r *http.Request, a *apiState) (int, any, error) {
	responses := a.Responses[r.PathValue("route")]
	resp, err := find(responses, "RouteResponse", r.PathValue("id"))
	if err != nil {
		return 0, nil, err
	}
	delete(responses, resp.ID)
	return http.StatusNoContent, nil, nil
}
