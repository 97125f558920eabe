package emulator

import (
	"net/http"
	"strings"

	"fanfare/localstack/awsproto"
	"fanfare/localstack/gateway"
	"fanfare/localstack/kms"
)

// Handler serves all services. They are told apart by the service in the
// signature's scope; sockets and @connections by their path; a request that is
// not signed by its X-Amz-Target.
func (e *Emulator) Handler() http.Handler {
	services := map[string]http.Handler{
		"dynamodb": e.dynamodb, "sqs": e.sqs, "lambda": e.lambda, "apigateway": e.gateway,
		"iam": e.iam, "sts": e.sts, "kms": kms.New(), "logs": e.logs, "monitoring": e.cloudwatch,
	}
	admin := e.admin(services)
	return e.logged(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if why := e.foreign(r); why != "" {
			refuseForeign(w, r, why)
			return
		}
		if strings.HasPrefix(r.URL.Path, adminPath) {
			admin.ServeHTTP(w, r)
			return
		}
		call := awsproto.CallFrom(r.Context())
		if strings.HasPrefix(r.URL.Path, gateway.DataPath) {
			e.gateway.ServeHTTP(w, r)
			return
		}
		if call.Service == "" {
			call.Service = serviceOfTarget(r.Header.Get("X-Amz-Target"))
		}
		service, ok := services[call.Service]
		if !ok {
			refuseService(w, r, call)
			return
		}
		service.ServeHTTP(w, r)
	}))
}

// targets are the X-Amz-Target prefixes of the JSON services.
var targets = map[string]string{"DynamoDB_20120810": "dynamodb", "AmazonSQS": "sqs", "Logs_20140328": "logs", "TrentService": "kms"}

func serviceOfTarget(target string) string {
	prefix, _, _ := strings.Cut(target, ".")
	return targets[prefix]
}

// refuseService answers for a service that the local cloud does not have.
func refuseService(w http.ResponseWriter, r *http.Request, call *awsproto.Call) {
	call.Unknown = true
	call.Operation = r.Method + " " + r.URL.Path
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		call.Operation = target
	}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		awsproto.Query{}.ServeHTTP(w, r) // which knows no action, and says so in XML
		return
	}
	err := awsproto.UnknownOperation(call.Operation)
	if call.Service == "" {
		err.Message = "the request is not signed for an AWS service"
	} else {
		err.Message = "the local cloud has no service " + call.Service
	}
	awsproto.WriteREST(w, r, 0, nil, err)
}
