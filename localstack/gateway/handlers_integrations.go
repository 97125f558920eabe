package gateway

import "net/http"

func (s *Service) createIntegration(r *http.Request, a *apiState) (int, any, error) {
	i := &integration{
		ConnectionType: "INTERNET", PassthroughBehavior: "WHEN_NO_MATCH",
		PayloadFormatVersion: "1.0", TimeoutInMillis: 29000,
	}
	err := decode(r, i)
	if err == nil {
		err = i.validate()
	}
	if err == nil {
		err = belowQuota(len(a.Integrations), maxIntegrations, "Integrations", "API")
	}
	if err != nil {
		return 0, nil, err
	}
	i.ID = newID(7)
	a.Integrations[i.ID] = i
	return http.StatusCreated, i, nil
}

func (s *Service) getIntegrations(_ *http.Request, a *apiState) (int, any, error) {
	return http.StatusOK, itemsOf(a.Integrations), nil
}

func (s *Service) getIntegration(r *http.Request, a *apiState) (int, any, error) {
	i, err := find(a.Integrations, "Integration", r.PathValue("id"))
	return http.StatusOK, i, err
}

func (s *Service) updateIntegration(r *http.Request, a *apiState) (int, any, error) {
	i, err := find(a.Integrations, "Integration", r.PathValue("id"))
	if err != nil {
		return 0, nil, err
	}
	next, err := patched(r, i)
	if err == nil {
		err = next.validate()
	}
	if err != nil {
		return 0, nil, err
	}
	next.ID = i.ID
	a.Integrations[i.ID] = next
	return http.StatusOK, next, nil
}

func (s *Service) deleteIntegration(r *http.Request, a *apiState) (int, any, error) {
	i, err := find(a.Integrations, "Integration", r.PathValue("id"))
	if err != nil {
		return 0, nil, err
	}
	for _, rt := range a.Routes {
		if integrationID(rt.Target) == i.ID {
			return 0, nil, conflict("Cannot delete Integration %q. The integration is referenced by route %q.", i.ID, rt.Key)
		}
	}
	delete(a.Integrations, i.ID)
	return http.StatusNoContent, nil, nil
}
