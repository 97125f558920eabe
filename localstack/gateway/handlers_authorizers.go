package gateway

import "net/http"

func (s *Service) createAuthorizer(r *http.Request, a *apiState) (int, any, error) {
	au := &authorizer{IdentitySource: []string{}}
	err := decode(r, au)
	if err == nil {
		au.ID = newID(6)
		err = au.validate(a)
	}
	if err == nil && len(a.Authorizers) >= maxAuthorizers {
		err = tooManyAuthorizers()
	}
	if err != nil {
		return 0, nil, err
	}
	a.Authorizers[au.ID] = au
	return http.StatusCreated, au, nil
}

func (s *Service) getAuthorizers(_ *http.Request, a *apiState) (int, any, error) {
	return http.StatusOK, itemsOf(a.Authorizers), nil
}

func (s *Service) getAuthorizer(r *http.Request, a *apiState) (int, any, error) {
	au, err := find(a.Authorizers, "Authorizer", r.PathValue("id"))
	return http.StatusOK, au, err
}

func (s *Service) updateAuthorizer(r *http.Request, a *apiState) (int, any, error) {
	au, err := find(a.Authorizers, "Authorizer", r.PathValue("id"))
	if err != nil {
		return 0, nil, err
	}
	next, err := patched(r, au)
	if err == nil {
		next.ID = au.ID
		err = next.validate(a)
	}
	if err != nil {
		return 0, nil, err
	}
	a.Authorizers[au.ID] = next
	return http.StatusOK, next, nil
}

func (s *Service) deleteAuthorizer(r *http.Request, a *apiState) (int, any, error) {
	au, err := find(a.Authorizers, "Authorizer", r.PathValue("id"))
	if err != nil {
		return 0, nil, err
	}
	for _, rt := range a.Routes {
		if rt.AuthorizerID == au.ID {
			return 0, nil, conflict("Cannot delete Authorizer %q. The authorizer is referenced by route %q.", au.ID, rt.Key)
		}
	}
	delete(a.Authorizers, au.ID)
	return http.StatusNoContent, nil, nil
}
