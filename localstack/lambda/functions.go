package lambda

import (
	"encoding/json"
	"maps"
	"net/http"
	"runtime/debug"
	"slices"

	"fanfare/localstack/awsproto"
)

func (s *Service) createFunction(r *http.Request) (int, any, error) {
	var in createFunctionInput
	if err := awsproto.DecodeREST(r, &in); err != nil {
		return 0, nil, err
	}
	ref, err := locate(r.Context(), in.FunctionName, "")
	if err != nil {
		return 0, nil, err
	}
	v, err := in.version(ref)
	if err != nil {
		return 0, nil, err
	}

	if err := s.checkRole(v.Config.Role, ref.arn()); err != nil {
		return 0, nil, err
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.functions[ref.arn()]; ok {
		return 0, nil, conflict("Function already exist: %s", ref.name)
	}
	f := newFunction(ref.arn(), v.next(s.clock.Now()), in.Tags)
	s.functions[f.ARN] = f
	answer := f.Latest.Config
	if in.Publish {
		answer = s.publish(f, nil).Config
	}
	answer.State, answer.StateReason, answer.StateReasonCode = "Pending", "The function is being created.", "Creating"
	answer.LastUpdateStatus = ""
	return http.StatusCreated, answer, nil
}

// version checks everything in the request and builds $LATEST from it.
func (in createFunctionInput) version(ref reference) (*version, error) {
	if ref.qualifier != "" {
		return nil, constraint(in.FunctionName, "functionName", "Member must name a function without a qualifier")
	}
	if in.PackageType != "" && in.PackageType != "Zip" {
		return nil, notSupported("PackageType " + in.PackageType + ": it runs only zips with a `bootstrap`")
	}
	if in.Runtime == nil || in.Handler == nil {
		return nil, invalidParameter("Runtime and Handler are mandatory parameters for functions created with deployment packages.")
	}
	if in.Role == nil {
		return nil, constraint("null", "role", "Member must not be null")
	}
	v := &version{Config: newConfiguration(ref.name)}
	v.Config.FunctionArn = ref.arn()
	if in.Architectures != nil {
		if err := checkArchitectures(in.Architectures); err != nil {
			return nil, err
		}
		v.Config.Architectures = in.Architectures
	}
	if err := in.settings.apply(&v.Config); err != nil {
		return nil, err
	}
	code, err := in.Code.open()
	if err != nil {
		return nil, err
	}
	v.setCode(code)
	return v, nil
}

func (c functionCode) open() (*archive, error) {
	err := refuse(map[string]json.RawMessage{
		"S3Bucket (send the code as ZipFile)": c.S3Bucket, "S3Key (send the code as ZipFile)": c.S3Key,
		"S3ObjectVersion": c.S3ObjectVersion, "ImageUri": c.ImageUri, "SourceKMSKeyArn": c.SourceKMSKeyArn,
	})
	if err != nil {
		return nil, err
	}
	// An upload leaves several times its size behind, and a deployment is mostly
	// uploads: what the local cloud would keep of them is given back.
	defer debug.FreeOSMemory()
	return openArchive(c.ZipFile)
}

func (s *Service) getFunction(r *http.Request) (int, any, error) {
	out, err := s.withFunction(r, func(ref reference, f *function) (any, error) {
		v, err := f.resolve(ref.qualifier, 1)
		if err != nil {
			return nil, err
		}
		out := getFunctionOutput{
			Configuration: v.as(ref.qualifier),
			Code:          codeLocation{RepositoryType: "S3"},
			Tags:          copyTags(f.Tags),
		}
		if f.Reserved != nil {
			out.Concurrency = &concurrency{f.Reserved}
		}
		return out, nil
	})
	return http.StatusOK, out, err
}

func (s *Service) getConfiguration(r *http.Request) (int, any, error) {
	out, err := s.withFunction(r, func(ref reference, f *function) (any, error) {
		v, err := f.resolve(ref.qualifier, 1)
		if err != nil {
			return nil, err
		}
		return v.as(ref.qualifier), nil
	})
	return http.StatusOK, out, err
}

// as returns the configuration as a caller sees it who asked for qualifier: the
// ARN has a qualifier only if the question had one.
func (v *version) as(qualifier string) functionConfiguration {
	c := v.Config
	c.FunctionArn = qualify(c.FunctionArn, qualifier)
	return c
}

func (s *Service) listFunctions(r *http.Request) (int, any, error) {
	region, all := awsproto.CallFrom(r.Context()).Region, r.URL.Query().Get("FunctionVersion") == "ALL"
	s.mu.Lock()
	defer s.mu.Unlock()
	found := []functionConfiguration{}
	for _, arn := range slices.Sorted(maps.Keys(s.functions)) {
		f := s.functions[arn]
		if ref, err := parseReference(arn); err != nil || ref.region != region {
			continue
		}
		if !all {
			found = append(found, f.Latest.Config)
			continue
		}
		for _, v := range f.versions() {
			found = append(found, v.as(v.Config.Version))
		}
	}
	items, next, err := page(r, found, 50)
	return http.StatusOK, struct {
		Functions  []functionConfiguration
		NextMarker string `json:",omitempty"`
	}{items, next}, err
}

func (s *Service) updateConfiguration(r *http.Request) (int, any, error) {
	var in updateConfigurationInput
	if err := awsproto.DecodeREST(r, &in); err != nil {
		return 0, nil, err
	}
	out, err := s.withFunction(r, func(ref reference, f *function) (any, error) {
		return s.updateLatest(ref, f, in.RevisionId, func(v *version) error {
			if err := in.apply(&v.Config); err != nil || in.Role == nil {
				return err
			}
			return s.checkRole(v.Config.Role, ref.arn())
		})
	})
	return http.StatusOK, out, err
}

func (s *Service) updateCode(r *http.Request) (int, any, error) {
	var in updateCodeInput
	if err := awsproto.DecodeREST(r, &in); err != nil {
		return 0, nil, err
	}
	if err := refuse(map[string]json.RawMessage{"PublishTo": in.PublishTo}); err != nil {
		return 0, nil, err
	}
	if in.Architectures != nil {
		if err := checkArchitectures(in.Architectures); err != nil {
			return 0, nil, err
		}
	}
	code, err := in.open()
	if err != nil {
		return 0, nil, err
	}
	out, err := s.withFunction(r, func(ref reference, f *function) (any, error) { return s.replaceCode(ref, f, in, code) })
	return http.StatusOK, out, err
}

func (s *Service) replaceCode(ref reference, f *function, in updateCodeInput, code *archive) (any, error) {
	change := func(v *version) error {
		v.setCode(code)
		if in.Architectures != nil {
			v.Config.Architectures = in.Architectures
		}
		return nil
	}
	if in.DryRun {
		if err := checkRevision(f, ref, in.RevisionId); err != nil {
			return nil, err
		}
		preview := *f.Latest
		return preview.Config, change(&preview)
	}
	out, err := s.updateLatest(ref, f, in.RevisionId, change)
	if err != nil || !in.Publish {
		return out, err
	}
	v := s.publish(f, nil)
	return v.as(v.Config.Version), nil
}

func checkRevision(f *function, ref reference, revision string) error {
	if ref.qualifier != "" && ref.qualifier != latest {
		return invalidParameter("Only $LATEST can be changed, not %s", ref.qualified())
	}
	if revision != "" && revision != f.Latest.Config.RevisionId {
		return revisionMismatch()
	}
	return nil
}

// updateLatest replaces $LATEST by a changed one and stops the environments of
// the one before. s.mu is held.
func (s *Service) updateLatest(ref reference, f *function, revision string, change func(*version) error) (functionConfiguration, error) {
	if err := checkRevision(f, ref, revision); err != nil {
		return functionConfiguration{}, err
	}
	v := f.Latest.next(s.clock.Now())
	if err := change(v); err != nil {
		return functionConfiguration{}, err
	}
	s.retire(f.Latest)
	f.Latest = v
	answer := v.Config
	answer.LastUpdateStatus = "InProgress"
	answer.LastUpdateStatusReason, answer.LastUpdateStatusReasonCode = "The function is being created.", "Creating"
	return answer, nil
}

func (s *Service) deleteFunction(r *http.Request) (int, any, error) {
	_, err := s.withFunction(r, func(ref reference, f *function) (any, error) {
		if ref.qualifier != "" {
			return nil, s.deleteVersion(f, ref.qualifier)
		}
		for _, v := range f.versions() {
			s.retire(v)
		}
		s.forget(f)
		return nil, nil
	})
	return http.StatusNoContent, nil, err
}

// getCodeSigning: no function has a code signing configuration, and Terraform
// asks each.
func (s *Service) getCodeSigning(r *http.Request) (int, any, error) {
	out, err := s.withFunction(r, func(_ reference, f *function) (any, error) {
		return map[string]string{"FunctionName": f.name()}, nil
	})
	return http.StatusOK, out, err
}
