package emulator

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"fanfare/localstack/logs"
)

// accessLog keeps a line of a stage's access log. As in AWS, nobody makes the
// log group: without one, or a role that may write there, nothing is written.
func (e *Emulator) accessLog(region, group, line string, at time.Time) {
	if !e.logs.Has(group) {
		e.log.Warn("access log not written: there is no such log group", "group", group)
		return
	}
	if !e.authority.mayLogAccess(e.gateway.LogRole(), region, group) {
		return // the log of refusals tells
	}
	// AWS's streams have 32 hexadecimal digits for names. One is enough here.
	sum := sha256.Sum256([]byte(group))
	e.logs.Put(group, hex.EncodeToString(sum[:16]), logs.Event{Time: at, Message: line})
}

// logActions are what a role needs for API Gateway's logs, on any group: those of
// AWS's own policy AmazonAPIGatewayPushToCloudWatchLogs. See
// https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html.
var logActions = []string{
	"CreateLogGroup", "CreateLogStream", "DescribeLogGroups", "DescribeLogStreams", "PutLogEvents", "GetLogEvents", "FilterLogEvents",
}

// apiGatewaySession is the session that a role has in API Gateway's hands, as
// CloudTrail shows it.
const apiGatewaySession = "BackplaneAssumeRoleSession"

// canLog tells whether a role will do as the account's role for logs. AWS tries
// nothing out: it looks at what the role may do.
func (a *authority) canLog(roleARN, region string) bool {
	if !a.trusts(roleARN, apiGatewayPrincipal, "") {
		return false
	}
	for _, action := range logActions {
		if !a.may(roleARN, apiGatewaySession, "logs:"+action, logStreamARN(region, "any", "")) {
			return false
		}
	}
	return true
}

func (a *authority) mayLogAccess(roleARN, region, group string) bool {
	stream := logStreamARN(region, group, "any")
	return a.trusts(roleARN, apiGatewayPrincipal, "") &&
		a.may(roleARN, apiGatewaySession, "logs:CreateLogStream", stream) && a.may(roleARN, apiGatewaySession, "logs:PutLogEvents", stream)
}
