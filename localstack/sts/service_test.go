package sts_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go"

	"fanfare/localstack/awsproto"
	"fanfare/localstack/clock"
	"fanfare/localstack/sts"
)

const role = "arn:aws:iam::000000000000:role/fanfare/connect"

func Example() {
	s := sts.New(sts.Options{})
	creds := s.Issue(role, "connect", time.Hour)
	who, ok := s.Lookup(creds.AccessKeyID)
	fmt.Println(ok, who.ARN, creds.SecretAccessKey)
	// Output: true arn:aws:sts::000000000000:assumed-role/connect/connect [redacted]
}

// client returns the real SDK's client of s, with the given access key.
func client(t *testing.T, s http.Handler, key, token string) *sdk.Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		call := awsproto.NewCall(r, "")
		s.ServeHTTP(w, r.WithContext(awsproto.WithCall(r.Context(), call)))
	}))
	t.Cleanup(server.Close)
	return sdk.New(sdk.Options{
		BaseEndpoint: &server.URL, Region: "us-east-1", RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(key, "secret", token),
	})
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	if api, ok := errors.AsType[smithy.APIError](err); !ok || api.ErrorCode() != code {
		t.Errorf("got %v, want %s", err, code)
	}
}

func TestAnyLongTermKeyIsTheDeployer(t *testing.T) {
	s := sts.New(sts.Options{})
	for _, key := range []string{"test", "AKIAIOSFODNN7EXAMPLE"} {
		got, err := client(t, s, key, "").GetCallerIdentity(t.Context(), &sdk.GetCallerIdentityInput{})
		if err != nil {
			t.Fatal(err)
		}
		if *got.Arn != "arn:aws:iam::000000000000:user/deployer" || *got.Account != "000000000000" || *got.UserId == "" {
			t.Errorf("%s is %s of %s", key, *got.Arn, *got.Account)
		}
	}
}

func TestAssumeRoleGivesWorkingCredentials(t *testing.T) {
	now := clock.New()
	s := sts.New(sts.Options{Clock: now})
	before := now.Now()
	out, err := client(t, s, "test", "").AssumeRole(t.Context(), &sdk.AssumeRoleInput{
		RoleArn: aws.String(role), RoleSessionName: aws.String("me@work"), DurationSeconds: aws.Int32(900),
	})
	if err != nil {
		t.Fatal(err)
	}
	key := *out.Credentials.AccessKeyId
	if !regexp.MustCompile(`^ASIA[A-Z2-7]{16}$`).MatchString(key) || len(*out.Credentials.SecretAccessKey) != 40 {
		t.Errorf("key %s with a secret of %d characters", key, len(*out.Credentials.SecretAccessKey))
	}
	expires := *out.Credentials.Expiration // in whole seconds
	if expires.Before(before.Add(15*time.Minute-time.Second)) || expires.After(now.Now().Add(15*time.Minute)) {
		t.Errorf("issued at %v, expires at %v, want 15 min later", before, expires)
	}
	session := client(t, s, key, *out.Credentials.SessionToken)
	got, err := session.GetCallerIdentity(t.Context(), &sdk.GetCallerIdentityInput{})
	if err != nil {
		t.Fatal(err)
	}
	if *got.Arn != "arn:aws:sts::000000000000:assumed-role/connect/me@work" || *got.Arn != *out.AssumedRoleUser.Arn {
		t.Errorf("the session is %s, AssumeRole said %s", *got.Arn, *out.AssumedRoleUser.Arn)
	}
	if !strings.HasPrefix(*got.UserId, "AROA") || !strings.HasSuffix(*got.UserId, ":me@work") {
		t.Errorf("user id %s", *got.UserId)
	}

	_, err = session.AssumeRole(t.Context(), &sdk.AssumeRoleInput{
		RoleArn: aws.String(role), RoleSessionName: aws.String("again"), DurationSeconds: aws.Int32(3601),
	})
	wantCode(t, err, "ValidationError")

	now.Advance(15 * time.Minute)
	_, err = session.GetCallerIdentity(t.Context(), &sdk.GetCallerIdentityInput{})
	wantCode(t, err, "ExpiredToken")
	now.Advance(2 * time.Hour)
	_, err = session.GetCallerIdentity(t.Context(), &sdk.GetCallerIdentityInput{})
	wantCode(t, err, "InvalidClientTokenId")
}

const sessionPolicy = `{"Statement":{"Effect":"Allow","Action":"sqs:*","Resource":"*"}}`

// What bounds a session, and says whose it is, outlives a restart.
func TestASessionIsKnownWithItsPolicyAndItsFunction(t *testing.T) {
	s := sts.New(sts.Options{})
	const function = "arn:aws:lambda:us-east-1:000000000000:function:connect"
	issued := s.IssueTo(function, role, time.Hour)
	out, err := client(t, s, "test", "").AssumeRole(t.Context(), &sdk.AssumeRoleInput{
		RoleArn: aws.String(role), RoleSessionName: aws.String("me"), Policy: aws.String(sessionPolicy),
	})
	if err != nil {
		t.Fatal(err)
	}
	snapshot, err := s.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	restored := sts.New(sts.Options{})
	if err := restored.Restore(snapshot); err != nil {
		t.Fatal(err)
	}
	if who, _ := restored.Lookup(issued.AccessKeyID); who.Function != function || who.SessionName != "connect" || who.Policy != "" || !strings.HasSuffix(who.UserID, ":connect") || time.Since(who.Issued) > time.Minute {
		t.Errorf("a function's session: %+v", who)
	}
	if who, _ := restored.Lookup(*out.Credentials.AccessKeyId); who.Function != "" || who.Policy != sessionPolicy {
		t.Errorf("a session with a policy: %+v", who)
	}
}

func TestAssumeRoleRefuses(t *testing.T) {
	tests := map[string]struct {
		change func(*sdk.AssumeRoleInput)
		code   string
	}{
		"a role that is not there":      {func(in *sdk.AssumeRoleInput) { in.RoleArn = aws.String(role + "x") }, "AccessDenied"},
		"what is no role's ARN":         {func(in *sdk.AssumeRoleInput) { in.RoleArn = aws.String("arn:aws:iam::000000000000:user/u") }, "ValidationError"},
		"a session name with spaces":    {func(in *sdk.AssumeRoleInput) { in.RoleSessionName = aws.String("a b") }, "ValidationError"},
		"a session of a minute":         {func(in *sdk.AssumeRoleInput) { in.DurationSeconds = aws.Int32(60) }, "ValidationError"},
		"a session of a day":            {func(in *sdk.AssumeRoleInput) { in.DurationSeconds = aws.Int32(86400) }, "ValidationError"},
		"a session policy that is none": {func(in *sdk.AssumeRoleInput) { in.Policy = aws.String("{}") }, "MalformedPolicyDocument"},
		"one that names a principal": {func(in *sdk.AssumeRoleInput) {
			in.Policy = aws.String(`{"Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}}`)
		}, "MalformedPolicyDocument"},
		"one without a resource": {func(in *sdk.AssumeRoleInput) {
			in.Policy = aws.String(`{"Statement":{"Effect":"Allow","Action":"*"}}`)
		}, "MalformedPolicyDocument"},
		"one that is too long": {func(in *sdk.AssumeRoleInput) { in.Policy = aws.String(sessionPolicy + strings.Repeat(" ", 2048)) }, "ValidationError"},
		"a managed session policy": {func(in *sdk.AssumeRoleInput) {
			in.PolicyArns = []types.PolicyDescriptorType{{Arn: aws.String("arn:aws:iam::aws:policy/AdministratorAccess")}}
		}, "ValidationError"},
		"an external id": {func(in *sdk.AssumeRoleInput) { in.ExternalId = aws.String("id") }, "ValidationError"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := sts.New(sts.Options{RoleExists: func(arn string) bool { return arn == role }})
			in := &sdk.AssumeRoleInput{RoleArn: aws.String(role), RoleSessionName: aws.String("session")}
			tt.change(in)
			_, err := client(t, s, "test", "").AssumeRole(t.Context(), in)
			wantCode(t, err, tt.code)
		})
	}
}

func TestTheUnsignedAndTheForeignAreRefused(t *testing.T) {
	s := sts.New(sts.Options{})
	_, err := client(t, s, "ASIAOFANOTHERCLOUD00", "token").GetCallerIdentity(t.Context(), &sdk.GetCallerIdentityInput{})
	wantCode(t, err, "InvalidClientTokenId")

	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("Action=GetCallerIdentity&Version=2011-06-15"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), "<Code>MissingAuthenticationToken</Code>") {
		t.Errorf("unsigned: %d %s", w.Code, w.Body)
	}
}

func TestGetAccessKeyInfo(t *testing.T) {
	c := client(t, sts.New(sts.Options{}), "test", "")
	got, err := c.GetAccessKeyInfo(t.Context(), &sdk.GetAccessKeyInfoInput{AccessKeyId: aws.String("AKIAIOSFODNN7EXAMPLE")})
	if err != nil || *got.Account != awsproto.AccountID {
		t.Errorf("got %v, %v", got, err)
	}
	_, err = c.GetAccessKeyInfo(t.Context(), &sdk.GetAccessKeyInfoInput{AccessKeyId: aws.String("not-a-key-of-any-one")})
	wantCode(t, err, "ValidationError")
}

func TestLookup(t *testing.T) {
	now := clock.New()
	s := sts.New(sts.Options{Clock: now})
	creds := s.Issue(role, "connect", time.Hour)
	who, ok := s.Lookup(creds.AccessKeyID)
	if !ok || who.RoleARN != role || who.SessionName != "connect" || who.Account != awsproto.AccountID ||
		who.SecretAccessKey.Reveal() != creds.SecretAccessKey.Reveal() || who.SessionToken.Reveal() == "" {
		t.Errorf("Lookup = %+v, %v", who, ok)
	}
	if who.Expired(now.Now()) {
		t.Error("fresh credentials are expired")
	}
	if _, ok := s.Lookup("test"); ok {
		t.Error("a key that was not issued is known")
	}
	now.Advance(time.Hour)
	if who, ok = s.Lookup(creds.AccessKeyID); !ok || !who.Expired(now.Now()) {
		t.Errorf("after an hour: %v, expired %v; want known and expired", ok, who.Expired(now.Now()))
	}
	now.Advance(time.Hour + time.Second)
	if _, ok = s.Lookup(creds.AccessKeyID); ok {
		t.Error("still known an hour after it expired")
	}
}

func TestLongExpiredSessionsAreForgotten(t *testing.T) {
	now := clock.New()
	s := sts.New(sts.Options{Clock: now})
	old := s.Issue(role, "old", time.Minute)
	now.Advance(2 * time.Hour)
	s.Issue(role, "new", time.Minute)
	snapshot, err := s.Snapshot()
	if err != nil || strings.Contains(string(snapshot), old.AccessKeyID) {
		t.Errorf("snapshot still has the old session (%v)", err)
	}
}

func TestSecretsAreNeverPrinted(t *testing.T) {
	var logged bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s := sts.New(sts.Options{Logger: logger})
	creds := s.Issue(role, "connect", time.Hour)
	who, _ := s.Lookup(creds.AccessKeyID)

	logger.Info("values", "creds", creds, "who", who, "secret", creds.SecretAccessKey, "list", []any{creds, &who})
	slog.New(slog.NewTextHandler(&logged, nil)).Info("values", "creds", creds, "list", []any{creds, who})
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&logged, verb+verb+verb+"\n", creds, who, creds.SessionToken)
	}
	asJSON, err := json.Marshal(map[string]any{"creds": creds, "who": who})
	if err != nil {
		t.Fatal(err)
	}
	logged.Write(asJSON)

	text := logged.String()
	if !strings.Contains(text, "credentials issued") || !strings.Contains(text, creds.AccessKeyID) {
		t.Errorf("the log does not tell who got credentials: %s", text)
	}
	for _, secret := range []string{creds.SecretAccessKey.Reveal(), creds.SessionToken.Reveal()} {
		if strings.Contains(text, secret) || strings.Contains(text, fmt.Sprintf("%x", secret)) {
			t.Errorf("a secret got out: %s", text)
		}
	}
}

func TestSnapshotAndRestore(t *testing.T) {
	s := sts.New(sts.Options{})
	creds := s.Issue(role, "connect", time.Hour)
	snapshot, err := s.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	restored := sts.New(sts.Options{})
	gone := restored.Issue(role, "gone", time.Hour)
	if err := restored.Restore(snapshot); err != nil {
		t.Fatal(err)
	}
	if who, ok := restored.Lookup(creds.AccessKeyID); !ok || who.SecretAccessKey.Reveal() != creds.SecretAccessKey.Reveal() {
		t.Errorf("after Restore: %+v, %v", who, ok)
	}
	if _, ok := restored.Lookup(gone.AccessKeyID); ok {
		t.Error("Restore kept a session that the snapshot does not have")
	}
	for _, broken := range []string{`{`, `null`, `{}`, `{"Sessions":{"a":{}}}`} {
		if err := restored.Restore([]byte(broken)); err == nil {
			t.Errorf("Restore(%s) succeeded", broken)
		}
	}
}
