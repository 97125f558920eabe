package emulator

import (
	"strings"

	"fanfare/localstack/lambda"
	"fanfare/localstack/policy"
)

// lambdaPrincipal is who Lambda is to a role's trust policy.
const lambdaPrincipal = "lambda.amazonaws.com"

// permissionsChanged hears of every change in iam.
func (e *Emulator) permissionsChanged() {
	e.authority.changed()
	e.sources.recheck()
}

// canAssume tells whether the role lets Lambda assume it.
func (a *authority) canAssume(roleARN string) bool {
	trust := a.of(roleARN).trust
	return trust != nil && policy.Evaluate(policy.Request{Principal: lambdaPrincipal, Action: assumeRole}, trust).Outcome == policy.Allowed
}

// pollActions are what an event source needs of SQS, besides DeleteMessage when
// a batch is done ("Using Lambda with Amazon SQS", execution role permissions).
var pollActions = []string{"ReceiveMessage", "GetQueueAttributes"}

// cannotPoll names the first action that a role lacks to be an event source's,
// "" if it has them all.
func (a *authority) cannotPoll(roleARN, function, queueARN string) string {
	if action := a.cannotReceive(roleARN, function, queueARN); action != "" {
		return action
	}
	if !a.may(roleARN, function, "sqs:DeleteMessage", queueARN) {
		return "DeleteMessage"
	}
	return ""
}

func (a *authority) cannotReceive(roleARN, function, queueARN string) string {
	for _, action := range pollActions {
		if !a.may(roleARN, function, "sqs:"+action, queueARN) {
			return action
		}
	}
	return ""
}

// mayLog tells whether a function's role may write the line: its stream, too,
// and its group if Lambda would have to make that.
func (a *authority) mayLog(l lambda.LogLine, groupExists bool) bool {
	region, function := regionOf(l.Function), l.Function[strings.LastIndexByte(l.Function, ':')+1:]
	if !groupExists && !a.may(l.Role, function, "logs:CreateLogGroup", logStreamARN(region, l.Group, "")) {
		return false
	}
	stream := logStreamARN(region, l.Group, l.Stream)
	return a.may(l.Role, function, "logs:CreateLogStream", stream) && a.may(l.Role, function, "logs:PutLogEvents", stream)
}
