package emulator

import (
	"strings"
	"time"

	"fanfare/localstack/lambda"
	"fanfare/localstack/logs"
)

// credentialsTTL is how long a function's credentials are valid. AWS renews
// them before they end by starting new environments; ours live shorter.
const credentialsTTL = 12 * time.Hour

// functionEnvironment is what the platform adds to a function's environment:
// its role's credentials and the way to this cloud.
func (e *Emulator) functionEnvironment(f lambda.FunctionInfo) map[string]string {
	creds := e.sts.IssueTo(f.ARN, f.Role, credentialsTTL)
	return map[string]string{
		"AWS_ACCESS_KEY_ID":     creds.AccessKeyID,
		"AWS_SECRET_ACCESS_KEY": creds.SecretAccessKey.Reveal(),
		"AWS_SESSION_TOKEN":     creds.SessionToken.Reveal(),
		"AWS_ENDPOINT_URL":      e.URL(),
	}
}

// functionLog keeps a function's line in its log group, takes the metrics in it
// and shows it. Lambda
// writes the log with the function's role: what that may not write is shown all
// the same, but not kept.
func (e *Emulator) functionLog(l lambda.LogLine) {
	if !l.Local && e.authority.mayLog(l, e.logs.Has(l.Group)) {
		e.logs.Put(l.Group, l.Stream, logs.Event{Time: l.Time, Message: l.Text})
		if parts := strings.SplitN(l.Function, ":", 5); len(parts) == 5 { // arn:aws:lambda:<region>:…
			e.cloudwatch.Embedded(parts[3], l.Text)
		}
	}
	if e.opts.FunctionLog != nil {
		e.opts.FunctionLog(l)
	}
}

func (e *Emulator) roleExists(arn string) bool {
	_, ok := e.iam.Role(arn)
	return ok
}

func (e *Emulator) queueVisibility(queueARN string) (time.Duration, bool) {
	q, ok := e.sqs.Lookup(queueARN)
	return q.VisibilityTimeout, ok
}
