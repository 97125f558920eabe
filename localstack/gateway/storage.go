package gateway

import "encoding/json"

// state is all that the control plane remembers.
type state struct {
	APIs    map[string]*apiState
	Account account
}

// apiState is one API with all that belongs to it.
type apiState struct {
	API          api
	Region       string
	Integrations map[string]*integration
	Routes       map[string]*route
	Authorizers  map[string]*authorizer
	Responses    map[string]map[string]*routeResponse // by route id
	Deployments  map[string]*deployment
	Released     map[string]release // by deployment id
	Stages       map[string]*stage
}

// release is what a deployment froze: the routes by key as they were then. A
// stage serves its deployment's release, so that a route added later is not
// served before the next deployment.
type release map[string]servedRoute

// servedRoute is a route with all that serving it takes.
type servedRoute struct {
	Key         string
	FunctionURI string // empty if only an authorizer decides
	TimeoutMS   int
	TwoWay      bool              // the function's body goes back to the client
	Authorizer  *servedAuthorizer `json:",omitempty"`
}

func newState() state {
	return state{
		APIs:    map[string]*apiState{},
		Account: account{Features: []string{"UsagePlans"}, APIKeyVersion: "4"},
	}
}

func newAPIState(a api, region string) *apiState {
	return &apiState{
		API: a, Region: region,
		Integrations: map[string]*integration{},
		Routes:       map[string]*route{},
		Authorizers:  map[string]*authorizer{},
		Responses:    map[string]map[string]*routeResponse{},
		Deployments:  map[string]*deployment{},
		Released:     map[string]release{},
		Stages:       map[string]*stage{},
	}
}

// UnmarshalJSON reads a snapshot, which may be older than a member: what it
// lacks has its default, and is never nil.
func (a *apiState) UnmarshalJSON(raw []byte) error {
	type plain apiState
	p := plain(*newAPIState(api{IPAddressType: "ipv4"}, ""))
	if err := json.Unmarshal(raw, &p); err != nil {
		return err
	}
	*a = apiState(p)
	return nil
}

// release freezes the routes as they are now.
func (a *apiState) release() release {
	r := release{}
	for id, rt := range a.Routes {
		authorizer := a.servedAuthorizer(rt)
		target, ok := a.Integrations[integrationID(rt.Target)]
		switch {
		case ok:
			r[rt.Key] = servedRoute{
				Key: rt.Key, FunctionURI: target.URI, TimeoutMS: target.TimeoutInMillis, Authorizer: authorizer,
				TwoWay: rt.RouteResponseSelectionExpression == "$default" && len(a.Responses[id]) > 0,
			}
		case authorizer != nil: // a route without a target is not served, but whom it keeps out stays out
			r[rt.Key] = servedRoute{Key: rt.Key, Authorizer: authorizer}
		}
	}
	return r
}

// served returns what the stage serves, or false if it has no deployment.
func (a *apiState) served(st *stage) (release, bool) {
	if st.AutoDeploy {
		return a.release(), true
	}
	r, ok := a.Released[st.DeploymentID]
	return r, ok
}

// find returns m[id] or the NotFoundException that AWS answers.
func find[T any](m map[string]*T, kind, id string) (*T, error) {
	if v, ok := m[id]; ok {
		return v, nil
	}
	return nil, notFound(kind, id)
}

// orEmpty is for members that AWS answers as {} rather than leaving them out.
func orEmpty(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}
