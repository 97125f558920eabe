package gateway

import (
	"maps"
	"net/http"
	"strings"

	"fanfare/localstack/awsproto"
)

// tagged finds the tags of arn:aws:apigateway:<region>::/apis/<id> or of
// …/apis/<id>/stages/<name>.
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
	tags, err := s.tagged(r.PathValue("arn"))
	return http.StatusOK, map[string]any{"tags": tags}, err
}

func (s *Service) tagResource(r *http.Request) (int, any, error) {
	var in struct{ Tags map[string]string }
	if err := decode(r, &in); err != nil {
		return 0, nil, err
	}
	tags, err := s.tagged(r.PathValue("arn"))
	if err != nil {
		return 0, nil, err
	}
	maps.Copy(tags, in.Tags)
	return http.StatusCreated, map[string]any{}, nil
}

func (s *Service) untagResource(r *http.Request) (int, any, error) {
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
	return http.StatusOK, s.shownAccount(), nil
}

// shownAccount is the account with the limits that hold here, which are not
// part of the state.
func (s *Service) shownAccount() account {
	acc := s.state.Account
	acc.ThrottleSettings = s.limits.settings()
	return acc
}

// updateAccount knows the one patch that Terraform sends.
func (s *Service) updateAccount(r *http.Request) (int, any, error) {
	var in struct {
		PatchOperations []struct{ Op, Path, Value string }
	}
	if err := decode(r, &in); err != nil {
		return 0, nil, err
	}
	next := s.state.Account
	for _, p := range in.PatchOperations {
		if p.Op != "replace" || p.Path != "/cloudwatchRoleArn" {
			return 0, nil, badRequest("the local cloud only replaces /cloudwatchRoleArn of an account, not %s %s", p.Op, p.Path)
		}
		if p.Value != "" && s.canLog != nil && !s.canLog(p.Value, awsproto.CallFrom(r.Context()).Region) {
			return 0, nil, badRequest("The role ARN does not have required permissions configured. " +
				"Please grant trust permission for API Gateway and add the required role policy.")
		}
		next.CloudwatchRoleARN = p.Value
	}
	s.state.Account = next
	return http.StatusOK, s.shownAccount(), nil
}

// LogRole is the role with which API Gateway writes the account's logs, "" where
// none is set.
func (s *Service) LogRole() string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.state.Account.CloudwatchRoleARN
}
