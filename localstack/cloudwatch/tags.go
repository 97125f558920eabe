package cloudwatch

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"fanfare/localstack/awsproto"
)

const maxTags = 50

type tagResourceInput struct {
	ResourceARN string
	Tags        []tag
}

// tagResource tags alarms; dashboards had no tags when this API was Query.
func (s *Service) tagResource(ctx context.Context, in *tagResourceInput) (struct{}, error) {
	a, err := s.state.region(ctx).alarmByARN(in.ResourceARN)
	if err != nil {
		return struct{}{}, err
	}
	tags, err := mergeTags(a.Tags, in.Tags)
	if err != nil {
		return struct{}{}, err
	}
	a.Tags = tags
	return struct{}{}, nil
}

type untagResourceInput struct {
	ResourceARN string
	TagKeys     []string
}

func (s *Service) untagResource(ctx context.Context, in *untagResourceInput) (struct{}, error) {
	a, err := s.state.region(ctx).alarmByARN(in.ResourceARN)
	if err != nil {
		return struct{}{}, err
	}
	a.Tags = slices.DeleteFunc(slices.Clone(a.Tags), func(t tag) bool { return slices.Contains(in.TagKeys, t.Key) })
	return struct{}{}, nil
}

type resourceInput struct{ ResourceARN string }

type tagsOutput struct{ Tags awsproto.Members[tag] }

func (s *Service) listTagsForResource(ctx context.Context, in *resourceInput) (tagsOutput, error) {
	a, err := s.state.region(ctx).alarmByARN(in.ResourceARN)
	if err != nil {
		return tagsOutput{}, err
	}
	return tagsOutput{slices.Clone(a.Tags)}, nil
}

// mergeTags returns a new list: old with added, whose values win.
func mergeTags(old, added []tag) ([]tag, error) {
	merged := slices.Clone(old)
	for _, t := range added {
		switch {
		case t.Key == "" || utf8.RuneCountInString(t.Key) > 128:
			return nil, validationError("The tag key %q must have 1 to 128 characters", t.Key)
		case strings.HasPrefix(strings.ToLower(t.Key), "aws:"):
			return nil, validationError("The tag key %q must not begin with aws:", t.Key)
		case utf8.RuneCountInString(t.Value) > 256:
			return nil, validationError("The value of the tag %q must have at most 256 characters", t.Key)
		}
		if i := slices.IndexFunc(merged, func(o tag) bool { return o.Key == t.Key }); i >= 0 {
			merged[i] = t
		} else {
			merged = append(merged, t)
		}
	}
	if len(merged) > maxTags {
		return nil, validationError("A resource has at most %d tags", maxTags)
	}
	return merged, nil
}
