package iam

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	iampolicy "fanfare/localstack/policy"
)

// document is a policy as it was put and as it was understood. IAM gives back
// the text to the byte, so both are kept. In a snapshot it is the text, and a
// snapshot with a malformed one cannot be restored.
type document struct {
	text   string
	parsed iampolicy.Document
}

func (d document) MarshalText() ([]byte, error) { return []byte(d.text), nil }

func (d *document) UnmarshalText(text []byte) error {
	parsed, err := iampolicy.Parse(string(text))
	if err == nil {
		*d = document{text: string(text), parsed: *parsed}
	}
	return err
}

// named returns a copy of the parsed document that says where it is from.
func (d document) named(name string) *iampolicy.Document {
	doc := d.parsed.Clone()
	doc.Name = name
	return doc
}

// size counts what AWS's quotas count: characters without white space.
func (d document) size() int {
	n := 0
	for _, r := range d.text {
		if !unicode.IsSpace(r) {
			n++
		}
	}
	return n
}

// parseIdentity reads a document for a role: it needs actions and resources,
// and names no principal.
func parseIdentity(text string) (document, error) {
	return parseAs(text, func(s iampolicy.Statement) error {
		if s.Principal != nil || s.NotPrincipal != nil {
			return malformed("Has prohibited field Principal")
		}
		if (len(s.Resource) == 0) == (len(s.NotResource) == 0) {
			return malformed("Policy statement must contain resources: one of Resource and NotResource.")
		}
		for _, resource := range slices.Concat(s.Resource, s.NotResource) {
			if resource != "*" && !strings.HasPrefix(resource, "arn:") {
				return malformed("Resource %s must be in ARN format or \"*\".", resource)
			}
		}
		return nil
	})
}

// parseTrust reads a document that says who may assume a role: it needs a
// principal, allows only STS actions and names no resource.
func parseTrust(text string) (document, error) {
	return parseAs(text, func(s iampolicy.Statement) error {
		if s.Resource != nil || s.NotResource != nil {
			return malformed("Has prohibited field Resource")
		}
		if (len(s.Principal) == 0) == (len(s.NotPrincipal) == 0) {
			return malformed("Missing required field Principal")
		}
		for _, action := range slices.Concat(s.Action, s.NotAction) {
			if !strings.HasPrefix(strings.ToLower(action), "sts:") {
				return malformed("AssumeRole policy may only specify STS AssumeRole actions, not %s.", action)
			}
		}
		for _, service := range s.Principal["Service"] {
			if !strings.HasSuffix(service, ".amazonaws.com") && !strings.HasSuffix(service, ".amazon.com") {
				return malformed("Invalid principal in policy: \"SERVICE\":%q", service)
			}
		}
		return nil
	})
}

var sidPattern = regexp.MustCompile(`^[0-9A-Za-z]*$`)

// parseAs checks what all kinds share, and each statement by check.
func parseAs(text string, check func(iampolicy.Statement) error) (document, error) {
	parsed, err := iampolicy.Parse(text)
	if err != nil {
		return document{}, malformed("%v", err)
	}
	sids := make(map[string]bool)
	for _, s := range parsed.Statements {
		err := checkActions(s)
		switch {
		case err != nil:
		case !sidPattern.MatchString(s.Sid):
			err = malformed("Statement IDs (SID) must be alpha-numeric, not %q.", s.Sid)
		case s.Sid != "" && sids[s.Sid]:
			err = malformed("Statement IDs (SID) in a single policy must be unique, not %q twice.", s.Sid)
		default:
			err = check(s)
		}
		if err != nil {
			return document{}, err
		}
		sids[s.Sid] = true
	}
	return document{text: text, parsed: *parsed}, nil
}

// vendorPattern: a service's prefix has no wildcards.
var vendorPattern = regexp.MustCompile(`^[0-9A-Za-z-]+$`)

func checkActions(s iampolicy.Statement) error {
	if (len(s.Action) == 0) == (len(s.NotAction) == 0) {
		return malformed("Policy statement must contain actions: one of Action and NotAction.")
	}
	for _, action := range slices.Concat(s.Action, s.NotAction) {
		vendor, name, _ := strings.Cut(action, ":")
		if action != "*" && (!vendorPattern.MatchString(vendor) || name == "") {
			return malformed("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc., not %q.", action)
		}
	}
	return nil
}
