package gateway

import (
	"maps"
	"net/http"
)

func (s *Service) createDeployment(r *http.Request, a *apiState) (int, any, error) {
	var in struct {
		Description, StageName string
	}
	if err := decode(r, &in); err != nil {
		return 0, nil, err
	}
	if len(a.Routes) == 0 {
		return 0, nil, badRequest("At least one route is required before deploying the Api.")
	}
	d := &deployment{ID: newID(6), Status: "DEPLOYED", Description: in.Description, CreatedDate: s.clock.Now().UTC()}
	if in.StageName != "" {
		st, err := find(a.Stages, "stage", in.StageName)
		if err != nil {
			return 0, nil, err
		}
		st.DeploymentID = d.ID
	}
	a.Deployments[d.ID] = d
	a.Released[d.ID] = a.release()
	return http.StatusCreated, d, nil
}

func (s *Service) getDeployments(_ *http.Request, a *apiState) (int, any, error) {
	return http.StatusOK, itemsOf(a.Deployments), nil
}

func (s *Service) getDeployment(r *http.Request, a *apiState) (int, any, error) {
	d, err := find(a.Deployments, "Deployment", r.PathValue("id"))
	return http.StatusOK, d, err
}

func (s *Service) updateDeployment(r *http.Request, a *apiState) (int, any, error) {
	d, err := find(a.Deployments, "Deployment", r.PathValue("id"))
	if err != nil {
		return 0, nil, err
	}
	var in struct{ Description *string }
	if err := decode(r, &in); err != nil {
		return 0, nil, err
	}
	if in.Description != nil {
		d.Description = *in.Description
	}
	return http.StatusOK, d, nil
}

func (s *Service) deleteDeployment(r *http.Request, a *apiState) (int, any, error) {
	d, err := find(a.Deployments, "Deployment", r.PathValue("id"))
	if err != nil {
		return 0, nil, err
	}
	for _, st := range a.Stages {
		if st.DeploymentID == d.ID {
			return 0, nil, badRequest("Active stages pointing to this deployment must be moved or deleted")
		}
	}
	delete(a.Deployments, d.ID)
	delete(a.Released, d.ID)
	return http.StatusNoContent, nil, nil
}

func (s *Service) createStage(r *http.Request, a *apiState) (int, any, error) {
	st := &stage{RouteSettings: map[string]routeSettings{}}
	err := decode(r, st)
	if err == nil {
		err = st.validate(a, s.state.Account)
	}
	if err != nil {
		return 0, nil, err
	}
	if _, exists := a.Stages[st.Name]; exists {
		return 0, nil, conflict("Stage already exists")
	}
	if err := belowQuota(len(a.Stages), maxStages, "Stages", "API"); err != nil {
		return 0, nil, err
	}
	now := s.clock.Now().UTC()
	st.CreatedDate, st.LastUpdatedDate, st.Tags = now, now, orEmpty(st.Tags)
	a.Stages[st.Name] = st
	return http.StatusCreated, st, nil
}

func (s *Service) getStages(_ *http.Request, a *apiState) (int, any, error) {
	return http.StatusOK, itemsOf(a.Stages), nil
}

func (s *Service) getStage(r *http.Request, a *apiState) (int, any, error) {
	st, err := find(a.Stages, "stage", r.PathValue("id"))
	return http.StatusOK, st, err
}

func (s *Service) updateStage(r *http.Request, a *apiState) (int, any, error) {
	st, err := find(a.Stages, "stage", r.PathValue("id"))
	if err != nil {
		return 0, nil, err
	}
	next, err := patched(r, st)
	if err == nil {
		next.Name = st.Name
		// A variable is removed by setting it to the empty string.
		maps.DeleteFunc(next.StageVariables, func(_, v string) bool { return v == "" })
		err = next.validate(a, s.state.Account)
	}
	if err != nil {
		return 0, nil, err
	}
	next.CreatedDate, next.Tags, next.LastUpdatedDate = st.CreatedDate, st.Tags, s.clock.Now().UTC()
	a.Stages[st.Name] = next
	return http.StatusOK, next, nil
}

func (s *Service) deleteStage(r *http.Request, a *apiState) (int, any, error) {
	st, err := find(a.Stages, "stage", r.PathValue("id"))
	if err != nil {
		return 0, nil, err
	}
	delete(a.Stages, st.Name)
	s.retire(a.API.ID, st.Name)
	return http.StatusNoContent, nil, nil
}

func (s *Service) deleteRouteSettings(r *http.Request, a *apiState) (int, any, error) {
	st, err := find(a.Stages, "stage", r.PathValue("id"))
	if err != nil {
		return 0, nil, err
	}
	key := r.PathValue("key")
	if _, ok := st.RouteSettings[key]; !ok {
		return 0, nil, notFound("route settings", key)
	}
	st.RouteSettings = maps.Clone(st.RouteSettings) // sockets may be reading the old ones
	delete(st.RouteSettings, key)
	return http.StatusNoContent, nil, nil
}

func (s *Service) deleteAccessLogSettings(r *http.Request, a *apiState) (int, any, error) {
	st, err := find(a.Stages, "stage", r.PathValue("id"))
	if err != nil {
		return 0, nil, err
	}
	st.AccessLogSettings = accessLogSettings{}
	return http.StatusNoContent, nil, nil
}
