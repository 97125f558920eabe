package lambda

import (
	"maps"
	"net/http"
	"slices"

	"fanfare/localstack/awsproto"
)

func (s *Service) createAlias(r *http.Request) (int, any, error) {
	var in aliasInput
	if err := awsproto.DecodeREST(r, &in); err != nil {
		return 0, nil, err
	}
	if !qualifierPattern.MatchString(in.Name) || in.Name == latest || digits.MatchString(in.Name) {
		return 0, nil, constraint(in.Name, "name", "Member must satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)")
	}
	out, err := s.withFunction(r, func(_ reference, f *function) (any, error) {
		arn := qualify(f.ARN, in.Name)
		if _, ok := f.Aliases[in.Name]; ok {
			return nil, conflict("Alias already exists: %s", arn)
		}
		a := aliasConfiguration{AliasArn: arn, Name: in.Name}
		if err := in.apply(f, &a); err != nil {
			return nil, err
		}
		f.Aliases[in.Name] = &a
		return a, nil
	})
	return http.StatusCreated, out, err
}

// apply checks in and changes a by it. Nil means unchanged.
func (in aliasInput) apply(f *function, a *aliasConfiguration) error {
	if in.FunctionVersion != nil {
		a.FunctionVersion = *in.FunctionVersion
	}
	if a.FunctionVersion == "" || f.versionOf(a.FunctionVersion) == nil {
		return noSuchFunction(qualify(f.ARN, a.FunctionVersion))
	}
	if in.Description != nil {
		a.Description = *in.Description
	}
	if in.RoutingConfig != nil {
		if err := in.RoutingConfig.check(f, a.FunctionVersion); err != nil {
			return err
		}
		a.RoutingConfig = nil
		if len(in.RoutingConfig.AdditionalVersionWeights) > 0 {
			a.RoutingConfig = in.RoutingConfig
		}
	}
	a.RevisionId = awsproto.NewRequestID()
	return nil
}

func (c *aliasRouting) check(f *function, main string) error {
	if len(c.AdditionalVersionWeights) > 1 {
		return invalidParameter("Number of items in AdditionalVersionWeights cannot be greater than 1")
	}
	for number, weight := range c.AdditionalVersionWeights {
		switch {
		case weight < 0 || weight > 1:
			return constraint(weight, "routingConfig.additionalVersionWeights", "Member must be from 0.0 to 1.0")
		case number == latest || main == latest:
			return invalidParameter("$LATEST is not supported for an alias pointing to more than 1 version")
		case number == main:
			return invalidParameter("Invalid function version %s. Function version %s is already included in routing configuration.", main, main)
		case f.published(number) == nil:
			return noSuchFunction(qualify(f.ARN, number))
		}
	}
	return nil
}

// uses reports whether a sends anything to a version.
func (a *aliasConfiguration) uses(number string) bool {
	if a.FunctionVersion == number {
		return true
	}
	if a.RoutingConfig == nil {
		return false
	}
	_, ok := a.RoutingConfig.AdditionalVersionWeights[number]
	return ok
}

// withAlias is withFunction for the alias in r's path.
func (s *Service) withAlias(r *http.Request, do func(*function, *aliasConfiguration) (any, error)) (any, error) {
	return s.withFunction(r, func(_ reference, f *function) (any, error) {
		name := r.PathValue("Name")
		a, ok := f.Aliases[name]
		if !ok {
			return nil, notFound("Cannot find alias arn: %s", qualify(f.ARN, name))
		}
		return do(f, a)
	})
}

func (s *Service) getAlias(r *http.Request) (int, any, error) {
	out, err := s.withAlias(r, func(_ *function, a *aliasConfiguration) (any, error) { return *a, nil })
	return http.StatusOK, out, err
}

func (s *Service) updateAlias(r *http.Request) (int, any, error) {
	var in aliasInput
	if err := awsproto.DecodeREST(r, &in); err != nil {
		return 0, nil, err
	}
	out, err := s.withAlias(r, func(f *function, a *aliasConfiguration) (any, error) {
		if in.RevisionId != "" && in.RevisionId != a.RevisionId {
			return nil, revisionMismatch()
		}
		changed := *a
		if err := in.apply(f, &changed); err != nil {
			return nil, err
		}
		f.Aliases[a.Name] = &changed
		return changed, nil
	})
	return http.StatusOK, out, err
}

// deleteAlias answers 204 for an alias that is not there, as AWS does.
func (s *Service) deleteAlias(r *http.Request) (int, any, error) {
	_, err := s.withFunction(r, func(_ reference, f *function) (any, error) {
		name := r.PathValue("Name")
		delete(f.Aliases, name)
		delete(f.Policies, name)
		delete(f.InvokeConfigs, name)
		return nil, nil
	})
	return http.StatusNoContent, nil, err
}

func (s *Service) listAliases(r *http.Request) (int, any, error) {
	number := r.URL.Query().Get("FunctionVersion")
	out, err := s.withFunction(r, func(_ reference, f *function) (any, error) {
		var all []aliasConfiguration
		for _, name := range slices.Sorted(maps.Keys(f.Aliases)) {
			if a := f.Aliases[name]; number == "" || a.uses(number) {
				all = append(all, *a)
			}
		}
		items, next, err := page(r, all, 50)
		return struct {
			Aliases    []aliasConfiguration
			NextMarker string `json:",omitempty"`
		}{items, next}, err
	})
	return http.StatusOK, out, err
}
