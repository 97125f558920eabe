package config_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"fanfare/shared/config"
)

func environment(vars map[string]string) config.Lookup {
	return func(name string) (string, bool) {
		v, ok := vars[name]
		return v, ok
	}
}

func complete() map[string]string {
	return map[string]string{
		"TABLE_NAME": "fanfare", "WEBSOCKET_ENDPOINT": "https://abc.example.com/live",
		"BROADCAST_QUEUE_URL": "https://sqs.example.com/1/broadcast", "DELIVERY_QUEUE_URL": "https://sqs.example.com/1/delivery",
		"POST_RATE": "800", "DIRECT_RATE": "80", "JWT_PUBLIC_KEY": "-----BEGIN PUBLIC KEY-----",
	}
}

func Example() {
	_, err := config.Disconnect(func(string) (string, bool) { return "", false })
	fmt.Println(err)
	// Output: environment: TABLE_NAME is not set
}

func TestDefaults(t *testing.T) {
	c, err := config.Connect(environment(complete()))
	if err != nil {
		t.Fatal(err)
	}
	if c.ConnectionTTL != 24*time.Hour || c.LogLevel != slog.LevelInfo {
		t.Errorf("TTL %v, level %v; want 24h, INFO", c.ConnectionTTL, c.LogLevel)
	}
	j := c.JWT
	if j.TenantClaim != "tenant_id" || j.PermissionsClaim != "permissions" || len(j.Algorithms) != 1 || j.Algorithms[0] != "RS256" {
		t.Errorf("JWT defaults %+v", j)
	}
}

func TestListsAreSplitAtCommas(t *testing.T) {
	vars := complete()
	vars["ALLOWED_TENANTS"] = " acme, globex ,"
	c, err := config.Message(environment(vars))
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(c.JWT.AllowedTenants, "|"); got != "acme|globex" {
		t.Errorf("tenants %q", got)
	}
}

func TestWhatIsWrongIsNamedInOneLine(t *testing.T) {
	tests := []struct {
		name, variable, value string
	}{
		{"missing table", "TABLE_NAME", ""},
		{"endpoint without a scheme", "WEBSOCKET_ENDPOINT", "abc.example.com/live"},
		{"queue that is no URL", "BROADCAST_QUEUE_URL", "::"},
		{"TTL without a unit", "CONNECTION_TTL", "24"},
		{"TTL of nothing", "CONNECTION_TTL", "0s"},
		{"unknown level", "LOG_LEVEL", "LOUD"},
		{"no key at all", "JWT_PUBLIC_KEY", ""},
		{"limit below none", "CONNECTION_BROADCAST_LIMIT", "-1"},
		{"limit of a fraction", "TENANT_BROADCAST_LIMIT", "0.5"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			vars := complete()
			vars[tt.variable] = tt.value
			_, err := config.Message(environment(vars))
			if err == nil || !strings.Contains(err.Error(), tt.variable) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %v, want one line that names %s", err, tt.variable)
			}
		})
	}
}

func TestRateBounds(t *testing.T) {
	for _, rate := range []string{"", "0", "-1", "NaN", "fast", "1e9"} {
		vars := complete()
		vars["POST_RATE"] = rate
		if _, err := config.Deliver(environment(vars)); err == nil || !strings.Contains(err.Error(), "POST_RATE") {
			t.Errorf("POST_RATE=%q: error %v", rate, err)
		}
	}
	for _, rate := range []string{"", "-1", "NaN"} {
		vars := complete()
		vars["DIRECT_RATE"] = rate
		if _, err := config.Broadcast(environment(vars)); err == nil || !strings.Contains(err.Error(), "DIRECT_RATE") {
			t.Errorf("DIRECT_RATE=%q: error %v", rate, err)
		}
	}
	if c, err := config.Broadcast(environment(complete())); err != nil || c.PostRate != 800 || c.DirectRate != 80 {
		t.Errorf("rates %v and %v, error %v; want 800 and 80", c.PostRate, c.DirectRate, err)
	}
}

func TestAValueIsNeverInTheError(t *testing.T) {
	vars := complete()
	vars["JWT_PUBLIC_KEY"] = "s3cret"
	vars["TABLE_NAME"] = ""
	vars["CONNECTION_TTL"] = "s3cret"
	if _, err := config.Connect(environment(vars)); err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("error %v repeats a value", err)
	}
}
