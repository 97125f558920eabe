package awsconfig_test

import (
	"fmt"
	"maps"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"fanfare/shared/awsconfig"
)

// lambda is what Lambda sets for every function.
func lambda() map[string]string {
	return map[string]string{
		"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1",
		"AWS_ACCESS_KEY_ID": "ASIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "s3cret", "AWS_SESSION_TOKEN": "s3ssion",
	}
}

// set replaces all AWS variables of this process, which the SDK reads.
func set(t *testing.T, vars map[string]string) {
	t.Helper()
	for _, entry := range os.Environ() {
		if name, _, _ := strings.Cut(entry, "="); strings.HasPrefix(name, "AWS_") {
			t.Setenv(name, "") // so that it comes back afterwards
			if err := os.Unsetenv(name); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, value := range vars {
		t.Setenv(name, value)
	}
}

// clients is what the two clients make of a configuration, as far as it can be
// compared.
func clients(t *testing.T, cfg aws.Config) map[string]any {
	t.Helper()
	table, queue := dynamodb.NewFromConfig(cfg).Options(), sqs.NewFromConfig(cfg).Options()
	keys, err := cfg.Credentials.Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	told, ok := cfg.Credentials.(aws.CredentialProviderSource)
	if !ok {
		t.Fatalf("%T does not tell its sources", cfg.Credentials)
	}
	return map[string]any{
		"keys": keys, "sources of the keys": told.ProviderSources(),
		"dynamodb: region":    table.Region,
		"dynamodb: endpoint":  aws.ToString(table.BaseEndpoint),
		"dynamodb: FIPS":      table.EndpointOptions.UseFIPSEndpoint,
		"dynamodb: IPv6":      table.EndpointOptions.UseDualStackEndpoint,
		"dynamodb: account":   table.AccountIDEndpointMode,
		"dynamodb: attempts":  table.Retryer.MaxAttempts(),
		"dynamodb: retryer":   fmt.Sprintf("%T", table.Retryer),
		"dynamodb: discovery": table.EndpointDiscovery.EnableEndpointDiscovery,
		"dynamodb: defaults":  table.DefaultsMode,
		"dynamodb: logger":    fmt.Sprintf("%T", table.Logger),
		"dynamodb: client":    fmt.Sprintf("%T", table.HTTPClient),
		"sqs: region":         queue.Region,
		"sqs: endpoint":       aws.ToString(queue.BaseEndpoint),
		"sqs: FIPS":           queue.EndpointOptions.UseFIPSEndpoint,
		"sqs: IPv6":           queue.EndpointOptions.UseDualStackEndpoint,
		"sqs: attempts":       queue.Retryer.MaxAttempts(),
		"sqs: retryer":        fmt.Sprintf("%T", queue.Retryer),
		"sqs: application":    queue.AppID,
	}
}

// The SDK's own loader is the judge of what a variable means.
func TestClientsAreAsTheSDKsOwnLoaderMakesThem(t *testing.T) {
	for name, more := range map[string]map[string]string{
		"in Lambda":                  {},
		"on the local cloud":         {"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"},
		"one service elsewhere":      {"AWS_ENDPOINT_URL_SQS": "http://127.0.0.1:9324"},
		"each service elsewhere":     {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:2"},
		"FIPS":                       {"AWS_USE_FIPS_ENDPOINT": "TRUE"},
		"no FIPS":                    {"AWS_USE_FIPS_ENDPOINT": "false"},
		"no IPv6":                    {"AWS_USE_DUALSTACK_ENDPOINT": "False"},
		"IPv6":                       {"AWS_USE_DUALSTACK_ENDPOINT": "true"},
		"more attempts":              {"AWS_MAX_ATTEMPTS": "7"},
		"adaptive":                   {"AWS_RETRY_MODE": "adaptive"},
		"adaptive, few":              {"AWS_RETRY_MODE": "adaptive", "AWS_MAX_ATTEMPTS": "2"},
		"a name for the user agent":  {"AWS_SDK_UA_APP_ID": "fanfare"},
		"an account":                 {"AWS_ACCOUNT_ID": "123456789012"},
		"no endpoint of the account": {"AWS_ACCOUNT_ID": "123456789012", "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled"},
		"set to nothing":             {"AWS_RETRY_MODE": "", "AWS_MAX_ATTEMPTS": "", "AWS_ENDPOINT_URL": "", "AWS_PROFILE": ""},
	} {
		t.Run(name, func(t *testing.T) {
			vars := lambda()
			maps.Copy(vars, more)
			set(t, vars)
			ours, err := awsconfig.FromEnvironment(os.LookupEnv)
			if err != nil {
				t.Fatal(err)
			}
			theirs, err := config.LoadDefaultConfig(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			got, want := clients(t, ours), clients(t, theirs)
			for what := range want {
				if !reflect.DeepEqual(got[what], want[what]) {
					t.Errorf("%s: %+v, the SDK's loader has %+v", what, got[what], want[what])
				}
			}
		})
	}
}

func TestWhatIsWrongIsNamedInOneLine(t *testing.T) {
	for _, c := range []struct{ name, variable, value string }{
		{"no region", "AWS_REGION", ""},
		{"no key", "AWS_ACCESS_KEY_ID", ""},
		{"half a key", "AWS_SECRET_ACCESS_KEY", ""},
		{"a retry mode of another SDK", "AWS_RETRY_MODE", "legacy"},
		{"attempts in words", "AWS_MAX_ATTEMPTS", "three"},
		{"attempts below none", "AWS_MAX_ATTEMPTS", "-1"},
		{"neither true nor false", "AWS_USE_FIPS_ENDPOINT", "yes"},
		{"the same of IPv6", "AWS_USE_DUALSTACK_ENDPOINT", "1"},
		{"an unknown mode", "AWS_ACCOUNT_ID_ENDPOINT_MODE", "sometimes"},
		{"servers to trust", "AWS_CA_BUNDLE", "/ca.pem"},
		{"a profile", "AWS_PROFILE", "production"},
		{"other defaults", "AWS_DEFAULTS_MODE", "standard"},
	} {
		t.Run(c.name, func(t *testing.T) {
			vars := lambda()
			vars[c.variable] = c.value
			_, err := awsconfig.FromEnvironment(func(name string) (string, bool) { v, ok := vars[name]; return v, ok })
			if err == nil || !strings.Contains(err.Error(), c.variable+" ") || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %v, want one line that names %s", err, c.variable)
			}
			if err != nil && (strings.Contains(err.Error(), "s3cret") || c.value != "" && strings.Contains(err.Error(), " "+c.value)) {
				t.Errorf("error %v repeats a value", err)
			}
		})
	}
}
