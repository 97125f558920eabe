// Package telemetry is what a function tells its operators: structured logs
// without secrets, and metrics in CloudWatch's embedded metric format, which
// costs no API call because Lambda's log line is the metric.
//
//	log := telemetry.NewLogger(os.Stdout, cfg.LogLevel, "connect")
//	log.Info("connected", "connection", id, "tenant", tenant)
//
// A token must not reach a log. The logger drops attributes that are named like
// a secret and everything that looks like a JWT, as a second line of defence:
// the first is not to pass them.
package telemetry
