package lambda

import (
	"encoding/json"
	"net/http"
	"slices"

	"fanfare/localstack/awsproto"
)

func (s *Service) publishVersion(r *http.Request) (int, any, error) {
	var in publishVersionInput
	if err := awsproto.DecodeREST(r, &in); err != nil {
		return 0, nil, err
	}
	if err := refuse(map[string]json.RawMessage{"PublishTo": in.PublishTo}); err != nil {
		return 0, nil, err
	}
	out, err := s.withFunction(r, func(ref reference, f *function) (any, error) {
		if err := checkRevision(f, ref, in.RevisionId); err != nil {
			return nil, err
		}
		if in.CodeSha256 != "" && in.CodeSha256 != f.Latest.CodeID {
			return nil, invalidParameter("CodeSHA256 (%s) is different from current CodeSHA256 in $LATEST (%s). "+
				"Please try again with the CodeSHA256 in $LATEST.", in.CodeSha256, f.Latest.CodeID)
		}
		v := s.publish(f, in.Description)
		return v.as(v.Config.Version), nil
	})
	return http.StatusCreated, out, err
}

func (s *Service) listVersions(r *http.Request) (int, any, error) {
	out, err := s.withFunction(r, func(_ reference, f *function) (any, error) {
		var all []functionConfiguration
		for _, v := range f.versions() {
			all = append(all, v.as(v.Config.Version))
		}
		items, next, err := page(r, all, 50)
		return struct {
			Versions   []functionConfiguration
			NextMarker string `json:",omitempty"`
		}{items, next}, err
	})
	return http.StatusOK, out, err
}

// deleteVersion deletes one published version. s.mu is held.
func (s *Service) deleteVersion(f *function, qualifier string) error {
	if qualifier == latest {
		return invalidParameter("$LATEST version cannot be deleted without deleting the function.")
	}
	if _, ok := f.Aliases[qualifier]; ok {
		return invalidParameter("%s is an alias: delete it with DeleteAlias.", qualifier)
	}
	v := f.published(qualifier)
	if v == nil {
		return nil // as AWS: gone is gone
	}
	for _, a := range f.Aliases {
		if a.uses(qualifier) {
			return conflict("Cannot delete function version %s: it is referenced by alias %s", qualifier, a.Name)
		}
	}
	f.Published = slices.DeleteFunc(f.Published, func(p *version) bool { return p == v })
	delete(f.Policies, qualifier)
	delete(f.InvokeConfigs, qualifier)
	s.retire(v)
	return nil
}
