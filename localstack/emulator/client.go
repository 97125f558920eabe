package emulator

import (
	"context"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// defaultRegion is where Config's clients and Env's programs are. The cloud
// serves every region.
const defaultRegion = "us-east-1"

// dummyKey is the deployer's key and its secret, who may do everything.
const dummyKey = "test"

// Config is for the SDK's clients of this cloud:
//
//	sqs.NewFromConfig(cloud.Config())
//
// It comes from nothing but the cloud: AWS_ENDPOINT_URL, AWS_PROFILE,
// AWS_CA_BUNDLE, proxies and files in the home directory do not touch it. A
// client of @connections needs the API's own BaseEndpoint beside it: the API's
// endpoint with http for ws, and the stage.
func (e *Emulator) Config() aws.Config {
	return aws.Config{
		Region: defaultRegion, BaseEndpoint: aws.String(e.URL()), HTTPClient: e.client,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: dummyKey, SecretAccessKey: dummyKey, Source: "local cloud"}, nil
		}),
	}
}

// newClient is a client without a proxy, whose connections Close can end.
func newClient() *http.Client {
	return &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
}

// Env is the environment of a program that is to use this cloud, such as
// Terraform, for exec.Cmd's Env.
func (e *Emulator) Env() []string { return Env(e.URL()) }

// Env is this process's environment, changed for a program that is to use the
// local cloud at endpoint: with its address and dummy keys, and without every
// AWS_ variable and file that could lead to a real account.
func Env(endpoint string) []string {
	ours := settings(endpoint)
	var env []string
	for _, kv := range os.Environ() {
		name, _, _ := strings.Cut(kv, "=")
		if _, replaced := ours[name]; !replaced && !isAWS(name) {
			env = append(env, kv)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(ours)) {
		env = append(env, name+"="+ours[name])
	}
	return env
}

// Setenv gives this process the environment of Env for the time of the test: for
// code under test that finds AWS by itself, with config.LoadDefaultConfig. Like
// t.Setenv it is not for parallel tests.
func (e *Emulator) Setenv(t TB) {
	t.Helper()
	ours := settings(e.URL())
	for _, kv := range os.Environ() {
		name, _, _ := strings.Cut(kv, "=")
		if _, replaced := ours[name]; !replaced && isAWS(name) {
			t.Setenv(name, "") // for the SDK the same as not set
		}
	}
	for name, value := range ours {
		t.Setenv(name, value)
	}
}

func isAWS(name string) bool { return strings.HasPrefix(name, "AWS_") }

// settings are the variables that lead to the cloud at endpoint.
func settings(endpoint string) map[string]string {
	s := map[string]string{
		"AWS_ENDPOINT_URL":  endpoint,
		"AWS_ACCESS_KEY_ID": dummyKey, "AWS_SECRET_ACCESS_KEY": dummyKey,
		"AWS_REGION": defaultRegion, "AWS_DEFAULT_REGION": defaultRegion, // Python's SDK knows only the second
		"AWS_EC2_METADATA_DISABLED": "true",
		"AWS_CONFIG_FILE":           os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
	}
	for _, name := range []string{"NO_PROXY", "no_proxy"} {
		s[name] = strings.TrimPrefix(os.Getenv(name)+",localhost,127.0.0.1", ",")
	}
	return s
}
