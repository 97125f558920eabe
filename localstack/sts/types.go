package sts

import (
	"log/slog"
	"time"
)

// Credentials are temporary security credentials, as functions get them.
type Credentials struct {
	AccessKeyID     string // ASIA and 16 characters
	SecretAccessKey Secret
	SessionToken    Secret
	Expires         time.Time
}

// LogValue names the credentials without their secrets.
func (c Credentials) LogValue() slog.Value {
	return slog.GroupValue(slog.String("accessKeyId", c.AccessKeyID), slog.Time("expires", c.Expires))
}

// Identity is who signs with an access key that Issue or AssumeRole made.
type Identity struct {
	Credentials
	ARN         string // arn:aws:sts::<account>:assumed-role/<role>/<session>
	UserID      string // <role id>:<session>
	Account     string
	RoleARN     string // whose policies hold
	SessionName string
	Function    string    // ARN of the Lambda function that they were issued to, "" for others
	Policy      string    // JSON: the most that the session may do, "" where AssumeRole was told none
	Issued      time.Time // zero where a snapshot of an older version does not tell
}

// LogValue names the identity without its secrets.
func (i Identity) LogValue() slog.Value {
	return slog.GroupValue(slog.String("arn", i.ARN), slog.String("accessKeyId", i.AccessKeyID))
}

// Expired reports whether the credentials are no longer valid at now, which
// should be the cloud's time.
func (i Identity) Expired(now time.Time) bool { return !now.Before(i.Expires) }

// The shapes of https://docs.aws.amazon.com/STS/latest/APIReference/API_Types.html.

type callerIdentityOutput struct {
	Arn     string
	UserID  string `xml:"UserId"`
	Account string
}

type assumeRoleInput struct {
	RoleArn         string
	RoleSessionName string
	DurationSeconds *int // 900 to 43,200; 3,600 where it is not given
	Policy          string
}

type assumeRoleOutput struct {
	Credentials     credentialsXML
	AssumedRoleUser assumedRoleUserXML
}

type credentialsXML struct {
	AccessKeyID     string `xml:"AccessKeyId"`
	SecretAccessKey string
	SessionToken    string
	Expiration      time.Time
}

type assumedRoleUserXML struct {
	AssumedRoleID string `xml:"AssumedRoleId"`
	Arn           string
}

type accessKeyInfoInput struct {
	AccessKeyID string `xml:"AccessKeyId"`
}

type accessKeyInfoOutput struct{ Account string }
