package sts

import (
	"context"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"fanfare/localstack/awsproto"
	"fanfare/localstack/policy"
)

func (s *Service) operations() map[string]awsproto.QueryOperation {
	return map[string]awsproto.QueryOperation{
		"GetCallerIdentity": awsproto.FormOp(s.getCallerIdentity),
		"AssumeRole":        awsproto.FormOp(s.assumeRole),
		"GetAccessKeyInfo":  awsproto.FormOp(s.getAccessKeyInfo),
	}
}

// caller is who signed the request: a session of ours, or else the deployer.
// Keys of temporary credentials begin with ASIA, so a foreign one is refused
// rather than taken for the deployer's.
func (s *Service) caller(ctx context.Context) (Identity, error) {
	key := awsproto.CallFrom(ctx).Credential.AccessKeyID
	if key == "" {
		return Identity{}, missingToken()
	}
	who, ok := s.Lookup(key)
	switch {
	case ok && who.Expired(s.clock.Now()):
		return Identity{}, expiredToken()
	case ok:
		return who, nil
	case strings.HasPrefix(key, "ASIA"):
		return Identity{}, invalidToken()
	}
	return Identity{
		ARN:    "arn:aws:iam::" + awsproto.AccountID + ":user/deployer",
		UserID: "AIDADEPLOYERDEPLOYER1", Account: awsproto.AccountID,
	}, nil
}

func (s *Service) getCallerIdentity(ctx context.Context, _ *struct{}) (callerIdentityOutput, error) {
	who, err := s.caller(ctx)
	return callerIdentityOutput{Arn: who.ARN, UserID: who.UserID, Account: who.Account}, err
}

const (
	defaultDuration = 3600 // seconds
	minDuration     = 900
	maxDuration     = 43200
	maxChained      = 3600 // for a session that assumes another role
)

var (
	roleARNPattern = regexp.MustCompile(`^arn:aws:iam::\d{12}:role/[!-~]+$`)
	sessionPattern = regexp.MustCompile(`^[\w+=,.@-]{2,64}$`)
	keyPattern     = regexp.MustCompile(`^\w{16,128}$`)
)

// assumeRole answers a role that is not there as AWS does: with AccessDenied,
// which tells an outsider nothing.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
func (s *Service) assumeRole(ctx context.Context, in *assumeRoleInput) (assumeRoleOutput, error) {
	caller, err := s.caller(ctx)
	if err != nil {
		return assumeRoleOutput{}, err
	}
	seconds, err := checkAssumeRole(in, caller)
	if err != nil {
		return assumeRoleOutput{}, err
	}
	if !s.roleExists(in.RoleArn) {
		return assumeRoleOutput{}, accessDenied(caller.ARN, in.RoleArn)
	}
	if err := checkSessionPolicy(in.Policy); err != nil {
		return assumeRoleOutput{}, err
	}
	se := session{RoleARN: in.RoleArn, SessionName: in.RoleSessionName, Policy: in.Policy}
	who := s.issue(se, time.Duration(seconds)*time.Second)
	return assumeRoleOutput{
		Credentials: credentialsXML{
			AccessKeyID:     who.AccessKeyID,
			SecretAccessKey: who.SecretAccessKey.Reveal(),
			SessionToken:    who.SessionToken.Reveal(),
			Expiration:      who.Expires,
		},
		AssumedRoleUser: assumedRoleUserXML{AssumedRoleID: who.UserID, Arn: who.ARN},
	}, nil
}

// checkAssumeRole returns the session's length in seconds.
func checkAssumeRole(in *assumeRoleInput, caller Identity) (int, error) {
	if !roleARNPattern.MatchString(in.RoleArn) {
		return 0, validationError("%s is invalid", in.RoleArn)
	}
	if !sessionPattern.MatchString(in.RoleSessionName) {
		return 0, validationError("1 validation error detected: Value '%s' at 'roleSessionName' failed to satisfy constraint: "+
			"Member must satisfy regular expression pattern: [\\w+=,.@-]{2,64}", in.RoleSessionName)
	}
	seconds := defaultDuration
	if in.DurationSeconds != nil {
		seconds = *in.DurationSeconds
	}
	if seconds < minDuration || seconds > maxDuration {
		return 0, validationError("1 validation error detected: Value '%d' at 'durationSeconds' failed to satisfy constraint: "+
			"Member must have value between %d and %d", seconds, minDuration, maxDuration)
	}
	if caller.RoleARN != "" && seconds > maxChained {
		return 0, validationError("The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining")
	}
	return seconds, nil
}

const maxSessionPolicy = 2048 // characters

// checkSessionPolicy: it has the form of an identity policy. See
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html.
func checkSessionPolicy(text string) error {
	if text == "" {
		return nil
	}
	if n := utf8.RuneCountInString(text); n > maxSessionPolicy {
		return validationError("1 validation error detected: Value at 'policy' failed to satisfy constraint: "+
			"Member must have length less than or equal to %d", maxSessionPolicy)
	}
	doc, err := policy.Parse(text)
	if err != nil {
		return malformedPolicy("%v", err)
	}
	for _, st := range doc.Statements {
		if st.Principal != nil || st.NotPrincipal != nil {
			return malformedPolicy("Has prohibited field Principal")
		}
		if len(st.Action)+len(st.NotAction) == 0 || len(st.Resource)+len(st.NotResource) == 0 {
			return malformedPolicy("Policy statement must contain actions and resources.")
		}
	}
	return nil
}

// getAccessKeyInfo knows one account, so every well-formed key is its.
func (s *Service) getAccessKeyInfo(_ context.Context, in *accessKeyInfoInput) (accessKeyInfoOutput, error) {
	if !keyPattern.MatchString(in.AccessKeyID) {
		return accessKeyInfoOutput{}, validationError("1 validation error detected: Value at 'accessKeyId' failed to satisfy constraint: " +
			"Member must satisfy regular expression pattern: [\\w]{16,128}")
	}
	return accessKeyInfoOutput{awsproto.AccountID}, nil
}
