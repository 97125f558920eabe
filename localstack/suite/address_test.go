package suite

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"fanfare/scripts/stack"
)

// reachable maps an address, as a cloud in a container names it, to where this
// machine reaches it: at endpoint. Names below localhost.localstack.cloud are
// turned into the paths that mean the same, because their DNS needs a network.
func reachable(raw, endpoint string) (string, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return "", err
	}
	if u.Port() != strconv.Itoa(cloudPort) {
		return "", fmt.Errorf("the cloud in the container named %s: only its port %d can be reached from here", raw, cloudPort)
	}
	base, err := url.Parse(endpoint)
	if err != nil {
		return "", err
	}
	if api, rest, _ := strings.Cut(u.Hostname(), "."); strings.HasPrefix(rest, "execute-api.") {
		u.Path = "/_aws/execute-api/" + api + u.Path
	}
	// One port takes plain and encrypted connections, but the certificate is for
	// another name than ours.
	switch u.Scheme {
	case "wss":
		u.Scheme = "ws"
	case "https":
		u.Scheme = "http"
	}
	u.Host = base.Host
	return u.String(), nil
}

// reachableOutputs maps what clients open. The queue's URL only names it: calls go
// to the endpoint.
func reachableOutputs(o stack.Outputs, endpoint string) (stack.Outputs, error) {
	var err error
	if o.WebSocketURL, err = reachable(o.WebSocketURL, endpoint); err != nil {
		return o, err
	}
	o.ManagementEndpoint, err = reachable(o.ManagementEndpoint, endpoint)
	return o, err
}

// Where LocalStack serves WebSocket APIs: https://docs.localstack.cloud/aws/services/apigateway/
func TestAddressesOfACloudInAContainerAreMapped(t *testing.T) {
	const endpoint = "http://localhost:32768"
	for _, c := range []struct{ name, from, to string }{
		{"ours, for sockets", "ws://localhost:4566/_aws/execute-api/abc/live", "ws://localhost:32768/_aws/execute-api/abc/live"},
		{"ours, for @connections", "http://localhost:4566/_aws/execute-api/abc/live", "http://localhost:32768/_aws/execute-api/abc/live"},
		{"LocalStack's, by path", "ws://localhost.localstack.cloud:4566/_aws/execute-api/abc/live", "ws://localhost:32768/_aws/execute-api/abc/live"},
		{"LocalStack's, by name", "ws://abc.execute-api.localhost.localstack.cloud:4566/live", "ws://localhost:32768/_aws/execute-api/abc/live"},
		{"LocalStack's, encrypted", "wss://abc.execute-api.localhost.localstack.cloud:4566/live", "ws://localhost:32768/_aws/execute-api/abc/live"},
		{"LocalStack's, encrypted, for @connections", "https://abc.execute-api.localhost.localstack.cloud:4566/live", "http://localhost:32768/_aws/execute-api/abc/live"},
		{"LocalStack's, a port of its own for each API [ISS:localstack#7814]", "ws://localhost:4510/live", ""},
		{"no port", "ws://localhost/live", ""},
		{"no address", "ws://localhost:%zz", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := reachable(c.from, endpoint)
			if got != c.to || (err != nil) != (c.to == "") {
				t.Errorf("%s became %q, error %v; want %q", c.from, got, err, c.to)
			}
		})
	}
}
