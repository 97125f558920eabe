package lambda

import (
	"maps"
	"net/http"
	"strings"

	"fanfare/localstack/awsproto"
)

const (
	maxTags   = 50
	esmPrefix = "event-source-mapping:"
)

// withTags calls do, with s.mu held, for the tags of the resource in r's path: a
// function or an event source mapping.
func (s *Service) withTags(r *http.Request, do func(map[string]string) error) error {
	arn := r.PathValue("Resource")
	s.mu.Lock()
	defer s.mu.Unlock()
	if parts := strings.SplitN(arn, ":", 6); len(parts) == 6 {
		if uuid, ok := strings.CutPrefix(parts[5], esmPrefix); ok {
			m, err := s.mappingOf(uuid)
			if err != nil {
				return err
			}
			return do(m.Tags)
		}
	}
	ref, err := locate(r.Context(), arn, "")
	if err != nil {
		return err
	}
	if ref.qualifier != "" {
		return invalidParameter("Tags on function aliases and versions are not supported. Please specify a function ARN.")
	}
	f, err := s.lookup(ref)
	if err != nil {
		return err
	}
	return do(f.Tags)
}

func (s *Service) listTags(r *http.Request) (int, any, error) {
	var out tagsBody
	err := s.withTags(r, func(tags map[string]string) error {
		out.Tags = copyTags(tags)
		return nil
	})
	return http.StatusOK, out, err
}

func (s *Service) tagResource(r *http.Request) (int, any, error) {
	var in tagsBody
	if err := awsproto.DecodeREST(r, &in); err != nil {
		return 0, nil, err
	}
	return http.StatusNoContent, nil, s.withTags(r, func(tags map[string]string) error {
		all := copyTags(tags)
		maps.Copy(all, in.Tags)
		if len(all) > maxTags {
			return invalidParameter("Number of tags exceeds resource tag limit of %d", maxTags)
		}
		maps.Copy(tags, in.Tags)
		return nil
	})
}

func (s *Service) untagResource(r *http.Request) (int, any, error) {
	return http.StatusNoContent, nil, s.withTags(r, func(tags map[string]string) error {
		for _, key := range r.URL.Query()["tagKeys"] {
			delete(tags, key)
		}
		return nil
	})
}
