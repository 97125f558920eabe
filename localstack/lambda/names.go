package lambda

import (
	"context"
	"regexp"
	"strings"

	"fanfare/localstack/awsproto"
)

const latest = "$LATEST"

// A reference names a function as callers do: by name, by partial or full ARN,
// each with or without a qualifier (API reference, "FunctionName").
type reference struct {
	region    string // "" where the text names none
	account   string
	name      string
	qualifier string // "" where the text has none
}

var (
	namePattern      = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`)
	qualifierPattern = regexp.MustCompile(`^(\$LATEST|[a-zA-Z0-9_-]{1,128})$`)
	regionPattern    = regexp.MustCompile(`^[a-z]{2}(-[a-z]+){1,3}-\d$`)
	accountPattern   = regexp.MustCompile(`^\d{12}$`)
	digits           = regexp.MustCompile(`^\d+$`)
)

// arn returns the function's ARN without qualifier.
func (r reference) arn() string {
	return "arn:aws:lambda:" + r.region + ":" + r.account + ":function:" + r.name
}

// qualified returns the ARN as it was asked for.
func (r reference) qualified() string { return qualify(r.arn(), r.qualifier) }

func qualify(arn, qualifier string) string {
	if qualifier == "" {
		return arn
	}
	return arn + ":" + qualifier
}

// parseReference reads
//
//	name[:qualifier]
//	[account:]function:name[:qualifier]
//	arn:aws:lambda:region:account:function:name[:qualifier]
//
// Anything else is a ValidationException.
func parseReference(text string) (reference, error) {
	ref, ok := splitReference(strings.Split(text, ":"))
	if !ok || !ref.valid() {
		return reference{}, constraint(text, "functionName", "Member must be a function's name, its ARN or a part of its ARN")
	}
	if ref.account == "" {
		ref.account = awsproto.AccountID
	}
	return ref, nil
}

func splitReference(parts []string) (ref reference, ok bool) {
	if parts[0] == "arn" {
		if len(parts) < 7 || !strings.HasPrefix(parts[1], "aws") || parts[2] != "lambda" || !regionPattern.MatchString(parts[3]) ||
			!accountPattern.MatchString(parts[4]) || parts[5] != "function" {
			return ref, false
		}
		ref.region, ref.account, parts = parts[3], parts[4], parts[6:]
		return ref.withName(parts)
	}
	if len(parts) > 2 && accountPattern.MatchString(parts[0]) && parts[1] == "function" {
		ref.account, parts = parts[0], parts[1:]
	}
	if len(parts) > 1 && parts[0] == "function" {
		parts = parts[1:]
	}
	return ref.withName(parts)
}

// withName takes the last one or two parts: name and qualifier.
func (r reference) withName(parts []string) (reference, bool) {
	r.name = parts[0]
	if len(parts) == 2 {
		r.qualifier = parts[1]
		return r, r.qualifier != ""
	}
	return r, len(parts) == 1
}

func (r reference) valid() bool {
	return namePattern.MatchString(r.name) && (r.qualifier == "" || qualifierPattern.MatchString(r.qualifier))
}

// locate reads the function that a request means: the reference, the Qualifier
// beside it, and the request's region.
func locate(ctx context.Context, text, qualifier string) (reference, error) {
	ref, err := parseReference(text)
	if err != nil {
		return ref, err
	}
	region := awsproto.CallFrom(ctx).Region
	switch {
	case ref.region == "":
		ref.region = region
	case ref.region != region:
		return ref, notFound("Functions from '%s' are not reachable in this region ('%s')", ref.region, region)
	}
	return ref.withQualifier(qualifier)
}

func (r reference) withQualifier(qualifier string) (reference, error) {
	if qualifier == "" {
		return r, nil
	}
	if !qualifierPattern.MatchString(qualifier) {
		return r, constraint(qualifier, "qualifier", "Member must be $LATEST, a version or an alias")
	}
	if r.qualifier != "" && r.qualifier != qualifier {
		return r, invalidParameter("The derived qualifier from the function name does not match the specified qualifier.")
	}
	r.qualifier = qualifier
	return r, nil
}
