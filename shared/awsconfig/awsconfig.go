// Package awsconfig makes the AWS clients' configuration of what Lambda puts
// into a function's environment.
//
//	cfg, err := awsconfig.FromEnvironment(os.LookupEnv)
//	table := dynamodb.NewFromConfig(cfg)
//
// It stands in for the SDK's own loader, github.com/aws/aws-sdk-go-v2/config,
// which looks for credentials in profiles, instance roles, SSO and web identities
// too: that links clients of four more services and costs a cold start more than
// all of Fanfare's own code. In Lambda the credentials are always the environment's.
//
// It does not promise to read each variable that the SDK knows. One that it does
// not read and that would change where or how calls go is an error.
//
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
package awsconfig

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go/logging"
)

// Lookup finds a variable, as os.LookupEnv does.
type Lookup func(name string) (string, bool)

// unread are variables by which the SDK's own loader would send calls
// elsewhere, sign them with other keys, trust other servers or wait otherwise.
var unread = []string{
	"AWS_CA_BUNDLE", "AWS_CONFIG_FILE", "AWS_DEFAULTS_MODE", "AWS_DEFAULT_PROFILE", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
	"AWS_PROFILE", "AWS_SHARED_CREDENTIALS_FILE",
}

// FromEnvironment returns an error that names each variable which is missing,
// malformed or not read here. No value is in it.
func FromEnvironment(lookup Lookup) (aws.Config, error) {
	e := environment{lookup: lookup}
	for _, name := range unread {
		if e.get(name) != "" {
			e.fail("%s is not read by Fanfare's functions: remove it", name)
		}
	}
	cfg := aws.Config{
		Region: e.required("AWS_REGION"),
		Credentials: credentials.StaticCredentialsProvider{
			Value: aws.Credentials{
				AccessKeyID: e.required("AWS_ACCESS_KEY_ID"), SecretAccessKey: e.required("AWS_SECRET_ACCESS_KEY"),
				SessionToken: e.get("AWS_SESSION_TOKEN"), AccountID: e.get("AWS_ACCOUNT_ID"), Source: "EnvConfigCredentials",
			},
			Source: []aws.CredentialSource{aws.CredentialSourceEnvVars},
		},
		AppID:                 e.get("AWS_SDK_UA_APP_ID"),
		RetryMode:             e.retryMode(),
		RetryMaxAttempts:      e.attempts(),
		DefaultsMode:          aws.DefaultsModeLegacy, // the SDK's default
		AccountIDEndpointMode: e.accountMode(),
		Logger:                logging.NewStandardLogger(os.Stderr),
	}
	if url := e.get("AWS_ENDPOINT_URL"); url != "" {
		cfg.BaseEndpoint = &url
	}
	cfg.ConfigSources = []any{endpoints{
		lookup: lookup,
		fips: flag(&e, "AWS_USE_FIPS_ENDPOINT",
			aws.FIPSEndpointStateUnset, aws.FIPSEndpointStateEnabled, aws.FIPSEndpointStateDisabled),
		dualStack: flag(&e, "AWS_USE_DUALSTACK_ENDPOINT",
			aws.DualStackEndpointStateUnset, aws.DualStackEndpointStateEnabled, aws.DualStackEndpointStateDisabled),
	}}
	return cfg, e.err()
}

// environment reads variables and gathers what is wrong with them.
type environment struct {
	lookup Lookup
	wrong  []string
}

func (e *environment) fail(format string, args ...any) {
	e.wrong = append(e.wrong, fmt.Sprintf(format, args...))
}

func (e *environment) err() error {
	if len(e.wrong) == 0 {
		return nil
	}
	return errors.New("environment: " + strings.Join(e.wrong, "; "))
}

// get takes an empty variable for one that is not set, as the SDK does.
func (e *environment) get(name string) string {
	v, _ := e.lookup(name)
	return v
}

func (e *environment) required(name string) string {
	v := e.get(name)
	if v == "" {
		e.fail("%s is not set, as Lambda sets it", name)
	}
	return v
}

// flag returns one of three, because the SDK tells false from not set.
func flag[S any](e *environment, name string, unset, on, off S) S {
	switch v := e.get(name); {
	case v == "":
		return unset
	case strings.EqualFold(v, "true"):
		return on
	case !strings.EqualFold(v, "false"):
		e.fail("%s must be true or false", name)
	}
	return off
}

func (e *environment) retryMode() aws.RetryMode {
	const name = "AWS_RETRY_MODE"
	v := e.get(name)
	if v == "" {
		return ""
	}
	mode, err := aws.ParseRetryMode(v)
	if err != nil {
		e.fail("%s must be standard or adaptive", name)
	}
	return mode
}

func (e *environment) attempts() int {
	const name = "AWS_MAX_ATTEMPTS"
	v := e.get(name)
	if v == "" {
		return 0
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 0 {
		e.fail("%s must be a number of attempts", name)
	}
	return n
}

func (e *environment) accountMode() aws.AccountIDEndpointMode {
	const name = "AWS_ACCOUNT_ID_ENDPOINT_MODE"
	switch mode := aws.AccountIDEndpointMode(e.get(name)); mode {
	case "":
		return aws.AccountIDEndpointModePreferred // the SDK's default
	case aws.AccountIDEndpointModePreferred, aws.AccountIDEndpointModeRequired, aws.AccountIDEndpointModeDisabled:
		return mode
	}
	e.fail("%s must be preferred, required or disabled", name)
	return ""
}

// endpoints is what clients ask aws.Config.ConfigSources for when they choose
// their endpoint. It has the methods that the SDK's own sources have.
type endpoints struct {
	lookup    Lookup
	fips      aws.FIPSEndpointState
	dualStack aws.DualStackEndpointState
}

// GetServiceBaseEndpoint reads AWS_ENDPOINT_URL_SQS and its like.
func (e endpoints) GetServiceBaseEndpoint(_ context.Context, service string) (url string, found bool, err error) {
	url, _ = e.lookup("AWS_ENDPOINT_URL_" + strings.ReplaceAll(strings.ToUpper(service), " ", "_"))
	return url, url != "", nil
}

// GetUseFIPSEndpoint returns AWS_USE_FIPS_ENDPOINT.
func (e endpoints) GetUseFIPSEndpoint(context.Context) (state aws.FIPSEndpointState, found bool, err error) {
	return e.fips, e.fips != aws.FIPSEndpointStateUnset, nil
}

// GetUseDualStackEndpoint returns AWS_USE_DUALSTACK_ENDPOINT.
func (e endpoints) GetUseDualStackEndpoint(context.Context) (state aws.DualStackEndpointState, found bool, err error) {
	return e.dualStack, e.dualStack != aws.DualStackEndpointStateUnset, nil
}
