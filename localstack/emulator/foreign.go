package emulator

import (
	"net"
	"net/http"
	"net/url"
	"strings"

	"fanfare/localstack/awsproto"
	"fanfare/localstack/gateway"
)

// foreign says why a request must not be served, or "". Whoever can call the
// control planes can run programs on this machine, and any web page that is
// open in a browser on it can send requests to loopback. So requests that a
// browser makes for another site are refused, and names that may have been
// pointed here by somebody else's DNS. Sockets are for browsers: for them, only
// the name is checked. (No page can send Upgrade with anything else.)
func (e *Emulator) foreign(r *http.Request) string {
	if !e.ownName(r.Host) {
		return "the host " + r.Host + " is not this machine's: set LOCALSTACK_HOST to serve under that name"
	}
	if strings.HasPrefix(r.URL.Path, gateway.DataPath) && strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		return ""
	}
	switch site := r.Header.Get("Sec-Fetch-Site"); site {
	case "", "none", "same-origin":
	default:
		return "it comes from a web page of another site"
	}
	if origin := r.Header.Get("Origin"); origin != "" {
		if u, err := url.Parse(origin); err != nil || u.Host != r.Host {
			return "it comes from a web page of " + origin
		}
	}
	return ""
}

// ownName reports whether a Host header can only mean this machine: a literal
// address, localhost, or the name that the cloud was given.
func (e *Emulator) ownName(hostport string) bool {
	host := withoutPort(hostport)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") ||
		strings.EqualFold(host, withoutPort(e.opts.Hostname)) || net.ParseIP(host) != nil
}

func withoutPort(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return host
	}
	return strings.Trim(hostport, "[]")
}

func refuseForeign(w http.ResponseWriter, r *http.Request, why string) {
	awsproto.CallFrom(r.Context()).Operation = "refused: " + why
	awsproto.WriteREST(w, r, 0, nil, awsproto.Errorf(http.StatusForbidden, "AccessDeniedException", "the local cloud refuses the request: %s", why))
}
