package policy

import "strings"

// include reports whether one of the names stands for the caller ("IAM JSON
// policy elements: Principal"). Names have no wildcards but "*" alone.
func (p Principals) include(caller string) bool {
	for kind, names := range p {
		for _, name := range names {
			switch {
			case name == "*" && (kind == "*" || kind == "AWS"):
				return true
			case kind == "AWS":
				if caller != "" && isAWS(name, caller) {
					return true
				}
			case name == caller && caller != "":
				return true
			}
		}
	}
	return false
}

// isAWS: an account stands for everybody in it, a role for its sessions.
func isAWS(name, caller string) bool {
	if name == caller {
		return true
	}
	if account := accountNamed(name); account != "" {
		return account == caller || account == accountOf(caller)
	}
	role, isRole := cutResource(name, "iam", "role/")
	session, isSession := cutResource(caller, "sts", "assumed-role/")
	if !isRole || !isSession || accountOf(name) != accountOf(caller) {
		return false
	}
	session, _, _ = strings.Cut(session, "/")
	return role[strings.LastIndexByte(role, '/')+1:] == session // a session has no path
}

// accountNamed reads "123456789012" and "arn:aws:iam::123456789012:root".
func accountNamed(name string) string {
	if strings.HasSuffix(name, ":root") {
		return accountOf(name)
	}
	if len(name) == 12 && strings.Trim(name, "0123456789") == "" {
		return name
	}
	return ""
}

// cutResource returns what follows prefix in the resource of a service's ARN.
func cutResource(arn, service, prefix string) (string, bool) {
	parts := strings.SplitN(arn, ":", arnParts)
	if len(parts) != arnParts || parts[2] != service {
		return "", false
	}
	return strings.CutPrefix(parts[5], prefix)
}
