package emulator

import (
	"strings"

	"fanfare/localstack/awsproto"
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

// canAssume tells whether the role lets Lambda assume it, for that function.
func (a *authority) canAssume(roleARN, functionARN string) bool {
	return a.trusts(roleARN, lambdaPrincipal, functionARN)
}

// trusts tells whether a role lets a service assume it on behalf of a source, if
// there is one. The source and its account are in the request, for trust policies
// that keep out confused deputies:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html.
func (a *authority) trusts(roleARN, service, sourceARN string) bool {
	trust := a.of(roleARN).trust
	if trust == nil {
		return false
	}
	r := policy.Request{Principal: service, Action: assumeRole, Context: a.timeOfRequest()}
	r.Context["aws:PrincipalIsAWSService"], r.Context["aws:PrincipalServiceName"] = []string{"true"}, []string{service}
	if sourceARN != "" {
		r.Context["aws:SourceArn"], r.Context["aws:SourceAccount"] = []string{sourceARN}, []string{awsproto.AccountID}
	}
	v := verdict{allowed: policy.Evaluate(r, trust).Outcome == policy.Allowed, reason: notTrusted}
	if first := a.usage.note(use{role: roleARN, action: assumeRole, resource: roleARN, service: service}, v); first && !v.allowed {
		a.cloud.log.Warn("access denied", "principal", service, "action", assumeRole, "resource", roleARN, "reason", v.why(assumeRole))
	}
	return v.allowed
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
	may := func(action, stream string) bool {
		return a.mayFrom(l.Role, function, "logs:"+action, logStreamARN(region, l.Group, stream), l.Function)
	}
	if !groupExists && !may("CreateLogGroup", "") {
		return false
	}
	return may("CreateLogStream", l.Stream) && may("PutLogEvents", l.Stream)
}
