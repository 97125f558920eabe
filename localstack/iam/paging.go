package iam

import (
	"encoding/base64"
	"slices"
	"strings"
)

const defaultPage, maxPage = 100, 1000

// pageInput is what every list operation of IAM takes.
type pageInput struct {
	Marker   string
	MaxItems *int // 1 to 1,000; 100 where it is not given
}

// pageOutput is what every list operation of IAM returns beside its list.
type pageOutput struct {
	IsTruncated bool
	Marker      string `xml:",omitempty"` // for the next call
}

// page cuts the next page out of items, which key names uniquely. The marker is
// the last key that was returned, so pages stay right while items come and go.
func page[T any](in pageInput, items []T, key func(T) string) ([]T, pageOutput, error) {
	limit := defaultPage
	if in.MaxItems != nil {
		limit = *in.MaxItems
	}
	if limit < 1 || limit > maxPage {
		return nil, pageOutput{}, validationError("1 validation error detected: Value '%d' at 'maxItems' failed to satisfy constraint: "+
			"Member must have value between 1 and %d", limit, maxPage)
	}
	after, err := base64.RawURLEncoding.DecodeString(in.Marker)
	if err != nil {
		return nil, pageOutput{}, validationError("Invalid Marker.")
	}
	rest := slices.Clone(items)
	slices.SortFunc(rest, func(a, b T) int { return strings.Compare(key(a), key(b)) })
	if in.Marker != "" {
		rest = slices.DeleteFunc(rest, func(item T) bool { return key(item) <= string(after) })
	}
	if len(rest) <= limit {
		return rest, pageOutput{}, nil
	}
	last := base64.RawURLEncoding.EncodeToString([]byte(key(rest[limit-1])))
	return rest[:limit], pageOutput{IsTruncated: true, Marker: last}, nil
}
