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
		if path, ok := strings.CutPrefix(r.URL.Path, gateway.DataPath); ok {
			call.Resources = []string{strings.Replace(path, "/@connections/", "/", 1)}
			e.gateway.ServeHTTP(w, r)
			return
		}
		if call.Service == "" {
			call.Service = serviceOfTarget(r.Header.Get("X-Amz-Target"))
		}
		service, ok := services[call.Service]
		if !ok || speaksCBOR(r) {
			refuseService(w, r, call)
			return
		}
		service.ServeHTTP(w, r)
		if call.Operation == "Invoke" { // whose answer is the function's, not a protocol's
			call.Resources = []string{r.PathValue("FunctionName")}
		}
	}))
}

// targets are the X-Amz-Target prefixes of the JSON services.
var targets = map[string]string{"DynamoDB_20120810": "dynamodb", "AmazonSQS": "sqs", "Logs_20140328": "logs", "TrentService": "kms"}

func serviceOfTarget(target string) string {
	prefix, _, _ := strings.Cut(target, ".")
	return targets[prefix]
}
