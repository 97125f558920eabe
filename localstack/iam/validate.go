package iam

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// Limits of IAM; sizes are in characters without white space.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const (
	maxRoleName        = 64
	maxPolicyName      = 128
	maxPath            = 512
	maxDescription     = 1000
	maxTrustSize       = 2048
	maxInlineSize      = 10240 // of all inline policies of a role together
	maxManagedSize     = 6144
	maxAttached        = 10
	maxTags            = 50
	maxPolicyVersions  = 5
	minSessionDuration = 3600 // seconds
	maxSessionDuration = 43200
)

var (
	namePattern = regexp.MustCompile(`^[\w+=,.@-]+$`)
	pathPattern = regexp.MustCompile(`^/([!-~]+/)?$`)
	tagPattern  = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)
	arnPattern  = regexp.MustCompile(`^arn:aws:iam::(aws|\d{12}):policy/.+$`)
)

func checkName(field, name string, limit int) error {
	if utf8.RuneCountInString(name) > limit {
		return validationError("1 validation error detected: Value at '%s' failed to satisfy constraint: "+
			"Member must have length less than or equal to %d", field, limit)
	}
	if !namePattern.MatchString(name) {
		return validationError("The specified value for %s is invalid. "+
			"It must contain only alphanumeric characters and/or the following: +=,.@_-", field)
	}
	return nil
}

func checkPath(path string) error {
	if len(path) > maxPath || !pathPattern.MatchString(path) {
		return validationError("The specified value for path is invalid. " +
			"It must begin and end with / and contain only alphanumeric characters and/or / characters.")
	}
	return nil
}

func checkDescription(text string) error {
	if utf8.RuneCountInString(text) > maxDescription {
		return validationError("1 validation error detected: Value at 'description' failed to satisfy constraint: "+
			"Member must have length less than or equal to %d", maxDescription)
	}
	return nil
}

func checkSessionDuration(seconds int) error {
	if seconds < minSessionDuration || seconds > maxSessionDuration {
		return validationError("1 validation error detected: Value '%d' at 'maxSessionDuration' failed to satisfy constraint: "+
			"Member must have value between %d and %d", seconds, minSessionDuration, maxSessionDuration)
	}
	return nil
}

func checkPolicyARN(arn string) error {
	if !arnPattern.MatchString(arn) {
		return validationError("ARN %s is not valid.", arn)
	}
	return nil
}

// mergeTags adds tags to old, replacing the values of keys that are there.
func mergeTags(old, added []tag) ([]tag, error) {
	merged := append([]tag(nil), old...)
	seen := make(map[string]bool)
	for _, t := range added {
		if err := checkTag(t); err != nil {
			return nil, err
		}
		if seen[strings.ToLower(t.Key)] {
			return nil, invalidInput("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		}
		seen[strings.ToLower(t.Key)] = true
		merged = setTag(merged, t)
	}
	if len(merged) > maxTags {
		return nil, limitExceeded("Cannot exceed quota for TagsPerResource: %d", maxTags)
	}
	return merged, nil
}

func setTag(tags []tag, t tag) []tag {
	for i := range tags {
		if strings.EqualFold(tags[i].Key, t.Key) {
			tags[i] = t
			return tags
		}
	}
	return append(tags, t)
}

func removeTags(tags []tag, keys []string) []tag {
	var kept []tag
	for _, t := range tags {
		if !containsFold(keys, t.Key) {
			kept = append(kept, t)
		}
	}
	return kept
}

func containsFold(keys []string, key string) bool {
	for _, k := range keys {
		if strings.EqualFold(k, key) {
			return true
		}
	}
	return false
}

func checkTag(t tag) error {
	switch {
	case t.Key == "" || utf8.RuneCountInString(t.Key) > 128 || !tagPattern.MatchString(t.Key):
		return validationError("The tag key %q is invalid: it has 1 to 128 letters, digits, spaces or any of _.:/=+-@", t.Key)
	case strings.HasPrefix(strings.ToLower(t.Key), "aws:"):
		return invalidInput("The tag key %q is invalid: the prefix aws: is reserved.", t.Key)
	case utf8.RuneCountInString(t.Value) > 256 || !tagPattern.MatchString(t.Value):
		return validationError("The value of the tag %q is invalid: it has at most 256 letters, digits, spaces or any of _.:/=+-@", t.Key)
	}
	return nil
}
